"""`Measurements`: what the simulated telescope's images yield, one row for each source found in an image.

`measure(field, size, seed)` is a pure function. Every image draws from a stream of its own. The rows know which
star they come from and what went wrong with them, which goes into tables of the truth; everything else is what a
source extractor would have written.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from skydex.demo.chance import stream
from skydex.demo.hsc.fields import Field
from skydex.demo.hsc.images import Image, images_of
from skydex.demo.hsc.stars import COMPONENTS, Stars, population, stars_of
from skydex.demo.hsc.variability import Variables, variables_of
from skydex.demo.size import Size

__all__ = ["ARTIFACTS", "Measurements", "Sky", "joined", "measure", "noise_of", "sky_of"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ARTIFACTS = ("none", "cosmic ray", "blend", "diffraction spike", "bad pixel or edge", "bad image")
"""What may be wrong with a measurement; `artifact` counts from 0."""
_NONE, _COSMIC_RAY, _BLEND, _SPIKE, _PIXEL, _IMAGE = range(len(ARTIFACTS))

_DETECTED, _HIT, _HIT_SINGLE, _BROKEN, _SCATTERED = 0.985, 0.008, 0.016, 0.001, 0.3
_SPIKES_FROM, _SPIKES, _SPIKE_SEEN, _SPIKE_ARCSEC = 19.0, 3, 0.4, 3.0
_EDGE_PX = 20
_YEAR_D = 365.25
ZERO_POINTS = {"ACS/WFC": 26.0, "WFC3/UVIS": 25.9, "WFC3/IR": 26.2, "WFPC2": 24.5}
"""AB magnitude of one electron per second, illustrative."""


@dataclass(frozen=True)
class Measurements:
    """Sources found in the images of a field, an array of `n` values each."""

    star: Integers
    """Which star of the field's truth; -1 for what is none, -2 for those of printed rows."""
    image: Integers
    """Which of the field's images, from 0."""
    match_id: Integers
    """The object that it belongs to: printed, or 0 as long as sources are not matched."""
    source_id: Integers
    """Printed, or 0."""
    ra: Floats
    """ICRS, degrees."""
    dec: Floats
    """ICRS, degrees."""
    x: Floats
    """Pixel coordinate, FITS convention."""
    y: Floats
    """Pixel coordinate, FITS convention."""
    flux: Floats
    """Electrons per second within the larger aperture."""
    mag_aper2: Floats
    """AB magnitude within the larger aperture."""
    mag_err: Floats
    """Its error as the extractor knows it, 1 sigma."""
    mag_auto: Floats
    """AB magnitude within a Kron ellipse."""
    ci: Floats
    """Normalised concentration index."""
    kron_radius: Floats
    """Kron radius, arcsec."""
    flags: Integers
    """Sum of flags, as in the detailed table."""
    artifact: Integers
    """What is wrong with it: place in `ARTIFACTS`."""
    mag_true: Floats
    """Noise-free magnitude of the star at this epoch; NaN where there is no star."""

    def __len__(self) -> int:
        return len(self.star)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Measurements:
        """Some of the rows, in the order asked for."""
        return Measurements(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(frozen=True)
class Sky:
    """The truth of a field."""

    field: Field
    """Where."""
    images: tuple[Image, ...]
    """What was taken of it."""
    stars: Stars
    """What is there."""
    variables: Variables
    """Which of these vary."""


@lru_cache(maxsize=2)
def sky_of(field: Field, size: Size, seed: int) -> Sky:
    """The truth of a field at a size."""
    images = images_of(field, seed)
    stars, variables = variables_of(field, stars_of(field, size, seed), images, seed)
    return Sky(field, images, stars, variables)


def measure(field: Field, size: Size, seed: int) -> Measurements:
    """Take the simulated images of a field and find what is in them.

    Parameters
    ----------
    field : Field
        One of `fields_of(size)`.
    size : Size
        How many stars there are.
    seed : int
        The same seed gives the same measurements.
    """
    sky = sky_of(field, size, seed)
    return joined([_measured(sky, number, seed) for number in range(len(sky.images))])


def joined(parts: list[Measurements]) -> Measurements:
    """Measurements one after the other."""
    return Measurements(
        **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Measurements)}
    )


@dataclass(frozen=True)
class Noise:
    """How well an image measures."""

    a: float
    b: float
    floor: float
    faint: float

    def error(self, magnitudes: Floats) -> Floats:
        """What the extractor gives as the error of a magnitude."""
        depth = magnitudes - 25.2
        return np.sqrt(self.a**2 * 10 ** (0.4 * depth) + self.b**2 * 10 ** (0.8 * depth))


