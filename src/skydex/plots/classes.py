"""Classes of objects against an index: histograms, and the fraction of artifacts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skydex.errors import BadParameterError
from skydex.plots.canvas import legend, new_axes, new_panels, note
from skydex.plots.data import Classes, Floats, classes_of, label_of, numbers, require_alike
from skydex.plots.fractions import Fractions, Interval, fractions_by_bin, mad_edges
from skydex.plots.style import HIGHLIGHT, class_marks

__all__ = ["artifact_fraction", "histograms", "stacked_histograms"]

Scale = Literal["linear", "log"]
Column = str | ArrayLike


def histograms(
    rows: Any = None,
    *,
    index: Column,
    classes: Column,
    class_names: Mapping[Any, str] | None = None,
    edges: ArrayLike | None = None,
    count_scale: Scale = "log",
    axes: Sequence[Any] | None = None,
) -> NDArray[Any]:
    """Draw a histogram of each class in a panel of its own, before that of all objects in grey.

    Parameters
    ----------
    rows : table, optional
        One row for each object.
    index : str or (n,) array_like
        Column, or values; for example the median absolute deviation in mag.
    classes : str or (n,) array_like
        Column of classes; those of the Hubble Catalog of Variables have their names.
    class_names : mapping, optional
        What classes are called, by their values.
    edges : (n_bins + 1,) array_like, optional
        Edges of bins, above 0; by default 50 from 0.007 to 2, evenly in the logarithm. What is outside is told in a
        note.
    count_scale : {"linear", "log"}, optional
        Scale of the numbers of objects.
    axes : sequence of matplotlib.axes.Axes, optional
        Where to draw, one for each class; by default in a new figure.

    Returns
    -------
    axes : (n_classes,) array of matplotlib.axes.Axes
    """
    values, found, bounds = _classified(rows, index, classes, class_names, edges)
    n = len(found.names)
    panels = (
        new_panels(1, max(1, n), size=(0.6 + 2.9 * max(1, n), 3.2), sharex=True, sharey=True)[0]
        if axes is None
        else axes
    )
    made = np.asarray(panels, dtype=object)
    if len(made) < n:
        raise BadParameterError("axes", f"are {len(made)}, and there are {n} classes.")
    for place, (ax, (name, mark)) in enumerate(zip(made, class_marks(found.names).items(), strict=False)):
        of_class = values[found.of_row == place]
        ax.hist(values, bounds, color="0.85", label=f"all ({len(values):,})")
        ax.hist(of_class, bounds, color=mark.colour, label=f"{name} ({len(of_class):,})")
        ax.set(xscale="log", yscale=count_scale, xlabel=label_of(rows, index, "index"))
        legend(ax, loc="upper right")
    for ax in made[: 1 if axes is None else n]:  # new panels share their heights
        _give_room(ax, count_scale)
    made[0].set_ylabel("Number of objects")
    _tell_outsiders(made[max(0, n - 1)], values, bounds)
    return made


def stacked_histograms(
    rows: Any = None,
    *,
    index: Column,
    classes: Column,
    class_names: Mapping[Any, str] | None = None,
    edges: ArrayLike | None = None,
    count_scale: Scale = "linear",
    ax: Any = None,
) -> Any:
    """Draw histograms of all classes, each standing on the one before.

    Parameters
    ----------
    rows, index, classes, class_names, edges
        As `histograms` takes them.
    count_scale : {"linear", "log"}, optional
        In a logarithmic one the heights of parts cannot be compared, but rare classes are seen.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.

    Returns
    -------
    ax : matplotlib.axes.Axes
    """
    values, found, bounds = _classified(rows, index, classes, class_names, edges)
    marks = class_marks(found.names)
    parts = [values[found.of_row == place] for place in range(len(found.names))]
    ax = new_axes(ax)
    if parts:
        labels = [f"{name} ({len(part):,})" for name, part in zip(found.names, parts, strict=True)]
        colours = [mark.colour for mark in marks.values()]
        ax.hist(parts, bounds, stacked=True, color=colours, label=labels)
    ax.set(xscale="log", yscale=count_scale, xlabel=label_of(rows, index, "index"), ylabel="Number of objects")
    legend(ax, loc="upper right")
    _tell_outsiders(ax, values, bounds)
    return ax


def artifact_fraction(
    index: Any,
    is_artifact: ArrayLike | None = None,
    *,
    edges: ArrayLike | None = None,
    interval: Interval = "binomial",
    seed_compat: bool = False,
    label: str = "",
    ax: Any = None,
) -> Any:
    """Draw which part of the objects are artifacts, against an index, with errors of one sigma.

    Horizontal bars reach to the edges of bins.

    Parameters
    ----------
    index : (n,) array_like, Quantity or Fractions
        For example the median absolute deviation in mag; or the numbers that `fractions_by_bin` gave.
    is_artifact : (n,) array_like of bool
        Which objects are artifacts; of no use for what is counted already.
    edges, seed_compat
        As `fractions_by_bin` takes them.
    interval : {"binomial", "wilson"}, optional
        Errors, as `Fractions.limits` takes it.
    label : str, optional
        What the series is called in the legend.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.

    Returns
    -------
    ax : matplotlib.axes.Axes
    """
    if isinstance(index, Fractions):
        found = index
    elif is_artifact is None:
        raise BadParameterError("is_artifact", "is needed: which of the objects are artifacts.")
    else:
        found = fractions_by_bin(index, is_artifact, edges=edges, seed_compat=seed_compat)
    low, high = found.limits(interval)
    center, fraction = found.center, found.fraction
    ax = new_axes(ax)
    ax.errorbar(
        center,
        fraction,
        xerr=(center - found.low, found.high - center),
        yerr=(np.maximum(fraction - low, 0.0), np.maximum(high - fraction, 0.0)),
        linestyle="none",
        marker="o",
        markersize=4.5,
        elinewidth=1.0,
        color=HIGHLIGHT.colour if not ax.containers else None,
        label=f"{label} ({found.n.sum():,})" if label else None,
    )
    name = getattr(getattr(index, "info", None), "name", None)
    ax.set(xscale="log", xlabel=label_of(None, index, name or "Variability index"), ylabel="Fraction of artifacts")
    ax.set_ylim(min(0.0, *ax.get_ylim()), None)
    legend(ax)
    return ax


def _classified(
    rows: Any, index: Column, classes: Column, class_names: Mapping[Any, str] | None, edges: ArrayLike | None
) -> tuple[Floats, Classes, Floats]:
    bounds = mad_edges(50) if edges is None else np.asarray(edges, dtype=np.float64)
    values, found = numbers(rows, index), classes_of(rows, classes, class_names)
    require_alike(values, found.of_row)
    return values, found, bounds


def _give_room(ax: Any, count_scale: Scale) -> None:
    """Height for a legend above the histogram."""
    low, high = ax.get_ylim()
    ax.set_ylim(low, high * (30.0 if count_scale == "log" else 1.3))


def _tell_outsiders(ax: Any, values: Floats, bounds: Floats) -> None:
    n = len(values) - int(np.sum((values >= bounds[0]) & (values <= bounds[-1])))
    if n:
        note(ax, f"{n:,} of {len(values):,} outside")
