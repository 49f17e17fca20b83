"""`Scene`: what is on an image of the Hubble cameras, by the catalogues of the archive and the truth behind them.

Sources that were found stand where they were found, as bright as they were measured. Stars that other images show and
this one missed have their true magnitudes. Light curves of `hcv.HCVdetailed` that no simulated image was measured for
get images of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import groupby

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from skydex.demo.cameras.hsc.sources import Sources
from skydex.demo.hcv.drawn import drawn_groups
from skydex.demo.hsc import ARTIFACTS, COMPONENTS, Detections, Image, Sky, detect, fields_of, sky_of
from skydex.demo.hsc.images import DETECTORS
from skydex.demo.size import Size
from skydex.store import ArchiveDirectory

__all__ = ["Scene", "scenes"]

Floats = NDArray[np.float64]

_COSMIC_RAY = ARTIFACTS.index("cosmic ray")
_GALAXY = COMPONENTS.index("galaxies")
_HIT_CI, _HIT_SHARE = 1.5, 0.72
"""A printed point with such a concentration index was hit by a cosmic ray; the share of its light is what brings the
nova of M87 at MJD 53796.15 between the points before and after."""
_WIDE_DEG, _EXPOSURE_S, _DURATION_D = 0.104, 1800.0, 0.03
"""Of images of fields in which light curves were drawn: they hold all objects of the field."""


@dataclass(frozen=True)
class Scene:
    """An image and what is on it."""

    image: Image
    group: str
    """Images of a group are kept together."""
    sources: Sources


def scenes(directory: ArchiveDirectory, size: Size, seed: int) -> Iterator[Scene]:
    """All images that the catalogues name, field by field."""
    points = _Points.read(directory)
    taken: set[str] = set()
    for field in fields_of(size):
        found, sky = detect(field, size, seed), sky_of(field, size, seed)
        known = np.unique(found.rows.star[found.rows.star >= 0])
        order = np.argsort(found.rows.image, kind="stable")
        edges = np.searchsorted(found.rows.image[order], np.arange(len(found.images) + 1))
        for number, image in enumerate(found.images):
            rows = order[edges[number] : edges[number + 1]]
            parts = [_found(found, sky, rows), _missed(found, sky, number, known, rows)]
            others = points.of_image(image.name)
            parts.append(_planted(image, others.but(found.rows.match_id[rows])))
            yield Scene(image, field.name, _joined(parts))
        taken |= {image.name for image in found.images}
    yield from _drawn(points.without(taken))


def _found(found: Detections, sky: Sky, chosen: NDArray[np.int64]) -> Sources:
    """Sources as the catalogue has them."""
    rows = found.rows.take(chosen)
    is_star = rows.star >= 0
    is_hit = (rows.artifact == _COSMIC_RAY) & (rows.mag_true > rows.mag_aper2)
    is_printed_hit = (rows.star == -2) & (rows.ci > _HIT_CI)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = 10 ** (-0.4 * rows.mag_aper2)
        ray = np.where(is_hit, total - 10 ** (-0.4 * rows.mag_true), np.where(is_printed_hit, _HIT_SHARE * total, 0.0))
        ray_mag = np.where(ray > 0, -2.5 * np.log10(ray), np.nan)
    component = sky.stars.component[np.where(is_star, rows.star, 0)] if len(sky.stars) else np.zeros(len(rows))
    return Sources(
        rows.x - 1,
        rows.y - 1,
        (-2.5 * np.log10(total - ray)).astype(np.float32),
        ray_mag.astype(np.float32),
        np.where(is_star & (component == _GALAXY), rows.star, -1).astype(np.int32),
        rows.source_id,
    )


def _missed(found: Detections, sky: Sky, number: int, known: NDArray[np.int64], chosen: NDArray[np.int64]) -> Sources:
    """Stars that are seen in other images, as bright as they are."""
    image, stars = found.images[number], sky.stars
    mag = stars.magnitudes(image.wavelength)
    mag[sky.variables.star] += sky.variables.deviations(image, number)
    missed = np.setdiff1d(known, found.rows.star[chosen])
    missed = missed[stars.pointing[missed] == image.pointing]
    years = (image.start_mjd - np.mean([one.start_mjd for one in found.images])) / 365.25
    stretch = np.cos(np.radians(stars.dec[missed]))
    ra = stars.ra[missed] + stars.pm_ra[missed] * years / 3.6e6 / stretch
    dec = stars.dec[missed] + stars.pm_dec[missed] * years / 3.6e6
    x, y = image.pixels(ra, dec)
    is_here = image.holds(x, y)
    galaxy = np.where(stars.component[missed] == _GALAXY, missed, -1)[is_here]
    return _plain(x[is_here] - 1, y[is_here] - 1, mag[missed][is_here], galaxy)


def _planted(image: Image, points: _Points) -> Sources:
    """Points of light curves that were not measured in simulated images."""
    x, y = image.pixels(points.ra, points.dec)
    return _plain(x - 1, y - 1, points.mag, np.full(len(points), -1))


def _plain(x: Floats, y: Floats, mag: Floats, galaxy: NDArray[np.int64]) -> Sources:
    """Sources that the catalogue does not have, or not as sources of the image."""
    nothing = np.full(len(x), np.nan, np.float32)
    return Sources(x, y, mag.astype(np.float32), nothing, galaxy.astype(np.int32), np.zeros(len(x), np.int64))


def _joined(parts: list[Sources]) -> Sources:
    arrays = {field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Sources)}
    return Sources(**arrays)


@dataclass(frozen=True, eq=False)
class _Points:
    """Points of `hcv.HCVdetailed` with the places of their objects, ordered by image."""

    image: NDArray[np.str_]
    match_id: NDArray[np.int64]
    mjd: Floats
    mag: Floats
    ra: Floats
    dec: Floats

    def __len__(self) -> int:
        return len(self.image)

    @classmethod
    def read(cls, directory: ArchiveDirectory) -> _Points:
        """All points of the archive."""
        points = _rows(directory, "hcv.HCVdetailed", ["MatchID", "ImageName", "MJD", "Mag"])
        places = _rows(directory, "hcv.HCVmatch", ["MatchID", "RA", "Dec"])
        ids = places["MatchID"].to_numpy()
        order = np.argsort(ids)
        row = order[np.searchsorted(ids[order], points["MatchID"].to_numpy())]
        names = points["ImageName"].combine_chunks()
        unsorted = cls(
            np.asarray(names.to_numpy(zero_copy_only=False), dtype=np.str_),
            points["MatchID"].to_numpy(),
            points["MJD"].to_numpy(),
            points["Mag"].to_numpy().astype(np.float64),
            places["RA"].to_numpy()[row],
            places["Dec"].to_numpy()[row],
        )
        return unsorted.chosen(pc.sort_indices(names).to_numpy())

    def chosen(self, rows: NDArray[np.int64] | NDArray[np.uint64] | NDArray[np.bool_] | slice) -> _Points:
        """Some of them."""
        return _Points(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def of_image(self, name: str) -> _Points:
        """Those of an image."""
        return self.chosen(slice(*np.searchsorted(self.image, [name, name + "\0"])))

    def but(self, match_ids: NDArray[np.int64]) -> _Points:
        """Those of other objects."""
        return self.chosen(~np.isin(self.match_id, match_ids))

    def without(self, names: set[str]) -> _Points:
        """Those of other images."""
        return self.chosen(~np.isin(self.image, list(names)))


def _rows(directory: ArchiveDirectory, table: str, columns: list[str]) -> pa.Table:
    dataset = directory.open(table)
    return pa.concat_tables([dataset.read(piece, columns).select(columns) for piece in dataset.select(None).pieces])


def _drawn(points: _Points) -> Iterator[Scene]:
    """Images of light curves for whose fields nothing was observed."""
    groups = {group.prop_id: group for group in drawn_groups()}
    edges = [*np.flatnonzero(points.image[1:] != points.image[:-1]).tolist(), len(points) - 1]
    starts = [0, *(edge + 1 for edge in edges[:-1])] if len(points) else []
    named = sorted((str(points.image[start]), start, stop + 1) for start, stop in zip(starts, edges, strict=False))
    for prop_id, several in groupby(named, key=lambda one: int(one[0].split("_")[1])):
        group = groups[prop_id]
        for name, start, stop in several:
            own = points.chosen(slice(start, stop))
            image = _wide_image(name, group.target, (group.ra, group.dec), float(own.mjd.min()))
            yield Scene(image, f"drawn_{prop_id}", _planted(image, own))


def _wide_image(name: str, target: str, centre: tuple[float, float], mjd: float) -> Image:
    """An image of the whole field; its name says what was taken: `hst_95001_07_wfc3_ir_f160w`."""
    _, prop_id, visit, *camera, band = name.split("_")
    detector = next(one for one in DETECTORS.values() if one.word == "_".join(camera))
    nanometres = float("".join(letter for letter in band if letter.isdigit()))
    return Image(
        image_id=0,
        field="",
        pointing=0,
        target=target,
        prop_id=int(prop_id),
        visit=visit,
        instrument=camera[0].upper(),
        detector=detector,
        filter=band.upper(),
        wavelength=nanometres * (100.0 if detector.word == "wfc3_ir" else 10.0),
        start_mjd=mjd,
        stop_mjd=mjd + _DURATION_D,
        exposure_s=_EXPOSURE_S,
        n_exposures=3,
        ra=centre[0],
        dec=centre[1],
        pa=0.0,
        naxis=round(_WIDE_DEG * 3600 / detector.scale_arcsec),
        offset=0.0,
        gradient=(0.0, 0.0),
        is_bad=False,
    )
