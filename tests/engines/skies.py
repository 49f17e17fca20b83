"""Awkward places of the sky, and pairs of them near each other, for cross-matches."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from astropy import units as u
from astropy.coordinates import SkyCoord, search_around_sky
from healpix_geo import nested

from skydex.query import Relation
from skydex.tables import Column, Datatype, Position, Table, arrow_schema

COLUMNS = (
    Column("id", Datatype.LONG, ucd="meta.id;meta.main"),
    Column("ra", Datatype.DOUBLE, unit="deg", ucd="pos.eq.ra;meta.main"),
    Column("dec", Datatype.DOUBLE, unit="deg", ucd="pos.eq.dec;meta.main"),
    Column("r", Datatype.DOUBLE, unit="deg"),
)
TIE_DEG = 1e-12
"""Pairs this close to the limit may or may not count."""


def nasty_places(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Positions at the poles, around RA 0, where base cells meet, on borders and corners of cells, opposite others."""
    part = n // 8
    ra, dec = rng.random(n) * 360.0, np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    scale = 10.0 ** rng.uniform(-10, 0.5, (8, part)) * rng.choice([-1, 1], (8, part))
    dec[:part] = np.where(rng.random(part) < 0.5, 1, -1) * (90.0 - np.abs(scale[0]))
    ra[part : 2 * part] = scale[1]
    transition = np.degrees(np.arcsin(2 / 3))
    dec[2 * part : 3 * part] = rng.choice([-transition, transition, 0.0], part) + scale[2]
    ra[2 * part : 3 * part] = rng.integers(0, 9, part) * 45.0 + scale[3]
    ra[3 * part : 4 * part] = rng.integers(0, 5, part) * 90.0 + scale[4] * 1e-3
    ra[4 * part : 5 * part] = rng.integers(0, 1025, part) * (360.0 / 1024)
    dec[4 * part : 5 * part] = np.degrees(np.arcsin(rng.integers(-170, 171, part) / 256))
    for i in range(5 * part, 6 * part):
        order = int(rng.integers(0, 25))
        corners = nested.vertices(np.array([rng.integers(0, 12 * 4**order)]), order)
        ra[i], dec[i] = (corner[0, i % 4] for corner in corners)
    ra[6 * part : 7 * part], dec[6 * part : 7 * part] = ra[:part] + 180.0, -dec[:part]
    dec[-4:] = 90.0, -90.0, 0.0, 0.0
    ra[-4:] = 0.0, 123.0, 0.0, 360.0
    return ra, np.clip(dec, -90.0, 90.0)


def near_to(ra: np.ndarray, dec: np.ndarray, scale: np.ndarray, rng: np.random.Generator):
    """Positions at about the given distances, degrees, from others; some at the very place."""
    at = SkyCoord(ra * u.deg, dec * u.deg)
    moved = at.directional_offset_by(rng.random(len(ra)) * 360.0 * u.deg, scale * u.deg)
    same = rng.random(len(ra)) < 0.05
    return np.where(same, ra, moved.ra.deg), np.where(same, dec, moved.dec.deg)


def mixed_radii(n: int, rng: np.random.Generator) -> np.ndarray:
    """Radii from a milliarcsecond to half the sky in one column; some are 0, negative, or none."""
    radius = 10.0 ** rng.uniform(-7, 2.2, n)
    radius[: n // 5] = rng.choice([0.0, -1.0, np.nan, 90.0, 179.999999, 180.0, 400.0], n // 5)
    return rng.permutation(radius)


def table_of(ra, dec, r=None) -> pa.Table:
    radius = np.zeros(len(ra)) if r is None else r
    columns = [pa.array(values, from_pandas=True) for values in (ra, dec, radius)]
    return pa.table([np.arange(len(ra)), *columns], schema=arrow_schema(COLUMNS))


def relation(name: str, rows: pa.Table) -> Relation:
    """A table in memory, as uploads are."""
    return Relation(Table(name, COLUMNS, position=Position("ra", "dec"), id_column="id"), rows)


def pairs_by_astropy(a: pa.Table, b: pa.Table, radius_deg: float) -> tuple[set, set]:
    """The pairs of ids within a radius, and those of them, and just outside of them, too near the limit to tell."""
    left, right = (SkyCoord(t["ra"].to_numpy() * u.deg, t["dec"].to_numpy() * u.deg) for t in (a, b))
    i, j, separation, _ = search_around_sky(left, right, (radius_deg + 2 * TIE_DEG) * u.deg)
    is_near, is_tie = separation.deg <= radius_deg, np.abs(separation.deg - radius_deg) <= TIE_DEG
    return {*zip(i[is_near].tolist(), j[is_near].tolist(), strict=True)}, {
        *zip(i[is_tie].tolist(), j[is_tie].tolist(), strict=True)
    }


def pairs_of_circles(a: pa.Table, b: pa.Table, radius_deg: np.ndarray) -> tuple[set, set]:
    """The same where every pair has a radius of its own, (len(a), len(b)) or of a shape that becomes so."""
    left, right = (SkyCoord(t["ra"].to_numpy() * u.deg, t["dec"].to_numpy() * u.deg) for t in (a, b))
    separation = left[:, None].separation(right[None, :]).deg
    excess = separation - radius_deg
    return {*map(tuple, np.argwhere((excess <= 0.0) & (radius_deg >= 0.0)).tolist())}, {
        *map(tuple, np.argwhere((np.abs(excess) <= TIE_DEG) & (radius_deg >= 0.0)).tolist())
    }
