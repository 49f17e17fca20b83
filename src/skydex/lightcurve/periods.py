"""`periodogram`: at which periods a light curve repeats, how surely, and whether the true period is twice as long.

Two ways: sinusoids, for whatever varies all the time (`harmonics`), and dips, for short eclipses (`boxes`). Frequencies
lie at equal distances, a part of 1 / baseline apart, for that is how wide a peak is whatever its frequency. Every
measurement that has a value counts: cut bad ones away first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from skydex.errors import BadParameterError
from skydex.lightcurve.boxes import box_power
from skydex.lightcurve.chances import false_alarm
from skydex.lightcurve.harmonics import FrequencyGrid, Series, harmonic_power
from skydex.lightcurve.plain import number
from skydex.lightcurve.segments import Floats
from skydex.lightcurve.shapes import Shape, shape_of

if TYPE_CHECKING:
    from skydex.lightcurve.curve import LightCurve

__all__ = [
    "METHODS",
    "MOST_FREQUENCIES",
    "DoublePeriod",
    "Peak",
    "Periodogram",
    "frequency_grid",
    "periodogram",
]

METHODS = ("sinusoids", "boxes")
"""What may be fitted."""
MOST_FREQUENCIES = 2_000_000
"""Frequencies that are looked at unless more are allowed."""

_OVERSAMPLING = {"sinusoids": 5.0, "boxes": 15.0}
_SHORTEST_D = 0.1
"""Shortest period that is looked for by default."""
_LONGEST_SHARE = 0.5
"""Longest period by default, as a part of the baseline: two cycles are seen."""
_N_PEAKS = 5
_N_CANDIDATES = 15
"""So many are looked at closely: between two frequencies a peak may be a little higher than another."""
_ZOOM = 50
_SIDEREAL = 1.0027379
_DOUBLE_TERMS = 2
_LEAST_DELTA_BIC = 10.0
"""A difference that is called very strong (Kass & Raftery 1995, JASA 90, 773)."""


@dataclass(frozen=True)
class Peak:
    """A period at which a light curve may repeat."""

    period_d: float
    """Days."""
    period_err_d: float
    """Its error, one sigma, if it is the true one (Montgomery & O'Donoghue 1999, DSSN 13, 28); NaN for boxes."""
    power: float
    """How well it fits: 1 - chi2 / chi2 of constants."""
    false_alarm: float
    """Probability that noise alone makes a peak so high (Baluev 2008); NaN for boxes."""
    relation: str = ""
    """What it is to the first peak, if it may be an echo of it: `1/2`, `2`, `alias by 1/d`; empty if nothing."""

    @property
    def frequency(self) -> float:
        """Per day."""
        return 1.0 / self.period_d


@dataclass(frozen=True)
class DoublePeriod:
    """Whether two cycles differ from each other, as the two eclipses of a binary do."""

    period_d: float
    """Twice the period of the first peak, or nearly so, where it fits best; days."""
    delta_bic: float
    """By how much the Bayesian information criterion prefers it: 4 sinusoids over it, instead of 2 over the half."""
    shape: Shape
    """Of the light curve over the period of the first peak."""

    @property
    def is_better(self) -> bool:
        """Whether the preference is very strong, above 10."""
        return self.delta_bic > _LEAST_DELTA_BIC

    @property
    def is_likely(self) -> bool:
        """Whether it is better, or the light curve is that of eclipses, two of which look alike in most binaries.

        One eclipse in the period, the other too shallow to be seen, looks the same: then twice the period is wrong.
        """
        return self.is_better or self.shape.is_eclipse


@dataclass(frozen=True, eq=False, repr=False)
class Periodogram:
    """How well each of many frequencies fits."""

    frequency: Floats
    """(n,) per day, ascending."""
    power: Floats
    """(n,) 1 - chi2 / chi2 of constants, from 0 to 1."""
    peaks: tuple[Peak, ...]
    """The highest ones, the first one first; each at least 1 / baseline away from higher ones.

    Of a period and a part of it that fit about as well the shorter one is the first.
    """
    double: DoublePeriod | None
    """The same light curve over twice the first period; None where there are too few points to tell."""
    method: str = "sinusoids"
    """What was fitted."""
    n_terms: int = 1
    """How many sinusoids."""
    n_points: int = 0
    """Points that were used."""
    n_bands: int = 1
    """Bands they are in."""
    baseline_d: float = field(default=np.nan)
    """Days from the first point to the last."""
    name: str = ""
    """The object."""

    @property
    def period_d(self) -> Floats:
        """(n,) days, descending."""
        return 1.0 / self.frequency

    @property
    def best(self) -> Peak:
        """The highest peak."""
        return self.peaks[0]

    def __len__(self) -> int:
        return len(self.frequency)

    def __repr__(self) -> str:
        whose = f" of {self.name}" if self.name else ""
        chance = "" if np.isnan(self.best.false_alarm) else f", false alarm {self.best.false_alarm:.1g}"
        twice = f"; rather {self.double.period_d:.7g} d" if self.double is not None and self.double.is_better else ""
        return (
            f"Periodogram{whose}: {len(self):,} frequencies, {self.n_points} points, best period "
            f"{self.best.period_d:.7g} d (power {self.best.power:.2f}{chance}){twice}"
        )

    def thinned(self, n: int) -> tuple[Floats, Floats]:
        """Frequencies and powers for a picture: of each of `n` equal stretches the highest point."""
        if len(self) <= n:
            return self.frequency, self.power
        starts = np.unique(np.linspace(0, len(self), n + 1).astype(np.int64)[:-1])
        highest = np.maximum.reduceat(self.power, starts)
        is_highest = np.flatnonzero(self.power == np.repeat(highest, np.diff(starts, append=len(self))))
        owner = np.searchsorted(starts, is_highest, side="right")
        kept = is_highest[np.unique(owner, return_index=True)[1]]
        return self.frequency[kept], self.power[kept]


def frequency_grid(
    baseline_d: float,
    *,
    min_period: float | None = None,
    max_period: float | None = None,
    oversampling: float = 5.0,
    most: int = MOST_FREQUENCIES,
) -> FrequencyGrid:
    """Frequencies that miss no peak of a light curve.

    Parameters
    ----------
    baseline_d : float
        Days from its first point to its last.
    min_period, max_period : float, optional
        Days; by default 0.1, or what `most` allows, and half of the baseline.
    oversampling : float, optional
        Frequencies in the width of a peak, 1 / baseline.
    most : int, optional
        How many there may be.

    Raises
    ------
    BadParameterError
        The periods cannot be, or make more frequencies than are allowed.

    Examples
    --------
    >>> grid = frequency_grid(1000.0, min_period=0.5)
    >>> grid.first, round(grid.last, 6), grid.n
    (0.002, 2.0, 9991)
    """
    if not baseline_d > 0.0:
        raise BadParameterError("light curve", "is of one moment: periods need points at different times.")
    if not (np.isfinite(oversampling) and 1.0 <= oversampling <= 100.0):
        raise BadParameterError("oversampling", f"must be from 1 to 100, not {oversampling:g}.")
    longest = _LONGEST_SHARE * baseline_d if max_period is None else max_period
    step = 1.0 / (oversampling * baseline_d)
    shortest = max(min(_SHORTEST_D, longest / 2.0), 1.0 / (step * most)) if min_period is None else min_period
    if not (np.isfinite(longest) and 0.0 < shortest < longest):
        raise BadParameterError(
            "min_period", f"and max_period must be above 0 and in this order, not {shortest:g} and {longest:g} d."
        )
    first = 1.0 / longest
    n = int(np.ceil((1.0 / shortest - first) / step - 1e-6)) + 1
    if n > most and min_period is not None:
        least = 1.0 / (first + step * most)
        raise BadParameterError(
            "min_period",
            f"{shortest:g} d makes {n:,} frequencies over {baseline_d:,.0f} days, and {most:,} are allowed: ask for "
            f"periods above {least:.3g} d.",
        )
    return FrequencyGrid(first, step, min(n, most))


def periodogram(
    curve: LightCurve,
    *,
    method: str = "sinusoids",
    bands: str | Sequence[str] | None = None,
    min_period: object = None,
    max_period: object = None,
    n_terms: int = 2,
    oversampling: float | None = None,
    error_floor: float = 0.02,
    most_frequencies: int = MOST_FREQUENCIES,
) -> Periodogram:
    """Look for the period of a light curve.

    All bands count together: each has a mean of its own, all have the same phase.

    Parameters
    ----------
    curve : LightCurve
        Its magnitudes, or its fluxes if it has none. Points without an error get the usual one of the others.
    method : {"sinusoids", "boxes"}, optional
        Sinusoids (the generalised Lomb-Scargle periodogram), or dips of constant depth (box least squares).
    bands : str or sequence of str, optional
        Only these.
    min_period, max_period : float, Quantity or str, optional
        Days, if they are bare numbers; by default 0.1 d and half of the baseline.
    n_terms : int, optional
        Sinusoids, 1 to 6: one is the classical periodogram; two follow a sawtooth or a pair of eclipses far better,
        and are mistaken for an alias less often.
    oversampling : float, optional
        Frequencies in the width of a peak: 5, or 15 for boxes, whose peaks are narrower.
    error_floor : float, optional
        Added in quadrature to the errors, mag (or as a part of the median flux): no star is a sum of sinusoids to a
        thousandth of a magnitude, and few very exact points would count for all.
    most_frequencies : int, optional
        How many there may be.

    Returns
    -------
    found : Periodogram
        Powers, the highest peaks with false-alarm probabilities, and whether twice the period fits better.

    Raises
    ------
    BadParameterError
        There are too few points, or the periods cannot be.

    References
    ----------
    .. [1] Zechmeister & Kuerster 2009, A&A 496, 577
    .. [2] VanderPlas & Ivezic 2015, ApJ 812, 18
    .. [3] Kovacs, Zucker & Mazeh 2002, A&A 391, 369
    .. [4] Baluev 2008, MNRAS 385, 1279

    Examples
    --------
    >>> from skydex.lightcurve import LightCurve
    >>> time = 55000.0 + np.cumsum(np.random.default_rng(3).uniform(0.5, 9.0, 60))
    >>> star = LightCurve.of_points(time, 18.0 + 0.3 * np.sin(2 * np.pi * time / 0.7), mag_err=0.01 * np.ones(60))
    >>> found = periodogram(star, min_period=0.2)
    >>> round(found.best.period_d, 3), found.best.false_alarm < 1e-9, found.double.is_better
    (0.7, True, False)
    """
    if method not in METHODS:
        raise BadParameterError("method", f"must be {' or '.join(METHODS)}, not {str(method)[:40]}.")
    if not 1 <= n_terms <= 6:
        raise BadParameterError("n_terms", f"must be from 1 to 6, not {n_terms}.")
    chosen = curve if bands is None else curve.in_band(*([bands] if isinstance(bands, str) else bands))
    series, is_magnitude = _series(chosen, error_floor)
    _require_points(series, n_terms)
    grid = frequency_grid(
        series.baseline_d,
        min_period=None if min_period is None else number(min_period, "d"),
        max_period=None if max_period is None else number(max_period, "d"),
        oversampling=_OVERSAMPLING[method] if oversampling is None else oversampling,
        most=most_frequencies,
    )
    search = _Search(series, method, n_terms, is_magnitude)
    power = search.power(grid)
    peaks = search.peaks(grid, power)
    return Periodogram(
        grid.values(),
        power,
        peaks,
        _double(series, peaks[0].frequency, is_magnitude=is_magnitude),
        method,
        n_terms,
        len(series),
        series.n_bands,
        series.baseline_d,
        curve.name,
    )


def _series(curve: LightCurve, error_floor: float) -> tuple[Series, bool]:
    """What is fitted, and whether it is magnitudes."""
    is_magnitude = curve.flux is None or bool(np.isfinite(curve.mag).any())
    value, error = (curve.mag, curve.mag_err) if is_magnitude else (curve.flux, curve.flux_err)
    assert value is not None
    known = np.full(len(curve), np.nan) if error is None else error
    is_known = np.isfinite(known) & (known > 0.0)
    usual = float(np.median(known[is_known])) if is_known.any() else 0.0
    floor = error_floor * (1.0 if is_magnitude else _typical(value))
    total = np.hypot(np.where(is_known, known, usual), floor)
    used = np.isfinite(value)
    plain = np.where(total > 0.0, total, 1.0)
    return Series.of_points(curve.time[used], value[used], plain[used], curve.band[used]), is_magnitude


def _typical(value: Floats) -> float:
    size = np.abs(value[np.isfinite(value)])
    return float(np.median(size)) if len(size) else 0.0


def _require_points(series: Series, n_terms: int) -> None:
    least = series.n_bands + 2 * n_terms + 2
    if len(series) < max(least, 5):
        problem = f"has {len(series)} points in bands of two or more, and a search for periods needs {max(least, 5)}."
        raise BadParameterError("light curve", problem)


@dataclass(frozen=True)
class _Search:
    """One way of fitting one light curve."""

    series: Series
    method: str
    n_terms: int
    is_magnitude: bool

    def power(self, grid: FrequencyGrid) -> Floats:
        if self.method == "boxes":
            return box_power(self.series, grid, is_magnitude=self.is_magnitude)
        return harmonic_power(self.series, grid, self.n_terms)

    def peaks(self, grid: FrequencyGrid, power: Floats) -> tuple[Peak, ...]:
        """The highest peaks, each where it is exactly."""
        places = _highest(power, int(np.ceil(1.0 / (self.series.baseline_d * grid.step))))
        tops = [_top(self.power, grid.first + place * grid.step, grid.step) for place in places]
        ranked = sorted(tops, key=lambda top: -top[1])
        ranked = self._with_shortest_first(ranked, grid)[:_N_PEAKS]
        first = ranked[0][0]
        return tuple(
            self._peak(frequency, height, grid.last, _relation(frequency, first, self.series.baseline_d))
            for frequency, height in ranked
        )

    def _with_shortest_first(self, ranked: list[tuple[float, float]], grid: FrequencyGrid) -> list[tuple[float, float]]:
        """The same, with a part of the first period before it that fits about as well.

        Several sinusoids over twice the period have one over the period among them, and noise makes them fit better.
        """
        if self.method == "boxes" or self.n_terms == 1:
            return ranked
        frequency, power = ranked[0]
        parts = [part * frequency for part in range(2, self.n_terms + 1) if part * frequency <= grid.last]
        tops = [_top(self.power, part, grid.step) for part in parts]
        enough = 1.0 - (1.0 - power) * np.exp(_LEAST_DELTA_BIC / len(self.series))
        better = [top for top in tops if top[1] >= enough]
        if not better:
            return ranked
        first, width = max(better, key=lambda top: top[1]), 1.0 / self.series.baseline_d
        return [first, *(top for top in ranked if abs(top[0] - first[0]) >= width)]

    def _peak(self, frequency: float, power: float, highest: float, relation: str) -> Peak:
        series, period = self.series, 1.0 / frequency
        if self.method == "boxes":
            return Peak(period, np.nan, power, np.nan, relation)
        chance = false_alarm(
            power,
            n_points=len(series),
            n_bands=series.n_bands,
            n_terms=self.n_terms,
            n_independent=highest * series.width_d,
        )
        rest = (1.0 - power) / max(power, 1e-12)  # of half the squared amplitude, as variance
        error = np.sqrt(3.0 * rest / len(series)) / (np.pi * series.baseline_d)
        return Peak(period, float(period**2 * error), power, chance, relation)


def _highest(power: Floats, distance: int) -> list[int]:
    """Places of the highest maxima that lie so far apart."""
    padded = np.concatenate([[-1.0], power, [-1.0]])
    maxima = np.flatnonzero((padded[1:-1] >= padded[:-2]) & (padded[1:-1] > padded[2:]))
    chosen: list[int] = []
    for place in maxima[np.argsort(-power[maxima], kind="stable")][: 20 * _N_CANDIDATES].tolist():
        if all(abs(place - other) >= distance for other in chosen):
            chosen.append(place)
        if len(chosen) == _N_CANDIDATES:
            break
    return chosen or [int(np.argmax(power))]


def _top(power: Callable[[FrequencyGrid], Floats], frequency: float, step: float) -> tuple[float, float]:
    """Where a peak near a frequency is highest, and how high."""
    near = FrequencyGrid(max(frequency - step, 0.5 * frequency), step / _ZOOM, 2 * _ZOOM + 1)
    heights = power(near)
    place = int(np.argmax(heights))
    return near.first + place * near.step, float(heights[place])


def _relation(frequency: float, first: float, baseline_d: float) -> str:
    """What a frequency is to that of the first peak, within the width of the peaks."""
    width = 1.0 / baseline_d
    if frequency == first:
        return ""
    for name, factor in (("2", 0.5), ("1/2", 2.0), ("3", 1.0 / 3.0), ("1/3", 3.0)):
        if abs(frequency - factor * first) < width * max(factor, 1.0):
            return name
    for n in (1, 2, 3):
        beats = [abs(n * day + sign * first) for day in (1.0, _SIDEREAL) for sign in (1, -1)]
        if min(abs(frequency - beat) for beat in beats) < 1.5 * width:
            return f"alias by {n}/d"
    return "alias by 1/yr" if abs(abs(frequency - first) - 1.0 / 365.25) < width and width < 1 / 700 else ""


def _double(series: Series, frequency: float, *, is_magnitude: bool) -> DoublePeriod | None:
    """Compare the light curve over a period with that over twice the period, each where it fits best."""
    if len(series) < series.n_bands + 4 * _DOUBLE_TERMS + 4:
        return None
    width = 0.5 / series.baseline_d
    once = _best_near(series, frequency, width, _DOUBLE_TERMS)[1]
    half, twice = _best_near(series, 0.5 * frequency, 0.5 * width, 2 * _DOUBLE_TERMS)
    gain = len(series) * np.log(max(1.0 - once, 1e-12) / max(1.0 - twice, 1e-12))
    shape = shape_of(series, frequency, is_magnitude=is_magnitude)
    return DoublePeriod(1.0 / half, float(gain - 2 * _DOUBLE_TERMS * np.log(len(series))), shape)


def _best_near(series: Series, frequency: float, width: float, n_terms: int) -> tuple[float, float]:
    near = FrequencyGrid(max(frequency - width, 0.5 * frequency), width / _ZOOM, 2 * _ZOOM + 1)
    power = harmonic_power(series, near, n_terms)
    place = int(np.argmax(power))
    return near.first + place * near.step, float(power[place])
