"""`Stars`: what is in a field of the simulated sky, before anybody observes it.

Colours and magnitudes follow the ridge lines of `population.yaml`, which says that they are illustrative; magnitudes
in other filters than F475W and F814W come from these two by interpolation in inverse wavelength.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from skydex.demo.chance import stream
from skydex.demo.hsc.fields import Field
from skydex.demo.hsc.images import Image, images_of
from skydex.demo.size import Size

__all__ = ["COMPONENTS", "Stars", "population", "stars_of"]

Floats = NDArray[np.float64]

_LATTICE_ARCSEC = 0.55
_JITTER_ARCSEC = 0.1
_SCALE_ARCSEC = 180.0
_FILLED = 0.5
_PAIRS = 0.01
_BLUE, _RED = 1 / 4750.0, 1 / 8140.0


@cache
def population() -> dict[str, Any]:
    """The numbers of `population.yaml`."""
    text = resources.files("skydex.demo.hsc").joinpath("population.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


COMPONENTS = ("giants", "clump", "horizontal", "main_sequence", "foreground", "galaxies")
"""Kinds of objects; `component` counts from 0."""


@dataclass(frozen=True)
class Stars:
    """The objects of a field, an array of `n` values each."""

    ra: Floats
    """ICRS at the mean epoch of the images, degrees."""
    dec: Floats
    """ICRS at that epoch, degrees."""
    pointing: NDArray[np.int64]
    """Pointing of the field on whose images they lie."""
    f814w: Floats
    """Mean apparent magnitude in F814W, AB."""
    colour: Floats
    """F475W-F814W, reddened."""
    component: NDArray[np.int64]
    """Place in `COMPONENTS`."""
    pm_ra: Floats
    """Proper motion times cos(dec), mas/yr."""
    pm_dec: Floats
    """Proper motion, mas/yr."""
    leak: Floats
    """Share of a neighbour's flux that comes into the aperture, at most."""

    def __len__(self) -> int:
        return len(self.ra)

    def magnitudes(self, wavelength: float) -> Floats:
        """Mean apparent magnitudes at a wavelength in Angstrom."""
        return self.f814w + self.colour * blueness(wavelength)


def blueness(wavelength: float) -> float:
    """0 at F814W, 1 at F475W, linear in inverse wavelength."""
    return float(np.clip((1 / wavelength - _RED) / (_BLUE - _RED), -0.8, 2.2))


def stars_of(field: Field, size: Size, seed: int) -> Stars:
    """The objects of a field at a size."""
    images = images_of(field, seed)
    n_stars = round(field.n_seed * min(1.0, size.share)) or (1 if field.n_seed else 0)
    rng = stream(seed, "hsc", field.name, "stars")
    ra, dec, pointing = _places(field, images, n_stars, rng)
    n_stars = len(ra)
    component = rng.choice(
        len(COMPONENTS), n_stars, p=[population()["components"][name]["share"] for name in COMPONENTS]
    )
    f814w, colour = _light(field, component, rng)
    pm_ra, pm_dec = rng.normal(0.0, max(field.pm, 1e-9), (2, n_stars))
    leak = np.where(rng.random(n_stars) < 0.03, rng.uniform(0.02, 0.15, n_stars), 0.0)
    return Stars(ra, dec, pointing, f814w, colour, component, pm_ra, pm_dec, leak)


