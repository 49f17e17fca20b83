"""What stacked images and forced photometry say of each object: rows of the tables of stacks and of forced means.

A stack is as deep as its exposures together. Rows are for objects that are seen in at least one band's stack; some have
a second row, from the neighbouring sky cell, which is not the primary one. Columns of bands in which an object is not
seen are null.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skydex.demo.chance import stream
from skydex.demo.ps1.exposures import AB_ZERO_JY, BANDS, DEPTHS
from skydex.demo.ps1.sky import Sky

__all__ = ["STACK_FWHM_ARCSEC", "Stacks", "forced_rows", "stack_rows", "stacks_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_N_BANDS = len(BANDS)
_FIRST_ROW = 8_500_000_000_000_000_000
_OF_PIPELINE = 9_100_000_000_000
_PER_FIELD = 10_000_000
_MAG_PER_RATIO = 2.5 / np.log(10.0)
_LIMIT_SNR = 5.0
_TWICE = 0.05
"""Part of the objects that have a second row."""
STACK_FWHM_ARCSEC = np.array((1.40, 1.30, 1.22, 1.18, 1.12))
"""Of stars in stacks, by band."""
_PIXEL_ARCSEC = 0.25
_FLAGS = (102_760_517, 128, 7_374_912)
_RADII = {"R5": 3.00, "R6": 4.63, "R7": 7.43}
"""Apertures of forced photometry, arcsec."""
_VERSION = 3


@dataclass(frozen=True)
class Stacks:
    """The objects of a field in its stacked images."""

    owner: Ints
    """Index of the object, by row, (n_rows,)."""
    is_primary: Mask
    """(n_rows,)."""
    flux: Floats
    """PSF flux, Jy, (n_rows, 5); NaN where nothing is seen."""
    error: Floats
    """(n_rows, 5)."""
    n_frames: Ints
    """Exposures in the stacks of the field, (5,)."""
    n_stack: Ints
    """Rows and detections of each object, (n, 2)."""


def stacks_of(sky: Sky) -> Stacks:
    """Measure the objects of a field in stacks."""
    things, chance = sky.objects, stream(sky.seed, "ps1", sky.field.name, "stacks")
    n_frames = np.bincount(sky.exposures.band, minlength=_N_BANDS)
    noise = 10.0 ** (0.4 * (AB_ZERO_JY - DEPTHS)) / 5.0 / np.sqrt(0.65 * n_frames)
    is_twice = chance.random(len(things)) < _TWICE
    owner = np.repeat(np.arange(len(things)), 1 + is_twice)
    is_primary = np.concatenate(([True], np.diff(owner) > 0)) if len(owner) else np.zeros(0, dtype=bool)
    true = 10.0 ** (0.4 * (AB_ZERO_JY - things.mag[owner]))
    error = np.sqrt(noise**2 + 4e-9 * true)
    flux = true * (1.0 + 0.01 * chance.normal(size=true.shape)) + error * chance.normal(size=true.shape)
    is_seen = (flux > _LIMIT_SNR * error) & ~things.is_junk[owner, None]
    kept = is_seen.any(axis=1)
    owner, is_primary, is_seen = owner[kept], is_primary[kept], is_seen[kept]
    is_primary |= np.concatenate(([True], np.diff(owner) > 0)) if len(owner) else is_primary
    n_stack = np.stack((np.bincount(owner, minlength=len(things)), np.zeros(len(things), dtype=np.int64)), axis=1)
    np.add.at(n_stack[:, 1], owner, is_seen.sum(axis=1))
    flux, error = (np.where(is_seen, values[kept], np.nan) for values in (flux, error))
    return Stacks(owner, is_primary, flux, error, n_frames, n_stack)


def stack_rows(sky: Sky, stacks: Stacks) -> dict[str, Any]:
    """StackObjectThin and StackObjectAttributes, by column."""
    chance = stream(sky.seed, "ps1", sky.field.name, "stack rows")
    n = len(stacks.owner)
    rows: dict[str, Any] = {
        "objID": sky.objects.object_id[stacks.owner],
        "uniquePspsSTid": _FIRST_ROW + sky.field.number * _PER_FIELD + np.arange(n),
        "primaryDetection": stacks.is_primary.astype(np.uint8),
        "bestDetection": stacks.is_primary.astype(np.uint8),
    }
    for band, letter in enumerate(BANDS):
        found = _band_rows(sky, stacks, band, chance)
        rows |= {f"{letter}{name}": values for name, values in found.items()}
    return rows


def _band_rows(sky: Sky, stacks: Stacks, band: int, chance: np.random.Generator) -> dict[str, Any]:
    """The columns of one band, without its letter."""
    things, owner, n = sky.objects, stacks.owner, len(stacks.owner)
    flux, error = stacks.flux[:, band], stacks.error[:, band]
    is_seen = np.isfinite(flux)
    size = things.size_arcsec[owner]
    in_band = sky.exposures.band == band
    fwhm = STACK_FWHM_ARCSEC[band] * chance.normal(1.0, 0.02, n)
    roundness = chance.uniform(0.93, 1.0, n)
    second = (fwhm / 2.355) ** 2 + (0.6 * size) ** 2
    extent = 1.0 + 0.5 * size / fwhm
    arcsec = np.hypot(0.01, 0.45 * fwhm * error / flux)
    offset = arcsec * chance.normal(size=(2, n)) / 3600.0
    dec_deg = things.dec_deg[owner] + offset[0]
    kron, aperture = flux * extent * 1.01, flux * (1.0 + 0.6 * (extent - 1.0))
    quality = chance.beta(90.0, 1.0, n)
    place = chance.uniform(0.0, 6_240.0, (2, n))
    values: dict[str, Any] = {
        "ippDetectID": _OF_PIPELINE + np.arange(n),
        "stackDetectID": _FIRST_ROW + sky.field.number * _PER_FIELD + np.arange(n) * _N_BANDS + band,
        "stackImageID": _OF_PIPELINE + sky.field.number * 10 + band,
        "ra": (things.ra_deg[owner] + offset[1] / np.cos(np.radians(dec_deg))) % 360.0,
        "dec": dec_deg,
        "raErr": arcsec,
        "decErr": arcsec,
        "Epoch": sky.exposures.mjd[in_band].mean(),
        "infoFlag": _FLAGS[0],
        "infoFlag2": _FLAGS[1],
        "infoFlag3": _FLAGS[2],
        "nFrames": stacks.n_frames[band],
        "xPos": place[0],
        "yPos": place[1],
        "xPosErr": arcsec / _PIXEL_ARCSEC,
        "yPosErr": arcsec / _PIXEL_ARCSEC,
        "psfMajorFWHM": fwhm,
        "psfMinorFWHM": fwhm * roundness,
        "psfTheta": chance.uniform(-90.0, 90.0, n),
        "psfCore": chance.normal(0.3, 0.02, n),
        "psfLikelihood": chance.random(n),
        "psfQf": np.minimum(1.0, quality + 0.5 * (1.0 - quality)),
        "psfQfPerfect": quality,
        "psfChiSq": chance.gamma(20.0, 0.05, n),
        "momentXX": second,
        "momentXY": second * chance.normal(0.0, 0.03, n),
        "momentYY": second * roundness,
        "momentR1": 1.25 * np.sqrt(second),
        "momentRH": 1.1 * np.sqrt(np.sqrt(second)),
        "ApFillFac": np.minimum(1.0, quality + 0.3 * (1.0 - quality)),
        "ApRadius": 3.0 * fwhm,
        "KronRad": 2.5 * np.sqrt(second),
        "expTime": stacks.n_frames[band] * 40.0,
        "ExtNSigma": chance.normal(0.0, 1.0, n) + 5.0 * size,
        "sky": 1e-9 * chance.normal(0.0, 1.0, n),
        "skyErr": 1e-9,
        "zp": 25.0,
        "PlateScale": _PIXEL_ARCSEC,
    }
    for kind, measured, of_error in (("PSF", flux, 1.0), ("Ap", aperture, 1.05), ("Kron", kron, 1.1)):
        values |= _photometry(kind, measured, of_error * error)
    return {name: np.ma.array(np.broadcast_to(np.asarray(one), (n,)), mask=~is_seen) for name, one in values.items()}


def _photometry(kind: str, flux: Floats, error: Floats) -> dict[str, Floats]:
    """Flux and magnitude with their errors."""
    mag = AB_ZERO_JY - 2.5 * np.log10(flux)
    return {
        f"{kind}Flux": flux,
        f"{kind}FluxErr": error,
        f"{kind}Mag": mag,
        f"{kind}MagErr": _MAG_PER_RATIO * error / flux,
    }


def forced_rows(sky: Sky, stacks: Stacks) -> dict[str, Any]:
    """Forced mean photometry of all objects that a stack shows, in all bands, seen there or not."""
    chance = stream(sky.seed, "ps1", sky.field.name, "forced")
    first = np.flatnonzero(stacks.is_primary)
    owner = stacks.owner[first]
    things, n = sky.objects, len(owner)
    counts = chance.binomial(stacks.n_frames, 0.7, (n, _N_BANDS))
    rows: dict[str, Any] = {
        "objID": things.object_id[owner],
        "uniquePspsFOid": _FIRST_ROW // 10 * 9 + sky.field.number * _PER_FIELD + np.arange(n),
        "FMippObjID": _OF_PIPELINE + sky.field.number * _PER_FIELD + owner,
        "randomForcedObjID": chance.random(n),
        "FMnDetections": counts.sum(axis=1),
        "FMbatchID": _OF_PIPELINE + sky.field.number,
        "FMprocessingVersion": _VERSION,
    }
    noise = 10.0 ** (0.4 * (AB_ZERO_JY - DEPTHS)) / 5.0
    for band, letter in enumerate(BANDS):
        n_used = np.maximum(counts[:, band], 1)
        true = 10.0 ** (0.4 * (AB_ZERO_JY - things.mag[owner, band]))
        single = np.sqrt(noise[band] ** 2 + 2.5e-8 * true)
        error = single / np.sqrt(n_used)
        flux = true * (1.0 + 0.01 * chance.normal(size=n)) + error * chance.normal(size=n)
        size = things.size_arcsec[owner]
        values: dict[str, Any] = {
            "nTotal": counts[:, band],
            **{f"nInc{kind}": n_used for kind in ("PSFFlux", "KronFlux", "ApFlux", *_RADII)},
            "Flags": 115_000,
            "E1": chance.normal(0.0, 0.05, n),
            "E2": chance.normal(0.0, 0.05, n),
        }
        extent = {"FPSF": 1.0, "FKron": 1.01 + 0.4 * size, "FAp": 1.0 + 0.25 * size}
        for kind, factor in extent.items():
            values |= _forced(kind, flux * factor, error * factor, ("Flux", "Mag"))
            values[f"{kind}FluxStd"] = single * factor * chance.normal(1.0, 0.1, n).clip(0.1, None)
        for kind, radius in _RADII.items():
            factor = 1.0 - 0.2 * np.exp(-radius / (1.0 + size))
            found = _forced("Fmean", flux * factor, error * radius / 3.0, (f"flx{kind}", f"Mag{kind}"))
            values |= found
            values[f"Fmeanflx{kind}Std"] = single * radius / 3.0
            values[f"Fmeanflx{kind}Fill"] = chance.beta(60.0, 1.0, n)
        rows |= {f"{letter}{name}": one for name, one in values.items()}
    return rows


def _forced(kind: str, flux: Floats, error: Floats, called: tuple[str, str]) -> dict[str, Floats]:
    """Flux and magnitude with their errors; there is no magnitude of a flux below zero."""
    of_flux, of_mag = called
    with np.errstate(invalid="ignore", divide="ignore"):
        mag = np.where(flux > 0.0, AB_ZERO_JY - 2.5 * np.log10(np.abs(flux)), np.nan)
        mag_err = np.where(flux > 0.0, _MAG_PER_RATIO * error / flux, np.nan)
    return {
        f"{kind}{of_flux}": flux,
        f"{kind}{of_flux}Err": error,
        f"{kind}{of_mag}": mag,
        f"{kind}{of_mag}Err": mag_err,
    }
