"""Rows of the Pan-STARRS1 tables: each column of each table from the sky of one field and its means.

What a publication printed stands as it is printed. Of printed detections the columns that were not printed are null.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skydex.demo.chance import stream
from skydex.demo.htm import htm_ids
from skydex.demo.ps1.exposures import AB_ZERO_JY, BANDS
from skydex.demo.ps1.means import Means
from skydex.demo.ps1.names import names_of
from skydex.demo.ps1.published import published_detections
from skydex.demo.ps1.sky import ARTIFACTS, QUALITY, Sky
from skydex.demo.ps1.variables import CLASSES
from skydex.sky import rotated, unit_vectors

__all__ = ["FILTERS", "detection_rows", "mean_rows", "object_rows", "truth_of_detections", "truth_of_objects"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Rows = Mapping[str, Any]

FILTERS: Rows = {
    "filterID": np.arange(1, 6),
    "filterType": list(BANDS),
    "wavelength": np.array((481.0, 617.0, 752.0, 866.0, 962.0)),
    "zeropoint": np.array((24.41, 24.68, 24.56, 24.22, 23.24)),
}

VERSION = 3
"""processingVersion of what is simulated."""
PIXEL_ARCSEC = 0.257

_OF_ROW, _OF_PIPELINE = 1_000_000_000_000, 9_100_000_000_000
"""Added to other identifiers; with them, they are beyond all real ones of their kind."""
_ZONE_DEG = 0.0083333
_GOOD, _GOOD_IN_STACK, _BAD_IN_STACK = 4, 16, 64
_GOOD_FLAGS, _BAD_FLAGS = (102_760_517, 128, 7_374_912), (102_760_453, 160, 34_880)
"""infoFlag, infoFlag2 and infoFlag3 as usual, and where pixels are masked."""


def object_rows(sky: Sky, means: Means, n_stack: Ints) -> dict[str, Any]:
    """ObjectThin, and the columns of objects in all views.

    Parameters
    ----------
    n_stack : (n, 2) int array
        Rows and detections in stacked images.
    """
    things, chance = sky.objects, stream(sky.seed, "ps1", sky.field.name, "objects")
    n = len(things)
    ra_deg, dec_deg = means.ra_deg, means.dec_deg
    is_printed = things.printed >= 0
    names = names_of(ra_deg, dec_deg, np.where(is_printed, "PSO", "SIM"))
    called = np.array([*sky.known.names, ""])[things.printed]
    longitude, latitude = rotated(ra_deg, dec_deg, origin="ICRS", target="GALACTIC")
    ecliptic = rotated(ra_deg, dec_deg, origin="ICRS", target="ECLIPTIC")
    vectors = unit_vectors(ra_deg, dec_deg)
    quality = np.where(n_stack[:, 1] > 0, _GOOD | _GOOD_IN_STACK, np.where(things.is_junk, _BAD_IN_STACK, _GOOD))
    in_stack = n_stack[:, 1] > 0
    return {
        "objName": names,
        "objNameHMS": names,
        "objAltName1": pa.array(called, mask=called == ""),
        "objPopularName": pa.array(called, mask=called == ""),
        "objID": things.object_id,
        "uniquePspsOBid": things.object_id + _OF_ROW,
        "ippObjID": _OF_PIPELINE + sky.field.number * 10_000_000 + np.arange(n),
        "surveyID": 0,
        "htmID": htm_ids(ra_deg, dec_deg),
        "zoneID": np.floor((90.0 + dec_deg) / _ZONE_DEG).astype(np.int32),
        "tessID": 11,
        "projectionID": (635 + (dec_deg + 30.0) / 120.0 * 2008).astype(np.int16),
        "skyCellID": (ra_deg * 10.0 % 10.0).astype(np.uint8) * 10 + (dec_deg * 10.0 % 10.0).astype(np.uint8),
        "randomID": chance.random(n),
        "batchID": _OF_PIPELINE + sky.field.number,
        "dvoRegionID": 10_000 + sky.field.number,
        "processingVersion": VERSION,
        "objInfoFlag": np.where(things.is_junk, 276_824_064, 440_434_688),
        "astrometryCorrectionFlag": 0,
        "qualityFlag": quality,
        "raStack": np.where(in_stack, ra_deg, np.nan),
        "decStack": np.where(in_stack, dec_deg, np.nan),
        "raStackErr": np.where(in_stack, means.ra_err_deg, np.nan),
        "decStackErr": np.where(in_stack, means.dec_err_deg, np.nan),
        "raMean": ra_deg,
        "decMean": dec_deg,
        "raMeanErr": means.ra_err_deg,
        "decMeanErr": means.dec_err_deg,
        "epochMean": means.epoch_mjd,
        "posMeanChisq": means.chi2,
        "cx": vectors[0],
        "cy": vectors[1],
        "cz": vectors[2],
        "lambda": ecliptic[0],
        "beta": ecliptic[1],
        "l": longitude,
        "b": latitude,
        "nStackObjectRows": n_stack[:, 0],
        "nStackDetections": n_stack[:, 1],
        "nDetections": means.counts.sum(axis=1),
        **{f"n{letter}": means.counts[:, band] for band, letter in enumerate(BANDS)},
    }


def mean_rows(sky: Sky, means: Means) -> dict[str, Any]:
    """MeanObject: the photometry of all bands."""
    rows: dict[str, Any] = {
        "objID": sky.objects.object_id,
        "uniquePspsOBid": sky.objects.object_id + _OF_ROW,
    }
    for band, letter in enumerate(BANDS):
        rows[f"{letter}QfPerfect"] = means.quality[:, band]
        rows[f"{letter}Flags"] = np.where(means.counts[:, band] > 0, 115_000, 0)
        for kind, found in means.magnitudes.items():
            name, place = f"{letter}Mean{kind}Mag", slice(band, None, len(BANDS))
            rows[name] = means.psf_mag[:, band] if kind == "PSF" else found.mag[place]
            rows[f"{name}Err"], rows[f"{name}Std"] = found.error[place], found.scatter[place]
            rows[f"{name}Npt"] = found.n_used[place]
            if kind == "PSF":
                rows[f"{name}Min"], rows[f"{name}Max"] = found.brightest[place], found.faintest[place]
    return rows


def detection_rows(sky: Sky) -> dict[str, Any]:
    """Detection: every measurement in single exposures."""
    found, looks = sky.detections, sky.exposures
    chance = stream(sky.seed, "ps1", sky.field.name, "detections")
    n, seen = len(found), found.exposure >= 0
    is_bad = found.quality < QUALITY
    owner = sky.objects.object_id[found.owner]
    fwhm, roundness = looks.fwhm[found.exposure], looks.roundness[found.exposure]
    second = (fwhm / 2.355) ** 2 + (0.6 * sky.objects.size_arcsec[found.owner]) ** 2
    place = chance.uniform(10.0, 4_830.0, (2, n))
    noise = found.error_arcsec / PIXEL_ARCSEC
    rows: dict[str, Any] = {
        "imageID": _OF_PIPELINE + sky.field.number * 1000 + found.exposure,
        "xPos": place[0],
        "yPos": place[1],
        "xPosErr": noise,
        "yPosErr": noise,
        "pltScale": chance.normal(PIXEL_ARCSEC, 0.0003, n),
        "posAngle": looks.angle_deg[found.exposure],
        "raErr": found.error_arcsec,
        "decErr": found.error_arcsec,
        "extNSigma": chance.normal(0.0, 1.0, n) + 3.0 * sky.objects.size_arcsec[found.owner],
        "zp": looks.zero_point[found.exposure],
        "telluricExt": 0.0,
        "expTime": looks.exposure_s[found.exposure],
        "airMass": looks.air_mass[found.exposure],
        "psfMajorFWHM": fwhm,
        "psfMinorFWHM": fwhm * roundness,
        "psfTheta": looks.angle_deg[found.exposure],
        "psfCore": chance.normal(0.3, 0.02, n),
        "psfQf": np.minimum(1.0, found.quality + 0.5 * (1.0 - found.quality)),
        "psfChiSq": chance.gamma(20.0, 0.05, n) + 2.0 * is_bad,
        "psfLikelihood": chance.random(n),
        "momentXX": second,
        "momentXY": second * chance.normal(0.0, 0.05, n),
        "momentYY": second * roundness,
        "momentR1": 1.25 * np.sqrt(second),
        "momentRH": 1.1 * np.sqrt(np.sqrt(second)),
        **{f"moment{name}": second * chance.normal(0.0, 0.03, n) for name in ("M3C", "M3S", "M4C", "M4S")},
        "apFillF": np.minimum(1.0, found.quality + 0.3 * (1.0 - found.quality)),
        "apRadius": 3.0 * fwhm,
        "kronFluxErr": 1.1 * found.flux_err,
        "kronRad": 2.5 * np.sqrt(second),
        "sky": looks.sky_jy[found.exposure],
        "skyErr": 0.002 * looks.sky_jy[found.exposure],
    }
    rows = {name: _only(values, seen) for name, values in rows.items()}
    rows |= {
        "objID": owner,
        "uniquePspsP2id": found.detection_id + _OF_ROW,
        "detectID": found.detection_id,
        "ippObjID": _OF_PIPELINE + sky.field.number * 10_000_000 + found.owner,
        "ippDetectID": _OF_PIPELINE + np.arange(n),
        "filterID": found.band + 1,
        "surveyID": 0,
        "randomDetID": chance.random(n),
        "dvoRegionID": 10_000 + sky.field.number,
        "obsTime": found.mjd,
        "ra": found.ra_deg,
        "dec": found.dec_deg,
        "psfFlux": found.flux,
        "psfFluxErr": found.flux_err,
        "psfQfPerfect": found.quality,
        "apFlux": found.aperture,
        "apFluxErr": 1.05 * found.flux_err,
        "kronFlux": found.kron,
        **{name: np.where(is_bad, _BAD_FLAGS[i], _GOOD_FLAGS[i]) for i, name in enumerate(_FLAGS)},
        "processingVersion": VERSION,
    }
    return _as_printed(rows, found.printed, seen)


_FLAGS = ("infoFlag", "infoFlag2", "infoFlag3")
_PRINTED = ("psfMajorFWHM", "psfMinorFWHM", "apFluxErr")
"""Numbers of printed detections that are nowhere else."""


def _only(values: Any, seen: NDArray[np.bool_]) -> Any:
    """Values where an exposure is known; null elsewhere."""
    spread = np.broadcast_to(np.asarray(values), seen.shape)
    return np.ma.array(spread, mask=~seen)


def _as_printed(rows: dict[str, Any], printed: Ints, seen: NDArray[np.bool_]) -> dict[str, Any]:
    """Rows with the printed numbers of the detections that were printed whole."""
    known = published_detections()
    from_print = ~seen
    for name in _PRINTED:
        values = np.ma.array(rows[name], copy=True)
        values[from_print] = known.values[name][printed[from_print]]
        rows[name] = values
    for i, name in enumerate(_FLAGS):
        rows[name] = np.where(from_print, known.flags[printed, i], rows[name])
    return rows


def truth_of_objects(sky: Sky) -> dict[str, Any]:
    """What the objects really are."""
    things = sky.objects
    return {
        "objID": things.object_id,
        "ra": things.ra_deg,
        "dec": things.dec_deg,
        "kind": np.where(things.is_junk, "junk", np.array(CLASSES)[things.variability.kind]),
        "is_published": things.printed >= 0,
        "size": things.size_arcsec,
        "period": things.variability.period_d,
        "epoch": things.variability.epoch_mjd,
        "amplitude": things.variability.amplitude_mag,
        **{f"mag_{letter}": np.where(things.is_junk, np.nan, things.mag[:, b]) for b, letter in enumerate(BANDS)},
    }


def truth_of_detections(sky: Sky) -> dict[str, Any]:
    """What the detections would be without noise and mishaps."""
    found = sky.detections
    return {
        "detectID": found.detection_id,
        "objID": sky.objects.object_id[found.owner],
        "mag": found.mag,
        "flux": 10.0 ** (0.4 * (AB_ZERO_JY - found.mag)),
        "artifact": np.array(ARTIFACTS)[found.artifact],
    }
