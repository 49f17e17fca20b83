"""Write the reference pages from the code: `make docs`.

Each page is a function of what the code says of itself; `tests/docs` compares the pages with what this script would
write, so that nothing can be offered without being documented.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import inspect
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import typer

from skydex import errors
from skydex.archive import Archive
from skydex.cli.app import app
from skydex.engines.duckdb import DuckDBEngine
from skydex.formats import REGISTRY
from skydex.ingest import named_recipe, recipe_names
from skydex.lightcurve import KNOWN_ROLES, STATISTICS, Neighbours, QualityCuts, Roles, SearchSettings, Windows
from skydex.query import Namespace, Relation, bind, make_plan
from skydex.query.functions import GROUPS
from skydex.query.geometric import GEOMETRY_FUNCTIONS
from skydex.query.languages import LANGUAGES, QueryLimits, parse_adql
from skydex.query.languages.words import FOREIGN_FUNCTIONS, FOREIGN_LITERALS, FOREIGN_SIGNS, FOREIGN_WORDS
from skydex.query.tsql import GROUPS as TSQL_GROUPS
from skydex.query.tsql import WINDOWS
from skydex.settings import Settings, settings_table
from skydex.store import ArchiveDirectory
from skydex.tables import Column, Datatype, Table, arrow_schema
from skydex.web import SERVICES, dali
from skydex.web.dispatch import Dispatcher
from skydex.web.runner import Runner
from skydex.web.site import Site

REFERENCE = Path(__file__).parent / "reference"
_NOTE = "<!-- Written by `make docs` from the code. -->\n"


def settings_page() -> str:
    """Every setting."""
    return _page(
        "Settings",
        "A value comes from, in rising order of weight: the default; `skydex.toml` in the archive directory, or the "
        "file of `--config`; the environment; a flag of `skydex serve`. A name that is no setting is an error.",
        settings_table(),
    )


def formats_page() -> str:
    """Every file format."""
    rows = [
        (
            f"`{kind.name}`",
            "yes" if kind.read else "",
            "yes" if kind.write else "",
            ", ".join(f"`{suffix}`" for suffix in kind.suffixes),
            f"`{kind.media_type}`",
            ", ".join(f"`{alias}`" for alias in kind.aliases),
        )
        for kind in REGISTRY.all
    ]
    return _page(
        "Formats",
        "A format is asked for by its name, its media type or another name (`RESPONSEFORMAT` of a service, `--format` "
        "of a command), or by the ending of a file name. Files may be compressed with gzip, bzip2 or xz. What is read "
        "is told from the first bytes rather than from the ending.",
        _table(("format", "read", "written", "endings", "media type", "other names"), rows),
    )


def services_page() -> str:
    """Every service with its addresses."""
    sections = []
    with tempfile.TemporaryDirectory() as folder:
        directory = ArchiveDirectory.create(folder)
        site = Site(Archive(directory, Settings()), Settings(), _nobody(Dispatcher), _nobody(Runner))
        for service in SERVICES:
            paths = dict.fromkeys(f"- `{route.path}`" for route in service.routes(site))
            sections.append(
                "\n".join([f"## {service.title}", "", _about(inspect.getmodule(service.routes)), "", *paths])
            )
    languages = ", ".join(f"{kind.name} {version}" for kind in LANGUAGES.values() for version in kind.versions)
    return _page(
        "Services",
        f"Where a server answers, by default below `http://127.0.0.1:8642`. Query languages: {languages}.",
        "\n\n".join(sections),
    )


def errors_page() -> str:
    """Every error, with what becomes of it over HTTP."""
    kinds = [kind for name in errors.__all__ if inspect.isclass(kind := getattr(errors, name))]
    rows = [
        (f"`{kind.__name__}`", f"`{_parent(kind)}`", str(_status(kind)), inspect.getdoc(kind) or "") for kind in kinds
    ]
    return _page(
        "Errors",
        "What can go wrong. A `RequestError` the asker can mend, a `LimitError` says how to stay below the limit, a "
        "`ServiceError` is ours. The command line prints one line and exits with 1; services send the same sentence.",
        _table(("error", "is a", "HTTP status", "meaning"), rows),
    )


def recipes_page() -> str:
    """Every recipe that comes along."""
    sections = [f"## `{name}`\n\nColumns: {_columns_of(name)}." for name in recipe_names()]
    return _page(
        "Recipes",
        "What skydex knows of the tables of large surveys: `skydex ingest FILE --recipe NAME`. A recipe applies to "
        "those of its columns that a file has.",
        "\n\n".join(sections),
    )


def functions_page() -> str:
    """Every function of queries."""
    geometry = _table(("function", "gives"), [(f"`{usage}`", text) for usage, text in GEOMETRY_FUNCTIONS.values()])
    sections = [f"## Geometry\n\n{geometry}"]
    for title, functions in GROUPS.items():
        rows = [(f"`{form.signature or form.usage}`", form.description) for f in functions for form in f.forms]
        sections.append(f"## {title}\n\n{_table(('function', 'gives'), rows)}")
    return _page(
        "Functions",
        "What a query may call. Names are read in any case. Null gives null unless something else is said, and so does "
        "what lies outside the domain of a function. Functions of names with `ivo_` are those of the Catalogue of ADQL "
        "User Defined Functions 1.2 (IVOA Endorsed Note); those with `gavo_`, `gaia_` and `epoch_prop` are what other "
        "services call them, so that queries written for those run here.",
        "\n\n".join(sections),
    )


def tsql_page() -> str:
    """Every function of T-SQL."""
    groups = {**TSQL_GROUPS, "Rows of a window, with OVER (ORDER BY ...)": list(WINDOWS.items())}
    sections = [
        f"## {title}\n\n{_table(('function', 'gives'), [(f'`{usage}`', text) for usage, text in rows])}"
        for title, rows in groups.items()
    ]
    return _page(
        "T-SQL",
        "What queries of CasJobs may call, with the meaning that Transact-SQL (SQL Server 2022) gives it. Names "
        "are read in any case, and so are texts: `'g' = 'G'`. Integers divide as integers, `+` joins texts, nulls "
        "come first in an order. Where a SQL Server ends a query, as at a division by zero or the logarithm of a "
        "negative number, the value is null. A decimal counts as a float. Beside these functions there are CAST, "
        "CONVERT, TRY_CAST and TRY_CONVERT to the types of numbers, texts and dates, CASE, and the functions of "
        "geometry that ADQL has; a function that is not listed is an error.",
        "\n\n".join(sections),
    )


def adql_page() -> str:
    """What can be said in queries: the text of `adql.txt`, its expressions with their values, words, and limits."""
    blocks = (Path(__file__).parent / "adql.txt").read_text(encoding="utf-8").strip().split("\n\n")
    first, *others = (_valued(block) if block.startswith("> ") else block for block in blocks)
    foreign = {**FOREIGN_WORDS, **FOREIGN_LITERALS, **{s: text for s, text in FOREIGN_SIGNS.items() if s.isascii()}}
    words = _table(("word or sign", "what to write"), [(_code(word), foreign[word]) for word in sorted(foreign)])
    calls = _table(("function", "what to write"), sorted(_by_remedy(FOREIGN_FUNCTIONS)))
    sizes = [(text.rstrip("."), f"{value:,}") for value, text in _described(QueryLimits())]
    more = ["## What other languages say", words, calls, "## Limits", _table(("what", "at most"), sizes)]
    return _page("ADQL", first, "\n\n".join([*others, *more]))


def _by_remedy(hints: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """All words that share a hint, with that hint."""
    for hint in dict.fromkeys(hints.values()):
        yield ", ".join(_code(word) for word in hints if hints[word] == hint), hint


def _code(text: str) -> str:
    return f"`{text}`" if text != "`" else "`` ` ``"


def _valued(block: str) -> str:
    """Expressions as a table of their types and values."""
    return _table(("expression", "type", "value"), [_value(line.removeprefix("> ")) for line in block.splitlines()])


def _value(expression: str) -> tuple[str, str, str]:
    tree = parse_adql(f"SELECT {expression} AS x FROM one")
    result = DuckDBEngine().run(make_plan(bind(tree, Namespace([Relation(_ONE, _ROW)]))))
    column, value = result.columns[0], result.to_arrow().column(0)[0].as_py()
    kind = f"{column.datatype}{f'[{column.arraysize}]' if column.arraysize else ''}"
    return f"`{expression}`", " ".join(filter(None, (kind, column.xtype, column.unit))), _shown(value)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(_shown(item) for item in value)
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return "null" if value is None else f"{value:.9g}" if isinstance(value, float) else str(value)


def _described(settings: Any) -> Iterator[tuple[Any, str]]:
    """The fields of a dataclass, each with the line below it."""
    lines = inspect.getsource(type(settings)).splitlines()
    for field in dataclasses.fields(settings):
        at = next(i for i, line in enumerate(lines) if line.strip().startswith(f"{field.name}:"))
        yield getattr(settings, field.name), lines[at + 1].strip().strip('"')


_ONE = Table(
    "one",
    (
        Column("ra", Datatype.DOUBLE, unit="deg"),
        Column("dec", Datatype.DOUBLE, unit="deg"),
        Column("mag", Datatype.DOUBLE, unit="mag"),
        Column("name", Datatype.CHAR, arraysize="8*"),
        Column("flags", Datatype.INT),
        Column("seen", Datatype.CHAR, arraysize="26*", xtype="timestamp"),
        Column("s_region", Datatype.CHAR, arraysize="*", xtype="adql:REGION"),
        Column("spot", Datatype.DOUBLE, arraysize="2", unit="deg", xtype="point"),
        Column("span", Datatype.DOUBLE, arraysize="2", xtype="interval"),
    ),
)
_M31 = (10.6847, 41.2687, 3.44, "M31", 5, dt.datetime(2015, 1, 31, 12), "CIRCLE ICRS 10.7 41.3 1.5")
_ROW = pa.table([[value] for value in (*_M31, [10.6847, 41.2687], [1.0, 2.0])], schema=arrow_schema(_ONE.columns))


def cli_page() -> str:
    """Every command."""
    return _page("Commands", inspect.cleandoc(app.info.help or ""), "\n\n".join(_commands("skydex", _click(app))))


def light_curves_page() -> str:
    """Every index of a light curve, and every setting of a search for variables."""
    indices = [
        (f"`{one.name}`", one.unit.replace("mag2", "mag²"), str(one.least), one.description)
        for one in STATISTICS.values()
    ]
    groups = (SearchSettings(), Neighbours(), Windows(), QualityCuts())
    cuts = [
        (f"`{type(group).__name__}.{field.name}`", f"`{value}`", line)
        for group in groups
        for field, (value, line) in zip(dataclasses.fields(group), _described(group), strict=True)
        if not dataclasses.is_dataclass(value)
    ]
    return _page(
        "Light curves",
        "The indices that `skydex.lightcurve.features` computes, with the fewest points that each needs; the cuts and "
        "widths of `skydex.lightcurve.classify`; the columns by which `LightCurve.of_table` knows a survey, and what "
        "its makers recommend to keep.",
        _table(("index", "unit", "points", "meaning"), indices)
        + "\n\n"
        + _table(("setting of a search", "default", "meaning"), cuts)
        + "\n\n"
        + _table(("survey", "time", "brightness", "band", "quality"), [_roles(*one) for one in KNOWN_ROLES.items()]),
    )


def _roles(survey: str, roles: Roles) -> tuple[str, ...]:
    """What the columns of a survey's light curves hold."""
    values = [roles.mag or roles.flux, roles.mag_err or roles.flux_err]
    good = f" {roles.good.operator} {roles.good.value:g}" if roles.good else ""
    return (
        survey,
        f"`{roles.time}`, {roles.time_format.upper()} ({roles.time_scale.upper()})",
        ", ".join(f"`{value}`" for value in values if value),
        ", ".join(f"`{value}`" for value in (roles.camera, roles.band) if value),
        f"`{roles.quality}{good}`" if roles.quality else "",
    )


