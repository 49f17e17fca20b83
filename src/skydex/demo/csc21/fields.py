"""Where a simulated Chandra has looked: fields, the stacks of observations of each, and the observations.

Fields are as wide as its cameras and do not overlap: each has the middle of a HEALPix pixel of order 7 to itself. Seven
of ten lie outside the Milky Way, the others along it. The field of NGC 1333 is always among them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skydex.demo.chance import stream
from skydex.demo.size import Size
from skydex.sky import centres_deg, directions_deg, pixels_of, rotated, separation_deg, unit_vectors

__all__ = ["NGC1333", "RADIUS_DEG", "Fields", "Observations", "Sky", "Stacks", "make_sky", "offset"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

NGC1333 = (52.297, 31.31)
"""Centre of the cone whose sources were printed."""
RADIUS_DEG = 8 / 60
"""Radius of a field."""
_ORDER = 7
_N_FIELDS, _MOST_FIELDS = 5400, 60_000
_ALONE_DEG = 0.8
"""Around NGC 1333, which is not in the middle of its pixel, there is no other field."""
_PLANE_SHARE, _PLANE_SPREAD_DEG, _NO_PLANE_DEG = 0.3, 3.0, 10.0
_MEDIAN_EXPOSURE_S, _EXPOSURE_SPREAD = 20_000.0, 0.9
_HRC_ONLY, _WITH_HRC, _SECOND_STACK = 0.02, 0.03, 0.18
_REPEATS = 0.3
"""Chance that a stack has one observation more."""
_FIRST_OBSID, _FIRST_MJD, _LAST_MJD = 9_000_000, 51_500.0, 59_500.0
_INSTRUMENTS, _DETECTORS = ("ACIS", "HRC"), ("ACIS-I", "ACIS-S", "HRC-I", "HRC-S")


@dataclass(frozen=True)
class Fields:
    """Fields, ascending by HEALPix pixel."""

    ra: Floats
    """Degrees, ICRS."""
    dec: Floats
    """Degrees, ICRS."""
    exposure: Floats
    """Seconds, of all observations."""
    is_plane: NDArray[np.bool_]
    """Whether it lies in the Milky Way."""
    is_ngc1333: NDArray[np.bool_]
    """Whether it is that of the printed sources."""

    def __len__(self) -> int:
        return len(self.ra)


@dataclass(frozen=True)
class Stacks:
    """Observations of one field with one instrument, taken together; ascending by field."""

    field: Integers
    """Number of the field."""
    is_hrc: NDArray[np.bool_]
    """HRC rather than ACIS."""
    ra: Floats
    """Pointing, degrees, ICRS."""
    dec: Floats
    """Pointing, degrees, ICRS."""
    n_obs: Integers
    """How many observations."""
    exposure: Floats
    """Seconds, of all of them."""
    ids: pa.Array
    """`acisfJhhmmssmddmmss_001` or `hrcf...`."""

    def __len__(self) -> int:
        return len(self.field)

    @property
    def instrument(self) -> pa.Array:
        return pa.array(_INSTRUMENTS).take(pa.array(self.is_hrc.astype(np.int64)))


@dataclass(frozen=True)
class Observations:
    """Observations, ascending by stack."""

    stack: Integers
    """Number of the stack."""
    field: Integers
    """Number of the field."""
    obsid: Integers
    """Number that the observatory gives."""
    ra: Floats
    """Pointing, degrees, ICRS."""
    dec: Floats
    """Pointing, degrees, ICRS."""
    roll: Floats
    """Degrees."""
    exposure: Floats
    """Seconds."""
    mjd: Floats
    """Start, UTC."""
    is_hrc: NDArray[np.bool_]
    """HRC rather than ACIS."""
    is_s: NDArray[np.bool_]
    """The chips or plates of the spectroscopic array rather than the imaging array."""

    def __len__(self) -> int:
        return len(self.stack)

    @property
    def instrument(self) -> pa.Array:
        return pa.array(_INSTRUMENTS).take(pa.array(self.is_hrc.astype(np.int64)))

    @property
    def detector(self) -> pa.Array:
        return pa.array(_DETECTORS).take(pa.array(2 * self.is_hrc.astype(np.int64) + self.is_s))


@dataclass(frozen=True)
class Sky:
    """Everything that was looked at."""

    fields: Fields
    """Places."""
    stacks: Stacks
    """What was observed there, by instrument."""
    observations: Observations
    """And when."""


def make_sky(size: Size, seed: int) -> Sky:
    """Draw fields, stacks and observations."""
    rng = stream(seed, "csc21", "sky")
    pixels, is_plane = _places(rng, size)
    ra, dec = centres_deg(pixels, _ORDER)
    here = pixels == pixels_of(*NGC1333, _ORDER)
    ra[here], dec[here] = NGC1333
    stacks_of, is_hrc = _stacks_of(rng, here)
    n_obs = rng.geometric(1.0 - _REPEATS, len(stacks_of))
    n_obs[here[stacks_of]] = 4
    stack = np.repeat(np.arange(len(stacks_of)), n_obs)
    drawn = _MEDIAN_EXPOSURE_S * np.exp(rng.normal(0.0, _EXPOSURE_SPREAD, len(stack)))
    exposure = np.clip(drawn, 1500.0, 170_000.0).round(1)
    pointing = _jittered(rng, ra[stacks_of], dec[stacks_of], 0.5 / 60)
    aims = _jittered(rng, pointing[0][stack], pointing[1][stack], 0.1 / 60)
    n_obs_all = len(stack)
    observations = Observations(
        stack=stack,
        field=stacks_of[stack],
        obsid=_FIRST_OBSID + 1 + rng.permutation(n_obs_all),
        ra=aims[0],
        dec=aims[1],
        roll=rng.uniform(0.0, 360.0, n_obs_all),
        exposure=exposure,
        mjd=np.round(rng.uniform(_FIRST_MJD, _LAST_MJD, n_obs_all), 6),
        is_hrc=is_hrc[stack],
        is_s=rng.random(n_obs_all) < 0.45,
    )
    of_stack = np.bincount(stack, exposure, len(stacks_of)).astype(np.float64)
    stacks = Stacks(stacks_of, is_hrc, *pointing, n_obs, of_stack, _stack_ids(*pointing, is_hrc, stacks_of))
    in_field = np.bincount(observations.field, exposure, len(pixels)).astype(np.float64)
    return Sky(Fields(ra, dec, in_field, is_plane, here), stacks, observations)


def offset(ra: Floats, dec: Floats, distance_deg: Floats, angle: Floats) -> tuple[Floats, Floats]:
    """Positions at a distance from others, in a direction in radians from north through east."""
    a, d = np.radians(ra), np.radians(dec)
    centre = unit_vectors(ra, dec)
    east = np.stack([-np.sin(a), np.cos(a), np.zeros_like(a)])
    north = np.stack([-np.sin(d) * np.cos(a), -np.sin(d) * np.sin(a), np.cos(d)])
    r = np.radians(distance_deg)
    return directions_deg(centre * np.cos(r) + (east * np.sin(angle) + north * np.cos(angle)) * np.sin(r))


def _places(rng: np.random.Generator, size: Size) -> tuple[Integers, NDArray[np.bool_]]:
    """Pixels of the fields, ascending, and which of them lie in the Milky Way."""
    n_fields = min(size.count(_N_FIELDS, least=20), _MOST_FIELDS)
    n_drawn = 3 * n_fields
    is_plane = rng.random(n_drawn) < _PLANE_SHARE
    latitude = np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, n_drawn)))
    latitude = np.where(is_plane, np.clip(rng.laplace(0.0, _PLANE_SPREAD_DEG, n_drawn), -90, 90), latitude)
    ra, dec = rotated(rng.uniform(0.0, 360.0, n_drawn), latitude, origin="GALACTIC", target="ICRS")
    is_kept = (is_plane | (np.abs(latitude) > _NO_PLANE_DEG)) & (separation_deg(ra, dec, *NGC1333) > _ALONE_DEG)
    drawn = np.append(pixels_of(*NGC1333, _ORDER), pixels_of(ra[is_kept], dec[is_kept], _ORDER))
    found, first = np.unique(drawn, return_index=True)
    kept = np.sort(np.argsort(first)[:n_fields])
    return found[kept], np.append(False, is_plane[is_kept])[first[kept]]


def _stacks_of(rng: np.random.Generator, here: NDArray[np.bool_]) -> tuple[Integers, NDArray[np.bool_]]:
    """For each stack its field, and whether it is one of HRC: a few fields have HRC alone, some both instruments."""
    n_fields = len(here)
    draw, more = rng.random((2, n_fields))
    draw[here] = more[here] = 1.0  # the printed sources were seen with ACIS
    has_hrc_only = draw < _HRC_ONLY
    has_both = (draw >= _HRC_ONLY) & (draw < _HRC_ONLY + _WITH_HRC)
    n_stacks = 1 + (has_both | (more < _SECOND_STACK))
    field = np.repeat(np.arange(n_fields), n_stacks)
    is_second = np.append(False, field[1:] == field[:-1])
    return field, np.where(is_second, has_both[field] | has_hrc_only[field], has_hrc_only[field])


def _jittered(rng: np.random.Generator, ra: Floats, dec: Floats, most_deg: float) -> tuple[Floats, Floats]:
    return offset(ra, dec, most_deg * np.sqrt(rng.random(len(ra))), rng.uniform(0.0, 2 * np.pi, len(ra)))


def _stack_ids(ra: Floats, dec: Floats, is_hrc: NDArray[np.bool_], field: Integers) -> pa.Array:
    """Identifiers in the manner of the catalogue: `acisfJ0329131p311842_001`."""
    is_second = np.append(False, field[1:] == field[:-1])
    tenths, seconds = (ra * 2400.0).astype(int), np.abs(dec * 3600.0).astype(int)
    return pa.array(
        f"{'hrcf' if h else 'acisf'}J{t // 36_000:02}{t // 600 % 60:02}{t % 600:03}"
        f"{'m' if d < 0 else 'p'}{s // 3600:02}{s // 60 % 60:02}{s % 60:02}_{1 + n:03}"
        for h, t, d, s, n in zip(is_hrc, tenths, dec, seconds, is_second, strict=True)
    )
