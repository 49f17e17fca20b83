"""CSV and TSV (RFC 4180), in and out."""

from skydex.formats.delimited.reader import read_csv, read_tsv
from skydex.formats.delimited.writer import overflow_remark, quoted, write_bare_csv, write_csv, write_tsv
from skydex.formats.format import Format

__all__ = ["FORMATS", "overflow_remark", "quoted", "read_csv", "read_tsv", "write_bare_csv", "write_csv", "write_tsv"]

FORMATS = (
    Format(
        name="csv",
        media_type="text/csv",
        suffixes=(".csv", ".csv.zip", ".zip"),
        aliases=("text/comma-separated-values",),
        read=read_csv,
        write=write_csv,
    ),
    Format(
        name="tsv",
        media_type="text/tab-separated-values",
        suffixes=(".tsv", ".tab"),
        read=read_tsv,
        write=write_tsv,
    ),
)
