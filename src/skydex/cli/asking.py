"""Questions to an archive, here or on the web: `query`, `cone`, `explain`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skydex.cli.angles import dec_degrees, ra_degrees, radius_degrees
from skydex.cli.checking import read_text
from skydex.cli.command import Command
from skydex.cli.delivery import deliver
from skydex.cli.passwords import FromStdin, known_password
from skydex.cli.pointing import pointing_into
from skydex.cli.remote import ask, is_address, named_place, scs_address, tap_address
from skydex.cli.screen import remark
from skydex.errors import BadParameterError

if TYPE_CHECKING:
    from skydex.archive import Archive, TableRequest
    from skydex.tables import Result

__all__ = ["COMMANDS", "PANEL"]

PANEL = "Ask"

Target = Annotated[str, typer.Argument(metavar="ARCHIVE-OR-URL", help="Directory of an archive, or a server.")]
Query = Annotated[str, typer.Argument(metavar="QUERY", help="The query; @FILE reads a file, - standard input.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write; by default here.")]
FormatName = Annotated[
    str | None, typer.Option("--format", "-f", help="votable, fits, csv, parquet, ...; by default as FILE is named.")
]
MaxRec = Annotated[int | None, typer.Option(min=0, help="Most rows to return.")]
User = Annotated[str | None, typer.Option(help="Whose tables are mydb; a server is sent the password, too.")]
Lang = Annotated[str, typer.Option(help="Query language, with a version if one is insisted on: ADQL-2.0.")]


def query(
    target: Target,
    text: Query,
    *,
    output: Output = None,
    format_name: FormatName = None,
    maxrec: MaxRec = None,
    lang: Lang = "ADQL",
    context: Annotated[
        str | None, typer.Option(help="A context of CasJobs: the text is T-SQL then, of one statement or more.")
    ] = None,
    user: User = None,
    password_stdin: FromStdin = False,
) -> None:
    """Ask a query in ADQL, or in T-SQL as CasJobs does.

    Prints a table, or writes a file in the format of its name: `.fits`, `.vot`, `.csv`, `.ecsv`, `.parquet`, `.arrow`
    and more. The file appears when it is complete. A server is asked over TAP; any TAP service will do.

    **Examples**

    - `skydex query archive "SELECT COUNT(*) AS n FROM survey.stars"`
    - `skydex query archive @query.adql -o stars.fits`
    - `skydex query http://127.0.0.1:8642 "SELECT TOP 5 * FROM survey.stars" --format csv`
    - `skydex query http://127.0.0.1:8642 "SELECT * FROM mydb.five" --user alice`
    - `skydex query archive "SELECT TOP 5 * INTO mydb.five FROM stars" --context Survey --user alice`
    """
    words = _query_text(text)
    name = _format_name(format_name, output)
    if context is not None:
        _from_context(target, words, maxrec, (context, user), name, output)
        return
    if is_address(target):
        asked = {"REQUEST": "doQuery", "LANG": lang, "QUERY": words, "MAXREC": maxrec}
        login = _login(user, stdin=password_stdin)
        _from_server(lambda more: ask(tap_address(target), {**asked, **more}, login), name, output)
        return
    from skydex.archive import QueryRequest

    with pointing_into(words):
        _from_archive(target, QueryRequest(words, language=lang, max_rows=maxrec, owner=user), name, output)


def _login(user: str | None, *, stdin: bool) -> tuple[str, str] | None:
    """Name and password for a server, where somebody wants to be known there."""
    return (user, known_password(user, stdin=stdin)) if user else None


def _from_context(
    target: str, words: str, maxrec: int | None, asking: tuple[str, str | None], name: str | None, output: Path | None
) -> None:
    """Statements in T-SQL, in the context and for the user of `asking`."""
    from skydex.archive import BatchRequest

    if is_address(target):
        raise BadParameterError("context", "is for the directory of an archive; a server has CasJobs for it.")
    with pointing_into(words):
        _from_archive(target, BatchRequest(words, *asking, maxrec), name, output)


def cone(
    target: Target,
    table: Annotated[str, typer.Argument(metavar="TABLE", help="A table with positions, as schema.table.")],
    place: Annotated[
        list[str],
        typer.Argument(
            metavar="RA DEC RADIUS | NAME RADIUS",
            help="RA: 83.82 (degrees), 5:35:17.3 or 5h35m17.3s. DEC: -5.39 (degrees), -5:23:28 or -5d23m28s. "
            "NAME: of an object, in quotes if it has blanks. RADIUS: 0.5 (degrees), 2arcmin, 30arcsec.",
        ),
    ],
    *,
    output: Output = None,
    format_name: FormatName = None,
    maxrec: MaxRec = None,
    verb: Annotated[int, typer.Option(min=1, max=3, help="1: few columns; 2: the principal ones; 3: all.")] = 2,
    user: User = None,
    password_stdin: FromStdin = False,
) -> None:
    """Find everything within a radius of a position (ICRS), or of an object that has a name.

    Names are those that the archive's own tables give (`[[names]]` of services.toml), and those of stars, nebulae,
    clusters and galaxies; a server is asked for them with Sesame.

    **Examples**

    - `skydex cone archive survey.stars 83.82 -5.39 2arcmin`
    - `skydex cone archive survey.stars "NGC 1333" 2arcmin`
    - `skydex cone http://127.0.0.1:8642 survey.stars 5:35:17.3 -5:23:28 0.5 -o orion.vot`
    """
    from skydex.archive import ConeRequest

    name = _format_name(format_name, output)
    ra, dec, radius = _region(target, place)
    if is_address(target):
        asked = {"RA": ra, "DEC": dec, "SR": radius, "VERB": verb, "MAXREC": maxrec}
        login = _login(user, stdin=password_stdin)
        _from_server(lambda more: ask(scs_address(target, table), {**asked, **more}, login), name, output)
        return
    request = ConeRequest(table, ra, dec, radius, verbosity=verb, max_rows=maxrec, owner=user)
    _from_archive(target, request, name, output)


def _region(target: str, place: list[str]) -> tuple[float, float, float]:
    """Centre and radius in degrees, from a position and a radius or from a name and a radius."""
    if len(place) not in (2, 3):
        raise BadParameterError(
            "place", "must be RA DEC RADIUS, or NAME RADIUS with a name of several words in quotes."
        )
    if len(place) == 3:
        return ra_degrees(place[0]), dec_degrees(place[1]), radius_degrees(place[2])
    radius = radius_degrees(place[1])
    ra, dec = named_place(target, place[0]) if is_address(target) else _open(target).names().get(place[0])
    return ra, dec, radius


def explain(
    archive: Annotated[Path, typer.Argument(metavar="ARCHIVE", help="Directory of the archive.")],
    text: Query,
    *,
    run: Annotated[bool, typer.Option("--run", help="Run it too, and say how long it took.")] = False,
    lang: Lang = "ADQL",
) -> None:
    """Show how a query would be answered: its tree, its engine, the files and row groups that would be read.

    **Example**: `skydex explain archive "SELECT * FROM survey.stars WHERE DISTANCE(ra, dec, 83.8, -5.4) < 0.1"`
    """
    from skydex.archive import QueryRequest

    words = _query_text(text)
    with pointing_into(words):
        print(_open(str(archive)).explain(QueryRequest(words, language=lang), run=run))


def _query_text(text: str) -> str:
    if text == "-" or text.startswith("@"):
        return read_text(text.removeprefix("@"))
    return text


def _format_name(asked: str | None, output: Path | None) -> str | None:
    """Name of the format to write; None for a table on the terminal."""
    from skydex.formats import format_of_suffix, get_format

    if asked is not None:
        return get_format(asked).name
    return format_of_suffix(output.name).name if output is not None else None


def _open(directory: str) -> Archive:
    from skydex.archive import Archive
    from skydex.settings import load_settings

    return Archive.open(directory, load_settings(Path(directory)), shows_private=True)


def _from_archive(directory: str, request: TableRequest, name: str | None, output: Path | None) -> None:
    archive = _open(directory)
    if request.owner is not None:
        archive.accounts.get(request.owner)  # rather than say that tables of nobody are not there
    with archive.query(request) as result:
        deliver(_written(result, name or "text"), output)
        _report(result)


def _from_server(
    asked: Callable[[Mapping[str, object]], Iterator[bytes]], name: str | None, output: Path | None
) -> None:
    """Deliver what a server answers to a question with more parameters."""
    if name is not None:
        deliver(asked({"RESPONSEFORMAT": name}), output)
        return
    with _received(asked({})) as result:
        deliver(_written(result, "text"), None)
        _report(result)


@contextmanager
def _received(chunks: Iterator[bytes]) -> Iterator[Result]:
    """A VOTable from a server, read."""
    from skydex.formats import get_format
    from skydex.tables import Result

    with tempfile.TemporaryDirectory(prefix="skydex-") as folder:
        file = Path(folder, "answer.vot")
        deliver(chunks, file)
        read = get_format("votable").read
        assert read is not None, "VOTables can be read"
        source = read(file, {})[0]
        warnings = [text for text in source.warnings if "overflow" in text.lower()]
        yield Result(source.columns, source.open_batches(), warnings=warnings)


def _written(result: Result, name: str) -> Iterator[bytes]:
    from skydex.formats import get_format

    write = get_format(name).write
    assert write is not None, "get_format gives formats that can be written"
    return write(result)


def _report(result: Result) -> None:
    """What is odd about an answer, once its last row is out."""
    if result.overflow:
        remark(f"skydex: cut at {result.max_rows:,} rows; there are more (--maxrec).")
    for warning in result.warnings:
        remark(f"skydex: {warning}")


_NUMBERS_MAY_BE_NEGATIVE = {"context_settings": {"ignore_unknown_options": True}}

COMMANDS = (Command(query), Command(cone, _NUMBERS_MAY_BE_NEGATIVE), Command(explain))
