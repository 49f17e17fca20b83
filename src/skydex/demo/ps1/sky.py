"""`Sky`: the objects of one field, and what Pan-STARRS1 measured of them in single exposures.

Real objects are detected in each exposure with a chance that follows from their brightness; those detected once at
most are left out, and junk is drawn beside them, so that 45 per cent of all objects have one detection only. Objects
that a publication printed are there with as many detections as it counts, and with the printed ones among them.
Objects are in the order of their position (HEALPix), detections in that of object, band and time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skydex.demo.chance import stream
from skydex.demo.ps1.exposures import AB_ZERO_JY, BANDS, Exposures, plan_exposures
from skydex.demo.ps1.fields import M87, Field, positions_in
from skydex.demo.ps1.published import PublishedDetections, PublishedObjects, published_detections, published_objects
from skydex.demo.ps1.variables import Variability, constant, differences_mag, drawn, named
from skydex.sky import index29

__all__ = ["ARTIFACTS", "QUALITY", "Detections", "Objects", "Sky", "simulate_field"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

ARTIFACTS = ("none", "masked", "junk")
"""What is wrong with a detection."""
QUALITY = 0.9
"""Detections with a better psfQfPerfect make the means."""

_FIRST_OBJECT, _FIRST_DETECTION = 900_000_000_000_000_000, 8_000_000_000_000_000_000
"""Real identifiers of objects are below 2.2e17, those of detections below 3e17."""
_PER_FIELD = 10_000_000
_N_EXPOSURES = np.array((20, 28, 24, 20, 20))
_N_OF_STARS = 40
_COVERED = np.array((0.62, 0.55, 0.78, 0.66, 0.66))
"""Part of the exposures that look at a place: between their chips are gaps."""
_JUNK_SHARE = 0.45
_BAD_SHARE = 0.06
_FLOOR = 0.015
"""Scatter of bright stars, mag."""
_PHOTONS_JY = 2.5e-8
"""Variance of a flux by its own photons, relative to the flux."""
_LIMIT_SNR = 4.7
_FAINTEST = 23.3
_UNKNOWN_MAG = 20.0
_ASTROMETRY_ARCSEC = 0.015
_MAG_PER_RATIO = 2.5 / np.log(10.0)


@dataclass(frozen=True)
class Objects:
    """What is there; arrays of shape (n,)."""

    object_id: Ints
    ra_deg: Floats
    dec_deg: Floats
    mag: Floats
    """Mean magnitudes in all bands, (n, 5)."""
    size_arcsec: Floats
    """Half-light radius; 0 for stars."""
    is_junk: Mask
    printed: Ints
    """Row in the field's printed objects; -1 for those that are simulated."""
    variability: Variability

    def __len__(self) -> int:
        return len(self.object_id)


@dataclass(frozen=True)
class Detections:
    """Measurements of objects in exposures; arrays of shape (n,)."""

    detection_id: Ints
    owner: Ints
    """Index of the object."""
    band: Ints
    exposure: Ints
    """Index of the exposure."""
    mjd: Floats
    ra_deg: Floats
    dec_deg: Floats
    error_arcsec: Floats
    """Of the position."""
    mag: Floats
    """Without noise; NaN of junk."""
    flux: Floats
    """PSF flux, Jy."""
    flux_err: Floats
    kron: Floats
    """Kron flux, Jy; NaN where the measurement failed."""
    aperture: Floats
    quality: Floats
    """psfQfPerfect."""
    artifact: Ints
    """Index in `ARTIFACTS`."""
    printed: Ints
    """Row in the published detections; -1 for those that are simulated."""

    def __len__(self) -> int:
        return len(self.detection_id)


@dataclass(frozen=True)
class Sky:
    """A field as it is, as it was looked at, and what was found."""

    field: Field
    seed: int
    """The seed of the whole simulation."""
    exposures: Exposures
    known: PublishedObjects
    """Printed objects of the field."""
    objects: Objects
    detections: Detections


