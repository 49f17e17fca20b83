"""`Partners`: the rows of one table that are near those of another, and which of them come out.

Of partners at the very same separation the one with the lesser declination is the nearer one, then that with the
lesser right ascension, then the one that stands first in its table: so the answer does not depend on how it was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skydex.sky.angles import Floats
from skydex.xmatch.criteria import Keep

__all__ = ["Matched", "Partners", "matched", "ranked"]

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Partners:
    """Pairs of rows, by the first and then by separation."""

    right: Rows
    """(m,) row numbers of the other table."""
    separation_deg: Floats
    """(m,) degrees."""
    rank: Rows
    """(m,) 1 for the nearest partner of its row, 2 for the next, and so on."""
    first: Rows
    """(n,) for each row of the first table where its pairs begin."""
    n_matches: Rows
    """(n,) how many there are."""


def ranked(n_left: int, left: Rows, right: Rows, separation_deg: Floats, *, places: tuple[Floats, Floats]) -> Partners:
    """Put pairs in their order.

    Parameters
    ----------
    n_left : int
        Rows of the first table.
    left, right : (m,) int64 array
        Row numbers of pairs.
    separation_deg : (m,) float64 array
        How far apart they are.
    places : pair of (k,) float64 array
        Right ascensions and declinations of the other table.
    """
    order = np.lexsort((right, separation_deg, left))
    left, separation_deg, right = left[order], separation_deg[order], right[order]
    is_same = (left[1:] == left[:-1]) & (separation_deg[1:] == separation_deg[:-1])
    if is_same.any():
        tied = np.flatnonzero(np.append(is_same, False) | np.append(False, is_same))
        ra, dec = (place[right[tied]] for place in places)
        right[tied] = right[tied][np.lexsort((right[tied], ra, dec, separation_deg[tied], left[tied]))]
    counts = np.bincount(left, minlength=n_left)
    first = np.cumsum(counts) - counts
    return Partners(right, separation_deg, np.arange(len(left)) - first[left] + 1, first, counts)


@dataclass(frozen=True)
class Matched:
    """The rows that come out."""

    left: Rows
    """(r,) row numbers of the first table, ascending."""
    pairs: tuple[Rows, ...]
    """For each other table (r,) numbers of pairs in its `Partners`; -1 where there is none."""


def matched(partners: Sequence[Partners], keep: Keep) -> Matched:
    """Choose the rows that come out.

    Parameters
    ----------
    partners : sequence of Partners
        One for each other table, with the same rows of the first.
    keep : Keep
        Which rows are wanted.
    """
    counts = np.stack([one.n_matches for one in partners])
    if keep is Keep.NONE:
        return Matched(np.flatnonzero((counts == 0).all(axis=0)), ())
    left = np.arange(counts.shape[1]) if keep.has_every_row else np.flatnonzero((counts > 0).all(axis=0))
    pairs: list[Rows] = []
    for one in partners:
        n_here = one.n_matches[left] if keep.has_every_partner else np.minimum(one.n_matches[left], 1)
        n_rows = np.maximum(n_here, 1)
        step = np.repeat(np.arange(len(left)), n_rows)
        within = np.arange(len(step)) - np.repeat(np.cumsum(n_rows) - n_rows, n_rows)
        pairs = [pair[step] for pair in pairs]
        pairs.append(np.where(n_here[step] > 0, one.first[left[step]] + within, -1))
        left = left[step]
    return Matched(left, tuple(pairs))
