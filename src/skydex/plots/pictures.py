"""Pixels: cutouts side by side, near and far views in pairs, stamps of stars.

Brightness becomes grey as `skydex.images` draws it. What an image is called and where its first row belongs comes with
a cutout (`skydex.connection.Cutout`); bare arrays of floats have their first row at the bottom, as FITS has, and
pictures at the top.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skydex.errors import BadParameterError
from skydex.images import Look, Scale, Stretch
from skydex.images.stretches import stretched
from skydex.plots.canvas import new_axes, new_panels

__all__ = ["cutout_pairs", "cutouts", "stamp"]

_SIDE = 1.8
_NO_PIXEL = "#b8c8dc"
_FAINTEST_PERCENT = 5.0


@dataclass(frozen=True)
class _View:
    """What is shown in one panel."""

    pixels: NDArray[Any]
    origin: str
    name: str = ""
    problem: str = ""
    n_exposures: int | None = None


def cutouts(
    images: Any,
    *,
    columns: int = 4,
    titles: str | Sequence[str] | None = None,
    box: float | None = None,
    stretch: str = "asinh",
    percent: float = 99.5,
    axes: Any = None,
) -> NDArray[Any]:
    """Draw images side by side, in grey.

    Parameters
    ----------
    images : Cutouts, or sequence of Cutout, (ny, nx) arrays or pictures of PIL
        What to draw. One that could not be had is an empty panel that says why.
    columns : int, optional
        Panels in a row.
    titles : str or sequence of str, optional
        One for each; or a form for the columns of the table of cutouts, such as `"{StartMJD:.5f} {MagAper2:.3f}"`. By
        default the names of the images.
    box : float, optional
        Side of a red square in the middle, in pixels.
    stretch : {"asinh", "linear", "sqrt", "log"}, optional
        From brightness to grey; pictures are shown as they are.
    percent : float, optional
        Share of the pixels that are not white; as much again of the darkest is black.
    axes : array of matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.

    Returns
    -------
    axes : (n_rows, n_columns) array of matplotlib.axes.Axes
        Those that are not used are empty.
    """
    if columns < 1:
        raise BadParameterError("columns", f"must be at least 1, not {columns}.")
    views = [_view(image, stretch, percent) for image in _listed(images)]
    named = _titles(titles, images, views)
    n_rows = max(1, math.ceil(len(views) / columns))
    made = _panels(axes, n_rows, columns, len(views))
    for place, ax in enumerate(made.ravel()):
        ax.set_axis_off()
        if place < len(views):
            _show(ax, views[place], named[place])
            if box is not None:
                _draw_box(ax, views[place], box)
    return made


def cutout_pairs(
    close: Any,
    wide: Any,
    *,
    box: float | None = None,
    titles: str | Sequence[str] | None = None,
    pairs_per_row: int = 1,
    stretch: str = "asinh",
    percent: float = 99.5,
    axes: Any = None,
) -> NDArray[Any]:
    """Draw each place twice: closely, and widely with a box around what the close view shows.

    Sizes are told, and how many exposures are in an image, where that is known: a single one has cosmic rays.

    Parameters
    ----------
    close, wide : Cutouts, or sequences as `cutouts` takes them
        As many of either, about the same places, with pixels of one size.
    box : float, optional
        Side of the box in pixels, by default that of the close view.
    titles, stretch, percent, axes
        As `cutouts` takes them.
    pairs_per_row : int, optional
        Pairs side by side.

    Returns
    -------
    axes : (n_rows, 2 * pairs_per_row) array of matplotlib.axes.Axes
    """
    near, far = ([_view(image, stretch, percent) for image in _listed(images)] for images in (close, wide))
    if len(near) != len(far):
        raise BadParameterError("wide", f"has {len(far)} images, and there are {len(near)} close ones.")
    named = _titles(titles, close, near)
    n_rows = max(1, math.ceil(len(near) / pairs_per_row))
    made = _panels(axes, n_rows, 2 * pairs_per_row, 2 * len(near))
    flat = made.ravel()
    for ax in flat:
        ax.set_axis_off()
    for place, (one, other) in enumerate(zip(near, far, strict=True)):
        _show(flat[2 * place], one, named[place], is_left=True)
        _show(flat[2 * place + 1], other, "")
        _draw_box(flat[2 * place + 1], other, box if box is not None else max(one.pixels.shape[:2]))
        for ax, view in ((flat[2 * place], one), (flat[2 * place + 1], other)):
            _tell_size(ax, view)
    return made


def stamp(image: Any, *, title: str | None = None, ax: Any = None) -> Any:
    """Draw the stamp of a star in logarithmic grey, first row at the bottom.

    Pixels that are not positive are as dark as the sky, and pixels without a number have a colour of their own; neither
    raises a warning.

    Parameters
    ----------
    image : Cutout, (ny, nx) array, HDU of astropy, or path of a FITS file
        What to draw.
    title : str, optional
        By default the name of the file, if there is one.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.

    Returns
    -------
    ax : matplotlib.axes.Axes
        In pixels that count from 1, as FITS counts them, with a colour bar beside it.
    """
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm

    if isinstance(image, str | Path):
        from astropy.io import fits

        with fits.open(image) as hdus:
            hdu = next(hdu for hdu in hdus if hdu.is_image and hdu.data is not None)
            return stamp(hdu.data, title=Path(image).name if title is None else title, ax=ax)
    pixels = np.asarray(getattr(image, "data", image) if not isinstance(image, np.ndarray) else image, np.float64)
    if pixels.ndim != 2:
        raise BadParameterError("image", f"must have rows and columns, and has {pixels.ndim} axes.")
    positive = pixels[np.isfinite(pixels) & (pixels > 0.0)]
    low, high = (np.percentile(positive, _FAINTEST_PERCENT), positive.max()) if len(positive) else (1.0, 10.0)
    ax = new_axes(ax, size=(4.6, 4.0))
    ny, nx = pixels.shape
    grey = colormaps["gray"].with_extremes(bad=_NO_PIXEL)
    drawn = ax.imshow(
        np.maximum(pixels, low),
        norm=LogNorm(low, max(high, 1.01 * low)),
        cmap=grey,
        origin="lower",
        extent=(0.5, nx + 0.5, 0.5, ny + 0.5),
        interpolation="nearest",
    )
    header = getattr(image, "header", None)
    ax.figure.colorbar(drawn, ax=ax, label=str((header or {}).get("BUNIT", "")).strip().lower())
    ax.set(xlabel="x [pixel]", ylabel="y [pixel]")
    ax.set_title(getattr(image, "file_name", "") if title is None else title, fontsize=8)
    return ax


def _listed(images: Any) -> list[Any]:
    is_one = getattr(images, "ndim", 0) == 2 or hasattr(images, "origin") or callable(getattr(images, "getdata", None))
    return [images] if is_one else list(images)


def _view(image: Any, stretch: str, percent: float) -> _View:
    problem = str(getattr(image, "problem", "") or "")
    name = str(getattr(image, "name", "") or "") if hasattr(image, "origin") else ""
    if problem:
        return _View(np.zeros((1, 1)), "lower", name, problem)
    data = image if isinstance(image, np.ndarray) else getattr(image, "data", image)
    pixels = np.asarray(data if not callable(getattr(image, "getdata", None)) else image)  # PIL has no data
    if pixels.dtype == np.uint8:
        return _View(pixels, str(getattr(image, "origin", "upper")), name)
    n_exposures = getattr(image, "facts", {}).get("n_exposures")
    grey = _grey(pixels, stretch, percent)
    return _View(grey, str(getattr(image, "origin", "lower")), name, n_exposures=n_exposures)


def _grey(pixels: NDArray[Any], stretch: str, percent: float) -> NDArray[np.uint8]:
    """Bytes between black and white; three bands become red, green and blue."""
    try:
        look = Look(Stretch(stretch), Scale.PERCENTILES, (100.0 - percent, percent))
    except ValueError:
        problem = f'must be one of {", ".join(Stretch)}, not "{stretch}".'
        raise BadParameterError("stretch", problem) from None
    bands = stretched([np.asarray(band, np.float32) for band in pixels.reshape(-1, *pixels.shape[-2:])], look)
    return bands[0] if len(bands) == 1 else np.stack(bands, axis=-1)


def _titles(titles: str | Sequence[str] | None, images: Any, views: Sequence[_View]) -> list[str]:
    if titles is None:
        return [view.name for view in views]
    if isinstance(titles, str):
        table = getattr(images, "table", None)
        if table is None:
            raise BadParameterError("titles", "a form needs cutouts with a table; give a title for each image.")
        return [_filled(titles, row) for row in _rows_of(table)]
    if len(titles) != len(views):
        raise BadParameterError("titles", f"are {len(titles)}, and there are {len(views)} images.")
    return [str(title) for title in titles]


def _rows_of(table: Any) -> Iterator[dict[str, Any]]:
    for row in table:
        values = {name: getattr(row[name], "value", row[name]) for name in table.colnames}
        yield {name: np.nan if value is np.ma.masked else value for name, value in values.items()}


def _filled(form: str, row: dict[str, Any]) -> str:
    try:
        return form.format(**row)
    except (KeyError, IndexError, ValueError, TypeError) as error:
        problem = f'"{form}" does not go with the columns {", ".join(row)}: {error}.'
        raise BadParameterError("titles", problem) from error


def _panels(axes: Any, n_rows: int, n_columns: int, n: int) -> NDArray[Any]:
    if axes is None:
        size = (_SIDE * n_columns + 0.1, (_SIDE + 0.3) * n_rows)
        return np.asarray(new_panels(n_rows, n_columns, size=size))
    made = np.atleast_2d(np.asarray(axes, dtype=object))
    if made.size < n:
        raise BadParameterError("axes", f"are {made.size}, and {n} are needed.")
    return made


def _show(ax: Any, view: _View, title: str, *, is_left: bool = False) -> None:
    ax.set_title(title, fontsize=7.5, pad=3, loc="left" if is_left else "center")
    if view.problem:
        ax.text(0.5, 0.5, view.problem, ha="center", va="center", wrap=True, fontsize=7, transform=ax.transAxes)
        return
    ax.imshow(view.pixels, cmap="gray", vmin=0, vmax=255, origin=view.origin, interpolation="nearest")


def _draw_box(ax: Any, view: _View, side: float) -> None:
    if view.problem:
        return
    from matplotlib.patches import Rectangle

    ny, nx = view.pixels.shape[:2]
    corner = ((nx - 1 - side) / 2.0, (ny - 1 - side) / 2.0)
    ax.add_patch(Rectangle(corner, side, side, fill=False, edgecolor="red", linewidth=1.2))


def _tell_size(ax: Any, view: _View) -> None:
    """How large a view is, and how many exposures are in it: a single one has cosmic rays."""
    if view.problem:
        return
    ny, nx = view.pixels.shape[:2]
    n = view.n_exposures
    exposures = "" if n is None else f"\n{n} exposure{'' if n == 1 else 's'}"
    where = {"transform": ax.transAxes, "ha": "left", "va": "bottom", "fontsize": 7, "color": "yellow"}
    ax.text(0.03, 0.03, f"{nx} × {ny} pixels{exposures}", **where)
