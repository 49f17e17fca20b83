"""Light curves: over time, as differences from a mean, over the phase; bands together or in panels of their own.

Bright is up. Colour and marker both say the band.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skydex.errors import BadParameterError
from skydex.lightcurve import CombinedLightCurve, FoldedLightCurve, LightCurve
from skydex.plots.canvas import MANY, draw_points, legend, new_axes, new_panels, plain_numbers
from skydex.plots.data import Floats, band_name
from skydex.plots.style import Mark, band_marks

__all__ = ["by_band", "difference", "folded", "light_curve"]

_WIDE = (7.0, 3.6)
_PANEL_HEIGHT = 1.5
_MARGIN = 0.02
_ABOVE_FROM = 3
_ABOVE: dict[str, Any] = {
    **{"loc": "lower right", "bbox_to_anchor": (1.0, 1.0), "borderaxespad": 0.2, "frameon": False},
    **{"columnspacing": 1.0, "handletextpad": 0.1},
}
"""Where a legend of that many bands stands: the figure is flat, and inside there is no room for it."""


def light_curve(
    curve: LightCurve,
    *,
    offsets: Mapping[str, float] | None = None,
    highlight: ArrayLike | None = None,
    marks: Mapping[str, Mark] | None = None,
    ax: Any = None,
) -> Any:
    """Draw a light curve in all its bands, with errors of one sigma where they are known.

    Parameters
    ----------
    curve : LightCurve or table
        What to draw; one without magnitudes is drawn in fluxes. A table has the measurements of one object, in columns
        that `skydex.lightcurve.roles_of` knows.
    offsets : mapping, optional
        Magnitudes to be added to bands, so that they lie apart; the legend says so.
    highlight : (n,) array_like of bool, optional
        Points to put a ring around, such as outliers.
    marks : mapping, optional
        How bands look; by default as in all figures.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.

    Returns
    -------
    ax : matplotlib.axes.Axes

    Examples
    --------
    >>> curve = LightCurve.of_points([1.0, 2.0, 3.0], [18.1, 18.2, 20.3], mag_err=0.02 * np.ones(3), band="g")
    >>> ax = light_curve(curve, highlight=curve.mag > 20)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('Time [MJD]', 'g [mag]')
    """
    curve, ax = _curve_of(curve), new_axes(ax, size=_WIDE)
    _draw_bands(ax, curve.time, curve, offsets or {}, marks)
    _draw_rings(ax, curve.time, curve, offsets or {}, highlight)
    _set_labels(ax, curve, _time_label(curve), offsets)
    ax.margins(x=_MARGIN)
    return ax


def difference(
    curve: LightCurve,
    *,
    center: Literal["mean", "median"] | Mapping[str, float] = "mean",
    highlight: ArrayLike | None = None,
    marks: Mapping[str, Mark] | None = None,
    ax: Any = None,
) -> Any:
    """Draw how much each point differs from the mean of its band.

    Parameters
    ----------
    curve, highlight, marks, ax
        As `light_curve` takes them.
    center : {"mean", "median"} or mapping, optional
        What is subtracted: of the points, or by band, for example the mean magnitudes of a catalogue.

    Returns
    -------
    ax : matplotlib.axes.Axes
        Its label or its legend says what was subtracted.
    """
    curve, ax = _curve_of(curve), new_axes(ax, size=_WIDE)
    centers = curve.centers(center)
    less = curve.minus_mean(centers)
    _draw_bands(ax, less.time, less, {}, marks, names={band: _less(band, centers) for band in less.bands})
    _draw_rings(ax, less.time, less, {}, highlight)
    _set_labels(ax, less, _time_label(curve), None)
    one = less.bands[0] if len(less.bands) == 1 else ""
    ax.set_ylabel(f"{_less(one, centers)} [mag]" if one else "Difference [mag]")
    ax.axhline(0.0, color="0.7", linewidth=0.8, zorder=1)
    ax.margins(x=_MARGIN)
    return ax


def folded(
    curve: LightCurve | FoldedLightCurve | CombinedLightCurve,
    period: Any = None,
    t0: Any = 0.0,
    *,
    t0_format: str | None = None,
    n_periods: int = 1,
    highlight: ArrayLike | None = None,
    marks: Mapping[str, Mark] | None = None,
    ax: Any = None,
) -> Any:
    """Draw a light curve over its phase.

    Parameters
    ----------
    curve : LightCurve, FoldedLightCurve or CombinedLightCurve
        What to draw; a light curve is folded first.
    period, t0, t0_format
        As `LightCurve.fold` takes them; days, if they are bare numbers. Of no use for what is folded already.
    n_periods : int, optional
        Periods to show; points are repeated.
    highlight, marks, ax
        As `light_curve` takes them.

    Returns
    -------
    ax : matplotlib.axes.Axes

    Raises
    ------
    BadParameterError
        A light curve comes without a period.
    """
    if n_periods < 1:
        raise BadParameterError("n_periods", f"must be at least 1, not {n_periods}.")
    whole = _folded(curve, period, t0, t0_format)
    shown = whole.over(n_periods)
    ax = new_axes(ax, size=_WIDE)
    _draw_bands(ax, shown.phase, shown.curve, {}, marks)
    rings = None if highlight is None else np.tile(np.ma.filled(highlight, False), n_periods)
    _draw_rings(ax, shown.phase, shown.curve, {}, rings)
    _set_labels(ax, shown.curve, f"Phase (P = {whole.period_d:.10g} d)", None)
    ax.set_xlim(0.0, float(n_periods))
    if isinstance(curve, CombinedLightCurve):
        ax.set_ylabel("Difference [mag]")
    return ax


def by_band(
    curve: LightCurve | FoldedLightCurve,
    draw: Callable[..., Any] = light_curve,
    *arguments: Any,
    same_span: bool = False,
    highlight: ArrayLike | None = None,
    axes: Sequence[Any] | None = None,
    **options: Any,
) -> NDArray[Any]:
    """Draw each band in a panel of its own, one above the other, all over the same times or phases.

    Parameters
    ----------
    curve : LightCurve or FoldedLightCurve
        What to draw.
    draw : callable, optional
        `light_curve`, `difference` or `folded`.
    *arguments, **options
        What `draw` takes, such as a period.
    same_span : bool, optional
        Whether all panels show as many magnitudes, so that amplitudes can be compared.
    highlight : (n,) array_like of bool, optional
        Points to put a ring around.
    axes : sequence of matplotlib.axes.Axes, optional
        Where to draw, one for each band; by default in a new figure.

    Returns
    -------
    axes : (n_bands,) array of matplotlib.axes.Axes
        From the top, in the order of the bands of the curve.

    Examples
    --------
    >>> curve = LightCurve.of_points([1.0, 2.0, 3.0, 4.0], [18.1, 18.2, 17.3, 17.2], band=["g", "g", "r", "r"])
    >>> [ax.get_ylabel() for ax in by_band(curve)]
    ['g [mag]', 'r [mag]']
    """
    curve = curve if isinstance(curve, FoldedLightCurve) else _curve_of(curve)
    points = curve.curve if isinstance(curve, FoldedLightCurve) else curve
    bands = points.bands
    height = 0.9 + _PANEL_HEIGHT * max(1, len(bands))
    panels = new_panels(max(1, len(bands)), 1, size=(7.0, height), sharex=True)[:, 0] if axes is None else axes
    made = np.asarray(panels, dtype=object)
    if len(made) < len(bands):
        raise BadParameterError("axes", f"are {len(made)}, and there are {len(bands)} bands.")
    marks = band_marks(bands)
    for ax, band in zip(made, bands, strict=False):
        rings = None if highlight is None else np.ma.filled(highlight, False)[points.band == band]
        draw(curve.in_band(band), *arguments, highlight=rings, marks=marks, ax=ax, **options)
        if ax is not made[0]:
            ax.set_title("")
    for ax in made[: len(bands) - 1]:
        ax.set_xlabel("")
    made[0].figure.align_ylabels(list(made))
    if same_span:
        _span_alike(list(made[: len(bands)]), is_about_zero=draw is difference)
    return made


def _folded(
    curve: LightCurve | FoldedLightCurve | CombinedLightCurve, period: Any, t0: Any, t0_format: str | None
) -> FoldedLightCurve:
    if isinstance(curve, CombinedLightCurve):
        return curve.folded
    if isinstance(curve, FoldedLightCurve):
        return curve
    if period is None:
        raise BadParameterError("period", "is needed to fold a light curve: a number of days.")
    return _curve_of(curve).fold(period, t0, t0_format=t0_format)


def _curve_of(curve: Any) -> LightCurve:
    """A light curve, also out of the rows of one object."""
    return curve if isinstance(curve, LightCurve) else LightCurve.of_table(curve)


def _brightness(curve: LightCurve) -> tuple[Floats, Floats, bool]:
    """What is drawn, its errors, and whether it is a magnitude."""
    if curve.flux is not None and not np.isfinite(curve.mag).any():
        unknown = np.full(len(curve), np.nan)
        return curve.flux, unknown if curve.flux_err is None else curve.flux_err, False
    return curve.mag, curve.mag_err, True


def _draw_bands(
    ax: Any,
    x: Floats,
    curve: LightCurve,
    offsets: Mapping[str, float],
    marks: Mapping[str, Mark] | None,
    names: Mapping[str, str] | None = None,
) -> None:
    y, error, _ = _brightness(curve)
    looks = {**band_marks(curve.bands), **(marks or {})}
    for band in curve.bands:
        here = curve.band == band
        offset = offsets.get(band, 0.0)
        label = (names or {}).get(band, band_name(band)) + (f" {offset:+g}".replace("-", "−") if offset else "")
        _draw_series(ax, x[here], y[here] + offset, error[here], looks[band], label)


def _draw_series(ax: Any, x: Floats, y: Floats, error: Floats, mark: Mark, label: str) -> None:
    if len(x) > MANY:
        draw_points(ax, x, y, mark=mark, label=label)
        return
    size = 4.5 if len(x) <= 200 else 3.0 if len(x) <= 2_000 else 1.5
    ax.errorbar(
        x,
        y,
        yerr=np.where(np.isfinite(error), error, 0.0) if np.isfinite(error).any() else None,
        linestyle="none",
        marker=mark.marker,
        markersize=size,
        color=mark.colour,
        markeredgewidth=0.0,
        elinewidth=0.9,
        capsize=0.0,
        label=label,
        rasterized=len(x) > 5_000,
    )


def _draw_rings(
    ax: Any, x: Floats, curve: LightCurve, offsets: Mapping[str, float], highlight: ArrayLike | None
) -> None:
    if highlight is None:
        return
    chosen: NDArray[Any] = np.ma.filled(np.ma.asarray(highlight), False)
    if chosen.dtype != np.bool_ or chosen.shape != x.shape:
        raise BadParameterError("highlight", f"must be {len(x)} times true or false, one for each point.")
    shift = np.array([offsets.get(str(band), 0.0) for band in curve.band[chosen]])
    y = _brightness(curve)[0][chosen] + shift
    ax.plot(x[chosen], y, "o", markersize=11, markerfacecolor="none", markeredgecolor="red", markeredgewidth=1.2)


def _set_labels(ax: Any, curve: LightCurve, x_label: str, offsets: Mapping[str, float] | None) -> None:
    _, _, is_magnitude = _brightness(curve)
    one = band_name(curve.bands[0]) if len(curve.bands) == 1 and not offsets else ""
    unit = "mag" if is_magnitude else curve.flux_unit
    ax.set(xlabel=x_label, ylabel=f"{one or ('Magnitude' if is_magnitude else 'Flux')} [{unit}]", title=curve.name)
    ax.yaxis.set_inverted(is_magnitude)
    plain_numbers(ax)
    if len(curve.bands) >= _ABOVE_FROM:
        ax.set_title("")
        ax.set_title(curve.name, loc="left")
        legend(ax, ncols=len(curve.bands), **_ABOVE)
    elif len(curve.bands) > 1 or offsets:
        legend(ax)


def _time_label(curve: LightCurve) -> str:
    kind = curve.time_format.upper().replace("-", " − ")
    scale = f", {curve.time_scale.upper()}" if curve.time_scale else ""
    return f"Time [{kind}{scale}]"


def _less(band: str, centers: Mapping[str, float]) -> str:
    center = centers.get(band, np.nan)
    return f"{band_name(band)} − {center:.2f}" if np.isfinite(center) else band_name(band)


def _span_alike(axes: Sequence[Any], *, is_about_zero: bool) -> None:
    """Give all axes the largest span of them, each about its own middle; the same limits, if they are about zero."""
    ends = np.array([sorted(ax.get_ylim()) for ax in axes]).reshape(-1, 2)
    half = np.max(ends[:, 1] - ends[:, 0], initial=0.0) / 2.0
    for ax, middle in zip(axes, ends.mean(axis=1), strict=True):
        is_inverted = ax.yaxis_inverted()
        ax.set_ylim((ends.min(), ends.max()) if is_about_zero else (middle - half, middle + half))
        ax.yaxis.set_inverted(is_inverted)
