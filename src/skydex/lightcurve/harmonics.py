"""How well sinusoids of many frequencies fit a light curve of several bands: the generalised Lomb-Scargle periodogram.

Each band has an offset of its own, which is fitted along with the sinusoids (Zechmeister & Kuerster 2009, A&A 496, 577,
of one band), and all share the shape (VanderPlas & Ivezic 2015, ApJ 812, 18, with one base model). A band may vary more
than another: its sinusoid is taken to be as much larger as its scatter.

Sums over the points are exact, and a product of two short matrices: exp(i (f + g) t) = exp(i f t) exp(i g t), so of n
frequencies only about 2 sqrt(n) are ever computed, and the rest is the work of BLAS. For light curves of up to some
thousand points that is as fast as methods that interpolate, and needs none of their libraries.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skydex.lightcurve.segments import Floats, Ints

__all__ = ["FrequencyGrid", "Series", "harmonic_power"]

_Complex = NDArray[np.complex128]

_BLOCK = 1 << 22
"""About so many numbers are held for the points at once."""
_RIDGE = 1e-10
"""Part of the diagonal that is added to it, so that sampling which cannot tell sinusoids apart gives a small answer."""
_LEAST_FOR_SCALE = 8
"""Points that a band needs for its amplitude to be told from them."""
_SCALES = (0.3, 3.0)


@dataclass(frozen=True)
class FrequencyGrid:
    """Frequencies at equal distances, per day."""

    first: float
    """The lowest."""
    step: float
    """Between two."""
    n: int
    """How many."""

    @property
    def last(self) -> float:
        """The highest."""
        return self.first + self.step * (self.n - 1)

    def values(self) -> Floats:
        """All of them, (n,)."""
        return np.asarray(self.first + self.step * np.arange(self.n), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Series:
    """Points of one light curve, about the mean of their band."""

    time: Floats
    """(n,) days from the middle of the points."""
    value: Floats
    """(n,) less the weighted mean of the band."""
    weight: Floats
    """(n,) inverse variances."""
    band: Ints
    """(n,) from 0."""

    @classmethod
    def of_points(cls, time: Floats, value: Floats, error: Floats, band: NDArray[np.str_]) -> Series:
        """Points with errors above 0; those in a band without a second one say nothing, and are left out."""
        _, code, counts = np.unique(band, return_inverse=True, return_counts=True)
        kept = counts[code] > 1
        code = np.unique(code[kept], return_inverse=True)[1]
        t, y, w = time[kept], value[kept], error[kept] ** -2.0
        middle = 0.5 * (t.min() + t.max()) if len(t) else 0.0
        mean = np.bincount(code, w * y) / np.bincount(code, w) if len(t) else np.zeros(0)
        return cls(t - middle, y - mean[code], w, np.asarray(code, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.time)

    @property
    def n_bands(self) -> int:
        return int(self.band.max(initial=-1)) + 1

    @property
    def baseline_d(self) -> float:
        """Days from the first point to the last."""
        return float(np.ptp(self.time)) if len(self) else 0.0

    @cached_property
    def chi2(self) -> float:
        """Of the bands' means."""
        return float(np.sum(self.weight * self.value**2))

    @cached_property
    def width_d(self) -> float:
        """Effective length of the series (Baluev 2008, section 3): sqrt(4 pi times the variance of the times)."""
        mean = np.average(self.time, weights=self.weight)
        return float(np.sqrt(4.0 * np.pi * np.average((self.time - mean) ** 2, weights=self.weight)))

    @cached_property
    def scale(self) -> Floats:
        """(n,) how much larger than others a band varies: its scatter, without that of its errors."""
        counts = np.bincount(self.band)
        total = np.bincount(self.band, self.value**2) / np.maximum(counts - 1, 1)
        noise = np.bincount(self.band, 1.0 / self.weight) / np.maximum(counts, 1)
        rms = np.sqrt(np.maximum(total - noise, 0.1 * total))
        is_known = (counts >= _LEAST_FOR_SCALE) & (rms > 0.0)
        if is_known.sum() < 2:
            return np.ones(len(self))
        of_band = np.where(is_known, rms / np.median(rms[is_known]), 1.0)
        return np.clip(of_band, *_SCALES)[self.band]


