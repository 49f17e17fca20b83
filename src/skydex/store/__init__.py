"""The keeper of files and directories: HATS catalogues written, published, opened and verified."""

from skydex.store.appending import append_rows, worth_appending
from skydex.store.assembly import WriteReport, physical_schema
from skydex.store.dataset import Dataset, Partition, Piece, RowGroups, Selection, open_dataset
from skydex.store.directory import LINKS, REACHES, ArchiveDirectory, ArchiveEntry, Origin
from skydex.store.imagery import ImageRecord, Imagery, OriginalFile
from skydex.store.layout import INGEST_REPORT, Layout
from skydex.store.remote import Incoming, RemoteAccess, Traffic, counting, current_traffic
from skydex.store.staging import Staging
from skydex.store.statistics import ColumnStatistics
from skydex.store.tile_cache import TileCache
from skydex.store.verify import Damage, verify

__all__ = [
    "INGEST_REPORT",
    "LINKS",
    "REACHES",
    "ArchiveDirectory",
    "ArchiveEntry",
    "ColumnStatistics",
    "Damage",
    "Dataset",
    "ImageRecord",
    "Imagery",
    "Incoming",
    "Layout",
    "Origin",
    "OriginalFile",
    "Partition",
    "Piece",
    "RemoteAccess",
    "RowGroups",
    "Selection",
    "Staging",
    "TileCache",
    "Traffic",
    "WriteReport",
    "append_rows",
    "counting",
    "current_traffic",
    "open_dataset",
    "physical_schema",
    "verify",
    "worth_appending",
]
