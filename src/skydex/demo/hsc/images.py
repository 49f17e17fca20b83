"""`Image`: one visit in one filter, the images that the Hubble Legacy Archive would have combined from its exposures.

Names as in the archive, `hst_{propid}_{visit}_{instrument}_{detector}_{filter}`; the geometry is a tangent-plane WCS
(FITS WCS papers I and II, Greisen & Calabretta 2002) without distortion. What each image gets wrong by itself (its
zero point, a gradient of it, a shift) is part of the truth.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from skydex.demo.chance import stream
from skydex.demo.columns import read_rows
from skydex.demo.hsc.fields import Field, number_of

__all__ = ["DETECTORS", "Detector", "Image", "images_of"]

Floats = NDArray[np.float64]

_DITHER_ARCSEC = 0.2
_FIRST_PROPOSAL_OF_COPIES = 91_000
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Detector:
    """What an image of a camera looks like."""

    name: str
    """As the tables have it: `ACS/WFC`."""
    word: str
    """As names of images have it: `acs_wfc`."""
    aperture: str
    """Name of the aperture that pointings refer to."""
    scale_arcsec: float
    """Size of a pixel."""
    naxis: int
    """Pixels along each side."""


DETECTORS = {
    "ACS": Detector("ACS/WFC", "acs_wfc", "WFCENTER", 0.05, 4096),
    "UVIS": Detector("WFC3/UVIS", "wfc3_uvis", "UVIS-CENTER", 0.04, 4096),
    "IR": Detector("WFC3/IR", "wfc3_ir", "IR", 0.128, 1014),
    "WFPC2": Detector("WFPC2", "wfpc2", "WFALL", 0.1, 1600),
}
"""Cameras, by instrument or channel."""


@dataclass(frozen=True)
class Image:
    """One visit-combined image."""

    image_id: int
    """Its number in the archive."""
    field: str
    """Name of its field."""
    pointing: int
    """Which of the field's pointings it belongs to."""
    target: str
    """What its observers called the field."""
    prop_id: int
    """Number of the proposal; those from 90000 upwards do not exist."""
    visit: str
    """Two characters."""
    instrument: str
    """ACS, WFC3 or WFPC2."""
    detector: Detector
    """Its camera."""
    filter: str
    """F475W."""
    wavelength: float
    """Pivot wavelength, Angstrom."""
    start_mjd: float
    """Start of the first exposure (UTC)."""
    stop_mjd: float
    """End of the last exposure (UTC)."""
    exposure_s: float
    """Total exposure time."""
    n_exposures: int
    """How many; cosmic rays stay in an image of one."""
    ra: float
    """CRVAL1, at the middle of the image; ICRS, degrees."""
    dec: float
    """CRVAL2."""
    pa: float
    """Position angle of the second axis, degrees east of north."""
    naxis: int
    """Pixels along each side."""
    offset: float
    """Error of its zero point, mag."""
    gradient: tuple[float, float]
    """Change of that error from one side of the image to the other, along each axis, mag."""
    is_bad: bool
    """Whether guiding failed."""

    @property
    def name(self) -> str:
        """`hst_10505_14_acs_wfc_f475w`."""
        return f"hst_{self.prop_id}_{self.visit}_{self.detector.word}_{self.filter.lower()}"

    @property
    def filter_name(self) -> str:
        """As the Hubble Catalog of Variables has it: `ACS_F475W`."""
        return f"{self.instrument}_{self.filter}"

    @property
    def cd(self) -> Floats:
        """Matrix CD of the WCS, degrees per pixel."""
        turn, scale = math.radians(self.pa), self.detector.scale_arcsec / 3600
        return scale * np.array([[-math.cos(turn), math.sin(turn)], [math.sin(turn), math.cos(turn)]])

    @property
    def crpix(self) -> float:
        """Both coordinates of the reference pixel, FITS convention."""
        return (self.naxis + 1) / 2

    def pixels(self, ra: Floats, dec: Floats) -> tuple[Floats, Floats]:
        """Pixel coordinates (FITS convention, 1 is the middle of the first pixel) of positions nearby."""
        xi, eta = _to_plane(ra, dec, self.ra, self.dec)
        x, y = np.linalg.solve(self.cd, np.vstack([xi, eta]))
        return x + self.crpix, y + self.crpix

    def positions(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Positions of pixels: the inverse of `pixels`."""
        xi, eta = self.cd @ np.vstack([x - self.crpix, y - self.crpix])
        return _from_plane(xi, eta, self.ra, self.dec)

    def holds(self, x: Floats, y: Floats) -> NDArray[np.bool_]:
        """Whether pixel coordinates lie on the image."""
        return (x >= 0.5) & (x < self.naxis + 0.5) & (y >= 0.5) & (y < self.naxis + 0.5)

    def footprint(self) -> Floats:
        """Corners, (4, 2), ICRS, degrees, counterclockwise on the sky."""
        low, high = 0.5, self.naxis + 0.5
        ra, dec = self.positions(np.array([low, high, high, low])[::-1], np.array([low, low, high, high])[::-1])
        return np.column_stack([ra, dec])


def _to_plane(ra: Floats, dec: Floats, ra0: float, dec0: float) -> tuple[Floats, Floats]:
    """Standard coordinates on the plane that touches the sky at a centre, degrees (gnomonic projection)."""
    along, height = np.radians(np.asarray(ra) - ra0), np.radians(np.asarray(dec))
    centre = math.radians(dec0)
    depth = np.sin(height) * math.sin(centre) + np.cos(height) * math.cos(centre) * np.cos(along)
    xi = np.cos(height) * np.sin(along) / depth
    eta = (np.sin(height) * math.cos(centre) - np.cos(height) * math.sin(centre) * np.cos(along)) / depth
    return np.degrees(xi), np.degrees(eta)


def _from_plane(xi: Floats, eta: Floats, ra0: float, dec0: float) -> tuple[Floats, Floats]:
    across, up, centre = np.radians(xi), np.radians(eta), math.radians(dec0)
    depth = math.cos(centre) - up * math.sin(centre)
    ra = ra0 + np.degrees(np.arctan2(across, depth))
    dec = np.degrees(np.arctan2(math.sin(centre) + up * math.cos(centre), np.hypot(across, depth)))
    return ra % 360.0, dec


@lru_cache(maxsize=64)
def images_of(field: Field, seed: int) -> tuple[Image, ...]:
    """All images of a field, by pointing and time."""
    found = [image for plan in _plans(field) for image in _planned(field, plan, seed)]
    found.sort(key=lambda image: (image.pointing, image.start_mjd, image.filter))
    return tuple(replace(image, image_id=_first_id(field) + number) for number, image in enumerate(found))


def _first_id(field: Field) -> int:
    """Image numbers of a field begin here; room for ten thousand in each."""
    return 1_000_000 + number_of(field) * 10_000


def _plans(field: Field) -> Iterator[dict[str, str]]:
    return (row for row in read_rows("hsc/plans") if row["field"] == field.original)


def _proposal(field: Field, prop_id: int) -> int:
    """The proposal of a plan; copies of a field have other ones, so that images have names of their own."""
    if not field.copy:
        return prop_id
    return _FIRST_PROPOSAL_OF_COPIES + (field.copy - 1) * len(_proposals()) + _proposals().index(prop_id)


@cache
def _proposals() -> list[int]:
    return sorted({int(row["prop_id"]) for row in read_rows("hsc/plans")})


def _planned(field: Field, plan: dict[str, str], seed: int) -> Iterator[Image]:
    """The images of one line of the plan, before they are numbered."""
    nanometres = float("".join(letter for letter in plan["filter"] if letter.isdigit()))
    is_infrared = plan["instrument"] == "WFC3" and nanometres < 200
    channel = plan["instrument"] if plan["instrument"] != "WFC3" else "IR" if is_infrared else "UVIS"
    detector = DETECTORS[channel]
    own = (float(plan["ra"]), float(plan["dec"])) if plan["ra"] and not field.copy else None
    proposal = _proposal(field, int(plan["prop_id"]))
    for pointing, centre in enumerate(field.pointings):
        for visit, start in _visits(plan, pointing, len(field.pointings)):
            rng = stream(seed, "hsc", field.name, "image", plan["prop_id"], plan["filter"], visit)
            east, north = rng.normal(0.0, _DITHER_ARCSEC / 3600, 2)
            ra, dec = own or centre
            begin = start + float(plan["delay_d"])
            yield Image(
                image_id=0,
                field=field.name,
                pointing=pointing,
                target=field.target,
                prop_id=proposal,
                visit=visit,
                instrument=plan["instrument"],
                detector=detector,
                filter=plan["filter"],
                wavelength=nanometres * (100.0 if is_infrared else 10.0),
                start_mjd=round(begin, 10),
                stop_mjd=round(begin + float(plan["duration_d"]), 10),
                exposure_s=float(plan["exposure_s"]),
                n_exposures=int(plan["n_exposures"]),
                ra=ra + east / math.cos(math.radians(dec)),
                dec=dec + north,
                pa=float(plan["pa"] or field.pa),
                naxis=int(plan["naxis"] or detector.naxis),
                offset=float(rng.normal(0.0, 0.01)),
                gradient=(float(rng.normal(0.0, 0.015)), float(rng.normal(0.0, 0.015))),
                is_bad=bool(rng.random() < 0.02),
            )


def _visits(plan: dict[str, str], pointing: int, n_pointings: int) -> Iterator[tuple[str, float]]:
    """Visits of a plan and when each began: printed ones, or evenly spread with some disorder."""
    printed = [
        row for row in read_rows("hsc/epochs") if (row["field"], row["prop_id"]) == (plan["field"], plan["prop_id"])
    ]
    if printed:
        yield from ((row["visit"], float(row["start_mjd"])) for row in printed)
        return
    for epoch in range(int(plan["n_epochs"])):
        number = int(plan["first_visit"]) + epoch * n_pointings + pointing
        late = epoch + 0.7 * float(stream(0, "hsc", "visit", plan["prop_id"], number).random())
        yield _visit_label(number), float(plan["start_mjd"]) + float(plan["step_d"]) * late + 0.07 * pointing


def _visit_label(number: int) -> str:
    """Two characters: 01 to 99, then a0 to zz."""
    if number < 100:
        return f"{number:02d}"
    high, low = divmod(number - 100 + 360, 36)
    return _BASE36[high] + _BASE36[low]
