"""How large a part of the objects is of one kind, bin by bin: the fraction of artifacts against a variability index.

Bins of few objects at either end are merged, as the published notebook about the Hubble Catalog of Variables merges
them (STScI, `HCV_CASJOBS`); its slip at the upper end, where artifacts were replaced and not added, is mended here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skydex.errors import BadParameterError
from skydex.plots.data import Floats, numbers

__all__ = ["MAD_RANGE", "Fractions", "Interval", "fractions_by_bin", "mad_edges"]

Interval = Literal["binomial", "wilson"]
Counts = NDArray[np.int64]

MAD_RANGE = (7e-3, 2.0)
"""Median absolute deviations, in mag, between which the Hubble Catalog of Variables is shown."""
_ONE_SIGMA = 1.0


@dataclass(frozen=True, eq=False)
class Fractions:
    """A fraction for each of several bins, ascending."""

    low: Floats
    """(n,) lower edges."""
    high: Floats
    """(n,) upper edges."""
    n: Counts
    """(n,) objects."""
    n_members: Counts
    """(n,) those of the kind in question."""

    @property
    def center(self) -> Floats:
        """(n,) geometric means of the edges."""
        return np.asarray(np.sqrt(self.low * self.high))

    @property
    def fraction(self) -> Floats:
        """(n,) from 0 to 1."""
        return np.asarray(self.n_members / self.n)

    def limits(self, interval: Interval = "binomial") -> tuple[Floats, Floats]:
        """Lower and upper end of an interval of one sigma.

        Parameters
        ----------
        interval : {"binomial", "wilson"}, optional
            f -+ sqrt(f (1 - f) / n), which has no width at 0 and at 1; or that of Wilson 1927 (JASA 22, 209), which
            has.
        """
        f, n = self.fraction, self.n
        if interval == "binomial":
            error = np.sqrt(f * (1.0 - f) / n)
            return f - error, f + error
        if interval != "wilson":
            raise BadParameterError("interval", f'must be binomial or wilson, not "{interval}".')
        z2 = _ONE_SIGMA**2
        middle = (f + z2 / (2.0 * n)) / (1.0 + z2 / n)
        half = np.sqrt(z2) / (1.0 + z2 / n) * np.sqrt(f * (1.0 - f) / n + z2 / (4.0 * n**2))
        return middle - half, middle + half


def mad_edges(n: int) -> Floats:
    """Edges of bins of a median absolute deviation, n of them, evenly in its logarithm."""
    return np.geomspace(*MAD_RANGE, n)


def fractions_by_bin(
    index: Any,
    is_member: ArrayLike,
    *,
    edges: ArrayLike | None = None,
    least_low: int = 10,
    least_high: int = 40,
    seed_compat: bool = False,
) -> Fractions:
    """Which part of the objects is of some kind, in bins of an index.

    Parameters
    ----------
    index : (n,) array_like or Quantity
        For example the median absolute deviation in mag; NaN, and what is outside of the edges, is left out.
    is_member : (n,) array_like of bool
        Which objects are of the kind in question; what is masked is not.
    edges : (n_bins + 1,) array_like, optional
        Edges of bins, above 0, ascending; by default 30 from 0.007 to 2.
    least_low, least_high : int, optional
        From either end bins are merged until they have more objects than this.
    seed_compat : bool, optional
        Whether the slip of the published notebook is repeated: of the merged bin at the upper end, the artifacts in
        the lowest of its bins are lost.

    Returns
    -------
    fractions : Fractions
        Without empty bins.

    Examples
    --------
    >>> found = fractions_by_bin([0.01, 0.01, 0.1, 0.1, 1.0], [0, 1, 0, 0, 1], edges=[0.005, 0.05, 0.5, 5.0],
    ...     least_low=0, least_high=0)
    >>> found.fraction.tolist(), found.n.tolist()
    ([0.5, 0.0, 1.0], [2, 2, 1])
    """
    values = numbers(None, index)
    members = np.ma.filled(np.ma.asarray(is_member), False).astype(bool)
    if members.shape != values.shape:
        raise BadParameterError("is_member", f"must be {len(values)} times true or false, one for each object.")
    bounds = mad_edges(30) if edges is None else np.asarray(edges, dtype=np.float64)
    counts = np.histogram(values, bounds)[0]
    of_members = np.histogram(values[members], bounds)[0]
    has_any = counts > 0
    whole = Fractions(bounds[:-1][has_any], bounds[1:][has_any], counts[has_any], of_members[has_any])
    return _merged_high(_merged_low(whole, least_low), least_high, seed_compat=seed_compat)


def _merged_low(bins: Fractions, least: int) -> Fractions:
    last = _n_needed(bins.n, least)
    if last == 0:
        return bins
    return Fractions(
        np.r_[bins.low[0], bins.low[last + 1 :]],
        bins.high[last:],
        np.r_[bins.n[: last + 1].sum(), bins.n[last + 1 :]],
        np.r_[bins.n_members[: last + 1].sum(), bins.n_members[last + 1 :]],
    )


def _merged_high(bins: Fractions, least: int, *, seed_compat: bool) -> Fractions:
    more = _n_needed(bins.n[::-1], least)
    if more == 0:
        return bins
    first = len(bins.n) - 1 - more
    members = bins.n_members[first + 1 if seed_compat else first :].sum()
    return Fractions(
        bins.low[: first + 1],
        np.r_[bins.high[:first], bins.high[-1]],
        np.r_[bins.n[:first], bins.n[first:].sum()],
        np.r_[bins.n_members[:first], members],
    )


def _n_needed(counts: Counts, least: int) -> int:
    """How many further bins the first one needs, to have more than `least` objects; all, if these are too few."""
    enough = np.flatnonzero(np.cumsum(counts) > least)
    return int(enough[0]) if len(enough) else max(0, len(counts) - 1)
