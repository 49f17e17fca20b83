"""What a cross-match means: who is whose partner, and which rows and columns come out; not where rows are kept."""

from skydex.xmatch.columns import Shape, position_of, shaped
from skydex.xmatch.criteria import Criteria, Keep, SameRows
from skydex.xmatch.motion import Motion, find_motion
from skydex.xmatch.partners import Matched, Partners, matched, ranked
from skydex.xmatch.radius import LARGEST_DEG, Radius, degrees_of_unit, find_errors

__all__ = [
    "LARGEST_DEG",
    "Criteria",
    "Keep",
    "Matched",
    "Motion",
    "Partners",
    "Radius",
    "SameRows",
    "Shape",
    "degrees_of_unit",
    "find_errors",
    "find_motion",
    "matched",
    "position_of",
    "ranked",
    "shaped",
]