@dataclass(frozen=True)
class _Drawn:
    """Objects before they have identifiers, and which exposures see them."""

    ra_deg: Floats
    dec_deg: Floats
    mag: Floats
    size_arcsec: Floats
    variability: Variability
    seen: Mask
    """(n, n_exposures)."""


def simulate_field(field: Field, seed: int) -> Sky:
    """Make a field; the same field and seed give the same sky."""
    chance = stream(seed, "ps1", field.name)
    known = published_objects().of("" if field.name == M87 else field.name)
    is_star = field.pixel is None and field.name != M87
    n_per_band = np.full(len(BANDS), _N_OF_STARS) if is_star else _N_EXPOSURES
    exposures = plan_exposures(field.ra_deg, n_per_band, chance)
    prints = published_detections()
    parts = [_known(known, prints, exposures, chance)]
    if field.n_objects:
        parts.append(_real(field, exposures, chance))
        n_multiple = sum(len(part.ra_deg) for part in parts)
        parts.append(_junk(field, round(n_multiple * _JUNK_SHARE / (1 - _JUNK_SHARE)), exposures, chance))
    objects, seen = _objects(field, known, parts)
    return Sky(field, seed, exposures, known, objects, _detections(field, objects, seen, exposures, prints, chance))


def _real(field: Field, exposures: Exposures, chance: np.random.Generator) -> _Drawn:
    """Objects with more than one detection."""
    n = 3 * field.n_objects + 100
    ra_deg, dec_deg = positions_in(field, n, chance)
    variability = drawn(n, chance)
    mag = _magnitudes(n, chance)
    is_galaxy = (chance.random(n) < 0.4) & (variability.kind == 0)
    size = np.where(is_galaxy, chance.lognormal(-0.2, 0.4, n), 0.0)
    snr = 5.0 * 10.0 ** (-0.4 * (mag[:, exposures.band] - exposures.depth))
    odds = _COVERED[exposures.band] / (1.0 + np.exp(-(snr - _LIMIT_SNR) / 0.5))
    seen = chance.random(odds.shape) < odds
    chosen = np.flatnonzero(seen.sum(axis=1) > 1)[: field.n_objects]
    return _Drawn(ra_deg[chosen], dec_deg[chosen], mag[chosen], size[chosen], variability[chosen], seen[chosen])


def _magnitudes(n: int, chance: np.random.Generator) -> Floats:
    """Magnitudes that grow in number towards faint ones, with colours along the stellar locus, (n, 5)."""
    r = _FAINTEST + np.log10(1.0 - chance.random(n)) / 0.30
    g_r = np.where(chance.random(n) < 0.45, chance.normal(1.30, 0.15, n), chance.normal(0.55, 0.20, n)).clip(-0.3, 1.6)
    r_i = np.where(g_r > 1.1, chance.uniform(0.5, 1.8, n), 0.38 * g_r) + chance.normal(0.0, 0.04, n)
    i_z = 0.50 * r_i + chance.normal(0.0, 0.03, n)
    z_y = 0.28 * r_i + chance.normal(0.0, 0.03, n)
    r = r.clip(14.0, None)
    return np.stack((r + g_r, r, r - r_i, r - r_i - i_z, r - r_i - i_z - z_y), axis=1)


def _junk(field: Field, n: int, exposures: Exposures, chance: np.random.Generator) -> _Drawn:
    """What is detected once: noise near the limit, ghosts, glints and the edges of masks."""
    ra_deg, dec_deg = positions_in(field, n, chance)
    one = chance.integers(0, len(exposures), n)
    seen = np.zeros((n, len(exposures)), dtype=bool)
    seen[np.arange(n), one] = True
    bright = chance.random(n) < 0.35
    mag = np.where(bright, chance.uniform(17.0, 21.0, n), exposures.depth[one] - chance.exponential(0.25, n))
    return _Drawn(ra_deg, dec_deg, np.repeat(mag[:, None], len(BANDS), axis=1), np.zeros(n), constant(n), seen)


