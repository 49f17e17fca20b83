"""Text tables of astronomy: CDS and MRT, IPAC, RDB, DAOphot, SExtractor, fixed width, LaTeX, columns between blanks."""

from skydex.formats.ascii.reader import is_text_table, read_ascii
from skydex.formats.format import Format

__all__ = ["FORMAT", "is_text_table", "read_ascii"]

FORMAT = Format(
    name="ascii",
    media_type="text/x-ascii-table",
    suffixes=(
        ".txt", ".dat", ".cat", ".ascii", ".asc", ".tbl", ".ipac", ".rdb", ".mrt", ".cds", ".tex", ".coo", ".mag",
        ".list", ".data", ".rst", ".qdp", ".tdat", ".dbout", ".xym", ".xymeee", ".uvwxympq", ".listid",
    ),
    read=read_ascii,
)  # fmt: skip
