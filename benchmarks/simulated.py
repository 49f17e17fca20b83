"""Simulated catalogues, the same in every run: nothing in them is an observation.

Files are made once in the cache directory, block by block, and used again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

__all__ = ["FIELD_CENTRE", "decimal_sky", "field", "field_side_deg", "fits_copy", "second_sky", "sky", "sources"]

Floats = NDArray[np.float64]

FIELD_CENTRE = (150.0, 2.0)
"""Right ascension and declination, in degrees, of the field that is surveyed deeply."""
_FIELD_DENSITY = 48_000
"""Sources in a square degree of it."""
_SEEING_DEG = 0.3 / 3600
_BLOCK_ROWS = 1_000_000
_SEED = 20_240_229


def sky(n_rows: int, cache: Path) -> Path:
    """A catalogue of the whole sky as a Parquet file: 14 columns, a third of the rows in a dense band."""
    return _stored(cache / f"sky_{n_rows}.parquet", n_rows, _positions_on_sky)


def second_sky(n_rows: int, cache: Path) -> Path:
    """The sources of the whole sky again as another survey sees them: a third of an arcsecond off, in another order."""
    file = cache / f"second_sky_{n_rows}.parquet"
    if not file.exists():
        rng = np.random.default_rng([_SEED, n_rows])
        rows = pq.read_table(sky(n_rows, cache), columns=["ra", "dec"]).take(rng.permutation(n_rows))
        ra, dec = (rows[name].to_numpy() for name in ("ra", "dec"))
        moved = np.clip(dec + rng.normal(0.0, _SEEING_DEG, n_rows), -90.0, 90.0)
        ra = (ra + rng.normal(0.0, _SEEING_DEG, n_rows) / np.cos(np.radians(dec))) % 360.0
        part = file.with_suffix(".part")
        pq.write_table(pa.table({"obj_id": np.arange(n_rows), "ra": ra, "dec": moved}), part)
        os.replace(part, file)
    return file


def decimal_sky(n_rows: int, cache: Path) -> Path:
    """The catalogue of the whole sky with every column rounded, as catalogues published in decimals are."""
    file = cache / f"decimal_sky_{n_rows}.parquet"
    if not file.exists():
        part = file.with_suffix(".part")
        source = pq.ParquetFile(sky(n_rows, cache))
        with pq.ParquetWriter(part, source.schema_arrow) as writer:
            for batch in source.iter_batches(_BLOCK_ROWS):
                writer.write_table(_rounded(pa.Table.from_batches([batch])))
        os.replace(part, file)
    return file


def field(n_rows: int, cache: Path) -> Path:
    """A catalogue of one deep field as a Parquet file, with the same 14 columns."""
    side = field_side_deg(n_rows)

    def positions(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
        ra0, dec0 = FIELD_CENTRE
        dec = dec0 + side * (rng.random(n) - 0.5)
        return ra0 + side * (rng.random(n) - 0.5) / np.cos(np.radians(dec)), dec

    return _stored(cache / f"field_{n_rows}.parquet", n_rows, positions)


def field_side_deg(n_rows: int) -> float:
    """Side of the deep field; its density is the same for every number of rows."""
    return float(np.sqrt(n_rows / _FIELD_DENSITY))


def fits_copy(parquet: Path) -> Path:
    """The same rows as a FITS binary table, written by astropy."""
    from astropy.io import fits

    file = parquet.with_suffix(".fits")
    if not file.exists():
        rows = pq.read_table(parquet)
        arrays = {name: rows[name].to_numpy() for name in rows.column_names}
        table = np.empty(len(rows), [(name, array.dtype.newbyteorder(">")) for name, array in arrays.items()])
        for name, array in arrays.items():
            table[name] = array
        part = file.with_suffix(".part")
        fits.BinTableHDU(table).writeto(part, overwrite=True)
        os.replace(part, file)
    return file


def sources(n_rows: int) -> pa.Table:
    """Rows of a source catalogue: a name of at most 22 characters and nine doubles at full precision.

    A fifth of the values of all doubles but the position are null.
    """
    rng = np.random.default_rng(_SEED)
    ra, dec = _positions_on_sky(rng, n_rows)
    values = {f"flux_{band}": np.exp(rng.normal(-32.0, 1.5, n_rows)) for band in ("b", "u", "s", "m", "h", "w")}
    values["significance"] = rng.gamma(2.0, 2.5, n_rows)
    columns: dict[str, pa.Array] = {"name": _names(ra, dec, rng), "ra": pa.array(ra), "dec": pa.array(dec)}
    columns |= {name: pa.array(array, mask=rng.random(n_rows) < 0.2) for name, array in values.items()}
    return pa.table(columns)


def _stored(file: Path, n_rows: int, positions: Callable[[np.random.Generator, int], tuple[Floats, Floats]]) -> Path:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        with pq.ParquetWriter(part, _block(0, 1, positions).schema) as writer:
            for first, n in _blocks(n_rows):
                writer.write_table(_block(first, n, positions))
        os.replace(part, file)
    return file


def _blocks(n_rows: int) -> Iterator[tuple[int, int]]:
    for first in range(0, n_rows, _BLOCK_ROWS):
        yield first, min(_BLOCK_ROWS, n_rows - first)


def _block(first: int, n: int, positions: Callable[[np.random.Generator, int], tuple[Floats, Floats]]) -> pa.Table:
    """Rows as a survey publishes them: positions to 1e-8 deg, magnitudes to 1 mmag, epochs to 1e-5 d, the rest exact.

    `obj_id` counts rows in the order of the file, which has nothing to do with the sky.
    """
    rng = np.random.default_rng([_SEED, first])
    ra, dec = positions(rng, n)
    g_mag = 24.0 - rng.exponential(1.8, n)
    return pa.table(
        {
            "obj_id": np.arange(first, first + n),
            "ra": np.round(ra, 8) % 360,
            "dec": np.round(dec, 8),
            "ra_err": rng.gamma(2.0, 4.0, n),
            "dec_err": rng.gamma(2.0, 4.0, n),
            "mean_epoch": np.round(rng.normal(57_200.0, 300.0, n), 5),
            "pm_ra": rng.normal(0.0, 6.0, n),
            "pm_dec": rng.normal(-2.0, 6.0, n),
            "g_mag": np.round(g_mag, 3).astype("f4"),
            "r_mag": np.round(g_mag - rng.normal(0.6, 0.3, n), 3).astype("f4"),
            "i_mag": np.round(g_mag - rng.normal(0.9, 0.4, n), 3).astype("f4"),
            "g_mag_err": (0.005 + 0.02 * 10 ** (0.4 * (g_mag - 22.0))).astype("f4"),
            "r_mag_err": rng.gamma(2.0, 0.01, n).astype("f4"),
            "n_obs": rng.poisson(12, n).astype("i2"),
        }
    )


def _rounded(rows: pa.Table) -> pa.Table:
    """Errors and motions to 1e-3 mas and mas/yr, errors of magnitudes to 0.1 mmag; the rest is rounded already."""
    for name, decimals in {"ra_err": 3, "dec_err": 3, "pm_ra": 3, "pm_dec": 3, "g_mag_err": 4, "r_mag_err": 4}.items():
        number = rows.schema.get_field_index(name)
        rows = rows.set_column(number, rows.field(number), pc.round(rows[name], decimals))
    return rows


def _positions_on_sky(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    """Two thirds evenly over the sphere, a third along a band across it, twenty degrees wide."""
    z = 2.0 * rng.random(n) - 1.0
    in_band = rng.random(n) < 1 / 3
    ra = 360.0 * rng.random(n)
    dec = np.degrees(np.arcsin(z))
    band_dec = 60.0 * np.sin(np.radians(ra)) + rng.normal(0.0, 5.0, n)
    return ra, np.where(in_band, band_dec, dec)


def _names(ra: Floats, dec: Floats, rng: np.random.Generator) -> pa.Array:
    """Names in the manner of the Chandra Source Catalog; some are longer by the X of an extended source."""
    hours, degrees = ra / 15, np.abs(dec)
    seconds = [hours % 1 * 60 % 1 * 60, degrees % 1 * 60 % 1 * 60]
    extended = rng.random(len(ra)) < 0.02
    parts = zip(
        hours.astype(int),
        (hours % 1 * 60).astype(int),
        np.minimum(seconds[0], 59.9),
        np.where(dec < 0, "-", "+"),
        degrees.astype(int),
        (degrees % 1 * 60).astype(int),
        np.minimum(seconds[1], 59).astype(int),
        np.where(extended, "X", ""),
        strict=True,
    )
    return pa.array([f"2CXO J{h:02}{m:02}{s:04.1f}{sign}{d:02}{n:02}{t:02}{x}" for h, m, s, sign, d, n, t, x in parts])
