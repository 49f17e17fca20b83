"""Exposures of a simulated Hubble Space Telescope, detector by detector: when, where, through which filter.

The number of exposures grows with the size of the archive, and all of them are kept while it is made: 2,000 for a
million stars.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skydex.demo.chance import stream
from skydex.demo.publications import read_printed
from skydex.demo.size import Size
from skydex.sky import directions_deg, unit_vectors

__all__ = ["CHIP_HEIGHT", "DETECTORS", "N_PLANTED", "SUBARRAY", "Detector", "Exposures", "make_exposures"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

N_PLANTED = 6
"""Stars of the published example; each is in an exposure of its own, the first ones of UVIS."""
SUBARRAY = 1024
"""Rows and columns of the corner of UVIS that is read out alone."""
CHIP_HEIGHT = 2051
"""Rows of a chip of UVIS."""
_N_EXPOSURES = 2000
_ORBIT_D = 95.42 / 1440
_BASE36 = np.frombuffer(b"0123456789abcdefghijklmnopqrstuvwxyz", np.uint8)
_FIELDS = (
    ("NGC-104", 6.0236, -72.0813),
    ("OMEGA-CEN", 201.6970, -47.4795),
    ("NGC-6397", 265.1754, -53.6744),
    ("M-4", 245.8968, -26.5258),
    ("NGC-1851", 78.5282, -40.0466),
    ("GAL-CENTER", 266.4168, -29.0078),
    ("LMC-FIELD", 80.8938, -69.7561),
    ("SMC-FIELD", 13.1583, -72.8003),
    ("M31-DISK", 10.9900, 41.5300),
    ("M87", 187.7059, 12.3911),
    ("IC-1613", 16.1990, 2.1178),
    ("COSMOS", 150.1163, 2.2009),
)
_PARALLEL_SHARE, _SUBARRAYS = 0.3, 0.12
_FIELD_RADIUS_DEG = 0.1
_FAINT_SKY = 6.0
"""Background of the published example, so faint that noise makes some pixels negative."""


@dataclass(frozen=True)
class Detector:
    """What the databases distinguish."""

    name: str
    """Name of the table."""
    share: float
    """Of all stars; in thousands of sources."""
    saturated: float
    """Share of stars that are saturated."""
    letter: str
    """With which root names begin."""
    width: int
    """Pixels along x of all its chips together, as the centres count them."""
    height: int
    """Pixels along y."""
    scale_arcsec: float
    """Side of a pixel."""
    full_well: float
    """Electrons that a pixel holds."""
    peaks: tuple[float, float]
    """The least and the most of a star's light that falls into one pixel, by filter and place in the pixel."""
    first_mjd: float
    """Begin of service."""
    last_mjd: float
    """End of service."""
    filters: tuple[str, ...]
    """Filters in use."""
    apertures: tuple[str, ...]
    """Apertures in use with the whole detector."""


DETECTORS = (
    Detector(
        "UVIS",
        share=33_000.0,
        saturated=3 / 33,
        letter="i",
        width=4096,
        height=4102,
        scale_arcsec=0.0396,
        full_well=70_000.0,
        peaks=(0.08, 0.225),
        first_mjd=55_000.0,
        last_mjd=60_500.0,
        filters=(
            "F814W",
            "F606W",
            "F275W",
            "F336W",
            "F438W",
            "F225W",
            "F390W",
            "F475W",
            "F555W",
            "F625W",
            "F775W",
            "F850LP",
            "F467M",
            "F502N",
            "F656N",
        ),
        apertures=("UVIS", "UVIS-CENTER", "UVIS1", "UVIS2"),
    ),
    Detector(
        "IR",
        share=25_500.0,
        saturated=0.2 / 25.5,
        letter="i",
        width=1014,
        height=1014,
        scale_arcsec=0.1283,
        full_well=80_000.0,
        peaks=(0.13, 0.45),
        first_mjd=55_000.0,
        last_mjd=60_500.0,
        filters=("F160W", "F110W", "F125W", "F140W", "F105W", "F098M", "F127M", "F139M", "F153M"),
        apertures=("IR", "IR-FIX", "IR-UVIS", "IR-UVIS-CENTER"),
    ),
    Detector(
        "WFPC2",
        share=25_000.0,
        saturated=10 / 25,
        letter="u",
        width=800,
        height=800,
        scale_arcsec=0.0996,
        full_well=60_000.0,
        peaks=(0.15, 0.40),
        first_mjd=49_350.0,
        last_mjd=54_960.0,
        filters=(
            "F814W",
            "F555W",
            "F606W",
            "F336W",
            "F439W",
            "F675W",
            "F300W",
            "F450W",
            "F255W",
            "F170W",
            "F702W",
            "F785LP",
            "F791W",
            "F850LP",
        ),
        apertures=("WF3", "PC1", "WFALL", "WF2", "WF4"),
    ),
)


