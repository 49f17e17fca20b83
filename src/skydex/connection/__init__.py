"""One door to near and far: an archive that is asked in the same words wherever it is."""

from skydex.connection.columns import ColumnRef, Columns, col, joined_conditions
from skydex.connection.connection import Connection
from skydex.connection.cutout import Cutout
from skydex.connection.cutouts import Cutouts
from skydex.connection.jobs import Job
from skydex.connection.mirroring import Mirrored, mirror, mirrors, refresh
from skydex.connection.mydb import MyDB
from skydex.connection.opening import connect
from skydex.connection.precision import display_format
from skydex.connection.rows import ResultTable, result_table
from skydex.connection.stream import Stream

__all__ = [
    "ColumnRef",
    "Columns",
    "Connection",
    "Cutout",
    "Cutouts",
    "Job",
    "Mirrored",
    "MyDB",
    "ResultTable",
    "Stream",
    "col",
    "connect",
    "display_format",
    "joined_conditions",
    "mirror",
    "mirrors",
    "refresh",
    "result_table",
]
