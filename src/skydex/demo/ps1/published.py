"""The rows of Pan-STARRS1 DR2 that a publication printed: 90 mean objects, 103 detections, 13 magnitudes in z."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from skydex.demo.columns import read_rows

__all__ = ["PublishedDetections", "PublishedObjects", "published_detections", "published_objects"]

_BANDS = "grizy"
_Z = 3


@dataclass(frozen=True)
class PublishedObjects:
    """Mean objects, as far as they are printed."""

    names: tuple[str, ...]
    """Names of variable stars; empty for the others, which are near M87."""
    object_id: NDArray[np.int64]
    position_deg: NDArray[np.float64]
    """Right ascension and declination, (n, 2)."""
    counts: NDArray[np.int64]
    """Detections in each band, (n, 5)."""
    mag: NDArray[np.float64]
    """Mean PSF magnitudes, (n, 5); NaN where there is none."""

    def of(self, name: str) -> PublishedObjects:
        """Those of a name."""
        chosen = np.array([own == name for own in self.names])
        names = tuple(own for own in self.names if own == name)
        arrays = (self.object_id, self.position_deg, self.counts, self.mag)
        return PublishedObjects(names, *(array[chosen] for array in arrays))


@dataclass(frozen=True)
class PublishedDetections:
    """Detections, as far as they are printed; NaN, or 0 for an identifier, where a value is not."""

    object_id: NDArray[np.int64]
    detection_id: NDArray[np.int64]
    band: NDArray[np.int64]
    """Index of the band."""
    values: dict[str, NDArray[np.float64]]
    """Numbers by column of the table."""
    flags: NDArray[np.int64]
    """infoFlag, infoFlag2 and infoFlag3, (n, 3)."""


_NUMBERS = (
    "obsTime", "ra", "dec", "psfFlux", "psfFluxErr", "psfMajorFWHM", "psfMinorFWHM", "psfQfPerfect", "apFlux",
    "apFluxErr",
)  # fmt: skip
_FLAGS = ("infoFlag", "infoFlag2", "infoFlag3")


@cache
def published_objects() -> PublishedObjects:
    """All printed mean objects."""
    rows = read_rows("printed/ps1_mean")
    return PublishedObjects(
        tuple(row["name"] for row in rows),
        np.array([int(row["objID"]) for row in rows]),
        np.array([[float(row["raMean"]), float(row["decMean"])] for row in rows]),
        np.array([[int(row[f"n{band}"]) for band in _BANDS] for row in rows]),
        np.array([[float(row[f"{band}MeanPSFMag"] or "nan") for band in _BANDS] for row in rows]),
    )


@cache
def published_detections() -> PublishedDetections:
    """Printed detections, and those of which time, magnitude and quality alone are printed."""
    whole = read_rows("printed/ps1_detections")
    moments = {row["obsTime"] for row in whole}
    partial = [row for row in read_rows("printed/ps1_kq_uma_z") if row["obsTime"] not in moments]
    n_partial = len(partial)
    values = {name: np.array([float(row[name]) for row in whole] + [np.nan] * n_partial) for name in _NUMBERS}
    for name in ("obsTime", "psfQfPerfect"):
        values[name][len(whole) :] = [float(row[name]) for row in partial]
    values["psfFlux"][len(whole) :] = [10.0 ** (0.4 * (8.90 - float(row["mag"]))) for row in partial]
    return PublishedDetections(
        np.array([int(row["objID"]) for row in (*whole, *partial)]),
        np.array([int(row["detectID"]) for row in whole] + [0] * n_partial),
        np.array([int(row["filterID"]) - 1 for row in whole] + [_Z] * n_partial),
        values,
        np.array([[int(row[name]) for name in _FLAGS] for row in whole] + [[0, 0, 0]] * n_partial),
    )
