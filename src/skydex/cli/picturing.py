"""Light curves, images and files out of an archive: `lightcurve`, `cutout`, `stamps`, `download`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skydex.cli.angles import dec_degrees, ra_degrees
from skydex.cli.answers import FormatName, OutputFile, sink_of
from skydex.cli.asking import query_text
from skydex.cli.command import Command
from skydex.cli.delivery import deliver
from skydex.cli.screen import remark
from skydex.cli.selecting import Where, conditions_of
from skydex.cli.targets import At, FromStdin, Target, User, connected
from skydex.errors import BadParameterError

if TYPE_CHECKING:
    from skydex.connection import Connection, ResultTable
    from skydex.lightcurve import LightCurve

__all__ = ["COMMANDS", "PANEL", "Bands", "CurveTable", "Object", "Quality", "Radius", "curve_of"]

PANEL = "Ask"

Object = Annotated[
    list[str],
    typer.Argument(
        metavar="OBJECT | RA DEC",
        help="The number that the archive has for it (MatchID, objID), its name, or its position.",
    ),
]
CurveTable = Annotated[
    str | None,
    typer.Option("--table", metavar="TABLE", help="Where its measurements are; by default those of HCV, PS1 and HSC."),
]
Bands = Annotated[str, typer.Option("--bands", metavar="NAMES", help="Only these, with commas between them.")]
Quality = Annotated[
    str | None,
    typer.Option(help='"good" for what the makers of the catalogue recommend, or a rule such as ">= 0.9".'),
]
Radius = Annotated[str, typer.Option(help="How far from a place the object may be.")]

_FORMS = {".fits": "fits", ".fit": "fits", ".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png"}


def lightcurve(
    target: Target,
    thing: Object,
    *,
    table: CurveTable = None,
    bands: Bands = "",
    quality: Quality = None,
    radius: Radius = "1 arcsec",
    output: OutputFile = None,
    format_name: FormatName = None,
    at: At = None,
    user: User = None,
    password_stdin: FromStdin = False,
) -> None:
    """Find the measurements of an object over time: time, magnitude, error, band, quality.

    **Examples**

    - `skydex lightcurve mast-hsc 1905457 --bands ACS_F606W`
    - `skydex lightcurve ps1-tap "KQ UMa" --quality good -o kq-uma.ecsv`
    - `skydex lightcurve archive 141.6 49.4 --radius 2arcsec -f csv`
    """
    sink = sink_of(format_name, output)
    with connected(target, at=at, user=user, stdin=password_stdin) as archive:
        curve = curve_of(archive, thing, table=table, bands=bands, quality=quality, radius=radius)
    sink.take(_points(curve).to_result())


def curve_of(
    archive: Connection, thing: list[str], *, table: str | None, bands: str, quality: str | None, radius: str
) -> LightCurve:
    """The light curve of an object that is given by number, name or position."""
    if len(thing) > 2:
        raise BadParameterError("object", "is a number, a position, or a name; one of several words in quotes.")
    what: Any = thing[0] if len(thing) == 1 else (ra_degrees(thing[0]), dec_degrees(thing[1]))
    chosen = [name.strip() for name in bands.split(",") if name.strip()] or None
    return archive.light_curve(what, table=table, bands=chosen, quality=quality, radius=radius)


def _points(curve: LightCurve) -> ResultTable:
    """A light curve as a table; what is known of no point is left out."""
    import numpy as np
    from astropy.units import d, mag

    from skydex.connection import ResultTable

    columns: dict[str, Any] = {curve.time_format.replace("-", "_"): curve.time * d}
    if np.isfinite(curve.mag).any():
        columns |= {"mag": curve.mag * mag, "mag_err": curve.mag_err * mag}
    if curve.flux is not None:
        flux_err = np.full(len(curve), np.nan) if curve.flux_err is None else curve.flux_err
        columns |= {"flux": curve.flux, "flux_err": flux_err}
    columns["band"] = curve.band
    if np.isfinite(curve.quality).any():
        columns["quality"] = curve.quality
    return ResultTable(columns)


def cutout(
    target: Target,
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="Its name; three with commas make a colour picture.")],
    place: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RA DEC | NAME]", help="The centre; by default the middle of the image."),
    ] = None,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="`.fits`, `.jpg` or `.png` say what it shall be.")
    ],
    size: Annotated[str, typer.Option(help="Side in pixels, or as an angle such as 10arcsec.")] = "33",
    look: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="How a picture is drawn: autoscale=99.5, asinh=1, zoom=2; repeatable."),
    ] = None,
    at: At = None,
    user: User = None,
    password_stdin: FromStdin = False,
) -> None:
    """Cut a part out of an image.

    **Examples**

    - `skydex cutout mast-hsc hst_10543_29_acs_wfc_f606w 187.69 12.40 --size 101 -o nova.fits`
    - `skydex cutout mast-hsc hst_10543_29_acs_wfc_f606w "M 87" --size 20arcsec --look asinh=1 -o m87.jpg`
    """
    form = _FORMS.get(output.suffix.lower())
    if form is None:
        raise BadParameterError("output", f"ends in {', '.join(_FORMS)}, not {output.suffix!r}.")
    with connected(target, at=at, user=user, stdin=password_stdin) as archive:
        names: Any = image.split(",") if "," in image else image
        side: Any = int(size) if size.isdecimal() else size
        found = archive.cutout(names, _centre(place), size=side, form=form, **_looks(look))
    deliver([found.content], output)
    remark(f"{output}: {found.shape[1]} x {found.shape[0]} pixels")


def _centre(place: list[str] | None) -> Any:
    if not place:
        return None
    if len(place) > 2:
        raise BadParameterError("place", "must be RA DEC, or NAME with a name of several words in quotes.")
    return place[0] if len(place) == 1 else (ra_degrees(place[0]), dec_degrees(place[1]))


def _looks(given: list[str] | None) -> dict[str, Any]:
    pairs = [text.partition("=") for text in given or ()]
    if wrong := next((name for name, sign, _ in pairs if not sign), None):
        raise BadParameterError("look", f"has the form NAME=VALUE, not {wrong!r}.")
    return {name.strip(): value.strip() for name, _, value in pairs}


def stamps(
    target: Target,
    detector: Annotated[str, typer.Argument(metavar="DETECTOR", help="UVIS or IR of WFC3, or WFPC2.")],
    *,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="A FITS file: a cube of the stamps, and their table."),
    ],
    where: Where = None,
    suffix: Annotated[list[str] | None, typer.Option(help="Kind of file: flt, flc, raw, c0m, d0m; repeatable.")] = None,
    size: Annotated[int | None, typer.Option(min=1, help="Side in pixels. [51]")] = None,
    maxrec: Annotated[int | None, typer.Option(min=0, help="Most stars.")] = None,
    layout: Annotated[str, typer.Option(help="`cube`, or `extensions`: each with its own header.")] = "cube",
    at: At = None,
    user: User = None,
    password_stdin: FromStdin = False,
) -> None:
    """Get stamps of stars from the PSF databases of Hubble: find the stars, then cut each out of its exposure.

    **Example**: `skydex stamps mast-psf UVIS -w "n_sat_pixels=0" -w "qfit<0.05" --maxrec 20 -o psf.fits`
    """
    with connected(target, at=at, user=user, stdin=password_stdin) as archive:
        given: dict[str, Any] = {} if size is None else {"size": size}
        found = archive.stamps(detector, *conditions_of(where), suffix=suffix or (), maxrec=maxrec, **given)
    found.write(output, layout=layout, overwrite=True)
    n_missing = len(found) - int(found.good.sum())
    remark(f"{output}: {len(found):,} stamps" + (f", {n_missing:,} of them could not be had" if n_missing else ""))


def download(
    target: Target,
    things: Annotated[
        list[str],
        typer.Argument(
            metavar="THING...",
            help="Addresses, data URIs or names of images; @FILE for one in each line, or for a table with a column "
            "dataURI, dataURL, access_url or URL.",
        ),
    ],
    *,
    into: Annotated[Path, typer.Option("--into", metavar="DIR", help="The folder; made if it is new.")] = Path(),
    bundle: Annotated[bool, typer.Option("--bundle", help="Have the archive pack them: quicker for many.")] = False,
    at: At = None,
    user: User = None,
    password_stdin: FromStdin = False,
) -> None:
    """Fetch whole files into a folder, several at once.

    What is there already is not asked for again, and what was interrupted is gone on with. `MANIFEST.jsonl` in the
    folder says what came from where, with sizes and checksums. Prints the paths of the files.

    **Examples**

    - `skydex download mast-hsc hst_10543_29_acs_wfc_f606w --into images`
    - `skydex download archive @wanted.txt --into images --bundle`
    """
    with connected(target, at=at, user=user, stdin=password_stdin) as archive:
        found = archive.download([one for thing in things for one in _named(thing)], into, bundle=bundle)
    for path in found.paths:
        print(path)


def _named(thing: str) -> list[Any]:
    """What is meant by a word: itself, or what a file of that name lists."""
    if not thing.startswith("@"):
        return [thing]
    file = Path(thing[1:])
    if file.suffix.lower() in ("", ".txt", ".lst", ".list"):
        return [line.strip() for line in query_text(thing).splitlines() if line.strip()]
    from skydex.connection import result_table
    from skydex.formats import format_of_file
    from skydex.tables import Result

    read = format_of_file(file).read
    assert read is not None, "a file is known by a format that can be read"
    source = read(file, {})[0]
    return [result_table(Result(source.columns, source.open_batches()))]


_NUMBERS_MAY_BE_NEGATIVE = {"context_settings": {"ignore_unknown_options": True}}

COMMANDS = (
    Command(lightcurve, _NUMBERS_MAY_BE_NEGATIVE),
    Command(cutout, _NUMBERS_MAY_BE_NEGATIVE),
    Command(stamps),
    Command(download),
)