def noise_of(image: Image) -> Noise:
    """Noise of an image, by its filter and exposure time."""
    facts = population()["noise"].get(image.filter, population()["noise"]["other"])
    deeper = 1.25 * np.log10(image.exposure_s / facts["exposure_s"])
    shrink = float(10 ** (-0.4 * deeper))
    return Noise(facts["a"] * shrink**0.5, facts["b"] * shrink, facts["floor"], facts["faint"] + float(deeper))


def _measured(sky: Sky, number: int, seed: int) -> Measurements:
    """What is found in one image."""
    image = sky.images[number]
    rng = stream(seed, "hsc", sky.field.name, "sources", image.name)
    true = sky.stars.magnitudes(image.wavelength)
    true[sky.variables.star] += sky.variables.deviations(image, number)
    noise = noise_of(image)
    seen = _seen(sky, image, noise, true, rng)
    rows = _photometry(sky, number, seen, true[seen], rng)
    rows = _with_faults(sky, rows, image, rng)
    spurious = _spikes(sky, number, true, rng)
    return _finished(joined([rows, spurious]), image, noise)


def _seen(sky: Sky, image: Image, noise: Noise, true: Floats, rng: np.random.Generator) -> Integers:
    """Stars on the image that are found."""
    chance = rng.random(len(true))
    odds = _DETECTED / (1 + np.exp(np.clip((true - noise.faint) / 0.25, -50, 50)))
    x, y = image.pixels(sky.stars.ra, sky.stars.dec)
    return np.flatnonzero((chance < odds) & (sky.stars.pointing == image.pointing) & image.holds(x, y))


def _photometry(sky: Sky, number: int, seen: Integers, true: Floats, rng: np.random.Generator) -> Measurements:
    """Positions, magnitudes and shapes of stars, with the errors that every measurement has."""
    image, n = sky.images[number], len(seen)
    noise = noise_of(image)
    x, y = image.pixels(sky.stars.ra[seen], sky.stars.dec[seen])
    middle = image.crpix
    zero = image.offset + (image.gradient[0] * (x - middle) + image.gradient[1] * (y - middle)) / image.naxis
    observed = true + rng.normal(0.0, 1.0, n) * np.hypot(noise.error(true), noise.floor) + zero
    is_galaxy = sky.stars.component[seen] == COMPONENTS.index("galaxies")
    blur = 10 ** (0.2 * (true - 25))
    years = (image.start_mjd - _reference_mjd(sky.images)) / _YEAR_D
    apart = rng.normal(0.0, 1.0, (2, n)) * np.hypot(2.0, 6.0 * blur)
    ra = sky.stars.ra[seen] + (apart[0] + sky.stars.pm_ra[seen] * years) / 3.6e6 / np.cos(
        np.radians(sky.stars.dec[seen])
    )
    dec = sky.stars.dec[seen] + (apart[1] + sky.stars.pm_dec[seen] * years) / 3.6e6
    ci = rng.normal(1.0, 1.0, n) * (0.05 + 0.04 * blur) + 1.0 - (0.05 + 0.04 * blur) + np.where(is_galaxy, 0.45, 0.0)
    return Measurements(
        star=seen,
        image=np.full(n, number),
        match_id=np.zeros(n, np.int64),
        source_id=np.zeros(n, np.int64),
        ra=ra,
        dec=dec,
        x=x,
        y=y,
        flux=np.zeros(n),
        mag_aper2=observed,
        mag_err=np.zeros(n),
        mag_auto=observed + rng.normal(-0.05, 0.03, n) - np.where(is_galaxy, 0.2, 0.0),
        ci=ci,
        kron_radius=(rng.normal(0.2, 0.012, n) + np.where(is_galaxy, 0.12, 0.0)).clip(0.08),
        flags=np.where(is_galaxy, 1, 0),
        artifact=np.zeros(n, np.int64),
        mag_true=true,
    )


def _reference_mjd(images: tuple[Image, ...]) -> float:
    """Epoch of the stars' positions: the mean of the images."""
    return float(np.mean([image.start_mjd for image in images]))


