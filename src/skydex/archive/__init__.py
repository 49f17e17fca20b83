"""Everything an archive can be asked."""

from skydex.archive.answer import Answer, Explanation
from skydex.archive.archive import Archive, Schema
from skydex.archive.examples import ReadyExample
from skydex.archive.requests import ConeRequest, QueryRequest, TableRequest, Upload
from skydex.archive.uploads import TAP_UPLOAD
from skydex.engines import Deadline

__all__ = [
    "TAP_UPLOAD",
    "Answer",
    "Archive",
    "ConeRequest",
    "Deadline",
    "Explanation",
    "QueryRequest",
    "ReadyExample",
    "Schema",
    "TableRequest",
    "Upload",
]