def capabilities_page() -> str:
    """What five published notebooks do, and what shows that it can be done here: the text of `capabilities.toml`."""
    items = tomllib.loads((Path(__file__).parent / "capabilities.toml").read_text(encoding="utf-8"))
    documents = items.pop("documents")
    sections = []
    for letter, document in documents.items():
        own = {number: item for number, item in items.items() if number[0] == letter}
        rows = [(number, item["what"], _places(item["where"]), _tests(item["tests"])) for number, item in own.items()]
        missing = [f"- **{number}** {item['open']}" for number, item in own.items() if "open" in item]
        sections += [f"## {document['title']}", *_tutorial(document)]
        sections += [
            _table(("item", "what", "where", "shown by"), rows),
            *(["Open:", "\n".join(missing)] if missing else []),
        ]
    n_open = sum("open" in item for item in items.values())
    return _page(
        "Capabilities",
        "Five published notebooks, of the archives in Baltimore and Cambridge, are what skydex has to be able to do. "
        f"These are their steps and what large catalogues need besides, {len(items)} in all, with where each is to be "
        f"found, and the tests below `tests/` that show it. Of {n_open} a part is open, which is told below each "
        "table.",
        "\n\n".join(sections),
    )


def _tutorial(document: Mapping[str, str]) -> Iterator[str]:
    if path := document.get("tutorial"):
        yield f"All steps one after another: [{path}](../{path}), which `tests/tutorials` runs near and at a server."


