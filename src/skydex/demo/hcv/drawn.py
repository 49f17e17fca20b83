"""Objects that experts looked at in fields of which the archive has no images.

The documents count more of these than the simulated images hold. Their light curves are drawn: points about a mean with
the scatter of a variable or of a constant star, such that chi square is plausible. Indices are computed from the points
by `skydex.lightcurve`; quality flags are drawn from those that were printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skydex.demo.chance import stream
from skydex.demo.columns import read_rows
from skydex.demo.hcv.experts import EXPERT_CLASSES, Quota
from skydex.demo.hcv.part import Arrays, Part
from skydex.demo.hcv.printed import printed_rows
from skydex.lightcurve import LightCurves, Segments, chi2_reduced, mad

__all__ = ["drawn", "drawn_groups"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_FIRST_ID = 900_000_000_000_000
_BATCH = 20_000
_LARGEST_GOOD_MAD = 0.84
"""Of flawless light curves; the printed row of the largest has 0.8581."""
_N_EPOCHS = 40
_VISITS = range(1, _N_EPOCHS + 1)
_N_FILTERS = 7
"""Of each field."""
_MIN_CHI2 = 3.0
_RADIUS_DEG = 0.05


@dataclass(frozen=True)
class _Group:
    """A field without images."""

    group_id: int
    target: str
    ra: float
    dec: float
    prop_id: int
    filters: tuple[str, ...]


def drawn_groups() -> tuple[_Group, ...]:
    """The fields, from `groups.csv`."""
    return tuple(
        _Group(
            int(row["group_id"]),
            row["target"],
            float(row["ra"]),
            float(row["dec"]),
            int(row["prop_id"]),
            tuple(row["filters"].split()),
        )
        for row in read_rows("hcv/groups")
    )


def drawn(quota: Quota, seed: int) -> Iterator[Part]:
    """Objects that fill a quota, in batches.

    Parameters
    ----------
    quota : Quota
        What fields with images have left.
    seed : int
        The same seed gives the same objects.
    """
    auto = np.repeat((1, 2), [sum(row) for row in quota.counts])
    expert = np.concatenate([np.repeat(EXPERT_CLASSES, row) for row in quota.counts])
    rng = stream(seed, "hcv", "drawn")
    order = rng.permutation(len(auto))
    auto, expert = auto[order], expert[order]
    n_filters = _numbers_of_filters(auto, quota.n_rows, rng)
    for first in range(0, len(auto), _BATCH):
        some = slice(first, first + _BATCH)
        yield _part(_FIRST_ID + first, auto[some], expert[some], n_filters[some], stream(seed, "hcv", "drawn", first))


def _numbers_of_filters(auto: Integers, n_rows: int, rng: np.random.Generator) -> Integers:
    """As many as the class needs, and the rest of the rows wherever there is room."""
    room = np.repeat(np.arange(len(auto)), _N_FILTERS - auto)
    extra = rng.permutation(room)[: max(0, n_rows - int(auto.sum()))]
    return auto + np.bincount(extra, minlength=len(auto))


def _part(first_id: int, auto: Integers, expert: Integers, n_filters: Integers, rng: np.random.Generator) -> Part:
    n, groups = len(auto), drawn_groups()
    group = rng.integers(len(groups), size=n)
    angle, apart = rng.uniform(0, 2 * np.pi, n), _RADIUS_DEG * np.sqrt(rng.random(n))
    dec = np.array([one.dec for one in groups])[group] + apart * np.cos(angle)
    match = {
        "MatchID": first_id + np.arange(n),
        "GroupID": np.array([one.group_id for one in groups])[group],
        "SubGroupID": np.full(n, -5),
        "RA": np.array([one.ra for one in groups])[group] + apart * np.sin(angle) / np.cos(np.radians(dec)),
        "Dec": dec,
        "AutoClass": auto,
        "ExpertClass": expert,
        "NumFilters": n_filters,
    }
    rows = _drawn_rows(auto, n_filters, group, rng)
    points = _drawn_points(rows, rng)
    return Part(match, _filter_table(rows, points, first_id), _detailed_table(rows, points, first_id))


@dataclass(frozen=True, eq=False)
class _Rows:
    """Light curves to be drawn, an array of `n` values each, ordered by object and filter."""

    object: Integers
    """Which of the batch's objects."""
    group: Integers
    """Which of the fields."""
    filter: Integers
    """Which of the field's filters."""
    is_detected: NDArray[np.bool_]
    flags: NDArray[np.str_]
    mean: Floats
    """Mean magnitude."""
    mad: Floats
    chi2: Floats
    n_points: Integers


