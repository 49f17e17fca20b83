"""Figures out of an archive, in one command each: `skydex plot`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skydex.cli.answers import MaxRec
from skydex.cli.delivery import deliver
from skydex.cli.picturing import Bands, CurveTable, Object, Quality, Radius, curve_of
from skydex.cli.screen import remark
from skydex.cli.selecting import Where, conditions_of, cone_of
from skydex.cli.targets import At, FromStdin, TableName, Target, User, connected
from skydex.errors import RequestError

if TYPE_CHECKING:
    from skydex.connection import Connection, ResultTable

__all__ = ["PANEL", "plot_app"]

PANEL = "Ask"

plot_app = typer.Typer(name="plot", help="Draw what an archive has, as astronomers publish it.", no_args_is_help=True)

_FORMS = (".png", ".pdf", ".svg", ".jpg", ".eps")


def _figure(file: str) -> Path:
    """The file of a figure, whose ending says its form; looked at before anything is asked."""
    path = Path(file)
    if path.suffix.lower() not in _FORMS:
        raise typer.BadParameter(f"it ends in {', '.join(_FORMS)}, not {path.suffix!r}")
    return path


Figure = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="FILE", parser=_figure, help="The figure: `.png`, `.pdf` or `.svg`."),
]
Place = Annotated[
    list[str] | None,
    typer.Argument(metavar="[RA DEC RADIUS | NAME RADIUS]", help="Where, as `skydex cone` takes it."),
]
Highlight = Annotated[
    list[str] | None,
    typer.Option("--highlight", metavar="CONDITION", help="What stands out, as --where says it; all must hold."),
]
ColumnName = Annotated[str, typer.Option(metavar="COLUMN", help="Column to draw.")]
Classes = Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of classes, which are told apart.")]
Scale = Annotated[str, typer.Option(metavar="linear|log", help="How the axis counts.")]
Title = Annotated[str, typer.Option(help="What stands above.")]
Epoch = Annotated[str, typer.Option(metavar="TIME", help="When the phase is 0, in the days of the light curve.")]

_NUMBERS_MAY_BE_NEGATIVE = {"ignore_unknown_options": True}
_SIMULATED, _PRINTED = "SIMULATED", "that publications printed"
"""How the demonstration archive marks its tables."""
_FROM = re.compile(r"\bfrom\s+(\S+)", re.IGNORECASE)


@plot_app.command("sky", context_settings=_NUMBERS_MAY_BE_NEGATIVE)
def sky(
    target: Target,
    table: TableName,
    place: Place = None,
    *,
    output: Figure,
    where: Where = None,
    highlight: Highlight = None,
    classes: Classes = None,
    title: Title = "",
    maxrec: MaxRec = None,
    at: At = None,
    user: User = None,
    password_stdin: FromStdin = False,
) -> None:
    """Positions in a field, with true proportions and east to the left.

    **Example**: `skydex plot sky mast-hsc summary "IC 1613" 0.5 --highlight "A_F475W_MAD>0.1" -o sky.png`
    """
    from skydex import plots

    with connected(target, at=at, user=user, stdin=password_stdin) as archive:
        chosen = _Chosen(archive, table, place, where, _positions(archive, table, classes), maxrec)
        centre = _centre(archive, place)
        ax = plots.sky(chosen.rows(), centre=centre, classes=classes, highlight=chosen.rows_of(highlight))
        _save(ax, output, title, about=chosen.about)


@plot_app.command("allsky")
def allsky(
    target: Target,
    table: TableName,
    *,
    output: Figure,
    where: Where = None,
    highlight: Highlight = None,
    projection: Annotated[str, typer.Option(help="`mollweide`, `aitoff` or `rectangular`.")] = "mollweide",
    title: Title = "",
    maxrec: MaxRec = None,
    at: At = None,
    user: User = None,
    password_stdin: FromStdin = False,
) -> None:
    """Positions on the whole sky.

    **Example**: `skydex plot allsky csc21 csc21.master_source -w "significance>20" -o sky.png`
    """
    from skydex import plots

    with connected(target, at=at, user=user, stdin=password_stdin) as archive:
        chosen = _Chosen(archive, table, None, where, _positions(archive, table, None), maxrec)
        options: dict[str, Any] = {"projection": projection}
        ax = plots.all_sky(chosen.rows(), highlight=chosen.rows_of(highlight), **options)
        _save(ax, output, title, about=chosen.about)


@plot_app.command("cmd", context_settings=_NUMBERS_MAY_BE_NEGATIVE)
def colour_magnitude(
    target: Target,
    table: TableName,
    place: Place = None,
    *,
    blue: ColumnName,
    red: ColumnName,
    magnitude: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The magnitude that is drawn. [that of --red]")
    ] = None,
    output: Figure,
    where: Where = None,
    highlight: Highlight = None,
    classes: Classes = None,
    title: Title = "",
    maxrec: MaxRec = None,
    at: At = None,
    user: User = None,
    password_stdin: FromStdin = False,
) -> None:
    """A colour-magnitude diagram.

    **Example**: `skydex plot cmd mast-hsc summary "IC 1613" 0.5 --blue A_F475W --red A_F814W -o colours.pdf`
    """
    from skydex import plots

    with connected(target, at=at, user=user, stdin=password_stdin) as archive:
        chosen = _Chosen(archive, table, place, where, _known(blue, red, magnitude, classes), maxrec)
        drawn: dict[str, Any] = {"blue": blue, "red": red, "magnitude": magnitude, "classes": classes}
        ax = plots.colour_magnitude(chosen.rows(), highlight=chosen.rows_of(highlight), **drawn)
        _save(ax, output, title, about=chosen.about)


@plot_app.command("variability", context_settings=_NUMBERS_MAY_BE_NEGATIVE)
def variability(
    target: Target,
    table: TableName,
    place: Place = None,
    *,
    magnitude: ColumnName,
    index: ColumnName,
    output: Figure,
    where: Where = None,
    highlight: Highlight = None,
    classes: Classes = None,
    scale: Scale = "linear",
    title: Title = "",
    maxrec: MaxRec = None,
    at: At = None,
    user: User = None,
    password_stdin: FromStdin = False,
) -> None:
    """A variability index against magnitude.

    **Example**: `skydex plot variability mast-hsc summary M31 0.1 --magnitude A_F475W --index A_F475W_MAD -o mad.png`
    """
    from skydex import plots

    with connected(target, at=at, user=user, stdin=password_stdin) as archive:
        chosen = _Chosen(archive, table, place, where, _known(magnitude, index, classes), maxrec)
        drawn: dict[str, Any] = {"magnitude": magnitude, "index": index, "classes": classes, "scale": scale}
        ax = plots.variability(chosen.rows(), highlight=chosen.rows_of(highlight), **drawn)
        _save(ax, output, title, about=chosen.about)


@plot_app.command("scatter", context_settings=_NUMBERS_MAY_BE_NEGATIVE)
def scatter(
    target: Target,
    table: TableName,
    place: Place = None,
    *,
    x: ColumnName,
    y: ColumnName,
    output: Figure,
    where: Where = None,
    highlight: Highlight = None,
    classes: Classes = None,
    x_scale: Scale = "linear",
    y_scale: Scale = "linear",
    title: Title = "",
    maxrec: MaxRec = None,
    at: At = None,
    user: User = None,
    password_stdin: FromStdin = False,
) -> None:
    """Any two columns.

    **Example**: `skydex plot scatter archive survey.stars --x pm_ra --y pm_dec -w "mag<14" -o motions.png`
    """
    from skydex import plots

    with connected(target, at=at, user=user, stdin=password_stdin) as archive:
        chosen = _Chosen(archive, table, place, where, _known(x, y, classes), maxrec)
        drawn: dict[str, Any] = {"x": x, "y": y, "x_scale": x_scale, "y_scale": y_scale, "classes": classes}
        ax = plots.scatter(chosen.rows(), highlight=chosen.rows_of(highlight), **drawn)
        _save(ax, output, title, about=chosen.about)


@plot_app.command("hexbin", context_settings=_NUMBERS_MAY_BE_NEGATIVE)
def hexbin(
    target: Target,
    table: TableName,
    place: Place = None,
    *,
    x: ColumnName,
    y: ColumnName,
    output: Figure,
    where: Where = None,
    x_scale: Scale = "log",
    y_scale: Scale = "log",
    title: Title = "",
    maxrec: MaxRec = None,
    at: At = None,
    user: User = None,
    password_stdin: FromStdin = False,
) -> None:
    """How many rows have which pair of numbers.

    **Example**: `skydex plot hexbin csc21 csc21.master_source --x flux_aper_b --y significance -o fluxes.png`
    """
    from skydex import plots

    with connected(target, at=at, user=user, stdin=password_stdin) as archive:
        chosen = _Chosen(archive, table, place, where, _known(x, y), maxrec)
        drawn: dict[str, Any] = {"x": x, "y": y, "x_scale": x_scale, "y_scale": y_scale}
        _save(plots.hexbin(chosen.rows(), **drawn), output, title, about=chosen.about)


@plot_app.command("lightcurve", context_settings=_NUMBERS_MAY_BE_NEGATIVE)
def lightcurve(
    target: Target,
    thing: Object,
    *,
    output: Figure,
    table: CurveTable = None,
    bands: Bands = "",
    quality: Quality = None,
    radius: Radius = "1 arcsec",
    by_band: Annotated[bool, typer.Option("--by-band", help="Each band in a panel of its own.")] = False,
    difference: Annotated[bool, typer.Option("--difference", help="Differences from the mean of each band.")] = False,
    title: Title = "",
    at: At = None,
    user: User = None,
    password_stdin: FromStdin = False,
) -> None:
    """A light curve with its errors.

    **Examples**

    - `skydex plot lightcurve mast-hsc 1905457 -o nova.png`
    - `skydex plot lightcurve ps1-tap "KQ UMa" --quality good --by-band --difference -o kq-uma.pdf`
    """
    from skydex import plots

    with connected(target, at=at, user=user, stdin=password_stdin) as archive:
        curve = curve_of(archive, thing, table=table, bands=bands, quality=quality, radius=radius)
        about = _about(archive, curve.rows)
    draw: Any = plots.difference if difference else plots.light_curve
    ax = plots.by_band(curve, draw)[0] if by_band else draw(curve)
    _save(ax, output, title or curve.name, about=about)


@plot_app.command("folded", context_settings=_NUMBERS_MAY_BE_NEGATIVE)
def folded(
    target: Target,
    thing: Object,
    *,
    period: Annotated[str, typer.Option(metavar="DAYS", help="The period; a unit may follow, as in 11.7h.")],
    t0: Epoch = "0",
    t0_format: Annotated[
        str | None, typer.Option(metavar="NAME", help="How --t0 counts days: mjd, jd, bjd-2400000.")
    ] = None,
    periods: Annotated[int, typer.Option(min=1, help="How many periods are shown.")] = 2,
    output: Figure,
    table: CurveTable = None,
    bands: Bands = "",
    quality: Quality = None,
    radius: Radius = "1 arcsec",
    by_band: Annotated[bool, typer.Option("--by-band", help="Each band in a panel of its own.")] = False,
    title: Title = "",
    at: At = None,
    user: User = None,
    password_stdin: FromStdin = False,
) -> None:
    """A light curve over its phase.

    **Example**: `skydex plot folded ps1-tap "KQ UMa" --period 0.48636 --quality good --by-band -o kq-uma.png`
    """
    from skydex import plots

    with connected(target, at=at, user=user, stdin=password_stdin) as archive:
        curve = curve_of(archive, thing, table=table, bands=bands, quality=quality, radius=radius)
        about = _about(archive, curve.rows)
    how: dict[str, Any] = {"t0_format": t0_format, "n_periods": periods}
    fold = (_number(period), _number(t0))
    ax = plots.by_band(curve, plots.folded, *fold, **how)[0] if by_band else plots.folded(curve, *fold, **how)
    _save(ax, output, title or curve.name, about=about)


@plot_app.command("cutouts", context_settings=_NUMBERS_MAY_BE_NEGATIVE)
def cutouts(
    target: Target,
    thing: Object,
    *,
    output: Figure,
    size: Annotated[int, typer.Option(min=1, help="Side in pixels.")] = 33,
    most: Annotated[int, typer.Option(min=1, help="At most so many epochs, the first ones.")] = 48,
    titles: Annotated[
        str, typer.Option(help="What stands above each, with columns of the light curve in braces.")
    ] = "{MJD:.3f}",
    table: CurveTable = None,
    bands: Bands = "",
    quality: Quality = None,
    radius: Radius = "1 arcsec",
    at: At = None,
    user: User = None,
    password_stdin: FromStdin = False,
) -> None:
    """The images of an object, one for each measurement of its light curve.

    **Example**: `skydex plot cutouts mast-hsc 1905457 --bands ACS_F606W --size 33 -o epochs.png`
    """
    import numpy as np

    from skydex import plots

    with connected(target, at=at, user=user, stdin=password_stdin) as archive:
        curve = curve_of(archive, thing, table=table, bands=bands, quality=quality, radius=radius)
        about = _about(archive, curve.rows)
        images = archive.cutouts(curve.chosen(np.arange(min(most, len(curve)))), size=size)
    axes = plots.cutouts(images, columns=6, titles=titles)
    _save(axes.flat[0], output, "", about=about)


class _Chosen:
    """The rows that are drawn, and those of them that stand out."""

    def __init__(
        self,
        archive: Connection,
        table: str,
        place: list[str] | None,
        where: list[str] | None,
        columns: Sequence[str],
        maxrec: int | None,
    ) -> None:
        self._archive, self._table = archive, table
        self._conditions = conditions_of(where)
        self._choice: dict[str, Any] = {"columns": columns, "maxrec": maxrec, **(cone_of(place) if place else {})}

    @property
    def about(self) -> str:
        """What the archive says of the table."""
        return self._archive.door.table(self._table).description

    def rows(self) -> ResultTable:
        """All of them; says so where there are more, or none."""
        found = self._archive.search(self._table, *self._conditions, **self._choice)
        if found.truncated or not len(found):
            remark(f"skydex: {f'cut at {len(found):,} rows; there are more (--maxrec).' if len(found) else 'no rows.'}")
        return found

    def rows_of(self, highlight: list[str] | None) -> ResultTable | None:
        """Those that keep further conditions."""
        if not highlight:
            return None
        conditions = (*self._conditions, *conditions_of(highlight))
        return self._archive.search(self._table, *conditions, **self._choice)


def _positions(archive: Connection, table: str, classes: str | None) -> tuple[str, ...]:
    """The columns that say where the rows are; none, for those that the archive shows, if it does not tell."""
    position = archive.door.table(table).position
    return _known(position.ra, position.dec, classes) if position else ()


def _known(*names: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))


def _centre(archive: Connection, place: list[str] | None) -> Any:
    if not place:
        return None
    where = cone_of(place)["where"]
    return archive.resolve(where) if isinstance(where, str) else where


def _number(text: str) -> float | str:
    """A bare number; what has a unit, or is a date, is left to the light curve."""
    try:
        return float(text)
    except ValueError:
        return text


def _about(archive: Connection, rows: Any) -> str:
    """What the archive says of the table from which rows are, as far as they know it."""
    asked = " ".join(str(answer.get("query", "")) for answer in getattr(rows, "provenance", ()))
    found = _FROM.search(asked)
    try:
        return archive.door.table(found[1]).description if found else ""
    except RequestError:
        return ""


def _save(ax: Any, file: Path, title: str, *, about: str) -> None:
    """Write a figure, whole or not at all; one of simulated data says so."""
    if title:
        ax.set_title(title)
    if _SIMULATED in about:
        rest = ", but for printed rows" if _PRINTED in about else ""
        ax.set_title(f"simulated data{rest}", loc="right", fontsize=7, color="0.4")
    content = BytesIO()
    ax.figure.savefig(content, format=file.suffix.lower().removeprefix("."))
    deliver([content.getvalue()], file)
