"""Noise that belongs to a pixel: random numbers by hashing the pixel's number, the same in whatever section it is read.

The hash is the output function of SplitMix64 (Steele, Lea & Flood 2014, OOPSLA), with a key of its own for each image
and purpose.
"""

from __future__ import annotations

import hashlib
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

__all__ = ["hashed", "key_of", "normals", "poissons", "uniforms"]

Floats = NDArray[np.float64]
Words = NDArray[np.uint64]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_AT_ONCE = 1 << 15
"""Counts whose making stays within the cache of a processor."""
_SURELY_NONE = 1.0 - 1e-12
_FEW = 40.0
"""Means beyond which counts come from a normal distribution with the skewness of Poisson's."""


def key_of(*names: str | int) -> int:
    """A key for each sequence of names: archive, image, purpose."""
    return int.from_bytes(hashlib.blake2b(repr(names).encode(), digest_size=8).digest(), "little")


def hashed(key: int, numbers: Words) -> Words:
    """64 random bits for each number."""
    bits = (numbers + np.uint64(1)) * _STEP
    bits += np.uint64(key)
    for shift, factor in ((np.uint64(30), _FIRST), (np.uint64(27), _SECOND)):
        bits ^= bits >> shift
        bits *= factor
    bits ^= bits >> np.uint64(31)
    return bits


def uniforms(key: int, numbers: Words) -> Floats:
    """Numbers between 0 and 1, neither of which occurs."""
    return ((hashed(key, numbers) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def normals(key: int, numbers: Words) -> NDArray[np.float32]:
    """Normally distributed numbers of mean 0 and deviation 1, none beyond 6.1.

    Each is the sum of two, looked up in 65,536 quantiles: several times as fast as to compute them.
    """
    bits = hashed(key, numbers)
    quantiles = _quantiles()
    found: NDArray[np.float32] = quantiles[bits & np.uint64(0xFFFF)] + quantiles[bits >> np.uint64(48)]
    return found


def poissons(key: int, numbers: Words, means: Floats) -> Floats:
    """Counts of given means: Poisson's distribution, also where next to nothing is counted.

    Parameters
    ----------
    key : int
        Of the image and the purpose.
    numbers : array of uint64
        Of the pixels.
    means : array
        Of the same shape; negative ones count as 0.
    """
    places, expected = np.broadcast_to(numbers, means.shape).ravel(), np.maximum(means, 0.0).ravel()
    counts = np.empty(expected.shape)
    for first in range(0, len(counts), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        counts[part] = _counted(key, places[part], expected[part])
    return counts.reshape(means.shape)


def _counted(key: int, numbers: Words, means: Floats) -> Floats:
    few = means < _FEW
    if few.all():
        return _inverted(uniforms(key, numbers), means)
    counts = np.zeros(means.shape)
    counts[few] = _inverted(uniforms(key, numbers[few]), means[few])
    many, drawn = means[~few], normals(key, numbers[~few]).astype(np.float64)
    counts[~few] = np.maximum(np.round(many + np.sqrt(many) * drawn + (drawn**2 - 1) / 6), 0.0)
    return counts


def _inverted(chance: Floats, means: Floats) -> Floats:
    """Counts at which the cumulative distribution passes a chance."""
    counts = np.zeros(len(means))
    left: NDArray[np.intp] = np.flatnonzero(chance + means > _SURELY_NONE)  # exp(-m) >= 1 - m
    share = np.exp(-means[left])
    is_some = chance[left] > share
    left, share = left[is_some], share[is_some]
    passed, means, chance = share, means[left], chance[left]
    count = 0
    while len(left) and count < 10 * _FEW:
        count += 1
        counts[left] = count
        share = share * means / count
        passed = passed + share
        beyond = chance > passed
        left = left[beyond]
        share, passed, means, chance = (each[beyond] for each in (share, passed, means, chance))
    return counts


@cache
def _quantiles() -> NDArray[np.float32]:
    found = ndtri((np.arange(65_536) + 0.5) / 65_536)
    return np.asarray(found / np.sqrt(2 * np.mean(found**2)), np.float32)
