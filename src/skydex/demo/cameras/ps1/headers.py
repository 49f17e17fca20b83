"""`Shot`: one image, a stack or a warp of a skycell, and what its header says, in the keywords of Pan-STARRS1."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property

from astropy.io import fits

from skydex import __version__
from skydex.demo.cameras.cards import Card, made_of
from skydex.demo.cameras.ps1.scenes import Look, Place
from skydex.demo.cameras.ps1.skycells import PIXEL_ARCSEC, Skycell
from skydex.demo.times import timestamps

__all__ = ["Shot", "cards_of", "header_of"]

_DAY_S = 86_400.0


@dataclass(frozen=True)
class Shot:
    """An image of a skycell; what is to be known of it, and nothing of what it shows."""

    field: str
    """What its field is called."""
    cell: Skycell
    place: Place
    """Where the truth about the field stands."""
    look: Look | None
    """The exposure of a warp; None of a stack."""
    band: str
    first_mjd: float
    """Begin of the first exposure, UTC."""
    last_mjd: float
    """End of the last one."""
    exposure_s: float
    """All together."""
    n_exposures: int
    fwhm_arcsec: float
    zero_point: float
    """Magnitude of a count per second."""
    noise: float
    """Deviation of an empty pixel, counts."""
    quantum: float
    """Variance of a pixel by its own light, relative to the light, counts."""

    @property
    def name(self) -> str:
        """Name of its file."""
        if self.look is None:
            return f"{self.cell.name}.stk.{self.band}.unconv.fits"
        day, part = divmod(self.first_mjd, 1.0)
        return f"{self.cell.name}.wrp.{self.band}.{int(day)}_{int(part * _DAY_S):05}.fits"

    @property
    def path(self) -> str:
        """Path of its file at the archive of Pan-STARRS1."""
        return f"/rings.v3.skycell/{self.cell.projcell:04}/{self.cell.subcell:03}/{self.name}"

    @cached_property
    def counts_per_jy(self) -> float:
        """Counts of a source of one jansky."""
        return float(10.0 ** (0.4 * (self.zero_point - 8.90)) * self.exposure_s)

    @property
    def softening(self) -> float:
        """BSOFTEN: counts at which the scale of pixels turns from linear to logarithmic."""
        return self.noise

    @property
    def offset(self) -> float:
        """BOFFSET: counts in the middle of that scale."""
        return 0.1 * self.noise

    @property
    def access(self) -> bytes:
        """What has to be known to open it."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def noted(cls, access: bytes) -> Shot:
        """From what was noted."""
        facts = json.loads(access)
        cell, place, look = facts.pop("cell"), facts.pop("place"), facts.pop("look")
        shape, crpix = tuple(cell.pop("shape")), tuple(cell.pop("crpix"))
        return cls(
            cell=Skycell(**cell, shape=shape, crpix=crpix),
            place=Place(tuple(place["objects"]), tuple(place["changes"])),
            look=Look(**look) if look else None,
            **facts,
        )


def header_of(shot: Shot) -> fits.Header:
    """The header of an image."""
    return made_of(cards_of(shot))


def cards_of(shot: Shot) -> tuple[Card, ...]:
    """The cards of that header."""
    cell = shot.cell
    kind = "stack" if shot.look is None else "warp"
    return (
        ("ORIGIN", "SIMULATED", "no real data"),
        ("SIMULATE", True, "simulated by skydex"),
        ("SIMVER", __version__, "version of skydex"),
        ("TELESCOP", "PS1", "telescope that is simulated"),
        ("INSTRUME", "GPC1", "camera"),
        ("OBJECT", shot.field, "field"),
        ("IMGTYPE", kind, "stack of exposures, or one that was warped"),
        ("SKYCELL", cell.name, "skycell"),
        ("FPA.FILTERID", f"{shot.band}.00000", "filter"),
        ("FPA.ZP", round(shot.zero_point, 6), "[mag] of a count/s"),
        ("DATE-OBS", str(timestamps(shot.first_mjd)), "UTC"),
        ("MJD-OBS", shot.first_mjd, "[d] start of the first exposure, UTC"),
        ("DATE-END", str(timestamps(shot.last_mjd)), "UTC"),
        ("MJD-END", shot.last_mjd, "[d] end of the last exposure, UTC"),
        ("EXPTIME", shot.exposure_s, "[s] exposure time, all together"),
        ("NINPUTS", shot.n_exposures, "exposures"),
        ("BUNIT", "COUNTS", "unit of the pixels, undone as BSOFTEN tells"),
        ("BOFFSET", shot.offset, "flux=BOFFSET+2*BSOFTEN*sinh(v*ln(10)/2.5)"),
        ("BSOFTEN", shot.softening, "softening of the asinh scale"),
        ("CELL.NOISE", shot.noise, "noise of an empty pixel"),
        ("CHIP.SEEING", round(shot.fwhm_arcsec / PIXEL_ARCSEC, 3), "[pixel] FWHM of a star"),
        ("WCSAXES", 2, ""),
        ("CTYPE1", "RA---TAN", ""),
        ("CTYPE2", "DEC--TAN", ""),
        ("CUNIT1", "deg", ""),
        ("CUNIT2", "deg", ""),
        ("CRVAL1", cell.ra_deg, ""),
        ("CRVAL2", cell.dec_deg, ""),
        ("CRPIX1", cell.crpix[0], ""),
        ("CRPIX2", cell.crpix[1], ""),
        ("CDELT1", PIXEL_ARCSEC / 3600.0, ""),
        ("CDELT2", PIXEL_ARCSEC / 3600.0, ""),
        ("PC1_1", -1.0, ""),
        ("PC1_2", 0.0, ""),
        ("PC2_1", 0.0, ""),
        ("PC2_2", 1.0, ""),
        ("RADESYS", "ICRS", ""),
        ("COMMENT", "SIMULATED: no telescope has taken this image.", ""),
    )