def _known(
    known: PublishedObjects, prints: PublishedDetections, exposures: Exposures, chance: np.random.Generator
) -> _Drawn:
    """Printed objects: as many exposures see them as the counts say, less those whose detections are printed."""
    n = len(known.object_id)
    order = np.argsort(chance.random((n, len(exposures))), axis=1)
    seen = np.zeros((n, len(exposures)), dtype=bool)
    for band in range(len(BANDS)):
        is_whole = (prints.band == band) & (prints.detection_id > 0)
        printed = np.equal(prints.object_id[is_whole], known.object_id[:, np.newaxis])
        wanted = known.counts[:, band] - np.sum(printed, axis=1)
        in_band = exposures.band[order] == band
        rank = np.where(in_band, np.cumsum(in_band, axis=1) - 1, len(exposures))
        np.put_along_axis(seen, order, np.take_along_axis(seen, order, axis=1) | (rank < wanted[:, None]), axis=1)
    n_known = np.isfinite(known.mag).sum(axis=1)
    usual = np.where(n_known > 0, np.nansum(known.mag, axis=1) / np.maximum(n_known, 1), _UNKNOWN_MAG)
    mag = np.where(np.isfinite(known.mag), known.mag, usual[:, None])
    stars = [named(name) if name else constant(1) for name in known.names]
    variability = sum(stars[1:], stars[0]) if stars else constant(0)
    ra_deg, dec_deg = known.position_deg.T
    return _Drawn(ra_deg, dec_deg, mag, np.zeros(n), variability, seen)


def _objects(field: Field, known: PublishedObjects, parts: list[_Drawn]) -> tuple[Objects, Mask]:
    """All objects in order, with their identifiers, and which exposures see them."""
    ra_deg, dec_deg = (np.concatenate([getattr(part, name) for part in parts]) for name in ("ra_deg", "dec_deg"))
    order = np.argsort(index29(ra_deg, dec_deg), kind="stable")
    n, n_known = len(order), len(known.object_id)
    printed = np.where(order < n_known, order, -1)
    first = _FIRST_OBJECT + field.number * _PER_FIELD
    object_id = np.where(printed >= 0, np.append(known.object_id, 0)[printed], first + np.arange(n))
    variability = sum((part.variability for part in parts[1:]), parts[0].variability)
    is_junk = np.zeros(n, dtype=bool)
    is_junk[sum(len(part.ra_deg) for part in parts[:2]) :] = True
    objects = Objects(
        object_id,
        ra_deg[order],
        dec_deg[order],
        np.concatenate([part.mag for part in parts])[order],
        np.concatenate([part.size_arcsec for part in parts])[order],
        is_junk[order],
        printed,
        variability[order],
    )
    return objects, np.concatenate([part.seen for part in parts])[order]


def _detections(
    field: Field,
    objects: Objects,
    seen: Mask,
    exposures: Exposures,
    prints: PublishedDetections,
    chance: np.random.Generator,
) -> Detections:
    owner, exposure = np.nonzero(seen)
    found = _measured(objects, exposures, owner, exposure, chance)
    whole = _with_printed(found, objects, prints)
    order = np.lexsort((whole["mjd"], whole["band"], whole["owner"]))
    columns = {name: values[order] for name, values in whole.items()}
    own = _FIRST_DETECTION + field.number * (_PER_FIELD * 1000) + np.arange(len(order))
    columns["detection_id"] = np.where(columns["detection_id"] > 0, columns["detection_id"], own)
    return Detections(**columns)


