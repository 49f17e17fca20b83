"""ECSV 1.0 (Astropy Proposal for Enhancement 6): CSV whose YAML header keeps types, units and descriptions."""

from skydex.formats.ecsv.reader import is_ecsv, read_ecsv
from skydex.formats.ecsv.writer import write_ecsv
from skydex.formats.format import Format

__all__ = ["FORMAT", "read_ecsv", "write_ecsv"]

FORMAT = Format(
    name="ecsv",
    media_type="application/x-ecsv",
    suffixes=(".ecsv",),
    aliases=("text/x-ecsv", "text/ecsv"),
    read=read_ecsv,
    write=write_ecsv,
    sniff=is_ecsv,
)