@dataclass(frozen=True)
class Exposures:
    """Exposures with one detector."""

    rootname: pa.Array
    """Nine characters, no two the same."""
    filter: pa.Array
    """Filter, or that on the first wheel."""
    second_filter: pa.Array
    """That on the second wheel; mostly none."""
    is_subarray: NDArray[np.bool_]
    """Whether only a corner was read out."""
    aperture: pa.Array
    """Aperture."""
    mjd: Floats
    """Start, UTC."""
    exptime: Floats
    """Seconds."""
    focus: Floats
    """Micrometres; makes the images wider or narrower."""
    proptype: pa.Array
    """Kind of proposal."""
    proposid: Integers
    """Number of the proposal."""
    targname: pa.Array
    """What was observed."""
    ra: Floats
    """Centre of the detector, degrees, ICRS."""
    dec: Floats
    """Centre of the detector, degrees, ICRS."""
    pa_v3: Floats
    """Position angle, degrees."""
    sky: Floats
    """Background in a pixel, electrons in the whole exposure."""
    n_stars: Integers
    """How many stars are measured in it."""

    def __len__(self) -> int:
        return len(self.mjd)


def make_exposures(detector: Detector, size: Size, seed: int, *, n_stars: int) -> Exposures:
    """Draw the exposures of a detector, and how many of its stars are in each."""
    rng = stream(seed, "psf", detector.name, "exposures")
    total = sum(one.share for one in DETECTORS)
    n_rows = size.count(round(_N_EXPOSURES * detector.share / total), least=N_PLANTED + 2)
    weights = np.exp(rng.normal(0.0, 1.0, n_rows))
    is_uvis = detector.name == "UVIS"
    planted = np.arange(n_rows) < (N_PLANTED if is_uvis else 0)
    is_subarray = is_uvis & ~planted & (rng.random(n_rows) < _SUBARRAYS)
    roots = _root_names(rng, detector.letter, n_rows)
    filters = rng.choice(len(detector.filters), n_rows)
    if is_uvis:
        printed = read_printed("psf_uvis")
        roots = pa.concat_arrays([printed["rootname"].combine_chunks(), roots[1:]])
        filters[0] = detector.filters.index(printed["filter"][0].as_py())
    mjd = np.sort(rng.uniform(detector.first_mjd, detector.last_mjd, n_rows)).round(5)
    targname, ra, dec = _pointings(rng, n_rows)
    second = np.where(rng.random(n_rows) < 0.03, rng.integers(0, 2, n_rows), 2)
    return Exposures(
        rootname=roots,
        filter=pa.array(detector.filters).take(pa.array(filters)),
        second_filter=pa.array(["POLQ", "POLQP15W", None]).take(pa.array(second)),
        is_subarray=is_subarray,
        aperture=_apertures(rng, detector, is_subarray),
        mjd=mjd,
        exptime=rng.choice([10.0, 40.0, 100.0, 200.0, 350.0, 500.0, 700.0, 1200.0], n_rows),
        focus=2.0 * np.sin(2.0 * np.pi * mjd / _ORBIT_D) + rng.normal(0.0, 1.0, n_rows),
        proptype=pa.array(["GO", "SNAP", "CAL/WFC3", "GO/PAR", "GO/DD"]).take(pa.array(rng.choice(5, n_rows))),
        proposid=rng.integers(11_000, 17_500, n_rows)
        if detector.letter == "i"
        else rng.integers(5_000, 11_500, n_rows),
        targname=targname,
        ra=ra,
        dec=dec,
        pa_v3=rng.uniform(0.0, 360.0, n_rows),
        n_stars=planted + rng.multinomial(n_stars - np.count_nonzero(planted), weights / weights.sum()),
        sky=np.where(planted, _FAINT_SKY, rng.gamma(2.0, 12.0, n_rows) + 1.0).round(2),
    )


def _root_names(rng: np.random.Generator, letter: str, n_rows: int) -> pa.Array:
    """Root names as the telescope gives them: a letter, seven of 36 characters that count on, and `q`."""
    few = 36**3
    numbers = np.sort(rng.choice(few, n_rows, replace=False)) if n_rows < few else np.arange(n_rows)
    numbers += few * (13 if letter == "i" else 2)
    text = np.empty((n_rows, 9), np.uint8)
    text[:, 0], text[:, 8] = ord(letter), ord("q")
    for digit in range(4):
        text[:, 1 + digit] = _BASE36[numbers // 36 ** (3 - digit) % 36]
    text[:, 5:8] = _BASE36[rng.integers(0, 36, (n_rows, 3))]
    return pa.array(text.view("S9").ravel()).cast(pa.string())


def _apertures(rng: np.random.Generator, detector: Detector, is_subarray: NDArray[np.bool_]) -> pa.Array:
    names = [*detector.apertures, "UVIS2-C1K1C-SUB"]
    chosen = np.where(is_subarray, len(detector.apertures), rng.choice(len(detector.apertures), len(is_subarray)))
    return pa.array(names).take(pa.array(chosen))


def _pointings(rng: np.random.Generator, n_rows: int) -> tuple[pa.Array, Floats, Floats]:
    """Known fields, and parallel fields anywhere."""
    chosen = rng.integers(0, len(_FIELDS), n_rows)
    is_parallel = rng.random(n_rows) < _PARALLEL_SHARE
    vectors = unit_vectors(np.array([f[1] for f in _FIELDS])[chosen], np.array([f[2] for f in _FIELDS])[chosen])
    near = vectors + np.radians(_FIELD_RADIUS_DEG / 2) * rng.normal(0.0, 1.0, vectors.shape)
    anywhere = rng.normal(0.0, 1.0, vectors.shape)
    directions = np.where(is_parallel, anywhere, near)
    ra, dec = directions_deg(directions / np.linalg.norm(directions, axis=0))
    names = pa.array([*(field[0] for field in _FIELDS), "ANY"])
    return names.take(pa.array(np.where(is_parallel, len(_FIELDS), chosen))), ra, dec
