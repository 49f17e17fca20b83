"""Columns of the tables that describe the images of a collection, `<collection>.images` and `.image_cards`."""

from __future__ import annotations

from skydex.tables import OBSCORE_COLUMNS, Column, Datatype

__all__ = ["CARD_COLUMNS", "IMAGE_COLUMNS"]

_C, _I, _D = Datatype.CHAR, Datatype.INT, Datatype.DOUBLE
_WCS = "pos.wcs"


def _text(name: str, ucd: str, description: str) -> Column:
    return Column(name, _C, "*", ucd=ucd, description=description)


IMAGE_COLUMNS = (
    *OBSCORE_COLUMNS,
    _text("name", "meta.id;meta.file", "Name by which the image is asked for"),
    Column("hdu", _I, ucd="meta.id;meta.number", description="Number of the extension, 0 for the primary HDU"),
    _text("extension", "meta.id", "EXTNAME and EXTVER, as in SCI,1"),
    _text("filter", "instr.filter", "Filter, as the instrument calls it"),
    _text("detector", "meta.id;instr.det", "Detector"),
    Column("n_exposures", _I, ucd="meta.number;obs.exposure", description="Exposures that it was made of"),
    _text("bunit", "meta.unit", "Unit of the pixels"),
    Column("bitpix", _I, ucd="meta.number", description="Type of the pixels: bits, negative for floating point"),
    _text("ctype1", f"{_WCS}.ctype", "Kind of the first axis"),
    _text("ctype2", f"{_WCS}.ctype", "Kind of the second axis"),
    *(Column(f"crpix{i}", _D, unit="pixel", ucd=f"{_WCS}.crpix", description=f"Reference pixel, axis {i}, from 1")
      for i in (1, 2)),
    *(Column(f"crval{i}", _D, ucd=f"{_WCS}.crval", description=f"World coordinate there, axis {i}") for i in (1, 2)),
    *(Column(f"cd{i}_{j}", _D, ucd=f"{_WCS}.cdmatrix", description=f"Change of world axis {i} along pixel axis {j}")
      for i in (1, 2) for j in (1, 2)),
)  # fmt: skip
"""Of a table of images: those of ObsCore, and what is known of images besides."""

CARD_COLUMNS = (
    _text("obs_publisher_did", "meta.ref.ivoid", "Identifier of the image"),
    _text("name", "meta.id;meta.file", "Name of the image"),
    Column("hdu", _I, ucd="meta.id;meta.number", description="Number of its extension"),
    Column("card", _I, ucd="meta.number", description="Place of the card in the header, from 0"),
    _text("keyword", "meta.id", "Keyword, in capital letters"),
    _text("text", "meta.note", "Value, as text"),
    Column("number", _D, ucd="meta.number", description="Value of a number; 1 or 0 for T or F"),
    _text("comment", "meta.note", "Comment behind the value"),
)
"""Of a table of header cards."""
