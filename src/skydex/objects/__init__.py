"""From detections to objects: what the Hubble Source Catalog makes of its measurements, for anybody's."""

from skydex.objects.detections import match_detections
from skydex.objects.filters import FILTERS, HubbleFilter, HubbleImage, filter_numbers, get_filter, parse_image_name
from skydex.objects.matching import match_evidence, match_groups
from skydex.objects.motion_columns import motion_columns, position_columns
from skydex.objects.motions import proper_motions, source_positions
from skydex.objects.positions import locate_matches
from skydex.objects.summary import Magnitude, summarize
from skydex.objects.summary_columns import Statistic, summary_columns

__all__ = [
    "FILTERS",
    "HubbleFilter",
    "HubbleImage",
    "Magnitude",
    "Statistic",
    "filter_numbers",
    "get_filter",
    "locate_matches",
    "match_detections",
    "match_evidence",
    "match_groups",
    "motion_columns",
    "parse_image_name",
    "position_columns",
    "proper_motions",
    "source_positions",
    "summarize",
    "summary_columns",
]
