"""Figures of many points: a colour-magnitude diagram drawn and written as a PNG, beside matplotlib point by point."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial

import matplotlib
import numpy as np
from numpy.typing import NDArray

from benchmarks.finding import Budget, Finding
from benchmarks.holdings import Setup
from benchmarks.timing import Work, timed
from skydex import plots

__all__ = ["TITLE", "measure"]

TITLE = "Figures of many points"
_SIZES = (18_666, 1_000_000, 5_000_000)
_BUDGET = Budget("no slower than point by point", 1.0, of_ratio=True)
_N_RUNS = 5


def measure(setup: Setup) -> Iterator[Finding]:
    """Diagrams of as many stars as the document has, and of millions."""
    matplotlib.use("agg")
    for n in _SIZES:
        blue, red = _stars(n)
        ours, theirs = timed(Work(partial(_ours, blue, red)), Work(partial(_theirs, blue, red)), n_runs=_N_RUNS)
        budget = _BUDGET if n >= 1_000_000 else None
        yield Finding(f"{n:,} stars, colour and magnitude", ours.wall, "matplotlib's plot", theirs.wall, budget)


def _stars(n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(n)
    blue = 28.0 - rng.exponential(1.5, n)
    return blue, blue - np.where(rng.random(n) < 0.5, 0.05, 0.2) * (blue - 20.0) - rng.normal(0.0, 0.05, n)


def _ours(blue: NDArray[np.float64], red: NDArray[np.float64]) -> bytes:
    return _written(plots.colour_magnitude(blue=blue, red=red).figure)


def _theirs(blue: NDArray[np.float64], red: NDArray[np.float64]) -> bytes:
    from matplotlib import pyplot

    figure, ax = pyplot.subplots(figsize=(4.8, 5.6))
    ax.plot(blue - red, blue, "k.", markersize=1.6, alpha=0.4, label=f"objects ({len(blue):,})")
    ax.invert_yaxis()
    ax.legend(loc="upper right")
    ax.set(xlabel="blue - red [mag]", ylabel="blue [mag]")
    return _written(figure)


def _written(figure: matplotlib.figure.Figure) -> bytes:
    from matplotlib import pyplot

    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110)
    pyplot.close(figure)
    return out.getvalue()