def _places(places: list[str]) -> str:
    """Pages as links, names as code."""
    return ", ".join(f"[{one}](../{one})" if one.endswith((".md", ".ipynb")) else f"`{one}`" for one in places)


def _tests(tests: list[str]) -> str:
    """Tests, each file named once."""
    by_file: dict[str, list[str]] = {}
    for test in tests:
        file, _, name = test.partition("::")
        by_file.setdefault(file, []).append(f"`{name}`")
    return "; ".join(f"`{file}`: {', '.join(names)}" for file, names in by_file.items())


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "formats.md": formats_page,
    "services.md": services_page,
    "errors.md": errors_page,
    "recipes.md": recipes_page,
    "adql.md": adql_page,
    "functions.md": functions_page,
    "tsql.md": tsql_page,
    "light-curves.md": light_curves_page,
    "commands.md": cli_page,
    "capabilities.md": capabilities_page,
}


def _page(title: str, introduction: str, body: str) -> str:
    return f"{_NOTE}\n# {title}\n\n{introduction}\n\n{body}\n"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in line)} |" for line in lines
    )


def _about(module: Any) -> str:
    """The docstring of a module without its first word, as a paragraph."""
    return inspect.getdoc(module).partition("\n\n")[2] or inspect.getdoc(module)


def _nobody(role: type) -> Any:
    """Routes are only listed here; nobody answers."""
    return object.__new__(role)


