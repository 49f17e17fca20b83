"""`Quota`: how many variable candidates experts looked at, and what they made of them.

The numbers are those of the document that counts the Hubble Catalog of Variables' expert classes. What an expert says
of a simulated candidate is simulated: the more it varies, and the fewer of its points are spoilt, the more confident.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skydex.demo.chance import stream
from skydex.demo.columns import read_rows
from skydex.demo.hcv.part import Part
from skydex.demo.size import Size

__all__ = ["EXPERT_CLASSES", "Quota", "with_verdicts"]

EXPERT_CLASSES = (1, 2, 4)
"""Confident, probable, artifact."""
_N_ROWS = 31_258
"""Rows of objects that were looked at, at size `seed`."""
_DOUBT = 0.5
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Quota:
    """What is still to be given out."""

    counts: tuple[tuple[int, ...], ...]
    """Objects by automatic class (1, 2) and expert class (1, 2, 4)."""
    n_rows: int
    """Rows of these objects in HCVfilter."""

    @classmethod
    def of(cls, size: Size) -> Quota:
        """The document's numbers, at a size."""
        counts = [[size.count(int(row[name])) for name in ("variable", "likely", "artifact")] for row in _document()]
        return cls(tuple(tuple(row) for row in counts), size.count(_N_ROWS))

    def without(self, auto: Integers, expert: Integers, n_rows: Integers) -> Quota:
        """What is left when objects of these classes, with so many rows each, have theirs."""
        given = [[int(((auto == a) & (expert == e)).sum()) for e in EXPERT_CLASSES] for a in (1, 2)]
        left = (np.array(self.counts) - given).clip(0).tolist()
        return Quota(tuple(tuple(row) for row in left), self.n_rows - int(n_rows[expert > 0].sum()))


def _document() -> tuple[dict[str, str], ...]:
    return read_rows("hcv/experts")


def with_verdicts(part: Part, quota: Quota, seed: int) -> Part:
    """Let experts look at the candidates of a field: at all of them, as long as there is something to give out."""
    verdicts = part.match["ExpertClass"].copy()
    for auto, left in zip((1, 2), quota.counts, strict=True):
        candidates = np.flatnonzero(part.match["AutoClass"] == auto)[: sum(left)]
        if len(candidates):
            order = candidates[np.argsort(-_confidence(part, seed)[candidates], kind="stable")]
            verdicts[order] = _shared_out(len(order), left)
    return part.with_match(ExpertClass=verdicts)


def _confidence(part: Part, seed: int) -> NDArray[np.float64]:
    """How sure one may be of each object: how far its most variable light curve is above the threshold, and chance."""
    with np.errstate(invalid="ignore", divide="ignore"):
        height = np.where(part.filter["FilterDetFlag"] > 0, np.log(part.filter["MAD"] / part.filter["Threshold"]), 0.0)
    row = np.searchsorted(part.match["MatchID"], part.filter["MatchID"])
    best = np.zeros(len(part))
    np.maximum.at(best, row, np.nan_to_num(height))
    return best + stream(seed, "hcv", "experts", int(part.match["GroupID"][0])).normal(0.0, _DOUBT, len(part))


def _shared_out(n: int, left: tuple[int, ...]) -> Integers:
    """Expert classes of `n` objects, the surest first, in the proportions of what is left."""
    ends = np.minimum(np.round(np.cumsum(left) * n / sum(left)).astype(int), n)
    return np.repeat(np.array(EXPERT_CLASSES), np.diff(ends, prepend=0))
