"""Figures of how costs grow, one panel a curve; drawn beside the results from which they come."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from benchmarks.curve import Curve, exponent

__all__ = ["draw_curves"]

_PANELS_IN_A_ROW = 2
_PANEL_INCHES = (4.6, 3.3)
_STYLE = {"svg.hashsalt": "skydex", "svg.fonttype": "none", "font.size": 8.5, "axes.grid": True, "grid.alpha": 0.3}


def draw_curves(curves: Sequence[Curve], file: Path, *, title: str) -> None:
    """Draw curves on logarithmic axes into an SVG file, each line with its exponent."""
    n_rows = -(-len(curves) // _PANELS_IN_A_ROW)
    size = (_PANEL_INCHES[0] * min(len(curves), _PANELS_IN_A_ROW), _PANEL_INCHES[1] * n_rows)
    with plt.rc_context(_STYLE):
        figure, axes = plt.subplots(n_rows, _PANELS_IN_A_ROW, figsize=size, squeeze=False, layout="constrained")
        for place, panel in enumerate(axes.flat):
            if place < len(curves):
                _draw(curves[place], panel)
            else:
                panel.set_axis_off()
        figure.suptitle(title)
        figure.savefig(file, metadata={"Date": None})
        plt.close(figure)


def _draw(curve: Curve, axes: Axes) -> None:
    for name, line in curve.lines.items():
        sizes = sorted(line)
        power = exponent(line)
        label = name if power is None else f"{name}: N^{power:.2f}"
        medians = [line[n].median for n in sizes]
        least = [median - min(line[n].values) for n, median in zip(sizes, medians, strict=True)]
        most = [max(line[n].values) - median for n, median in zip(sizes, medians, strict=True)]
        is_ours = name == "skydex"
        axes.errorbar(
            sizes, medians, yerr=[least, most], label=label, marker="o", markersize=4,
            linewidth=2.0 if is_ours else 1.0, zorder=3 if is_ours else 2,
        )  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel="rows", ylabel=curve.unit.value, title=curve.work)
    axes.legend(fontsize=7)
