"""Questions to an archive, here or on the web: `query`, `cone`, `search`, and what there is to ask."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skydex.cli.answers import FormatName, MaxRec, OutputFile, sink_of
from skydex.cli.checking import read_text
from skydex.cli.command import Command
from skydex.cli.pointing import pointing_into
from skydex.cli.selecting import Columns, Sort, Where, conditions_of, cone_of
from skydex.cli.targets import At, FromStdin, TableName, Target, User, connected
from skydex.errors import BadParameterError

if TYPE_CHECKING:
    from skydex.connection import Connection
    from skydex.tables import Result

__all__ = ["COMMANDS", "PANEL", "Lang", "QueryText", "Uploads", "query_text", "uploads_of"]

PANEL = "Ask"

QueryText = Annotated[str, typer.Argument(metavar="QUERY", help="The query; @FILE reads a file, - standard input.")]
Lang = Annotated[str, typer.Option(help="Query language, with a version if one is insisted on: ADQL-2.0.")]
Uploads = Annotated[
    list[str] | None,
    typer.Option("--upload", metavar="NAME=FILE", help="A table that comes along, as TAP_UPLOAD.NAME; repeatable."),
]
EngineName = Annotated[
    str | None,
    typer.Option(
        "--engine", metavar="NAME", help="Of a directory: scan, duckdb or spark; by default what suits the query."
    ),
]
Words = Annotated[
    list[str] | None, typer.Argument(metavar="[WORDS]...", help="Only those that have all these words somewhere.")
]
Place = Annotated[
    list[str],
    typer.Argument(
        metavar="RA DEC RADIUS | NAME RADIUS",
        help="RA: 83.82 (degrees), 5:35:17.3 or 5h35m17.3s. DEC: -5.39 (degrees), -5:23:28 or -5d23m28s. "
        "NAME: of an object, in quotes if it has blanks. RADIUS: 0.5 (degrees), 2arcmin, 30arcsec.",
    ),
]


def query(
    target: Target,
    text: QueryText,
    *,
    output: OutputFile = None,
    format_name: FormatName = None,
    maxrec: MaxRec = None,
    lang: Lang = "ADQL",
    upload: Uploads = None,
    context: Annotated[
        str | None, typer.Option(help="A context of CasJobs: the text is T-SQL then, of one statement or more.")
    ] = None,
    at: At = None,
    user: User = None,
    password_stdin: FromStdin = False,
    engine: EngineName = None,
) -> None:
    """Ask a query in ADQL, or in T-SQL as CasJobs does.

    Prints a table, or writes a file in the format of its name: `.fits`, `.vot`, `.csv`, `.ecsv`, `.parquet`, `.arrow`
    and more. The file appears when it is complete. Any TAP service will do; `mast-casjobs` is asked in T-SQL.

    **Examples**

    - `skydex query archive "SELECT COUNT(*) AS n FROM survey.stars"`
    - `skydex query archive @query.adql -o stars.fits`
    - `skydex query http://127.0.0.1:8642 "SELECT TOP 5 * FROM survey.stars" --format csv`
    - `skydex query https://gea.esac.esa.int/tap-server/tap "SELECT TOP 5 * FROM gaiadr3.gaia_source"`
    - `skydex query archive "SELECT s.* FROM survey.stars s JOIN TAP_UPLOAD.mine m USING (id)" --upload mine=my.csv`
    - `skydex query http://127.0.0.1:8642 "SELECT * FROM mydb.five" --user alice`
    - `skydex query archive "SELECT TOP 5 * INTO mydb.five FROM stars" --context Survey --user alice`
    """
    words, sink = query_text(text), sink_of(format_name, output)
    opened = connected(target, at=at, user=user, stdin=password_stdin, engine=engine)
    with opened as archive, pointing_into(words):
        if context is None and ("query" in archive.verbs or "sql" not in archive.verbs):
            rows = archive.stream(words, maxrec=maxrec, uploads=uploads_of(upload), language=lang).to_result()
        else:
            rows = _batch(archive, words, context, has_limits=maxrec is not None or bool(upload))
        sink.take(rows)


def _batch(archive: Connection, words: str, context: str | None, *, has_limits: bool) -> Result:
    """Statements in T-SQL."""
    if has_limits:
        raise BadParameterError("context", "is for T-SQL, which has neither --maxrec nor --upload: write TOP n.")
    return archive.sql(words, context).to_result()


def cone(
    target: Target,
    table: TableName,
    place: Place,
    *,
    where: Where = None,
    columns: Columns = "",
    sort: Sort = "",
    output: OutputFile = None,
    format_name: FormatName = None,
    maxrec: MaxRec = None,
    at: At = None,
    user: User = None,
    password_stdin: FromStdin = False,
) -> None:
    """Find everything within a radius of a position (ICRS), or of an object that has a name.

    Names are those that the archive's own tables give (`[[names]]` of services.toml), and those of stars, nebulae,
    clusters and galaxies; a service far away is asked for them with Sesame.

    **Examples**

    - `skydex cone archive survey.stars 83.82 -5.39 2arcmin`
    - `skydex cone archive survey.stars "NGC 1333" 2arcmin --where "mag<14" --sort mag`
    - `skydex cone http://127.0.0.1:8642 survey.stars 5:35:17.3 -5:23:28 0.5 -o orion.vot`
    - `skydex cone mast-hsc summary "IC 1613" 0.5 --where "A_F475W_N>=10" --at http://127.0.0.1:8642`
    """
    sink, region = sink_of(format_name, output), cone_of(place)
    with connected(target, at=at, user=user, stdin=password_stdin) as archive:
        sink.take(_rows(archive, table, where, columns=columns, sort_by=sort, maxrec=maxrec, **region))


def search(
    target: Target,
    table: TableName,
    *,
    where: Where = None,
    columns: Columns = "",
    sort: Sort = "",
    output: OutputFile = None,
    format_name: FormatName = None,
    maxrec: MaxRec = None,
    at: At = None,
    user: User = None,
    password_stdin: FromStdin = False,
) -> None:
    """Find the rows of a table that fulfil conditions.

    All conditions must hold. Their signs are `=`, `!=`, `<`, `<=`, `>`, `>=`; the suffixes of MAST's catalogue API do
    as well: `.gte`, `.like`, `.between`, `.in`, `.null`. In quotes, since `<` and `>` mean something to the shell.

    **Examples**

    - `skydex search archive survey.stars --where "mag<14" --columns id,mag --sort mag`
    - `skydex search mast-hsc summary -w "MatchID=80189155" -f csv`
    - `skydex search mast-psf UVIS -w "psf_x_center.between=100,102" -w "n_sat_pixels=0" -o stars.fits`
    """
    sink = sink_of(format_name, output)
    with connected(target, at=at, user=user, stdin=password_stdin) as archive:
        sink.take(_rows(archive, table, where, columns=columns, sort_by=sort, maxrec=maxrec))


def _rows(archive: Connection, table: str, conditions: list[str] | None, **choice: Any) -> Result:
    """Rows in motion, however many there are."""
    from skydex.connection import joined_conditions

    return archive.door.rows(archive.order(table, joined_conditions(conditions_of(conditions), {}), **choice))


def resolve(
    target: Target,
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Of objects, in quotes if they have blanks.")],
    *,
    output: OutputFile = None,
    format_name: FormatName = None,
    at: At = None,
) -> None:
    """Find where objects are, by name; ICRS, degrees.

    **Examples**

    - `skydex resolve archive "M 31" "NGC 1333"`
    - `skydex resolve mast-hsc "IC 1613" --at http://127.0.0.1:8642`
    """
    from astropy.units import deg

    from skydex.connection import ResultTable

    sink = sink_of(format_name, output)
    with connected(target, at=at) as archive:
        places = [archive.resolve(name) for name in names]
    known = [place.info.meta for place in places]
    found = {
        "name": [str(one["name"]) for one in known],
        "ra": [place.ra.deg for place in places] * deg,
        "dec": [place.dec.deg for place in places] * deg,
        "resolver": [str(one["resolver"]) for one in known],
    }
    sink.take(ResultTable(found).to_result())


def tables(
    target: Target,
    words: Words = None,
    *,
    output: OutputFile = None,
    format_name: FormatName = None,
    at: At = None,
    user: User = None,
    password_stdin: FromStdin = False,
) -> None:
    """List the tables that can be asked, or those that speak of something.

    Words are looked for in names, descriptions and columns.

    **Examples**

    - `skydex tables archive`
    - `skydex tables ps1-tap detection`
    """
    sink = sink_of(format_name, output)
    with connected(target, at=at, user=user, stdin=password_stdin) as archive:
        sink.take(archive.tables(" ".join(words or ())).to_result())


def columns(
    target: Target,
    table: TableName,
    words: Words = None,
    *,
    output: OutputFile = None,
    format_name: FormatName = None,
    at: At = None,
    user: User = None,
    password_stdin: FromStdin = False,
) -> None:
    """List the columns of a table, or those that speak of something: types, units, UCDs, descriptions.

    **Examples**

    - `skydex columns archive survey.stars`
    - `skydex columns mast-hsc summary F475W deviation`
    """
    sink = sink_of(format_name, output)
    with connected(target, at=at, user=user, stdin=password_stdin) as archive:
        sink.take(archive.columns(table, " ".join(words or ())).table.to_result())


def explain(
    archive: Annotated[Path, typer.Argument(metavar="ARCHIVE", help="Directory of the archive.")],
    text: QueryText,
    *,
    run: Annotated[bool, typer.Option("--run", help="Run it too, and say how long it took.")] = False,
    lang: Lang = "ADQL",
    engine: EngineName = None,
) -> None:
    """Show how a query would be answered: its tree, its engine, the files and row groups that would be read.

    **Example**: `skydex explain archive "SELECT * FROM survey.stars WHERE DISTANCE(ra, dec, 83.8, -5.4) < 0.1"`
    """
    from skydex.archive import Archive, QueryRequest
    from skydex.settings import load_settings

    words = query_text(text)
    with pointing_into(words):
        opened = Archive.open(archive, load_settings(archive), shows_private=True, engine=engine)
        print(opened.explain(QueryRequest(words, language=lang), run=run))


def query_text(text: str) -> str:
    """The text itself, or that of the file or standard input that it names."""
    if text == "-" or text.startswith("@"):
        return read_text(text.removeprefix("@"))
    return text


def uploads_of(given: list[str] | None) -> Mapping[str, Path]:
    """Files by the names of their tables, out of `NAME=FILE`."""
    pairs = [text.partition("=") for text in given or ()]
    if wrong := next((name for name, sign, file in pairs if not (name and sign and file)), None):
        raise BadParameterError("upload", f"has the form NAME=FILE, not {wrong!r}.")
    return {name.strip(): Path(file).expanduser() for name, _, file in pairs}


_NUMBERS_MAY_BE_NEGATIVE = {"context_settings": {"ignore_unknown_options": True}}

COMMANDS = (
    Command(resolve),
    Command(tables),
    Command(columns),
    Command(cone, _NUMBERS_MAY_BE_NEGATIVE),
    Command(search),
    Command(query),
    Command(explain),
)
