"""Tiles of HiPS as files: FITS, PNG and JPEG; and the picture of the whole sky.

HiPS 1.0 (IVOA REC 2017-05-19): tiles in FITS with the header of a HEALPix projection (section 4.2.1; Calabretta &
Roukema 2007, MNRAS 381, 865), PNG that is transparent where there is nothing, JPEG that is black there, both drawn with
the last row of the FITS tile on top; `Allsky`, the tiles of order 3 side by side (4.3.2).
"""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from skydex.images.blocks import means_of_strips
from skydex.images.hips_grid import TILE_ORDERS, TILE_WIDTH, Tile, every_other_bit
from skydex.images.look import Look, Stretch
from skydex.images.render import picture_of, render

__all__ = ["ALLSKY_ORDER", "TILE_FORMATS", "allsky_of", "tile_file", "tile_values"]

TILE_FORMATS = {"fits": "image/fits", "png": "image/png", "jpg": "image/jpeg"}
"""Media type of each format, by the ending of its files."""
ALLSKY_ORDER = 3
"""The order of which `Allsky` shows all tiles."""
_N_TILES = 12 * 4**ALLSKY_ORDER
_THUMBNAIL = 64
_PNG_LEVEL = 2
"""Of zlib's 9: on noise the default takes thrice as long, and saves little."""
_N_COLUMNS = 27
"""Tiles beside each other: the square root of their number, cut off."""

Values = NDArray[np.float32]


def tile_file(
    values: Values, format: str, cut: tuple[float, float], *, tile: Tile | None = None, about: str = ""
) -> bytes:
    """Write a tile, or the picture of the whole sky.

    Parameters
    ----------
    values : (ny, nx) float32 array
        NaN where there is nothing; row 0 is the first of a FITS image.
    format : str
        One of `TILE_FORMATS`.
    cut : (float, float)
        Levels of black and white.
    tile : Tile, optional
        Which tile it is; only FITS says so.
    about : str, optional
        What it shows, as a comment; only FITS has it.
    """
    look = Look(Stretch.ASINH, low=(cut[0],), high=(cut[1],), quality=90)
    if format == "jpg":
        return render([values], look, "jpeg")
    if format == "png":
        return _png(values, look)
    return _fits(values, _cards(tile) if tile else {}, about)


def tile_values(file: bytes) -> Values:
    """The numbers of a tile in FITS that was written here."""
    from astropy.io import fits

    with fits.open(io.BytesIO(file), memmap=False) as hdus:
        return np.asarray(hdus[0].data, dtype=np.float32)


def allsky_of(tiles: Mapping[int, Values]) -> Values:
    """The tiles of order 3 side by side, from the upper left, each 64 pixels wide."""
    n_rows = -(-_N_TILES // _N_COLUMNS)
    whole = np.full((n_rows * _THUMBNAIL, _N_COLUMNS * _THUMBNAIL), np.nan, np.float32)
    step = TILE_WIDTH // _THUMBNAIL
    for pixel, values in tiles.items():
        means = means_of_strips(values.reshape(_THUMBNAIL, step, TILE_WIDTH), step)
        row, column = n_rows - 1 - pixel // _N_COLUMNS, pixel % _N_COLUMNS
        whole[row * _THUMBNAIL : (row + 1) * _THUMBNAIL, column * _THUMBNAIL : (column + 1) * _THUMBNAIL] = means
    return whole


def _png(values: Values, look: Look) -> bytes:
    from PIL import Image as Pictures

    grey = picture_of([values], look)
    alpha = np.where(np.isfinite(values[::-1]), np.uint8(255), np.uint8(0))
    out = io.BytesIO()
    Pictures.merge("LA", [Pictures.fromarray(grey), Pictures.fromarray(alpha)]).save(
        out, "PNG", compress_level=_PNG_LEVEL
    )
    return out.getvalue()


def _fits(values: Values, cards: Mapping[str, object], about: str) -> bytes:
    from astropy.io import fits

    hdu = fits.PrimaryHDU(values)
    hdu.header.update(cards)
    hdu.header["ORIGIN"] = "skydex"
    if about:
        hdu.header["COMMENT"] = " ".join(about.encode("ascii", "replace").decode().split())
    out = io.BytesIO()
    hdu.writeto(out)
    return out.getvalue()


def _cards(tile: Tile) -> dict[str, object]:
    """The projection of a tile: a part of the plane of HPX, turned by 45 degrees."""
    step = 45.0 / (TILE_WIDTH << tile.order)
    x, y = _first_place(tile)
    return {
        "CTYPE1": "RA---HPX", "CTYPE2": "DEC--HPX", "CRVAL1": 0.0, "CRVAL2": 0.0,
        "CRPIX1": 1.0 - (y - x) / (2.0 * step), "CRPIX2": 1.0 + (x + y) / (2.0 * step),
        "CD1_1": -step, "CD1_2": -step, "CD2_1": step, "CD2_2": -step,
        "PV2_1": 4.0, "PV2_2": 3.0, "RADESYS": "ICRS",
        "PIXTYPE": "HEALPIX", "ORDERING": "NESTED", "COORDSYS": "C",
        "ORDER": tile.order, "NPIX": tile.pixel, "NSIDE": 1 << (tile.order + TILE_ORDERS),
    }  # fmt: skip


def _first_place(tile: Tile) -> tuple[float, float]:
    """Where the first pixel of a tile lies in the plane of HPX, degrees."""
    n_side = TILE_WIDTH << tile.order
    face, cell = tile.pixel >> 2 * tile.order, tile.pixel & ((1 << 2 * tile.order) - 1)
    i, k = every_other_bit(np.array([cell, cell >> 1]), tile.order) * TILE_WIDTH + np.array([TILE_WIDTH - 1, 0])
    ring, place = divmod(face, 4)
    centre_x = 90.0 * place + (0.0 if ring == 1 else 45.0)
    x = (centre_x + (i - k) * 45.0 / n_side + 180.0) % 360.0 - 180.0
    return x, 45.0 * (1 - ring) + (i + k + 1 - n_side) * 45.0 / n_side