def _with_faults(sky: Sky, rows: Measurements, image: Image, rng: np.random.Generator) -> Measurements:
    """Neighbours' light, cosmic rays, bad pixels and bad images."""
    n = len(rows)
    magnitudes, ci, artifact = rows.mag_aper2.copy(), rows.ci.copy(), rows.artifact.copy()
    leak = sky.stars.leak[rows.star] * rng.random()
    magnitudes -= 2.5 * np.log10(1 + leak)
    artifact[leak > 0.03] = _BLEND
    if image.is_bad:
        shaken = rng.random(n) < _SCATTERED
        magnitudes += rng.normal(0.0, 0.1) + np.where(shaken, rng.normal(0.0, 0.3, n), 0.0)
        artifact[shaken] = _IMAGE
    broken = (rng.random(n) < _BROKEN) | (np.minimum(rows.x, rows.y) < _EDGE_PX)
    broken |= np.maximum(rows.x, rows.y) > image.naxis - _EDGE_PX
    magnitudes += np.where(broken, rng.normal(0.1, 0.25, n), 0.0)
    artifact[broken] = _PIXEL
    hit = rng.random(n) < (_HIT_SINGLE if image.n_exposures == 1 else _HIT)
    ray = 0.5 * 10 ** (-0.4 * 25.0) * 10 ** rng.normal(0.0, 0.6, n)
    magnitudes = np.where(hit, -2.5 * np.log10(10 ** (-0.4 * magnitudes) + ray), magnitudes)
    artifact[hit] = _COSMIC_RAY
    ci[hit] += 0.4
    away = np.where(hit, 3.0, 1.0)  # a cosmic ray pulls the source's position towards itself
    ra = sky.stars.ra[rows.star] + away * (rows.ra - sky.stars.ra[rows.star])
    dec = sky.stars.dec[rows.star] + away * (rows.dec - sky.stars.dec[rows.star])
    change = magnitudes - rows.mag_aper2
    flags = rows.flags | np.where(artifact == _BLEND, 2, 0) | np.where(broken, 8, 0)
    return replace(
        rows,
        mag_aper2=magnitudes,
        mag_auto=rows.mag_auto + change,
        ci=ci,
        artifact=artifact,
        ra=ra,
        dec=dec,
        flags=flags,
    )


def _spikes(sky: Sky, number: int, true: Floats, rng: np.random.Generator) -> Measurements:
    """What the extractor takes for sources on the diffraction spikes of bright stars: at the same places each time."""
    image, stars = sky.images[number], sky.stars
    bright = np.flatnonzero(
        (stars.f814w < min(_SPIKES_FROM, sky.field.bright + 0.7)) & (stars.pointing == image.pointing)
    )
    places = stream(0, "hsc", sky.field.name, "spikes", len(stars))
    count = len(bright) * _SPIKES
    angle, apart = places.uniform(0, 2 * np.pi, count), places.uniform(0.8, _SPIKE_ARCSEC, count) / 3600
    host = np.repeat(bright, _SPIKES)
    ra = stars.ra[host] + apart * np.cos(angle) / np.cos(np.radians(stars.dec[host]))
    dec = stars.dec[host] + apart * np.sin(angle)
    x, y = image.pixels(ra, dec)
    found = np.flatnonzero((rng.random(count) < _SPIKE_SEEN) & image.holds(x, y))
    n = len(found)
    magnitudes = true[host[found]] + rng.uniform(5.0, 6.0, n)
    shaken = rng.normal(0.0, 15.0, (2, n)) / 3.6e6
    return Measurements(
        star=np.full(n, -1),
        image=np.full(n, number),
        match_id=np.zeros(n, np.int64),
        source_id=np.zeros(n, np.int64),
        ra=ra[found] + shaken[0] / np.cos(np.radians(dec[found])),
        dec=dec[found] + shaken[1],
        x=x[found],
        y=y[found],
        flux=np.zeros(n),
        mag_aper2=magnitudes,
        mag_err=np.zeros(n),
        mag_auto=magnitudes - rng.uniform(0.0, 0.4, n),
        ci=rng.normal(1.4, 0.15, n),
        kron_radius=rng.normal(0.3, 0.05, n).clip(0.1),
        flags=np.full(n, 2),
        artifact=np.full(n, _SPIKE),
        mag_true=np.full(n, np.nan),
    )


def _finished(rows: Measurements, image: Image, noise: Noise) -> Measurements:
    """With errors and count rates, and as many digits as the catalogue gives."""
    magnitudes = rows.mag_aper2.round(4)
    x, y = image.pixels(rows.ra, rows.dec)
    return replace(
        rows,
        mag_aper2=magnitudes,
        mag_auto=rows.mag_auto.round(4),
        mag_err=np.maximum(noise.error(magnitudes), 0.0005).round(4),
        flux=10 ** (-0.4 * (magnitudes - ZERO_POINTS[image.detector.name])),
        ci=rows.ci.round(6),
        kron_radius=rows.kron_radius.round(4),
        x=x,
        y=y,
    )