def harmonic_power(series: Series, grid: FrequencyGrid, n_terms: int = 1) -> Floats:
    """By how much sinusoids fit better than constants.

    Parameters
    ----------
    series : Series
        The points.
    grid : FrequencyGrid
        Frequencies of the first sinusoid.
    n_terms : int
        Sinusoids: of the frequency, of twice that, and so on.

    Returns
    -------
    power : (n,) float64 array
        1 - chi2 / chi2 of constants, from 0 to 1: the standard normalisation of Lomb-Scargle periodograms.
    """
    if series.chi2 == 0.0 or not grid.n:
        return np.zeros(grid.n)
    length = max(256, _BLOCK // max(len(series), 1))
    length = min(length * length // _BLOCK + length, grid.n, 1 << 16)
    pieces = []
    for start in range(0, grid.n, length):
        part = FrequencyGrid(grid.first + start * grid.step, grid.step, min(length, grid.n - start))
        pieces.append(_power(series, part, n_terms))
    return np.clip(np.concatenate(pieces), 0.0, 1.0)


def _power(series: Series, grid: FrequencyGrid, n_terms: int) -> Floats:
    scaled = series.scale * series.weight
    members = (series.band == np.arange(series.n_bands)[:, None]) * scaled
    rows = np.vstack([series.scale * scaled, scaled * series.value, members])
    sums = [_trig_sums(series.time, rows if k <= n_terms else rows[:1], grid, k) for k in range(1, 2 * n_terms + 1)]
    of_weights = [np.full(grid.n, rows[0].sum(), dtype=np.complex128), *(one[0] for one in sums)]
    right = [part for one in sums[:n_terms] for part in (one[1].real, one[1].imag)]
    means = np.bincount(series.band, series.weight)[:, None] ** -0.5
    offsets = [part * means for one in sums[:n_terms] for part in (one[2:].real, one[2:].imag)]
    size = 2 * n_terms
    left = np.empty((grid.n, size, size))
    for i in range(size):
        for j in range(i, size):
            left[:, i, j] = _product(of_weights, i, j) - (offsets[i] * offsets[j]).sum(axis=0)
            left[:, j, i] = left[:, i, j]
    return _solved(left, np.stack(right, axis=-1)) / series.chi2


def _trig_sums(time: Floats, rows: Floats, grid: FrequencyGrid, harmonic: int) -> _Complex:
    """Sums over the points of each row times exp(2 pi i k f t), (n_rows, n)."""
    width = int(np.ceil(np.sqrt(grid.n)))
    n_coarse = -(-grid.n // width)
    coarse = _turned(time, FrequencyGrid(grid.first, grid.step * width, n_coarse).values(), harmonic)
    fine = _turned(time, FrequencyGrid(0.0, grid.step, width).values(), harmonic).T
    found = np.empty((len(rows), n_coarse * width), dtype=np.complex128)
    for place, row in enumerate(rows):
        used = np.flatnonzero(row)
        found[place] = ((coarse[:, used] * row[used]) @ fine[used]).ravel()
    return found[:, : grid.n]


def _turned(time: Floats, frequency: Floats, harmonic: int) -> _Complex:
    cycles = np.multiply.outer(harmonic * frequency, time)
    return np.exp(2j * np.pi * (cycles - np.rint(cycles)))


def _product(of_weights: list[_Complex], i: int, j: int) -> Floats:
    """Weighted sum over the points of the product of two functions: cos, sin of the first harmonic, of the second..."""
    one, other = i // 2 + 1, j // 2 + 1
    total, difference = of_weights[one + other], of_weights[abs(one - other)]
    if i % 2 == j % 2:
        return np.asarray(0.5 * (difference.real + (total.real if i % 2 == 0 else -total.real)))
    sine, cosine = (one, other) if i % 2 else (other, one)
    return np.asarray(0.5 * (total.imag + np.sign(sine - cosine) * difference.imag))


def _solved(left: Floats, right: Floats) -> Floats:
    """By how much the fit lowers chi square, (n,)."""
    diagonal = np.einsum("nii->ni", left)
    diagonal += _RIDGE * np.maximum(diagonal, diagonal.max())
    if left.shape[1] == 2:
        a, b, c = left[:, 0, 0], left[:, 0, 1], left[:, 1, 1]
        x, y = right[:, 0], right[:, 1]
        return np.asarray((c * x * x - 2.0 * b * x * y + a * y * y) / (a * c - b * b))
    found = np.linalg.solve(left, right[..., None])[..., 0]
    return np.asarray((found * right).sum(axis=1))
