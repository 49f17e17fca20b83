"""The keeper of files and directories: HATS catalogues written, published, opened and verified."""

from skydex.store.appending import append_rows, worth_appending
from skydex.store.assembly import WriteReport, physical_schema
from skydex.store.dataset import Dataset, Partition, Piece, RowGroups, Selection, open_dataset
from skydex.store.directory import LINKS, REACHES, ArchiveDirectory, ArchiveEntry, Origin, check_new_name
from skydex.store.imagery import ImageRecord, Imagery, OriginalFile
from skydex.store.indexing import index_column
from skydex.store.layout import INGEST_REPORT, Layout
from skydex.store.remote import Incoming, RemoteAccess, Traffic, counting, current_traffic
from skydex.store.rowtests import AllOf, Among, AnyOf, Between, Missing, Present, RowTest, Value, columns_of
from skydex.store.staging import Staging
from skydex.store.statistics import ColumnStatistics, text_above
from skydex.store.tile_cache import TileCache
from skydex.store.verify import Damage, verify

__all__ = [
    "INGEST_REPORT",
    "LINKS",
    "REACHES",
    "AllOf",
    "Among",
    "AnyOf",
    "ArchiveDirectory",
    "ArchiveEntry",
    "Between",
    "ColumnStatistics",
    "Damage",
    "Dataset",
    "ImageRecord",
    "Imagery",
    "Incoming",
    "Layout",
    "Missing",
    "Origin",
    "OriginalFile",
    "Partition",
    "Piece",
    "Present",
    "RemoteAccess",
    "RowGroups",
    "RowTest",
    "Selection",
    "Staging",
    "TileCache",
    "Traffic",
    "Value",
    "WriteReport",
    "append_rows",
    "check_new_name",
    "columns_of",
    "counting",
    "current_traffic",
    "index_column",
    "open_dataset",
    "physical_schema",
    "text_above",
    "verify",
    "worth_appending",
]
