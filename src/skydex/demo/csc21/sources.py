"""What there is to see in the fields, and how many photons of it each observation counts.

Fluxes follow a broken power law above what the exposure of a field lets one see; spectra are absorbed power laws.
Counts are Poisson variates of what areas that are illustrative would collect. Nothing here is the response of the
real telescope. Sources come in blocks, each drawn from streams of its own and the same each time it is drawn, because
every table of the catalogue is made from them anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from skydex.demo.chance import stream
from skydex.demo.csc21.fields import NGC1333, RADIUS_DEG, Sky, offset
from skydex.demo.csc21.names import source_names
from skydex.demo.publications import read_printed
from skydex.demo.size import Size
from skydex.sky import separation_deg

__all__ = ["APERTURE_ARCSEC", "BACKGROUND_PER_S", "BANDS", "Block", "Looks", "blocks", "looks_at", "sources_at"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

BANDS = "bhmsuw"
"""Order of bands wherever an array has one column for each."""
_EDGES_KEV = np.array([[0.5, 7.0], [2.0, 7.0], [1.2, 2.0], [0.5, 1.2], [0.2, 0.5], [0.1, 10.0]])
_MIDDLES_KEV = np.array([1.5, 3.5, 1.6, 0.85, 0.35, 1.5])
_AREAS_CM2 = np.array([0.0, 250.0, 500.0, 250.0, 30.0, 120.0])
BACKGROUND_PER_S = np.array([0.0, 6e-7, 2e-7, 2e-7, 1e-7, 3e-6])
"""Counts per second and square arcsecond; those of the broad band are the sum of three."""
APERTURE_ARCSEC = (1.8, 0.22)
"""Radius of apertures on the axis, and what it grows by with the square of the off-axis angle in arcmin."""
_ERG_PER_KEV = 1.602176634e-9
_N_POINTS, _N_EXTENDED = 406_089, 1_717
_BREAK, _BRIGHTEST = 8e-15, 3e-11
"""Where the number counts turn steeper; erg/s/cm2, in the broad band."""
_FAINTEST_TIMES_S = 8.4e-11
"""Faintest flux times exposure: some seven counts."""
_INTRA, _INTER = 0.08, 0.12
"""Shares of sources that vary within and between observations."""
_OLD_NAME = 0.03
"""Share of sources that kept a name from before their position was improved."""
_BLOCK_ROWS = 16_384
_INNER_DEG = 2.5 / 60
"""Within this distance of NGC 1333 there are the printed sources and no others."""


@dataclass(frozen=True)
class Block:
    """Sources of some neighbouring fields, ascending by field, and what is true of them."""

    number: int
    """Names the streams of chance."""
    field: Integers
    """Number of the field."""
    place: Integers
    """Number of the source in its field, from 0."""
    n_in_field: Integers
    """How many sources its field has."""
    ra: Floats
    """True position, degrees, ICRS."""
    dec: Floats
    """True position, degrees, ICRS."""
    angle: Floats
    """Direction from the centre of the field, radians from north through east."""
    distance_deg: Floats
    """Distance from the centre of the field."""
    is_extended: Flags
    """Whether its name ends in X."""
    flux: Floats
    """Mean energy flux in the broad band, erg/s/cm2."""
    gamma: Floats
    """Photon index."""
    nh: Floats
    """Column density, 10**20 cm**-2."""
    varies_within: Flags
    """Whether it varies within observations."""
    varies_between: Flags
    """Whether it varies between them."""
    printed: Integers
    """Row among the printed ones; -1 for the others."""
    names: pa.Array
    """What the catalogue calls them."""

    def __len__(self) -> int:
        return len(self.field)

    @cached_property
    def spectra(self) -> tuple[Floats, Floats]:
        """(n, 6) each: photons/s/cm2, and mean energy of a photon in erg, by band."""
        return _spectra(self.flux, self.gamma, self.nh)

    @property
    def photon_flux(self) -> Floats:
        """(n, 6): photons/s/cm2 by band."""
        return self.spectra[0]

    @property
    def erg_per_photon(self) -> Floats:
        """(n, 6): mean energy by band."""
        return self.spectra[1]


@dataclass(frozen=True)
class Looks:
    """Each source in each observation of its field, ascending by source and then by stack."""

    source: Integers
    """Row of the block."""
    observation: Integers
    """Number of the observation."""
    theta: Floats
    """Off-axis angle, arcmin."""
    phi: Floats
    """Azimuth about the aim point, degrees."""
    exposure: Floats
    """(n, 6): cm2 s by band; 0 where the instrument has no such band."""
    counts: Floats
    """(n, 6): counts in the aperture."""
    background: Floats
    """(n, 6): how many of them are expected of the background."""
    factor: Floats
    """Flux at that time relative to the mean."""

    def __len__(self) -> int:
        return len(self.source)


def blocks(sky: Sky, size: Size, seed: int) -> Iterator[tuple[int, Integers, Integers, Integers]]:
    """Parts of the catalogue: number, fields, and how many point sources and extended ones each of these has."""
    rng = stream(seed, "csc21", "numbers")
    weights = (
        np.sqrt(sky.fields.exposure) * np.where(sky.fields.is_plane, 1.5, 1.0) * rng.gamma(4.0, 0.25, len(sky.fields))
    )
    n_points = rng.multinomial(size.count(_N_POINTS) - len(read_printed("csc21_ngc1333")), weights / weights.sum())
    n_extended = rng.multinomial(size.count(_N_EXTENDED), weights / weights.sum())
    n_all = n_points + n_extended
    block = (np.cumsum(n_all) - n_all) // _BLOCK_ROWS
    for number in np.unique(block):
        fields = np.flatnonzero(block == number)
        yield int(number), fields, n_points[fields], n_extended[fields]


def sources_at(
    sky: Sky, number: int, fields: Integers, n_points: Integers, n_extended: Integers, *, seed: int
) -> Block:
    """The sources of some fields; those of NGC 1333 that were printed come first in their field."""
    rng = stream(seed, "csc21", "sources", number)
    n_printed = np.where(sky.fields.is_ngc1333[fields], len(read_printed("csc21_ngc1333")), 0)
    n_in = n_points + n_extended + n_printed
    field = np.repeat(fields, n_in)
    n_rows = len(field)
    place = np.arange(n_rows) - np.repeat(np.cumsum(n_in) - n_in, n_in)
    is_extended = place >= np.repeat(n_in - n_extended, n_in)
    nearest = np.where(sky.fields.is_ngc1333[field], _INNER_DEG, 0.0)
    distance = np.sqrt(nearest**2 + rng.random(n_rows) * (RADIUS_DEG**2 - nearest**2))
    angle = rng.uniform(0.0, 2 * np.pi, n_rows)
    ra, dec = offset(sky.fields.ra[field], sky.fields.dec[field], distance, angle)
    flux = _fluxes(rng, _FAINTEST_TIMES_S / sky.fields.exposure[field])
    old = np.where(rng.random(n_rows) < _OLD_NAME, 1 / 3600, 0.0)
    named_at = offset(ra, dec, old, rng.uniform(0.0, 2 * np.pi, n_rows))
    block = Block(
        number=number,
        field=field,
        place=place,
        n_in_field=np.repeat(n_in, n_in),
        ra=ra,
        dec=dec,
        angle=angle,
        distance_deg=distance,
        is_extended=is_extended,
        flux=np.where(is_extended, 10.0 * flux, flux),
        gamma=rng.normal(1.8, 0.3, n_rows),
        nh=np.exp(rng.normal(np.log(np.where(sky.fields.is_plane[field], 60.0, 4.0)), 0.6)),
        varies_within=rng.random(n_rows) < _INTRA,
        varies_between=rng.random(n_rows) < _INTER,
        printed=np.where(place < np.repeat(n_printed, n_in), place, -1),
        names=source_names(*named_at, is_extended),
    )
    return _with_printed(block) if (block.printed >= 0).any() else block


def _with_printed(block: Block) -> Block:
    """The same with the names, positions and fluxes of printed sources; where no flux was printed, one was drawn."""
    here = np.flatnonzero(block.printed >= 0)
    rows = read_printed("csc21_ngc1333").take(pa.array(block.printed[here]))
    ra, dec = rows["ra"].to_numpy(), rows["dec"].to_numpy()
    flux = pc.fill_null(rows["flux_aper_b"], 0.0).to_numpy()
    east = (ra - NGC1333[0]) * np.cos(np.radians(NGC1333[1]))
    return replace(
        block,
        ra=_put(block.ra, here, ra),
        dec=_put(block.dec, here, dec),
        angle=_put(block.angle, here, np.arctan2(east, dec - NGC1333[1])),
        distance_deg=_put(block.distance_deg, here, separation_deg(*NGC1333, ra, dec)),
        flux=_put(block.flux, here, np.where(flux > 0, flux, block.flux[here])),
        names=pc.replace_with_mask(block.names, pa.array(block.printed >= 0), rows["name"].combine_chunks()),
    )


def _put(array: Floats, rows: Integers, values: Floats) -> Floats:
    changed = array.copy()
    changed[rows] = values
    return changed


def looks_at(sky: Sky, block: Block, *, seed: int) -> Looks:
    """Observe every source of a block in every observation of its field."""
    rng = stream(seed, "csc21", "looks", block.number)
    seen = sky.observations
    first = np.searchsorted(seen.field, block.field, "left")
    n_looks = np.searchsorted(seen.field, block.field, "right") - first
    source = np.repeat(np.arange(len(block)), n_looks)
    observation = np.repeat(first, n_looks) + np.arange(len(source)) - np.repeat(np.cumsum(n_looks) - n_looks, n_looks)
    theta, phi = _off_axis(sky, block, source, observation)
    is_hrc = seen.is_hrc[observation]
    vignetting = 1.0 - 0.035 * theta
    time = seen.exposure[observation]
    areas = np.where(np.append(np.ones(5), 0.0) == np.where(is_hrc, 0.0, 1.0)[:, None], _AREAS_CM2, 0.0)
    exposure = areas * (time * vignetting)[:, None]
    varied = np.exp(rng.normal(0.0, 0.7, len(source)))
    factor = np.where(block.varies_between[source], varied, 1.0)
    aperture = np.pi * (APERTURE_ARCSEC[0] + APERTURE_ARCSEC[1] * theta**2) ** 2
    expected = exposure * block.photon_flux[source] * factor[:, None]
    background = np.where(exposure > 0, BACKGROUND_PER_S * (time * aperture)[:, None], 0.0)
    counts = rng.poisson(expected + background).astype(np.float64)
    for array in (counts, background):
        array[:, 0] = array[:, 1:4].sum(axis=1)
    with np.errstate(invalid="ignore"):
        exposure[:, 0] = expected[:, 1:4].sum(axis=1) / (block.photon_flux[source, 0] * factor)
    return Looks(source, observation, theta, phi, exposure, counts, background, factor)


def _off_axis(sky: Sky, block: Block, source: Integers, observation: Integers) -> tuple[Floats, Floats]:
    """Angle in arcmin from the aim point, and azimuth in degrees, in the plane that touches the field."""
    seen, field = sky.observations, block.field[source]
    ra0, dec0 = sky.fields.ra[field], sky.fields.dec[field]
    east = (seen.ra[observation] - ra0 + 180.0) % 360.0 - 180.0
    x = 60.0 * (block.distance_deg * np.sin(block.angle))[source] - 60.0 * east * np.cos(np.radians(dec0))
    y = 60.0 * (block.distance_deg * np.cos(block.angle))[source] - 60.0 * (seen.dec[observation] - dec0)
    return np.hypot(x, y), np.degrees(np.arctan2(x, y) + np.radians(seen.roll[observation])) % 360.0


def _fluxes(rng: np.random.Generator, faintest: Floats) -> Floats:
    """Fluxes above a limit, dN/dS as S**-1.5 below the break and S**-2.5 above."""
    below = 2.0 * np.maximum(faintest**-0.5 - _BREAK**-0.5, 0.0)
    start = np.maximum(faintest, _BREAK)
    above = 2.0 / 3.0 * start**-1.5 * _BREAK
    draw = rng.random(len(faintest)) * (below + above)
    low = (faintest**-0.5 - np.minimum(draw, below) / 2.0) ** -2
    rest = np.clip(1.0 - (draw - below) / above, 1e-9, 1.0)
    fluxes: Floats = np.minimum(np.where(draw < below, low, start * rest ** (-2.0 / 3.0)), _BRIGHTEST)
    return fluxes


def _spectra(flux: Floats, gamma: Floats, nh: Floats) -> tuple[Floats, Floats]:
    """Photon fluxes by band, and mean energies of photons, of absorbed power laws of a flux in the broad band."""
    g = np.clip(gamma, 0.6, 3.2)[:, None]
    g = np.where(np.abs(g - 1.0) < 1e-3, 1.001, g)
    g = np.where(np.abs(g - 2.0) < 1e-3, 2.001, g)
    low, high = _EDGES_KEV.T
    through = np.exp(-0.02 * nh[:, None] * _MIDDLES_KEV**-2.6)
    photons = through * (high ** (1.0 - g) - low ** (1.0 - g)) / (1.0 - g)
    energy = through * (high ** (2.0 - g) - low ** (2.0 - g)) / (2.0 - g) * _ERG_PER_KEV
    for array in (photons, energy):
        array[:, 0] = array[:, 1:4].sum(axis=1)
        array[:, 5] = array[:, 0] + array[:, 4]
    scale = flux / energy[:, 0]
    return photons * scale[:, None], energy / photons
