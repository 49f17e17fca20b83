"""`simulate_images`: stacks and warps of the skycells about M87 and the named stars, as images of `ps1`.

There is a warp for each exposure of a field and each skycell that the field touches, and a stack in each band. The
noise of a pixel is such that a star's PSF flux comes out as uncertain as the tables say. Further pieces of the sky,
which archives beyond the size `seed` have, are in the tables alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from skydex.demo.cameras.places import where_is
from skydex.demo.cameras.ps1.headers import Shot, cards_of, header_of
from skydex.demo.cameras.ps1.pixels import sharpness
from skydex.demo.cameras.ps1.scenes import Look, Place, looks_of, write_scenes
from skydex.demo.cameras.ps1.skycells import Skycell, skycell_at, skycells_near
from skydex.demo.ps1.exposures import AB_ZERO_JY, BANDS, DEPTHS
from skydex.demo.ps1.fields import M87, Field, fields_of
from skydex.demo.ps1.sky import Sky, simulate_field
from skydex.demo.ps1.stacks import STACK_FWHM_ARCSEC
from skydex.demo.simulation import SimulatedImages
from skydex.demo.size import Size
from skydex.ingest.images import ImageEntry, did_of
from skydex.store import ArchiveDirectory, ImageRecord

__all__ = ["shots_of", "simulate_images"]

_COLLECTION = "ps1"
_ABOUT = (
    "Stacked images of all exposures, and single exposures warped to the same pixels, of the skycells about M87 and "
    "three variable stars, in grizy. Pixels are kept in an asinh scale, as BSOFTEN and BOFFSET in the header tell."
)
_RADIUS_DEG = 0.2
_STACK_ZERO_POINT = 25.0
_GOOD_SHARE = 0.65
"""Of the exposures, at a place in a stack."""
_PHOTONS_JY, _PHOTONS_IN_STACK_JY = 2.5e-8, 4e-9
"""Variance of a flux by its own photons, relative to the flux, as the tables have it."""
_DAY_S = 86_400.0
_HDU = 1


def simulate_images(directory: ArchiveDirectory, size: Size, seed: int) -> SimulatedImages:
    """The images of an archive; what they show is written beside it."""
    skies = [simulate_field(field, seed) for field in fields_of(size) if field.pixel is None]
    places = write_scenes(directory.path, skies)
    return SimulatedImages(_COLLECTION, _ABOUT, _entries(skies, places))


def _entries(skies: list[Sky], places: list[Place]) -> Iterator[ImageEntry]:
    for sky, place in zip(skies, places, strict=True):
        for cell in _cells(sky.field):
            yield from _of_cell(shots_of(sky, place, cell))


def _of_cell(shots: Iterator[Shot]) -> Iterator[ImageEntry]:
    """All images of a skycell lie at the same place."""
    where: dict[str, Any] = {}
    for shot in shots:
        where = where or where_is(header_of(shot), shot.cell.shape)
        yield _entry(shot, where)


def _cells(field: Field) -> list[Skycell]:
    if field.name == M87:
        return skycells_near(field.ra_deg, field.dec_deg, _RADIUS_DEG)
    return [skycell_at(field.ra_deg, field.dec_deg)]


def shots_of(sky: Sky, place: Place, cell: Skycell) -> Iterator[Shot]:
    """The images of a skycell: a stack in each band, and a warp of each exposure."""
    looks = looks_of(sky)
    for number, band in enumerate(BANDS):
        yield _stack(sky, place, cell, [look for look in looks if look.band == band], DEPTHS[number])
    yield from (_warp(sky, place, cell, look) for look in looks)


def _warp(sky: Sky, place: Place, cell: Skycell, look: Look) -> Shot:
    half = look.exposure_s / 2.0 / _DAY_S
    shot = Shot(
        sky.field.name,
        cell,
        place,
        look,
        look.band,
        round(look.mjd - half, 8),
        round(look.mjd + half, 8),
        look.exposure_s,
        1,
        look.fwhm_arcsec,
        look.zero_point,
        noise=0.0,
        quantum=0.0,
    )
    return _with_noise(shot, _limit_jy(look.depth), _PHOTONS_JY)


def _stack(sky: Sky, place: Place, cell: Skycell, looks: list[Look], depth: float) -> Shot:
    band = looks[0].band
    shot = Shot(
        sky.field.name,
        cell,
        place,
        None,
        band,
        round(min(look.mjd for look in looks), 8),
        round(max(look.mjd + look.exposure_s / _DAY_S for look in looks), 8),
        sum(look.exposure_s for look in looks),
        len(looks),
        float(STACK_FWHM_ARCSEC[BANDS.index(band)]),
        _STACK_ZERO_POINT,
        noise=0.0,
        quantum=0.0,
    )
    return _with_noise(shot, _limit_jy(depth) / np.sqrt(_GOOD_SHARE * len(looks)), _PHOTONS_IN_STACK_JY)


def _limit_jy(depth: float) -> float:
    """Deviation of a flux whose five sigma are at a magnitude."""
    return float(10.0 ** (0.4 * (AB_ZERO_JY - depth)) / 5.0)


def _with_noise(shot: Shot, sigma_jy: float, photons_jy: float) -> Shot:
    counts = shot.counts_per_jy
    noise = sigma_jy * counts * np.sqrt(sharpness(shot.fwhm_arcsec))
    return replace(shot, noise=float(f"{noise:.6g}"), quantum=float(f"{photons_jy * counts:.6g}"))


def _entry(shot: Shot, where: dict[str, Any]) -> ImageEntry:
    did = did_of(_COLLECTION, shot.name, _HDU)
    aliases = (shot.path, shot.name.removesuffix(".fits"))
    location = f"archive:{_COLLECTION}/{shot.name}"
    record = ImageRecord(_COLLECTION, shot.name, _HDU, "", did, "simulated", location, shot.access, aliases)
    return ImageEntry(record, {**_row(shot), **where}, cards_of(shot))


def _row(shot: Shot) -> dict[str, Any]:
    """What the header does not tell, or not as ObsCore has it."""
    ny, nx = shot.cell.shape
    kind = "stack" if shot.look is None else "warp"
    return {
        "obs_id": shot.name.removesuffix(".fits"),
        "obs_title": f"SIMULATED {kind} in {shot.band} of skycell {shot.cell.projcell:04}.{shot.cell.subcell:03}",
        "dataproduct_subtype": kind,
        "calib_level": 3 if shot.look is None else 2,
        "target_name": shot.field,
        "access_estsize": 4 * nx * ny // 1000,
        "s_xel1": nx,
        "s_xel2": ny,
        "s_resolution": round(shot.fwhm_arcsec, 3),
        "t_exptime": shot.exposure_s,
        "facility_name": "PS1",
        "instrument_name": "GPC1",
        "filter": shot.band,
        "n_exposures": shot.n_exposures,
        "bitpix": -32,
        "o_ucd": "phot.count",
    }