def _measured(
    objects: Objects, exposures: Exposures, owner: Ints, exposure: Ints, chance: np.random.Generator
) -> dict[str, NDArray[Any]]:
    """What exposures tell about the objects that they see, by field of `Detections`."""
    n, band, mjd = len(owner), exposures.band[exposure], exposures.mjd[exposure]
    mag = objects.mag[owner, band] + differences_mag(objects.variability[owner], mjd, band)
    is_junk = objects.is_junk[owner]
    is_masked = (chance.random(n) < _BAD_SHARE) & (objects.printed[owner] < 0) & ~is_junk
    quality = np.where(is_masked, chance.uniform(0.0, 0.95, n), chance.beta(60.0, 1.0, n))
    quality = np.where(is_junk & (chance.random(n) < 0.5), chance.uniform(0.0, 0.95, n), quality)
    lost = np.where(is_masked, chance.uniform(0.05, 1.0, n), 1.0)
    true = 10.0 ** (0.4 * (AB_ZERO_JY - mag))
    noise = 10.0 ** (0.4 * (AB_ZERO_JY - exposures.depth[exposure])) / 5.0
    error = np.sqrt(noise**2 + _PHOTONS_JY * true)
    flux = lost * true * (1.0 + _FLOOR / _MAG_PER_RATIO * chance.normal(size=n)) + error * chance.normal(size=n)
    extent = 1.0 + 0.5 * (objects.size_arcsec[owner] / exposures.fwhm[exposure])
    kron = flux * extent * 1.01 + 0.6 * error * chance.normal(size=n)
    kron[chance.random(n) < 0.02] = np.nan
    arcsec = np.hypot(_ASTROMETRY_ARCSEC, 0.45 * exposures.fwhm[exposure] * error / np.maximum(np.abs(flux), error))
    offset = arcsec * chance.normal(size=(2, n)) / 3600.0
    dec_deg = objects.dec_deg[owner] + offset[0]
    return {
        "detection_id": np.zeros(n, dtype=np.int64),
        "owner": owner,
        "band": band,
        "exposure": exposure,
        "mjd": mjd,
        "ra_deg": (objects.ra_deg[owner] + offset[1] / np.cos(np.radians(dec_deg))) % 360.0,
        "dec_deg": dec_deg,
        "error_arcsec": arcsec,
        "mag": np.where(is_junk, np.nan, mag),
        "flux": flux,
        "flux_err": error,
        "kron": kron,
        "aperture": flux * (1.0 + 0.6 * (extent - 1.0)) + 0.4 * error * chance.normal(size=n),
        "quality": quality,
        "artifact": np.select((is_junk, is_masked), (2, 1), 0),
        "printed": np.full(n, -1),
    }


def _with_printed(
    found: dict[str, NDArray[Any]], objects: Objects, prints: PublishedDetections
) -> dict[str, NDArray[Any]]:
    """Put printed detections in: whole ones beside the drawn ones, others in the place of drawn ones."""
    place = {int(one): row for row, one in enumerate(objects.object_id) if objects.printed[row] >= 0}
    rows = np.array([row for row, one in enumerate(prints.object_id) if int(one) in place], dtype=np.int64)
    if not len(rows):
        return found
    owner = np.array([place[int(one)] for one in prints.object_id[rows]])
    is_whole = prints.detection_id[rows] > 0
    known, band = prints.values, prints.band[rows]
    for row, own, own_band in zip(rows[~is_whole], owner[~is_whole], band[~is_whole], strict=True):
        free = (found["owner"] == own) & (found["band"] == own_band) & (found["printed"] < 0)
        chosen = int(np.flatnonzero(free)[0])
        for name, column in (("mjd", "obsTime"), ("flux", "psfFlux"), ("quality", "psfQfPerfect")):
            found[name][chosen] = known[column][row]
        found["printed"][chosen] = row
        found["aperture"][chosen] = found["kron"][chosen] = known["psfFlux"][row]
        found["mag"][chosen] = np.nan
    rows, owner, band = rows[is_whole], owner[is_whole], band[is_whole]
    nothing = np.full(len(rows), np.nan)
    added = {
        "detection_id": prints.detection_id[rows],
        "owner": owner,
        "band": band,
        "exposure": np.full(len(rows), -1),
        "mjd": known["obsTime"][rows],
        "ra_deg": known["ra"][rows],
        "dec_deg": known["dec"][rows],
        "error_arcsec": nothing,
        "mag": nothing,
        "flux": known["psfFlux"][rows],
        "flux_err": known["psfFluxErr"][rows],
        "kron": nothing,
        "aperture": known["apFlux"][rows],
        "quality": known["psfQfPerfect"][rows],
        "artifact": np.zeros(len(rows), dtype=np.int64),
        "printed": rows,
    }
    return {name: np.concatenate((values, added[name])) for name, values in found.items()}
