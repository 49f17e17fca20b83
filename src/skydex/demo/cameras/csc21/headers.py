"""`Exposed`: a stack in a band, and what the header of its counts image says, in the keywords of Chandra."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from astropy.io import fits

from skydex import __version__
from skydex.demo.cameras.cards import Card, made_of
from skydex.demo.csc21.sources import BANDS
from skydex.demo.times import timestamps

__all__ = ["BAND_NAMES", "PIXEL_ARCSEC", "Exposed", "cards_of", "header_of"]

PIXEL_ARCSEC = 0.492
BAND_NAMES = dict(zip(BANDS, ("broad", "hard", "medium", "soft", "ultrasoft", "wide"), strict=True))
_KEV = dict(zip(BANDS, ((0.5, 7.0), (2.0, 7.0), (1.2, 2.0), (0.5, 1.2), (0.2, 0.5), (0.1, 10.0)), strict=True))


@dataclass(frozen=True)
class Exposed:
    """A stack of observations, as one band sees it."""

    name: str
    """`image_id`."""
    stack: str
    """`detect_stack_id`."""
    band: str
    instrument: str
    ra_deg: float
    dec_deg: float
    n_pixels: int
    """Along each side."""
    first_mjd: float
    last_mjd: float
    pointings: tuple[tuple[float, float, float, float], ...]
    """Position, roll and exposure of each observation: degrees, degrees, seconds."""
    scene: tuple[int, int]
    """Rows of the truth about the stack."""

    @property
    def exposure_s(self) -> float:
        """Of all observations."""
        return sum(pointing[3] for pointing in self.pointings)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.n_pixels, self.n_pixels

    @property
    def access(self) -> bytes:
        """What has to be known to open it."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def noted(cls, access: bytes) -> Exposed:
        """From what was noted."""
        facts: dict[str, Any] = json.loads(access)
        pointings, scene = tuple(tuple(one) for one in facts.pop("pointings")), tuple(facts.pop("scene"))
        return cls(pointings=pointings, scene=scene, **facts)


def header_of(exposed: Exposed) -> fits.Header:
    """The header of a counts image."""
    return made_of(cards_of(exposed))


def cards_of(exposed: Exposed) -> tuple[Card, ...]:
    """The cards of that header."""
    low, high = _KEV[exposed.band]
    middle = (exposed.n_pixels + 1) / 2
    return (
        ("ORIGIN", "SIMULATED", "no real data"),
        ("SIMULATE", True, "simulated by skydex"),
        ("SIMVER", __version__, "version of skydex"),
        ("TELESCOP", "CHANDRA", "telescope that is simulated"),
        ("INSTRUME", exposed.instrument, "instrument"),
        ("OBJECT", exposed.stack, "stack of observations"),
        ("CONTENT", "IMGS", "counts image of a stack"),
        ("BAND", BAND_NAMES[exposed.band], "energy band"),
        ("ENERGYLO", low, "[keV]"),
        ("ENERGYHI", high, "[keV]"),
        ("BUNIT", "count", ""),
        ("EXPOSURE", round(exposed.exposure_s, 3), "[s] of all observations"),
        ("NCOMBINE", len(exposed.pointings), "observations"),
        ("DATE-OBS", str(timestamps(exposed.first_mjd)), "start of the first observation, UTC"),
        ("MJD-OBS", exposed.first_mjd, "[d] start of the first observation, UTC"),
        ("DATE-END", str(timestamps(exposed.last_mjd)), "end of the last observation, UTC"),
        ("MJD-END", exposed.last_mjd, "[d] end of the last observation, UTC"),
        ("WCSAXES", 2, ""),
        ("CTYPE1", "RA---TAN", ""),
        ("CTYPE2", "DEC--TAN", ""),
        ("CUNIT1", "deg", ""),
        ("CUNIT2", "deg", ""),
        ("CRPIX1", middle, ""),
        ("CRPIX2", middle, ""),
        ("CRVAL1", exposed.ra_deg, ""),
        ("CRVAL2", exposed.dec_deg, ""),
        ("CDELT1", -PIXEL_ARCSEC / 3600.0, ""),
        ("CDELT2", PIXEL_ARCSEC / 3600.0, ""),
        ("RADESYS", "ICRS", ""),
        ("COMMENT", "SIMULATED: no telescope has taken this image.", ""),
    )
