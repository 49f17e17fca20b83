"""What every figure is made of: axes, points that stay fast by the million, legends and notes.

Up to `MANY` points are drawn one by one; beyond, as their density on a fine grid, where even a single point is seen.
Either way they are pixels in a PDF, and its axes and letters are not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skydex.plots.data import Floats, require_alike
from skydex.plots.style import BACKGROUND, Mark, pyplot, style

__all__ = ["MANY", "draw_points", "legend", "new_axes", "new_panels", "note", "plain_numbers"]

MANY = 50_000
"""Points beyond which their density is drawn."""
_PIXELS_FROM = 2_000
"""Points from which they are pixels in a PDF."""
_CELLS_PER_INCH = 60.0
"""Cells of a density: larger than a pixel of any usual screen or paper, so that none is lost."""
_FAINTEST = 0.3
"""Share of the colour that a single point among many has."""


def new_axes(ax: Any, *, size: tuple[float, float] = (5.5, 4.5), **kind: Any) -> Any:
    """The axes that were brought, or new ones in the house style; `size` in inches."""
    if ax is not None:
        return ax
    with style():
        return pyplot().subplots(figsize=size, layout="constrained", subplot_kw=kind)[1]


def new_panels(rows: int, columns: int, *, size: tuple[float, float], **shared: Any) -> Any:
    """An array of new axes in the house style, of `rows` by `columns`."""
    with style():
        return pyplot().subplots(rows, columns, figsize=size, layout="constrained", squeeze=False, **shared)[1]


def draw_points(ax: Any, x: Floats, y: Floats, *, mark: Mark = BACKGROUND, label: str = "", zorder: float = 2) -> None:
    """Draw points for which both numbers are known; a label gets their number."""
    require_alike(x, y)
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    text = f"{label} ({len(x):,})" if label else None
    if len(x) > MANY:
        _draw_density(ax, x, y, mark=mark, label=text, zorder=zorder)
        return
    size, alpha = _weight(len(x))
    ax.plot(
        x,
        y,
        linestyle="none",
        marker=mark.marker,
        markersize=size * (1.4 if mark.marker in "xP^" and len(x) <= _PIXELS_FROM else 1.0),
        markerfacecolor="none" if mark.is_open else mark.colour,
        markeredgecolor=mark.colour,
        markeredgewidth=0.8 if mark.is_open or mark.marker == "x" else 0.0,
        alpha=alpha,
        label=text,
        rasterized=len(x) > _PIXELS_FROM,
        zorder=zorder,
    )


def legend(ax: Any, *, otherwise: str = "upper right", **where: Any) -> None:
    """A legend with markers that can be seen, however small the points are; none if nothing has a label.

    It stands where it hides the least; `otherwise`, if there are too many points to tell.
    """
    handles, labels = ax.get_legend_handles_labels()
    if not handles:
        return
    look = {"fontsize": "small", "framealpha": 0.85, "edgecolor": "none"}
    made = ax.legend(handles, labels, **{**look, "loc": "best" if 0 < _n_points(ax) <= MANY else otherwise, **where})
    for handle in made.legend_handles:
        if hasattr(handle, "set_markersize"):
            handle.set_markersize(max(5.0, handle.get_markersize()))
        handle.set_alpha(1.0)


def note(ax: Any, text: str) -> Any:
    """Write a remark below the lower right corner of the axes, for example that the data are simulated."""
    ax.annotate(
        text,
        (1.0, 0.0),
        xycoords="axes fraction",
        xytext=(-4, 4),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=7,
        color="0.35",
    )
    return ax


def plain_numbers(ax: Any) -> None:
    """Days are written in full, without a number that is to be added."""
    for axis in (ax.xaxis, ax.yaxis):
        formatter = axis.get_major_formatter()
        if hasattr(formatter, "set_useOffset"):
            formatter.set_useOffset(False)


def _weight(n: int) -> tuple[float, float]:
    """Size in points, and alpha, of n markers."""
    for most, size, alpha in ((100, 5.0, 0.95), (1_000, 3.5, 0.8), (5_000, 2.2, 0.6)):
        if n <= most:
            return size, alpha
    return 1.6, 0.4


def _draw_density(ax: Any, x: Floats, y: Floats, *, mark: Mark, label: str | None, zorder: float) -> None:
    from matplotlib.colors import LinearSegmentedColormap, LogNorm

    nx, ny = (max(2, round(_CELLS_PER_INCH * side / ax.figure.dpi)) for side in (ax.bbox.width, ax.bbox.height))
    x_cells, x_edges = _cells(x, nx, ax.get_xscale())
    y_cells, y_edges = _cells(y, ny, ax.get_yscale())
    counts = np.bincount(y_cells * nx + x_cells, minlength=ny * nx).reshape(ny, nx)
    ramp: Any = [_faint(mark.colour), mark.colour, "black"]
    shades = LinearSegmentedColormap.from_list("points", ramp)
    norm = LogNorm(1, max(counts.max(), 10))
    is_even = ax.name == "rectilinear" and ax.get_xscale() == ax.get_yscale() == "linear"
    draw = ax.pcolorfast if is_even else ax.pcolormesh  # the former is ten times as fast, and for even axes only
    cells = np.ma.masked_equal(counts, 0)
    mesh = draw(x_edges, y_edges, cells, cmap=shades, norm=norm, rasterized=True, zorder=zorder)
    mesh.sticky_edges.x.clear()
    mesh.sticky_edges.y.clear()
    ax.plot([], [], linestyle="none", marker="s", color=mark.colour, label=label)


def _cells(values: Floats, n: int, scale: str) -> tuple[NDArray[np.int64], Floats]:
    """In which of n cells each value lies, and where cells end; they have one length on the axis."""
    along = np.log10(values) if scale == "log" else values
    low, high = float(along.min()), float(along.max())
    width = (high - low) / n or 1.0 / n
    edges = low + width * np.arange(n + 1)
    cells = np.minimum((along - low) / width, n - 1).astype(np.int64)
    return cells, np.asarray(10.0**edges if scale == "log" else edges, dtype=np.float64)


def _faint(colour: str) -> tuple[float, ...]:
    from matplotlib.colors import to_rgb

    return tuple(1.0 - _FAINTEST * (1.0 - part) for part in to_rgb(colour))


def _n_points(ax: Any) -> int:
    return 0 if ax.images else sum(len(line.get_xdata()) for line in ax.lines)
