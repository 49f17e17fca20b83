"""`header_of`: the header of a simulated Hubble image, with the keywords that the Hubble Legacy Archive gives."""

from __future__ import annotations

import math

import numpy as np
from astropy.io import fits

from skydex import __version__
from skydex.demo.cameras.cards import Card, made_of
from skydex.demo.cameras.hsc.optics import aperture_arcsec, enclosed, full_well, pixel_noise, psf_of_image
from skydex.demo.hsc.images import Image
from skydex.demo.hsc.measurements import ZERO_POINTS
from skydex.demo.times import timestamps

__all__ = ["cards_of", "header_of"]

_AB_OF_FLUX = -2.408
"""AB = -2.5 log10 PHOTFLAM - 5 log10 PHOTPLAM - 2.408 (ACS Data Handbook, section 5.1)."""


_COMMENTS = (
    "SIMULATED: no telescope has taken this image. Its sources stand where",
    "hsc.detailedCatalog and hcv.HCVdetailed have them, with these",
    "magnitudes within a circle of APERRAD about them.",
)


def header_of(image: Image, seed: int) -> fits.Header:
    """The header of an image.

    Parameters
    ----------
    image : Image
        What was taken.
    seed : int
        Of the simulation.
    """
    return made_of(cards_of(image, seed))


def cards_of(image: Image, seed: int) -> tuple[Card, ...]:
    """The cards of that header."""
    comments = (("COMMENT", line, "") for line in _COMMENTS)
    return (*_origin(image, seed), *_observation(image), *_photometry(image), *_wcs(image), *comments)


def _origin(image: Image, seed: int) -> tuple[Card, ...]:
    return (
        ("EXTNAME", "SCI", "name of this extension"),
        ("EXTVER", 1, "version of this extension"),
        ("ORIGIN", "SIMULATED", "no real data"),
        ("SIMULATE", True, "simulated by skydex"),
        ("SIMSEED", seed, "seed of the simulation"),
        ("SIMVER", __version__, "version of skydex"),
        ("FILENAME", f"{image.name}_drz.fits", "as a file would be called"),
        ("TELESCOP", "HST", "telescope that is simulated"),
        ("INSTRUME", image.instrument, "instrument"),
        ("DETECTOR", image.detector.name.rpartition("/")[2], "detector"),
        ("FILTER", image.filter, "filter"),
        ("APERTURE", image.detector.aperture, "aperture of the pointing"),
    )


def _observation(image: Image) -> tuple[Card, ...]:
    date = str(timestamps(image.start_mjd))
    return (
        ("TARGNAME", image.target, "target of the proposal"),
        ("PROPOSID", image.prop_id, "proposal"),
        ("VISIT", image.visit, "visit of the proposal"),
        ("DATE-OBS", date, "start of the first exposure (UTC)"),
        ("TIME-OBS", date.partition("T")[2], "start of the first exposure (UTC)"),
        ("MJD-OBS", image.start_mjd, "[d] start of the first exposure, MJD"),
        ("EXPSTART", image.start_mjd, "[d] start of the first exposure, MJD"),
        ("EXPEND", image.stop_mjd, "[d] end of the last exposure, MJD"),
        ("EXPTIME", image.exposure_s, "[s] exposure time, all together"),
        ("NCOMBINE", image.n_exposures, "exposures that were combined"),
    )


def _photometry(image: Image) -> tuple[Card, ...]:
    zero, noise = ZERO_POINTS[image.detector.name], pixel_noise(image)
    flam = 10 ** (-0.4 * (zero + 5 * math.log10(image.wavelength) - _AB_OF_FLUX))
    radius = aperture_arcsec(image)
    share = float(enclosed(psf_of_image(image), radius / image.detector.scale_arcsec, np.zeros(())))
    well = full_well(image)
    return (
        ("BUNIT", "ELECTRONS/S", "unit of the pixels"),
        ("PHOTFLAM", float(f"{flam:.7e}"), "[erg/s/cm2/Angstrom] of 1 electron/s"),
        ("PHOTPLAM", image.wavelength, "[Angstrom] pivot wavelength"),
        ("PHOTZPT", -21.1, "zero point of ST magnitudes"),
        ("ABMAGZPT", zero, "[mag] AB magnitude of one electron per second"),
        ("APERRAD", radius, "[arcsec] radius of the catalogue's aperture"),
        ("APERFRAC", round(share, 4), "share of a star's light within it"),
        ("BACKNOIS", float(f"{noise.background:.6e}"), "noise of an empty pixel"),
        *([("SATURATE", float(f"{well:.6e}"), "most that a pixel holds")] if math.isfinite(well) else []),
        ("QUANTUM", float(f"{noise.quantum:.6e}"), "variance of light / light"),
    )


def _wcs(image: Image) -> tuple[Card, ...]:
    cd = image.cd
    return (
        ("WCSAXES", 2, "axes of the WCS"),
        ("CTYPE1", "RA---TAN", "gnomonic projection"),
        ("CTYPE2", "DEC--TAN", "gnomonic projection"),
        ("CRPIX1", image.crpix, "reference pixel"),
        ("CRPIX2", image.crpix, "reference pixel"),
        ("CRVAL1", image.ra, "[deg] right ascension there"),
        ("CRVAL2", image.dec, "[deg] declination there"),
        *((f"CD{i + 1}_{j + 1}", float(cd[i, j]), "[deg/pixel]") for i in range(2) for j in range(2)),
        ("CUNIT1", "deg", "unit"),
        ("CUNIT2", "deg", "unit"),
        ("RADESYS", "ICRS", "reference system"),
        ("ORIENTAT", image.pa, "[deg] position angle of the y axis, E of N"),
        ("RA_TARG", image.ra, "[deg] right ascension of the pointing"),
        ("DEC_TARG", image.dec, "[deg] declination of the pointing"),
    )
