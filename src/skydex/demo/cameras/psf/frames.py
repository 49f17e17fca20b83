"""`Frame`: one extension of a file of an exposure, what it is called, how large it is and what its header says."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from skydex import __version__
from skydex.demo.cameras.cards import Card, made_of
from skydex.demo.psf.electronics import CAMERAS, Camera
from skydex.demo.psf.exposures import CHIP_HEIGHT, DETECTORS, SUBARRAY, Detector

__all__ = ["Frame", "cards_of", "header_of"]

Integers = NDArray[np.int64]

_RAW = frozenset({"raw", "d0m"})
_DETECTORS = {detector.name: detector for detector in DETECTORS}


@dataclass(frozen=True)
class Frame:
    """One extension of a file of an exposure."""

    detector: str
    rootname: str
    suffix: str
    """`flt`, `raw` ..."""
    chip: int
    """Number of the chip."""
    filter: str
    second_filter: str | None
    is_subarray: bool
    aperture: str
    mjd: float
    exptime: float
    focus: float
    sky: float
    """Electrons in a pixel."""
    ra: float
    dec: float
    pa_v3: float
    proposid: int
    targname: str
    first: int
    """Row of the exposure's first star in `truth.psf_sources`."""
    n_stars: int

    @property
    def camera(self) -> Camera:
        """Its optics and electronics."""
        return CAMERAS[self.detector]

    @property
    def whole(self) -> Detector:
        """All chips of its detector together."""
        return _DETECTORS[self.detector]

    @property
    def name(self) -> str:
        """Name of the file."""
        return f"{self.rootname}_{self.suffix}"

    @property
    def hdu(self) -> int:
        """Number of the extension."""
        return 4 if self.detector == "UVIS" and self.chip == 1 else self.version

    @property
    def extension(self) -> str:
        """EXTNAME and EXTVER."""
        return f"SCI,{self.version}"

    @property
    def version(self) -> int:
        """EXTVER."""
        return self.camera.chips.index(self.chip) + 1

    @property
    def is_raw(self) -> bool:
        """Whether it is as it was read out."""
        return self.suffix in _RAW

    @property
    def access(self) -> bytes:
        """What has to be known to open it."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @property
    def seen(self) -> tuple[int, int]:
        """Rows and columns that see light."""
        if self.is_subarray:
            return SUBARRAY, SUBARRAY
        whole = self.whole
        return (CHIP_HEIGHT if self.detector == "UVIS" else whole.height), whole.width

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.places()
        return len(rows), len(columns)

    def places(self) -> tuple[Integers, Integers]:
        """For each row and column of the file, that of the light it saw; -1 for overscan."""
        ny, nx = self.seen
        return _places(self.detector if self.is_raw else "", self.chip, self.is_subarray, ny, nx)


@lru_cache(32)
def _places(detector: str, chip: int, is_subarray: bool, ny: int, nx: int) -> tuple[Integers, Integers]:
    """Overscan as in the files of WFC3 (Data Handbook, section 2.2); those of WFPC2 have none."""
    rows, columns = np.arange(ny), np.arange(nx)
    if detector == "IR":
        return np.pad(rows, 5, constant_values=-1), np.pad(columns, 5, constant_values=-1)
    if detector != "UVIS":
        return rows, columns
    if is_subarray:
        return rows, np.pad(columns, (25, 0), constant_values=-1)
    rows = np.pad(rows, (19, 0) if chip == 1 else (0, 19), constant_values=-1)
    halves = (
        np.pad(columns[: nx // 2], (25, 30), constant_values=-1),
        np.pad(columns[nx // 2 :], (30, 25), constant_values=-1),
    )
    return rows, np.concatenate(halves)


def header_of(frame: Frame) -> fits.Header:
    """The header of a frame, with what it inherits from its file."""
    return made_of(cards_of(frame))


def cards_of(frame: Frame) -> tuple[Card, ...]:
    """The cards of that header."""
    camera = frame.camera
    start = _iso(frame.mjd)
    return (
        ("EXTNAME", "SCI", "science"),
        ("EXTVER", frame.version, ""),
        ("ORIGIN", "SIMULATED", "no real data"),
        ("SIMULATE", True, "simulated by skydex"),
        ("SIMVER", __version__, "version of skydex"),
        ("TELESCOP", "HST", "telescope that is simulated"),
        ("INSTRUME", camera.instrument, ""),
        ("DETECTOR", frame.detector if camera.instrument == "WFC3" else str(frame.chip), ""),
        ("ROOTNAME", frame.rootname, "root name of the exposure"),
        ("FILENAME", f"{frame.name}.fits", ""),
        *_filter_cards(frame),
        ("PHOTPLAM", round(camera.wavelengths_um(frame.filter)[1] * 1e4, 1), "[Angstrom] wavelength"),
        ("APERTURE", frame.aperture, ""),
        ("CCDCHIP", frame.chip, "number of the chip"),
        ("SUBARRAY", frame.is_subarray, "part of the detector"),
        ("TARGNAME", frame.targname, "target"),
        ("PROPOSID", frame.proposid, "proposal"),
        ("PA_V3", round(frame.pa_v3, 4), "[deg] position angle"),
        ("DATE-OBS", start, "UTC"),
        ("MJD-OBS", frame.mjd, "[d] UTC"),
        ("TIME-OBS", start[11:19], "UTC"),
        ("EXPSTART", frame.mjd, "[d] MJD UTC"),
        ("EXPEND", round(frame.mjd + frame.exptime / 86_400.0, 8), "[d] MJD UTC"),
        ("EXPTIME", frame.exptime, "[s]"),
        ("NCOMBINE", 1, "exposures"),
        ("FOCUS", round(frame.focus, 3), "[um] displacement of the secondary mirror"),
        ("BUNIT", _unit(frame), ""),
        ("SATURATE", frame.whole.full_well, "[electron] full pixel"),
        ("MDRIZSKY", frame.sky, "[electron] background, true"),
        ("READNSE", camera.read_noise, "[electron]"),
        ("CCDGAIN", camera.gain, "[electron] of a unit of the raw file"),
        *_wcs_cards(frame),
        ("COMMENT", "SIMULATED: no telescope has taken this image.", ""),
    )


def _filter_cards(frame: Frame) -> list[Card]:
    if frame.detector != "WFPC2":
        return [("FILTER", frame.filter, "")]
    return [("FILTNAM1", frame.filter, ""), ("FILTNAM2", frame.second_filter or "", "")]


def _unit(frame: Frame) -> str:
    if frame.is_raw:
        return "COUNTS"
    return "ELECTRONS/S" if frame.detector == "IR" else "ELECTRONS"


def _wcs_cards(frame: Frame) -> list[Card]:
    """Where the positions of the table put the pixels: tangential, without distortion."""
    step = frame.whole.scale_arcsec / 3600.0
    quarter = np.radians(90.0 * (frame.chip - 1)) if frame.detector == "WFPC2" else 0.0
    turn = np.radians(frame.pa_v3)
    matrix = np.array([[-np.cos(turn), np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * step
    matrix = matrix @ np.array([[np.cos(quarter), -np.sin(quarter)], [np.sin(quarter), np.cos(quarter)]])
    x, y = (0.0, 0.0) if frame.detector == "WFPC2" else (frame.whole.width / 2, frame.whole.height / 2)
    if frame.detector == "UVIS" and frame.chip == 1:
        y -= CHIP_HEIGHT
    if frame.is_raw:
        rows, columns = frame.places()
        x, y = x + float(np.argmax(columns >= 0)), y + float(np.argmax(rows >= 0))
    return [
        ("WCSAXES", 2, ""),
        ("CTYPE1", "RA---TAN", ""),
        ("CTYPE2", "DEC--TAN", ""),
        ("CUNIT1", "deg", ""),
        ("CUNIT2", "deg", ""),
        ("CRPIX1", x + 1.0, ""),
        ("CRPIX2", y + 1.0, ""),
        ("CRVAL1", frame.ra, ""),
        ("CRVAL2", frame.dec, ""),
        *((f"CD{i + 1}_{j + 1}", float(matrix[i, j]), "") for i in (0, 1) for j in (0, 1)),
        ("RADESYS", "ICRS", ""),
    ]


def _iso(mjd: float) -> str:
    return str(np.datetime64("1858-11-17T00:00:00") + np.timedelta64(round(mjd * 86_400.0), "s"))