def _places(
    field: Field, images: tuple[Image, ...], n_stars: int, rng: np.random.Generator
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Positions on the images: an exponential disc on a disturbed lattice, so that few come too close to each other."""
    firsts = [next(image for image in images if image.pointing == number) for number in range(len(field.pointings))]
    share = np.diff(np.linspace(0, n_stars, len(firsts) + 1).round().astype(int))
    found = [_places_on(image, int(count), rng) for image, count in zip(firsts, share, strict=True)]
    ra = np.concatenate([places[0] for places in found])
    dec = np.concatenate([places[1] for places in found])
    pointing = np.repeat(np.arange(len(firsts)), [len(places[0]) for places in found])
    _move_pairs(ra, dec, pointing, rng)
    return ra, dec, pointing


def _places_on(image: Image, n_stars: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    scale = image.detector.scale_arcsec
    across = int(image.detector.naxis * scale / _LATTICE_ARCSEC) - 4
    cell_x, cell_y = (axis.ravel() - (across - 1) / 2 for axis in np.meshgrid(np.arange(across), np.arange(across)))
    keys = rng.gumbel(size=across**2) - np.hypot(cell_x, cell_y) * _LATTICE_ARCSEC / _SCALE_ARCSEC
    n_chosen = min(n_stars, int(_FILLED * across**2))
    chosen = np.argpartition(-keys, n_chosen)[:n_chosen]
    chosen = chosen[np.argsort(-keys[chosen])]
    jitter = rng.uniform(-_JITTER_ARCSEC, _JITTER_ARCSEC, (2, len(chosen)))
    x = (cell_x[chosen] * _LATTICE_ARCSEC + jitter[0]) / scale + image.crpix
    y = (cell_y[chosen] * _LATTICE_ARCSEC + jitter[1]) / scale + image.crpix
    return image.positions(x, y)


def _move_pairs(ra: Floats, dec: Floats, pointing: NDArray[np.int64], rng: np.random.Generator) -> None:
    """Put a few stars so close to others that friends of friends would take two for one."""
    moved = np.flatnonzero(rng.random(len(ra)) < _PAIRS)
    partners = rng.permutation(len(ra))[: len(moved)]
    angle, apart = rng.uniform(0, 2 * np.pi, len(moved)), rng.uniform(0.15, 0.28, len(moved)) / 3600
    is_same = (pointing[moved] == pointing[partners]) & (moved != partners) & ~np.isin(partners, moved)
    moved, partners, angle, apart = moved[is_same], partners[is_same], angle[is_same], apart[is_same]
    ra[moved] = ra[partners] + apart * np.cos(angle) / np.cos(np.radians(dec[partners]))
    dec[moved] = dec[partners] + apart * np.sin(angle)


def _light(field: Field, component: NDArray[np.int64], rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Apparent F814W magnitudes and colours."""
    absolute, colour = np.zeros(len(component)), np.zeros(len(component))
    dust = 1.53 * field.ebv
    brightest, faintest = field.bright - dust - field.modulus, field.faint - dust - field.modulus
    for number, name in enumerate(COMPONENTS):
        those = component == number
        facts = population()["components"][name]
        absolute[those] = _magnitudes(facts, int(those.sum()), (brightest, faintest), rng)
        colour[those] = _colours(facts, absolute[those], rng)
    return absolute + field.modulus + dust, colour + 1.7 * field.ebv


def _magnitudes(facts: dict[str, Any], count: int, limits: tuple[float, float], rng: np.random.Generator) -> Floats:
    """Absolute magnitudes: a peak, or a luminosity function between two limits."""
    if "peak" in facts and limits[0] + 1 < facts["peak"] < limits[1]:
        return np.asarray(rng.normal(facts["peak"], facts["peak_width"], count))
    bright, faint = (float(value) for value in facts.get("range", limits))
    bright, faint = max(bright, limits[0]), min(faint, limits[1])
    if bright + 0.5 > faint:
        bright, faint = limits
    slope = float(facts.get("slope", 0.3))
    return np.asarray(bright + np.log10(1 + rng.random(count) * (10 ** (slope * (faint - bright)) - 1)) / slope)


def _colours(facts: dict[str, Any], absolute: Floats, rng: np.random.Generator) -> Floats:
    if "ridge" not in facts:
        return np.asarray(rng.normal(facts["colour"], facts["width"], len(absolute)))
    nodes = np.array(facts["ridge"])
    return np.asarray(np.interp(absolute, nodes[:, 0], nodes[:, 1]) + rng.normal(0.0, facts["width"], len(absolute)))