def _drawn_rows(auto: Integers, n_filters: Integers, group: Integers, rng: np.random.Generator) -> _Rows:
    """In which filters each object was seen and varies, and how much."""
    n = len(auto)
    n_detected = np.where(auto == 1, 1, 2 + rng.binomial(np.maximum(n_filters - 2, 0), 0.5))
    rank = np.argsort(rng.random((n, _N_FILTERS)), axis=1)  # rank[i, f]: place of filter f in the object's own order
    owner, band = np.nonzero(rank < n_filters[:, None])
    is_detected = rank[owner, band] < n_detected[owner]
    flags = np.where(is_detected, rng.choice(_flags(1), len(owner)), rng.choice(_flags(0), len(owner)))
    scatter = np.where(is_detected, 0.12, 0.025) * np.exp(rng.normal(0.0, 0.6, len(owner)))
    chi2 = np.where(is_detected, 20.0, 1.5) * np.exp(rng.normal(0.0, 1.0, len(owner)))
    return _Rows(
        object=owner,
        group=group[owner],
        filter=band,
        is_detected=is_detected,
        flags=flags,
        mean=rng.uniform(20.0, 25.5, n)[owner] - 0.3 * band + rng.normal(0.0, 0.2, len(owner)),
        mad=scatter.clip(0.002, np.where(flags == "AAAAA", _LARGEST_GOOD_MAD, 2.0)),
        chi2=np.where(is_detected, chi2 + _MIN_CHI2, chi2),
        n_points=np.minimum(4 + rng.geometric(0.22, len(owner)), _N_EPOCHS),
    )


def _flags(is_detected: int) -> list[str]:
    """Quality flags that were printed, of light curves that vary and of those that do not."""
    return [row["VarQualFlag"] for row in printed_rows() if row["FilterDetFlag"] == is_detected]


@dataclass(frozen=True, eq=False)
class _Points:
    """The points of drawn light curves, ordered by curve and time."""

    curves: LightCurves
    """Corrected magnitudes."""
    mag: Floats
    epoch: Integers
    """Which epoch of the field."""
    ci: Floats
    d_mas: Floats


def _drawn_points(rows: _Rows, rng: np.random.Generator) -> _Points:
    """Points with the mean, the deviation and the chi square of their rows."""
    order = np.argsort(rng.random((len(rows.object), _N_EPOCHS)), axis=1)
    owner, epoch = np.nonzero(order < rows.n_points[:, None])
    segments = Segments.of_owners(owner, len(rows.object))
    time = _times(rng)[rows.group[owner], rows.filter[owner], epoch]
    period, phase = np.exp(rng.uniform(-1.0, 4.0, len(rows.object))), rng.random(len(rows.object))
    wave = np.sin(2 * np.pi * (time / period[owner] + phase[owner]))
    noise = rng.normal(0.0, 1.0, len(owner))
    shape = np.where(rows.is_detected[owner], wave + 0.15 * noise, noise)
    shape = (shape - segments.spread(segments.mean(shape))) * segments.spread(rows.mad / segments.mad(shape))
    mag = rows.mean[owner] + shape
    unit = np.exp(rng.normal(0.0, 0.1, len(owner)))
    chi2 = chi2_reduced(LightCurves(segments, time, mag, unit))
    error = (unit * segments.spread(np.sqrt(chi2 / rows.chi2))).astype(np.float32).astype(np.float64)
    return _Points(
        curves=LightCurves(segments, time, mag, error),
        mag=mag + rng.normal(0.0, 0.006, len(owner)),
        epoch=epoch,
        ci=rng.normal(1.0, 0.06, len(owner)),
        d_mas=rng.rayleigh(4.0, len(owner)),
    )


def _times(rng: np.random.Generator) -> Floats:
    """Epochs of each field and filter, (n_groups, n_filters, n_epochs), MJD."""
    shape = (len(drawn_groups()), _N_FILTERS, _N_EPOCHS)
    return (53_000.0 + np.cumsum(rng.exponential(25.0, shape), axis=2)).round(8)


def _filter_table(rows: _Rows, points: _Points, first_id: int) -> Arrays:
    return {
        "MatchID": first_id + rows.object,
        "Filter": _filter_names()[rows.group, rows.filter],
        "FilterDetFlag": rows.is_detected.astype(np.int64),
        "VarQualFlag": rows.flags,
        "NumLC": points.curves.segments.counts,
        "MeanMag": points.curves.segments.mean(points.mag),
        "MeanCorrMag": points.curves.mean,
        "MAD": mad(points.curves),
        "Chi2": chi2_reduced(points.curves),
    }


def _detailed_table(rows: _Rows, points: _Points, first_id: int) -> Arrays:
    owner = points.curves.segments.owner
    return {
        "MatchID": first_id + rows.object[owner],
        "Filter": _filter_names()[rows.group[owner], rows.filter[owner]],
        "MJD": points.curves.time,
        "ImageName": _image_names()[rows.group[owner], rows.filter[owner], points.epoch],
        "Mag": points.mag,
        "CorrMag": points.curves.mag,
        "MagErr": points.curves.mag_err,
        "CI": points.ci,
        "D": points.d_mas,
    }


def _filter_names() -> NDArray[np.str_]:
    return np.array([group.filters for group in drawn_groups()])


def _image_names() -> NDArray[np.str_]:
    """Names of images that would have been taken, (n_groups, n_filters, n_epochs)."""
    return np.array(
        [
            [
                [f"hst_{group.prop_id}_{visit:02d}_{_camera(name)}_{name.split('_')[1].lower()}" for visit in _VISITS]
                for name in group.filters
            ]
            for group in drawn_groups()
        ]
    )


def _camera(name: str) -> str:
    instrument, _, band = name.partition("_")
    if instrument == "WFC3":
        return "wfc3_ir" if band.startswith("F1") else "wfc3_uvis"
    return {"ACS": "acs_wfc", "WFPC2": "wfpc2"}[instrument]
