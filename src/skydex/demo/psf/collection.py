"""`simulate_psf`: measured stars of three detectors, as the PSF databases of MAST list them.

Centres count pixels over the whole detector, so that the published example has as many stars as it says: six
unsaturated ones of UVIS with 100..102 on both axes, in an archive of any size. They count from 0, as the cutout service
does that they are handed to, so that a star is in the middle of its stamp. What a stamp must show of a star stands in
`truth.psf_sources` (its exact centre in the calibrated file, its flux) and `truth.psf_exposures` (focus, background);
its neighbours are the other stars of its exposure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skydex.demo.cameras.epsf import central_shares
from skydex.demo.chance import stream
from skydex.demo.columns import read_columns
from skydex.demo.psf.electronics import CAMERAS
from skydex.demo.psf.exposures import (
    CHIP_HEIGHT,
    DETECTORS,
    N_PLANTED,
    SUBARRAY,
    Detector,
    Exposures,
    make_exposures,
)
from skydex.demo.publications import printed_in, read_printed
from skydex.demo.simulation import SimulatedTable, batch_of
from skydex.demo.size import Size
from skydex.demo.times import timestamps
from skydex.sky import directions_deg, unit_vectors
from skydex.tables import Column, Datatype

__all__ = ["simulate_psf"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_N_STARS = 1_000_000
_BLOCK_ROWS = 65_536
_FIRST_ID = 9_000_000_000_000
_IDS_OF_A_DETECTOR = 200_000_000_000
_LOW, _HIGH = 100, 102
"""Centres of the published example."""


@dataclass(frozen=True)
class _Stars:
    """Stars of some exposures, and what is true of them."""

    identifier: Integers
    """Unique among all detectors."""
    exposure: Integers
    """Number of the exposure."""
    x: Floats
    """Exact centre on the detector, pixels from 0; whole numbers are middles of pixels."""
    y: Floats
    """Exact centre on the detector, pixels."""
    chip: Integers
    """Number of the chip."""
    flux: Floats
    """Electrons."""
    is_saturated: NDArray[np.bool_]
    """Whether pixels are full."""

    def __len__(self) -> int:
        return len(self.x)


def simulate_psf(size: Size, seed: int) -> Iterator[SimulatedTable]:
    """Make the collection `psf`, and what is true of it."""
    total = sum(detector.share for detector in DETECTORS)
    numbers = [round(size.count(_N_STARS) * detector.share / total) for detector in DETECTORS]
    exposures = [make_exposures(one, size, seed, n_stars=n) for one, n in zip(DETECTORS, numbers, strict=True)]
    for detector, seen in zip(DETECTORS, exposures, strict=True):
        yield _measured(detector, seen, seed)
    yield _truth_of_sources(exposures, seed)
    yield _truth_of_exposures(exposures)


def _measured(detector: Detector, exposures: Exposures, seed: int) -> SimulatedTable:
    """The table of a detector."""
    columns = read_columns(f"psf/{detector.name}")

    def batches() -> Iterator[pa.RecordBatch]:
        for number, stars in _stars(detector, exposures, seed):
            rng = stream(seed, "psf", detector.name, "measures", number)
            rows = _rows(rng, detector, exposures, stars)
            yield batch_of(columns, {column.name: rows[column.name] for column in columns}, len(stars))

    printed = (printed_in(columns, "psf_uvis", identifier="id"),) if detector.name == "UVIS" else ()
    options = {"ra": "ra", "dec": "dec", "id": "id", "examples": _examples(detector)}
    about = f"Stars that were measured in exposures with {_called(detector)}, in the manner of MAST's PSF databases."
    return SimulatedTable(f"psf.{detector.name}", about, columns, batches(), options, printed)


def _called(detector: Detector) -> str:
    return detector.name if detector.name == "WFPC2" else f"WFC3/{detector.name}"


def _examples(detector: Detector) -> list[dict[str, str]]:
    query = f"""
