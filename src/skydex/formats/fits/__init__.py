"""FITS: binary and ASCII tables in, a binary table out (FITS 4.0, 2018)."""

from skydex.formats.fits.reader import is_fits, read_fits
from skydex.formats.fits.writer import write_fits
from skydex.formats.format import Format

__all__ = ["FORMAT", "read_fits", "write_fits"]

FORMAT = Format(
    name="fits",
    media_type="application/fits",
    suffixes=(".fits", ".fit", ".fts", ".mrdf"),
    aliases=("application/x-fits", "image/fits", "fits-basic"),
    read=read_fits,
    write=write_fits,
    sniff=is_fits,
)
