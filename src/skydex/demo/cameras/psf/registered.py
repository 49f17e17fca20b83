"""`simulate_images`: the frames of all exposures of the PSF databases, as images of the collection `psf`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from skydex.demo.cameras.places import where_is
from skydex.demo.cameras.psf.frames import Frame, cards_of, header_of
from skydex.demo.cameras.truth import read_rows
from skydex.demo.psf.electronics import CAMERAS
from skydex.demo.simulation import TRUTH, SimulatedImages
from skydex.demo.size import Size
from skydex.ingest.images import ImageEntry, did_of
from skydex.store import ArchiveDirectory, ImageRecord

__all__ = ["frames", "simulate_images"]

_COLLECTION = "psf"
_ABOUT = (
    "Exposures with WFC3 and WFPC2 in which the stars of the tables were measured: raw and calibrated files, as those "
    "of Hubble's pipelines."
)


def simulate_images(directory: ArchiveDirectory, size: Size, seed: int) -> SimulatedImages:
    """The frames of an archive whose tables are published."""
    return SimulatedImages(_COLLECTION, _ABOUT, _entries(directory.path))


def frames(archive: Path) -> Iterator[Frame]:
    """All frames of an archive, from its truth: those of one file follow one another."""
    first = 0
    for row in read_rows(archive / TRUTH / "psf_exposures.parquet"):
        detector, n_stars = row.pop("detector"), row["n_stars"]
        camera = CAMERAS[detector]
        chips = camera.chips[:1] if row["is_subarray"] else camera.chips
        if n_stars:
            for suffix in camera.suffixes:
                for chip in chips:
                    yield Frame(detector=detector, suffix=suffix, chip=chip, first=first, **row)
        first += n_stars


def _entries(archive: Path) -> Iterator[ImageEntry]:
    """All kinds of files of an exposure lie at the same place, but for their overscan."""
    seen: dict[tuple[str, int], dict[str, Any]] = {}
    for frame in frames(archive):
        key = frame.rootname, frame.chip
        if key not in seen:
            seen = {old: where for old, where in seen.items() if old[0] == frame.rootname}
            calibrated = replace(frame, suffix=frame.camera.suffixes[-1])
            seen[key] = where_is(header_of(calibrated), calibrated.shape)
        yield _entry(frame, seen[key])


def _entry(frame: Frame, where: dict[str, Any]) -> ImageEntry:
    did = did_of(_COLLECTION, frame.name, frame.hdu)
    location = f"archive:{_COLLECTION}/{frame.name}[{frame.hdu}]"
    aliases = (f"{frame.name}.fits",)
    what = (_COLLECTION, frame.name, frame.hdu, frame.extension, did)
    return ImageEntry(
        ImageRecord(*what, "simulated", location, frame.access, aliases), {**_row(frame), **where}, cards_of(frame)
    )


def _row(frame: Frame) -> dict[str, Any]:
    """What the header does not tell, or not as ObsCore has it."""
    ny, nx = frame.shape
    about = "as read out" if frame.is_raw else "calibrated"
    return {
        "obs_id": frame.rootname,
        "obs_title": f"SIMULATED {frame.detector} {frame.filter} of {frame.targname}, chip {frame.chip}, {about}",
        "calib_level": 1 if frame.is_raw else 2,
        "o_ucd": "phot.count",
        "facility_name": "HST",
        "instrument_name": f"{frame.camera.instrument}/{frame.detector}".removesuffix("/WFPC2"),
        "s_xel1": nx,
        "s_xel2": ny,
        "bitpix": 32 if frame.is_raw else -32,
        "access_estsize": 4 * nx * ny // 1000,
    }