SELECT id, rootname, {"filter_1" if detector.name == "WFPC2" else "filter"}, x_cal, y_cal, chip, qfit
FROM {{table}}
WHERE psf_x_center BETWEEN 100 AND 200 AND psf_y_center BETWEEN 100 AND 200 AND n_sat_pixels = 0"""
    return [{"name": f"Unsaturated stars in a corner of {_called(detector)}", "query": query}]


def _stars(detector: Detector, exposures: Exposures, seed: int) -> Iterator[tuple[int, _Stars]]:
    """Stars in blocks of whole exposures, each drawn from a stream of its own."""
    ends = np.cumsum(exposures.n_stars)
    block = (ends - exposures.n_stars) // _BLOCK_ROWS
    first_id = _FIRST_ID + _IDS_OF_A_DETECTOR * DETECTORS.index(detector)
    for number in np.unique(block):
        here = np.flatnonzero(block == number)
        first = first_id + int(ends[here[0]] - exposures.n_stars[here[0]])
        yield (
            int(number),
            _drawn(stream(seed, "psf", detector.name, "stars", int(number)), detector, exposures, here, first),
        )


def _drawn(rng: np.random.Generator, detector: Detector, exposures: Exposures, here: Integers, first_id: int) -> _Stars:
    exposure = np.repeat(here, exposures.n_stars[here])
    n_rows = len(exposure)
    is_sub = exposures.is_subarray[exposure]
    x = rng.uniform(-0.5, np.where(is_sub, SUBARRAY, detector.width) - 0.5)
    y = rng.uniform(-0.5, np.where(is_sub, SUBARRAY, detector.height) - 0.5)
    chip = _chips(rng, detector, y)
    is_saturated = rng.random(n_rows) < detector.saturated
    drawn = rng.normal(np.log(np.where(is_saturated, 1.5e6, 2.5e4)), np.where(is_saturated, 0.7, 1.1))
    flux = np.exp(_as_saturated(detector, drawn, is_saturated))
    identifier = first_id + np.arange(n_rows)
    stars = _Stars(identifier, exposure, x, y, chip, flux.round(1), is_saturated)
    return _planted(rng, stars) if detector.name == "UVIS" else stars


def _as_saturated(detector: Detector, log_flux: Floats, is_saturated: NDArray[np.bool_]) -> Floats:
    """Fluxes that fill a pixel, or do not, wherever in it a star lies: others are mirrored at the limit."""
    least, most = (np.log(detector.full_well / peak) for peak in (detector.peaks[0], 1.1 * detector.peaks[1]))
    mirrored = np.where(is_saturated, least + np.abs(log_flux - least), most - np.abs(log_flux - most))
    return np.asarray(mirrored, np.float64)


def _chips(rng: np.random.Generator, detector: Detector, y: Floats) -> Integers:
    if detector.name == "UVIS":
        return np.where(y > CHIP_HEIGHT - 0.5, 1, 2)
    return rng.integers(1, 5, len(y)) if detector.name == "WFPC2" else np.ones(len(y), np.int64)


def _planted(rng: np.random.Generator, stars: _Stars) -> _Stars:
    """The same with the stars of the published example, and no others where these are."""
    is_there = ~stars.is_saturated
    for centre in (np.rint(stars.x), np.rint(stars.y)):
        is_there &= (centre >= _LOW) & (centre <= _HIGH)
    stars.x[is_there] += 2.0 * (_HIGH - _LOW + 1)
    for number in range(N_PLANTED):
        place = int(np.searchsorted(stars.exposure, number))
        if place == len(stars) or stars.exposure[place] != number:
            continue  # in another block
        stars.x[place], stars.y[place] = rng.uniform(_LOW - 0.4, _HIGH + 0.4, 2)
        stars.chip[place], stars.is_saturated[place], stars.flux[place] = 2, False, 40_000.0 + 5_000.0 * number
        if number == 0:
            stars.identifier[place] = read_printed("psf_uvis")["id"][0].as_py()
    return stars


def _rows(rng: np.random.Generator, detector: Detector, exposures: Exposures, stars: _Stars) -> dict[str, Any]:
    """All columns of the three databases."""
    which, n_rows = stars.exposure, len(stars)
    taken = pa.array(which)
    centre = np.rint(stars.x).astype(np.int64), np.rint(stars.y).astype(np.int64)
    calibrated = _in_calibrated(detector, stars, *centre)
    raw = _in_raw(detector, exposures.is_subarray[which], stars.chip, *calibrated)
    time = exposures.exptime[which] if detector.name == "IR" else 1.0
    sharpness = _sharpness(detector, exposures, stars)
    qfit = np.exp(rng.normal(np.log(0.03 + 0.6 / np.sqrt(stars.flux / 1e3) * 0.1), 0.35))
    excess = np.maximum(stars.flux * sharpness / detector.full_well, 1.0)
    ra, dec = _on_sky(detector, exposures, stars)
    names = ("rootname", "filter", "aperture", "proptype", "targname")
    rows: dict[str, Any] = {name: getattr(exposures, name).take(taken) for name in names}
    return rows | {
        "id": stars.identifier,
        "filter_1": rows["filter"],
        "filter_2": exposures.second_filter.take(taken),
        "psf_x_center": centre[0],
        "psf_y_center": centre[1],
        "chip": pa.array(stars.chip).cast(pa.string()),
        "psf_flux": stars.flux / time,
        "sky": np.round(exposures.sky[which] * rng.normal(1.0, 0.02, n_rows) / time, 3),
        "qfit": np.where(stars.is_saturated, 0.0, np.round(qfit, 5)),
        "pixc": np.round(np.minimum(stars.flux * sharpness, detector.full_well) / time, 2),
        "n_sat_pixels": np.where(stars.is_saturated, 1 + rng.poisson(3.0 * excess), 0),
        "x_raw": raw[0],
        "y_raw": raw[1],
        "x_cal": calibrated[0],
        "y_cal": calibrated[1],
        "subarray": exposures.is_subarray[which].astype(np.int64),
        "midexp": np.round(exposures.mjd[which] + exposures.exptime[which] / 172_800.0, 5),
        "mjd": exposures.mjd[which],
        "date": timestamps(exposures.mjd[which]),
        "exptime": exposures.exptime[which],
        "focus": np.round(exposures.focus[which], 3),
        "proposid": exposures.proposid[which],
        "ra": ra,
        "dec": dec,
        "pa_v3": np.round(exposures.pa_v3[which], 4),
    }


def _sharpness(detector: Detector, exposures: Exposures, stars: _Stars) -> Floats:
    """The part of each star's light in its central pixel."""
    camera, names = CAMERAS[detector.name], exposures.filter.to_pylist()
    shares = np.empty(len(stars))
    number, first = np.unique(stars.exposure, return_index=True)
    for exposure, start, end in zip(number, first, [*first[1:], len(stars)], strict=True):
        optics = camera.blur_in(names[exposure]), camera.wavelengths_um(names[exposure])
        here = slice(start, end)
        shares[here] = central_shares(*optics, float(exposures.focus[exposure]), stars.x[here], stars.y[here])
    return shares


