"""Scenes: what each image of a field of Pan-STARRS1 has to show, as truth beside the archive.

All objects of a field with their mean fluxes stand in `ps1_scenes`; in `ps1_changes` stands where the flux of an object
at one look differs: that of a variable star, of a printed measurement, and of junk, which only one look has seen.
Looks are the exposures of the field, and beside them the moments of printed measurements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from skydex.demo.cameras.truth import rows_between
from skydex.demo.ps1.exposures import AB_ZERO_JY, BANDS
from skydex.demo.ps1.sky import ARTIFACTS, Sky
from skydex.demo.ps1.variables import differences_mag
from skydex.demo.simulation import TRUTH

__all__ = ["Look", "Place", "Scene", "looks_of", "read_scene", "write_scenes"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SCENES, _CHANGES = "ps1_scenes", "ps1_changes"
_SCENE_COLUMNS = ("ra", "dec", "size", *(f"flux_{letter}" for letter in BANDS))
_CHANGE_COLUMNS = ("look", "object", "flux")
_JUNK = ARTIFACTS.index("junk")


@dataclass(frozen=True)
class Look:
    """One exposure of a field."""

    number: int
    """In its field."""
    band: str
    mjd: float
    """Middle of it, UTC."""
    exposure_s: float
    depth: float
    """Magnitude at five sigma."""
    fwhm_arcsec: float
    zero_point: float
    """Magnitude of a count per second."""


@dataclass(frozen=True)
class Place:
    """Where the rows of a field stand."""

    objects: tuple[int, int]
    changes: tuple[int, int]


@dataclass(frozen=True)
class Scene:
    """A field; arrays of shape (n,) of its objects."""

    ra_deg: Floats
    dec_deg: Floats
    size_arcsec: Floats
    flux_jy: dict[str, Floats]
    """Mean, by band; 0 of junk."""
    changes: dict[str, NDArray[np.generic]]
    """`look`, `object`, `flux`."""

    def flux_at(self, band: str, look: int | None) -> Floats:
        """Fluxes at a look; mean ones if it is None."""
        flux = self.flux_jy[band].copy()
        if look is not None:
            here = np.flatnonzero(self.changes["look"] == look)
            flux[self.changes["object"][here]] = self.changes["flux"][here]
        return flux


def looks_of(sky: Sky) -> list[Look]:
    """The exposures of a field, and one for each further moment of a printed measurement."""
    seen = sky.exposures
    columns = (seen.band, seen.mjd, seen.exposure_s, seen.depth, seen.fwhm, seen.zero_point)
    rows = [tuple(row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    for band, mjd in _printed_moments(sky):
        in_band = np.flatnonzero(seen.band == band)
        usual = (float(np.median(column[in_band])) for column in columns[2:])
        rows.append((band, mjd, *usual))
    return [Look(number, BANDS[int(row[0])], *row[1:]) for number, row in enumerate(rows)]


def _printed_moments(sky: Sky) -> list[tuple[int, float]]:
    found = sky.detections
    printed = found.printed >= 0
    return sorted(set(zip(found.band[printed].tolist(), found.mjd[printed].tolist(), strict=True)))


def write_scenes(archive: Path, skies: Sequence[Sky]) -> list[Place]:
    """Write the scenes of all fields beside an archive, and say where each stands."""
    places, scenes, changes = [], [], []
    first_object = first_change = 0
    for sky in skies:
        scene, change = _scene_of(sky), _changes_of(sky)
        objects, changed = first_object + scene.num_rows, first_change + change.num_rows
        places.append(Place((first_object, objects), (first_change, changed)))
        first_object, first_change = objects, changed
        scenes.append(scene)
        changes.append(change)
    for name, tables in ((_SCENES, scenes), (_CHANGES, changes)):
        pq.write_table(pa.concat_tables(tables), archive / TRUTH / f"{name}.parquet")
    return places


def read_scene(archive: Path, place: Place) -> Scene:
    """The scene of a field; `StoreError` if it is not there any more."""
    rows = rows_between(archive / TRUTH / f"{_SCENES}.parquet", _SCENE_COLUMNS, *place.objects)
    changes = rows_between(archive / TRUTH / f"{_CHANGES}.parquet", _CHANGE_COLUMNS, *place.changes)
    fluxes = {letter: rows[f"flux_{letter}"] for letter in BANDS}
    return Scene(rows["ra"], rows["dec"], rows["size"], fluxes, dict(changes))


def _scene_of(sky: Sky) -> pa.Table:
    things = sky.objects
    flux = np.where(things.is_junk[:, None], 0.0, _jansky(things.mag))
    rows = {"ra": things.ra_deg, "dec": things.dec_deg, "size": things.size_arcsec}
    return pa.table(rows | {f"flux_{letter}": flux[:, band] for band, letter in enumerate(BANDS)})


def _changes_of(sky: Sky) -> pa.Table:
    """Fluxes that are not the mean ones; where several are known, the printed one is the last."""
    looks = looks_of(sky)
    parts = [_of_variables(sky, looks), _of_junk(sky), _of_printed(sky, looks)]
    look, one, flux = (np.concatenate(column) for column in zip(*parts, strict=True))
    return pa.table({"look": look.astype(np.int64), "object": one.astype(np.int64), "flux": flux.astype(np.float64)})


_Part = tuple[Ints, Ints, Floats]


def _of_variables(sky: Sky, looks: list[Look]) -> _Part:
    things = sky.objects
    number = np.arange(len(looks))
    band = np.array([BANDS.index(look.band) for look in looks])
    mjd = np.array([look.mjd for look in looks])
    varies = np.flatnonzero((things.variability.kind > 0) & ~things.is_junk)
    object_index, look = np.repeat(varies, len(looks)), np.tile(number, len(varies))
    mag = things.mag[object_index, band[look]]
    mag = mag + differences_mag(things.variability[object_index], mjd[look], band[look])
    return look, object_index, _jansky(mag)


def _of_junk(sky: Sky) -> _Part:
    found = sky.detections
    junk = np.flatnonzero((found.artifact == _JUNK) & (found.exposure >= 0))
    return found.exposure[junk], found.owner[junk], np.maximum(found.flux[junk], 0.0)


def _of_printed(sky: Sky, looks: list[Look]) -> _Part:
    found = sky.detections
    printed = np.flatnonzero((found.printed >= 0) & np.isfinite(found.flux))
    moments = {(BANDS.index(look.band), look.mjd): look.number for look in looks}
    where = [moments[int(found.band[row]), float(found.mjd[row])] for row in printed]
    return np.array(where, np.int64), found.owner[printed], found.flux[printed]


def _jansky(mag: Floats) -> Floats:
    return np.asarray(10.0 ** (0.4 * (AB_ZERO_JY - mag)), np.float64)
