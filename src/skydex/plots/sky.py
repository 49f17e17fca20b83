"""Positions: of a field, with true proportions and east to the left, and of the whole sky."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from skydex.errors import BadParameterError
from skydex.plots.canvas import draw_points, legend, new_axes, plain_numbers
from skydex.plots.data import Floats, classes_of, highlighted, places_of
from skydex.plots.style import HIGHLIGHT, class_marks

__all__ = ["all_sky", "sky"]

Projection = Literal["mollweide", "aitoff", "rectangular"]
_NEAR_POLE_DEG = 85.0
_PLANE = "#0072B2"  # unlike what is highlighted
_ABOVE: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "ncols": 2, "borderaxespad": 0.2}
"""Fields fill their axes, so that their legend stands above."""


def sky(
    stars: Any,
    *,
    centre: Any = None,
    radius: Any = None,
    ra: str | ArrayLike | None = None,
    dec: str | ArrayLike | None = None,
    highlight: Any = None,
    classes: str | ArrayLike | None = None,
    label: str = "objects",
    highlight_label: str = "selected",
    ax: Any = None,
) -> Any:
    """Draw the positions of a field: right ascension to the left, as wide as the field is on the sky.

    Parameters
    ----------
    stars : table, SkyCoord, or pair of (n,) arrays
        Positions, ICRS; bare numbers are degrees. A field across RA 0 is in one piece.
    centre : SkyCoord or pair of numbers, optional
        A place to mark with a cross; a name that came with it stands in the legend.
    radius : float or Quantity, optional
        Of a circle to draw around the centre, such as that of a cone search; degrees, if it is a bare number.
    ra, dec : str or (n,) array_like, optional
        Columns of the position, if they cannot be told by UCD or name.
    highlight : mask, table, SkyCoord or numbers of rows, optional
        What stands out.
    classes : str or (n,) array_like, optional
        Column of classes, which are told apart.
    label, highlight_label : str, optional
        What the points are called in the legend, where their number is too.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.

    Returns
    -------
    ax : matplotlib.axes.Axes

    Warns
    -----
    UserWarning
        The field is so near a pole that right ascension and declination are no good axes.
    """
    ax = new_axes(ax, size=(5.2, 5.2))
    ra_deg, dec_deg = places_of(stars, ra, dec)
    middle = _middle(ra_deg, dec_deg, centre)

    def read(rows: Any) -> tuple[Floats, ...]:
        at = places_of(rows, ra, dec)
        return _unwrapped(at[0], middle[0]), at[1]

    x, y = read(stars)
    if classes is None:
        draw_points(ax, x, y, label=label)
    else:
        found = classes_of(stars, classes)
        for place, (name, mark) in enumerate(class_marks(found.names).items()):
            of_class = found.of_row == place
            draw_points(ax, x[of_class], y[of_class], mark=mark, label=name)
    chosen = highlighted(read, stars, highlight)
    if chosen is not None:
        draw_points(ax, *chosen, mark=HIGHLIGHT, label=highlight_label, zorder=3)
    if centre is not None:
        (x0,), (y0,) = read(_one_place(centre))
        ax.plot([x0], [y0], "+", color="red", markersize=14, markeredgewidth=1.8, label=_name_of(centre), zorder=4)
        if radius is not None:
            ax.plot(*read(_circle(centre, radius)), color="red", linewidth=1.0, zorder=3.5)
    _set_field(ax, middle[1], y)
    legend(ax, **_ABOVE)
    return ax


def all_sky(
    stars: Any,
    *,
    projection: Projection = "mollweide",
    middle_ra: float = 180.0,
    ra: str | ArrayLike | None = None,
    dec: str | ArrayLike | None = None,
    highlight: Any = None,
    label: str = "objects",
    highlight_label: str = "selected",
    galactic_plane: bool = True,
    ax: Any = None,
) -> Any:
    """Draw positions on the whole sky, right ascension to the left.

    Parameters
    ----------
    stars, ra, dec, highlight, label, highlight_label
        As `sky` takes them.
    projection : {"mollweide", "aitoff", "rectangular"}, optional
        How the sphere becomes flat; Mollweide keeps areas, so that densities can be compared.
    middle_ra : float, optional
        Right ascension in the middle, degrees.
    galactic_plane : bool, optional
        Whether the plane of the Milky Way is drawn.
    ax : matplotlib.axes.Axes, optional
        Where to draw; made with the same `projection`, unless that is rectangular.

    Returns
    -------
    ax : matplotlib.axes.Axes
        In radians if it has a projection: longitude is `radians(middle_ra - ra)`, from -pi to pi.
    """
    if projection not in ("mollweide", "aitoff", "rectangular"):
        problem = f'must be mollweide, aitoff or rectangular, not "{projection}".'
        raise BadParameterError("projection", problem)
    is_flat = projection == "rectangular"
    ax = new_axes(ax, size=(8.0, 4.4), **({} if is_flat else {"projection": projection}))

    def read(rows: Any) -> tuple[Floats, ...]:
        at = places_of(rows, ra, dec)
        x = _unwrapped(at[0], middle_ra)
        return (x, at[1]) if is_flat else (np.radians(middle_ra - x), np.radians(at[1]))

    draw_points(ax, *read(stars), label=label)
    chosen = highlighted(read, stars, highlight)
    if chosen is not None:
        draw_points(ax, *chosen, mark=HIGHLIGHT, label=highlight_label, zorder=3)
    if galactic_plane:
        line = _broken(*read(_galactic_plane()))
        ax.plot(*line, color=_PLANE, linewidth=1.0, label="Galactic plane", zorder=2.5)
    _set_flat_sky(ax, middle_ra) if is_flat else _set_round_sky(ax, middle_ra)
    legend(ax, **_ABOVE if is_flat else {"loc": "lower right", "bbox_to_anchor": (1.0, -0.08)})
    return ax


def _middle(ra_deg: Floats, dec_deg: Floats, centre: Any) -> tuple[float, float]:
    """About where a field is: the mean of its directions."""
    if centre is not None:
        ra_deg, dec_deg = _one_place(centre)
    known = np.isfinite(ra_deg) & np.isfinite(dec_deg)
    if not known.any():
        return 0.0, 0.0
    alpha, delta = np.radians(ra_deg[known]), np.radians(dec_deg[known])
    east, north = np.mean(np.cos(delta) * np.exp(1j * alpha)), np.mean(np.sin(delta))
    return float(np.degrees(np.angle(east)) % 360.0), float(np.degrees(np.arctan2(north, np.abs(east))))


def _unwrapped(ra_deg: Floats, middle_deg: float) -> Floats:
    """Right ascensions within half a turn of one in the middle, so that nothing is torn apart at 0."""
    return middle_deg + (ra_deg - middle_deg + 180.0) % 360.0 - 180.0


def _set_field(ax: Any, middle_dec: float, y: Floats) -> None:
    if np.nanmax(np.abs(y), initial=abs(middle_dec)) > _NEAR_POLE_DEG:
        sentence = "The field is near a pole, where axes of RA and Dec are far from true: offsets show it better."
        warnings.warn(sentence, UserWarning, stacklevel=3)
    ax.set_aspect(1.0 / max(np.cos(np.radians(middle_dec)), 1e-3), adjustable="datalim" if _is_shared(ax) else "box")
    ax.xaxis.set_inverted(True)
    plain_numbers(ax)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(_few_ticks())
    if min(ax.get_xlim()) < 0.0 or max(ax.get_xlim()) > 360.0:
        ax.xaxis.set_major_formatter(lambda value, _: f"{value % 360.0:.8g}")
    ax.set(xlabel="RA [deg]", ylabel="Dec [deg]")


def _is_shared(ax: Any) -> bool:
    return len(ax.get_shared_x_axes().get_siblings(ax)) > 1


def _few_ticks() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(5)


def _set_flat_sky(ax: Any, middle_ra: float) -> None:
    ax.set(xlim=(middle_ra + 190.0, middle_ra - 190.0), ylim=(-90.0, 90.0), xlabel="RA [deg]", ylabel="Dec [deg]")
    ax.set_aspect("equal")
    ax.set_xticks(middle_ra + np.arange(-180.0, 181.0, 60.0))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value % 360.0:g}")
    ax.set_yticks(np.arange(-90.0, 91.0, 30.0))


def _set_round_sky(ax: Any, middle_ra: float) -> None:
    at = np.arange(-120.0, 121.0, 60.0)
    ax.set_xticks(np.radians(at), [f"{(middle_ra - longitude) % 360.0:g}°" for longitude in at])
    ax.set_yticks(np.radians(np.arange(-60.0, 61.0, 30.0)))
    ax.grid(color="0.6", linewidth=0.4, alpha=0.6)
    ax.set_axisbelow(False)
    ax.tick_params(labelsize=8, colors="0.1")
    for text in ax.get_xticklabels():  # they stand among the data
        text.set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8})


def _galactic_plane() -> Any:
    from astropy.coordinates import SkyCoord

    return SkyCoord(np.linspace(0.0, 360.0, 721), 0.0, unit="deg", frame="galactic")


def _broken(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """A line that ends where it leaves the map and goes on where it comes back."""
    order = np.argsort(x)
    return x[order], y[order]


def _one_place(centre: Any) -> tuple[Floats, ...]:
    return places_of(tuple(centre) if isinstance(centre, list) else centre)


def _circle(centre: Any, radius: Any) -> Any:
    """Places as far from the centre as the radius, all around it."""
    from astropy import units as u
    from astropy.coordinates import SkyCoord

    middle = SkyCoord(*(values[0] for values in _one_place(centre)), unit="deg")
    return middle.directional_offset_by(np.linspace(0.0, 360.0, 181) * u.deg, u.Quantity(radius, u.deg))


def _name_of(centre: Any) -> str:
    meta = getattr(getattr(centre, "info", None), "meta", None) or {}
    return str(meta.get("name", "centre"))