def _status(kind: type[errors.SkydexError]) -> int:
    return dali.error_status(kind.__new__(kind))


def _parent(kind: type[errors.SkydexError]) -> str:
    """The nearest ancestor that is published."""
    return next(base.__name__ for base in kind.__mro__[1:] if base.__name__ in (*errors.__all__, "Exception"))


def _columns_of(name: str) -> str:
    return ", ".join(f"`{pattern}`" for pattern in named_recipe(name).columns)


def _click(commands: typer.Typer) -> Any:
    return typer.main.get_command(commands)


def _commands(path: str, group: Any) -> Iterator[str]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(f"{path} {name}", command)
        else:
            yield _command(f"{path} {name}", command)


def _command(path: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and p.name != "help"]
    usage = " ".join([path, *(p.metavar or p.name.upper() for p in arguments), "[OPTIONS]"])
    rows = [(f"`{p.metavar or p.name.upper()}`", p.help or "") for p in arguments]
    rows += [(", ".join(f"`{name}`" for name in p.opts), p.help or "") for p in options]
    about = inspect.cleandoc(command.help or "").replace("**Examples**", "Examples:").replace("**Example**", "Example")
    parts = [f"## {path}", f"`{usage}`", about, _table(("argument or option", "meaning"), rows) if rows else ""]
    return "\n\n".join(part for part in parts if part)


def main() -> None:
    """Write all pages."""
    REFERENCE.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")
        print(f"docs/reference/{name}")


if __name__ == "__main__":
    main()