def _in_calibrated(detector: Detector, stars: _Stars, x: Integers, y: Integers) -> tuple[Integers, Integers]:
    """Pixel in the file of the chip: both chips of UVIS lie one above the other on the detector."""
    return (x, np.where(stars.chip == 1, y - CHIP_HEIGHT, y)) if detector.name == "UVIS" else (x, y)


def _in_raw(
    detector: Detector, is_subarray: NDArray[np.bool_], chip: Integers, x: Integers, y: Integers
) -> tuple[Integers, Integers]:
    """Pixel in the raw file, with its overscan (WFC3 Data Handbook, section 2.2): 25 columns, 60 more in the middle."""
    if detector.name == "WFPC2":
        return x, y
    if detector.name == "IR":
        return x + 5, y + 5
    middle = np.where((x >= detector.width // 2) & ~is_subarray, 60, 0)
    return x + 25 + middle, y + np.where((chip == 1) & ~is_subarray, 19, 0)


def _on_sky(detector: Detector, exposures: Exposures, stars: _Stars) -> tuple[Floats, Floats]:
    """Positions of stars, by a projection without distortion; the chips of WFPC2 lie about their common corner."""
    dx, dy = stars.x - detector.width / 2, stars.y - detector.height / 2
    if detector.name == "WFPC2":
        quarter = np.radians(90.0 * (stars.chip - 1))
        dx, dy = (
            stars.x * np.cos(quarter) - stars.y * np.sin(quarter),
            stars.x * np.sin(quarter) + stars.y * np.cos(quarter),
        )
    which = stars.exposure
    turn = np.radians(exposures.pa_v3[which])
    step = np.radians(detector.scale_arcsec / 3600.0)
    east, north = step * (dy * np.sin(turn) - dx * np.cos(turn)), step * (dy * np.cos(turn) + dx * np.sin(turn))
    a, d = np.radians(exposures.ra[which]), np.radians(exposures.dec[which])
    to_east = np.stack([-np.sin(a), np.cos(a), np.zeros_like(a)])
    to_north = np.stack([-np.sin(d) * np.cos(a), -np.sin(d) * np.sin(a), np.cos(d)])
    vectors = unit_vectors(exposures.ra[which], exposures.dec[which]) + to_east * east + to_north * north
    return directions_deg(vectors / np.linalg.norm(vectors, axis=0))


_TRUTH_OF_SOURCES = (
    Column("detector", Datatype.CHAR, "5*"),
    Column("id", Datatype.LONG),
    Column("rootname", Datatype.CHAR, "17*"),
    Column("chip", Datatype.INT),
    Column("x", Datatype.DOUBLE, unit="pix", description="Exact centre in the calibrated file, counted from 0"),
    Column("y", Datatype.DOUBLE, unit="pix", description="Exact centre in the calibrated file, counted from 0"),
    Column("flux", Datatype.DOUBLE, unit="count", description="Electrons in the whole exposure"),
    Column("is_saturated", Datatype.BOOLEAN),
)
_TRUTH_OF_EXPOSURES = (
    Column("detector", Datatype.CHAR, "5*"),
    Column("rootname", Datatype.CHAR, "17*"),
    Column("filter", Datatype.CHAR, "25*"),
    Column("is_subarray", Datatype.BOOLEAN),
    Column("mjd", Datatype.DOUBLE, unit="d"),
    Column("exptime", Datatype.DOUBLE, unit="s"),
    Column("focus", Datatype.DOUBLE, unit="um"),
    Column("sky", Datatype.DOUBLE, unit="count", description="Background in a pixel, electrons in the whole exposure"),
    Column("ra", Datatype.DOUBLE, unit="deg"),
    Column("dec", Datatype.DOUBLE, unit="deg"),
    Column("pa_v3", Datatype.DOUBLE, unit="deg"),
    Column("n_stars", Datatype.INT, description="Its stars follow one another in psf_sources, as exposures do here"),
    Column("aperture", Datatype.CHAR, "50*"),
    Column("second_filter", Datatype.CHAR, "25*"),
    Column("proposid", Datatype.INT),
    Column("targname", Datatype.CHAR, "30*"),
)


def _truth_of_sources(exposures: list[Exposures], seed: int) -> SimulatedTable:
    def batches() -> Iterator[pa.RecordBatch]:
        for detector, seen in zip(DETECTORS, exposures, strict=True):
            for _, stars in _stars(detector, seen, seed):
                x, y = np.rint(stars.x).astype(np.int64), np.rint(stars.y).astype(np.int64)
                shift = _in_calibrated(detector, stars, x, y)
                rows = {"detector": detector.name, "id": stars.identifier, "chip": stars.chip, "flux": stars.flux}
                rows |= {"x": stars.x - x + shift[0], "y": stars.y - y + shift[1], "is_saturated": stars.is_saturated}
                rows["rootname"] = seen.rootname.take(pa.array(stars.exposure))
                yield batch_of(_TRUTH_OF_SOURCES, rows, len(stars))

    return SimulatedTable("truth.psf_sources", "Where exactly each star is.", _TRUTH_OF_SOURCES, batches())


def _truth_of_exposures(exposures: list[Exposures]) -> SimulatedTable:
    names = [column.name for column in _TRUTH_OF_EXPOSURES if column.name != "detector"]
    batches = [
        batch_of(
            _TRUTH_OF_EXPOSURES, {"detector": detector.name} | {name: getattr(seen, name) for name in names}, len(seen)
        )
        for detector, seen in zip(DETECTORS, exposures, strict=True)
    ]
    return SimulatedTable("truth.psf_exposures", "What was exposed, and how.", _TRUTH_OF_EXPOSURES, iter(batches))
