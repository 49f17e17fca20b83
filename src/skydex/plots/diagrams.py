"""Diagrams of many objects: colour and magnitude, magnitude and variability, any two columns, densities of pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skydex.plots.canvas import draw_points, legend, new_axes
from skydex.plots.data import Floats, Read, band_name, classes_of, highlighted, label_of, numbers, require_alike
from skydex.plots.style import HIGHLIGHT, class_marks

__all__ = ["colour_magnitude", "hexbin", "scatter", "variability"]

Scale = Literal["linear", "log"]
Column = str | ArrayLike


def colour_magnitude(
    stars: Any = None,
    *,
    blue: Column,
    red: Column,
    magnitude: Column | None = None,
    highlight: Any = None,
    classes: Column | None = None,
    class_names: Mapping[Any, str] | None = None,
    label: str = "objects",
    highlight_label: str = "variable",
    ax: Any = None,
) -> Any:
    """Draw a colour-magnitude diagram, bright stars at the top.

    Objects without one of the magnitudes are not drawn. Nothing is corrected for extinction.

    Parameters
    ----------
    stars : table, optional
        One row for each object.
    blue, red : str or (n,) array_like
        Magnitudes whose difference is the colour: columns, or values.
    magnitude : str or (n,) array_like, optional
        Magnitude of the other axis, by default the blue one.
    highlight : mask, numbers of rows, or table with the same columns, optional
        What stands out.
    classes : str or (n,) array_like, optional
        Column of classes, which are told apart; those of the Hubble Catalog of Variables have their names.
    class_names : mapping, optional
        What classes are called, by their values.
    label, highlight_label : str, optional
        What the points are called in the legend, where their number is too.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.

    Returns
    -------
    ax : matplotlib.axes.Axes

    Examples
    --------
    >>> stars = {"g": [20.1, 21.3, 22.0], "r": [19.8, 20.2, 22.1]}
    >>> ax = colour_magnitude(stars, blue="g", red="r", highlight=[False, True, False])
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('g − r [mag]', 'g [mag]')
    """
    upright = blue if magnitude is None else magnitude

    def read(rows: Any) -> tuple[Floats, ...]:
        bright, faint = numbers(rows, blue, "mag"), numbers(rows, red, "mag")
        require_alike(bright, faint)
        return bright - faint, numbers(rows, upright, "mag")

    ax = new_axes(ax, size=(4.8, 5.6))
    _draw(ax, read, stars, classes, class_names, label)
    _draw_highlight(ax, read, stars, highlight, highlight_label)
    names = [band_name(name) if isinstance(name, str) else kind for name, kind in ((blue, "blue"), (red, "red"))]
    ax.set(xlabel=f"{names[0]} − {_without_camera(names)} [mag]", ylabel=_magnitude_label(upright, names[0]))
    ax.yaxis.set_inverted(True)
    legend(ax)
    return ax


def variability(
    stars: Any = None,
    *,
    magnitude: Column,
    index: Column,
    highlight: Any = None,
    classes: Column | None = None,
    class_names: Mapping[Any, str] | None = None,
    scale: Scale = "linear",
    label: str = "objects",
    highlight_label: str = "variable",
    ax: Any = None,
) -> Any:
    """Draw a variability index against magnitude.

    Parameters
    ----------
    stars, highlight, classes, class_names, label, highlight_label, ax
        As `colour_magnitude` takes them.
    magnitude, index : str or (n,) array_like
        Columns, or values; for example the median absolute deviation as an index.
    scale : {"linear", "log"}, optional
        Of the index; in a logarithmic one, values that are not positive are not drawn.

    Returns
    -------
    ax : matplotlib.axes.Axes
    """

    def read(rows: Any) -> tuple[Floats, ...]:
        return numbers(rows, magnitude, "mag"), _on(scale, numbers(rows, index))

    ax = new_axes(ax)
    ax.set_yscale(scale)
    _draw(ax, read, stars, classes, class_names, label)
    _draw_highlight(ax, read, stars, highlight, highlight_label)
    ax.set(xlabel=_magnitude_label(magnitude, "magnitude"), ylabel=label_of(stars, index, "variability index"))
    if scale == "linear" and ax.dataLim.y0 >= 0.0:
        ax.set_ylim(bottom=0.0)
    legend(ax, otherwise="upper left")
    return ax


def scatter(
    rows: Any = None,
    *,
    x: Column,
    y: Column,
    x_scale: Scale = "linear",
    y_scale: Scale = "linear",
    highlight: Any = None,
    classes: Column | None = None,
    class_names: Mapping[Any, str] | None = None,
    label: str = "",
    highlight_label: str = "selected",
    ax: Any = None,
) -> Any:
    """Draw one column against another.

    Parameters
    ----------
    rows : table, optional
        One row for each point.
    x, y : str or (n,) array_like
        Columns, or values.
    x_scale, y_scale : {"linear", "log"}, optional
        In a logarithmic one, values that are not positive are not drawn.
    highlight, classes, class_names, label, highlight_label, ax
        As `colour_magnitude` takes them.

    Returns
    -------
    ax : matplotlib.axes.Axes
    """

    def read(part: Any) -> tuple[Floats, ...]:
        return _on(x_scale, numbers(part, x)), _on(y_scale, numbers(part, y))

    ax = new_axes(ax)
    ax.set(xscale=x_scale, yscale=y_scale, xlabel=label_of(rows, x, "x"), ylabel=label_of(rows, y, "y"))
    _draw(ax, read, rows, classes, class_names, label)
    _draw_highlight(ax, read, rows, highlight, highlight_label)
    legend(ax)
    return ax


def hexbin(
    rows: Any = None,
    *,
    x: Column,
    y: Column,
    x_scale: Scale = "log",
    y_scale: Scale = "log",
    gridsize: int = 80,
    ax: Any = None,
) -> Any:
    """Draw how many rows have which pair of numbers, in hexagons; empty ones stay white.

    Rows without one of the numbers are left out, and on a logarithmic axis those that are not positive; the title
    says how many.

    Parameters
    ----------
    rows : table, optional
        One row for each pair.
    x, y : str or (n,) array_like
        Columns, or values.
    x_scale, y_scale : {"linear", "log"}, optional
        Scales of the axes.
    gridsize : int, optional
        Hexagons from left to right.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.

    Returns
    -------
    ax : matplotlib.axes.Axes
        With a colour bar beside it.
    """
    across, up = _on(x_scale, numbers(rows, x)), _on(y_scale, numbers(rows, y))
    require_alike(across, up)
    known = np.isfinite(across) & np.isfinite(up)
    ax = new_axes(ax, size=(6.0, 4.5))
    ax.set(xlabel=label_of(rows, x, "x"), ylabel=label_of(rows, y, "y"))
    _tell_left_out(ax, known, "not positive or not known" if "log" in (x_scale, y_scale) else "not known")
    if not known.any():
        return ax
    drawn = ax.hexbin(
        across[known],
        up[known],
        xscale=x_scale,
        yscale=y_scale,
        gridsize=gridsize,
        mincnt=1,
        bins="log",
        cmap="viridis",
        linewidths=0.4,
        rasterized=True,
    )
    ax.figure.colorbar(drawn, ax=ax, label="rows per hexagon")
    return ax


def _draw(
    ax: Any, read: Read, rows: Any, classes: Column | None, class_names: Mapping[Any, str] | None, label: str
) -> None:
    """All points, or those of each class."""
    x, y = read(rows)
    if classes is None:
        draw_points(ax, x, y, label=label)
        return
    found = classes_of(rows, classes, class_names)
    for place, (name, mark) in enumerate(class_marks(found.names).items()):
        of_class = found.of_row == place
        draw_points(ax, x[of_class], y[of_class], mark=mark, label=name, zorder=2 + 0.1 * place)


def _draw_highlight(ax: Any, read: Read, rows: Any, highlight: Any, label: str) -> None:
    chosen = highlighted(read, rows, highlight)
    if chosen is not None:
        draw_points(ax, *chosen, mark=HIGHLIGHT, label=label, zorder=3)


def _tell_left_out(ax: Any, is_shown: NDArray[np.bool_], why: str) -> None:
    n = len(is_shown) - int(is_shown.sum())
    if n:
        ax.set_title(f"{n:,} of {len(is_shown):,} rows not shown: {why}", loc="right", fontsize=7, color="0.35")


def _on(scale: Scale, values: Floats) -> Floats:
    return np.where(values > 0.0, values, np.nan) if scale == "log" else values


def _magnitude_label(column: Column, default: str) -> str:
    return f"{band_name(column) if isinstance(column, str) else default} [mag]"


def _without_camera(names: list[str]) -> str:
    """The red filter, without its camera if the blue one names the same."""
    blue, red = (name.split(" ") for name in names)
    return red[-1] if blue[:-1] == red[:-1] else " ".join(red)
