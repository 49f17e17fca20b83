"""What an archive holds, and whether it is sound: `list`, `show`, `verify`, `index`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skydex.cli.command import Command
from skydex.cli.screen import output, progress_bar, remark
from skydex.cli.users import Config, open_archive
from skydex.errors import StoreError

if TYPE_CHECKING:
    from skydex.archive import Archive as OpenArchive
    from skydex.store import ArchiveDirectory, Dataset
    from skydex.tables import Column

__all__ = ["COMMANDS", "PANEL"]

PANEL = "Look after"

Archive = Annotated[Path, typer.Argument(metavar="ARCHIVE", help="Directory of the archive.")]


def list_tables(archive: Archive) -> None:
    """List the tables of an archive.

    **Example**: `skydex list archive`
    """
    from rich.markup import escape
    from rich.table import Table

    from skydex.store import ArchiveDirectory

    grid = Table("table", "rows", "", "published", "description", box=None, header_style="bold", pad_edge=False)
    grid.columns[1].justify = "right"
    for entry in ArchiveDirectory(archive).tables():
        n_rows = "?" if entry.n_rows is None else f"{entry.n_rows:,}"
        grid.add_row(entry.name, n_rows, entry.kind, entry.published_at[:10], escape(entry.description))
    output().print(grid)


def show(
    archive: Archive,
    table: Annotated[str, typer.Argument(metavar="TABLE", help="Name of the table, as schema.table.")],
) -> None:
    """Describe a table: its columns, where its positions are, how it lies on the disk, how it was ingested.

    A question mark after a unit or UCD says that it was guessed, and how surely.

    **Example**: `skydex show archive survey.stars`
    """
    from rich.markup import escape
    from rich.table import Table

    from skydex.store import ArchiveDirectory

    directory = ArchiveDirectory(archive)
    dataset = directory.open(table)
    described = dataset.table
    grid = Table("column", "type", "unit", "ucd", "description", box=None, header_style="bold", pad_edge=False)
    for column in described.columns:
        grid.add_row(*(escape(cell) for cell in _cells(column)))
    n_rows = "unknown" if described.n_rows is None else f"{described.n_rows:,}"
    position = f"{described.position.ra}, {described.position.dec} (ICRS, deg)" if described.position else "none"
    console = output()
    console.print(f"[bold]{described.name}[/bold]  {escape(described.description)}".rstrip())
    console.print(f"rows: {n_rows}; position: {position}; id: {described.id_column or 'none'}")
    console.print(f"files: {len(dataset.partitions):,} in {escape(dataset.directory)}")
    console.print(grid)
    for line in _history(dataset.find_ingest_report() or {}):
        console.print(escape(line))


def _history(report: dict[str, Any]) -> Iterator[str]:
    """How an ingested table came to be, and what was odd about it."""
    if report:
        rows = ", ".join(f"{n:,} {what}" for what, n in report["rows"].items() if n)
        yield f"made of {', '.join(report['files'])}: rows {rows or 'none'}"
    yield from (f"found: {note}" for note in report.get("notes", ()))
    yield from (f"check: {found['check']}: {found['rows']:,} rows" for found in report.get("checks", ()))
    for found in report.get("suspicions", ()):
        yield f"suspected null: {found['column']} is {found['value']} in {found['rows']:,} rows"
    yield from (f"warning: {text}" for text in report.get("warnings", ()))


def _cells(column: Column) -> tuple[str, str, str, str, str]:
    kind = f"{column.datatype}[{column.arraysize}]" if column.arraysize else str(column.datatype)
    return column.name, kind, _guessed(column, "unit"), _guessed(column, "ucd"), column.description


def _guessed(column: Column, attribute: str) -> str:
    value = getattr(column, attribute) or ""
    trust = column.inferred.get(attribute)
    return f"{value} ?{trust:.0%}" if value and trust is not None else value


def verify(
    archive: Archive,
    table: Annotated[
        str | None, typer.Argument(metavar="[TABLE]", help="One table; by default all, those of users too.")
    ] = None,
    *,
    config: Config = None,
) -> None:
    """Read every byte and compare it with what was published, or with what users have kept.

    Lists what is damaged, missing or surplus, and exits with status 1 if there is anything. Files of images, which lie
    elsewhere, are looked at as well: whether they are still there, of the same size, and alike at both ends.

    **Examples**

    - `skydex verify archive`
    - `skydex verify archive survey.stars`
    """
    from skydex.store import ArchiveDirectory, Imagery

    directory = ArchiveDirectory(archive)
    names = [entry.name for entry in ([directory.get(table)] if table else directory.tables())]
    n_sound = n_damaged = 0
    for name in names:
        is_sound = _is_sound(name, partial(directory.open, name))
        n_sound, n_damaged = n_sound + is_sound, n_damaged + (not is_sound)
        if n_left := len(directory.abandoned(name)):
            print(f"  {n_left} unfinished ingests wait to be started again; the next that ends clears the others away.")
    collections = () if table else Imagery(directory.path).collections()
    n_changed = sum(not _has_originals(directory, collection) for collection in collections)
    for name, opened in () if table else _kept_by_users(open_archive(archive, config)):
        is_sound = _is_sound(name, opened)
        n_sound, n_damaged = n_sound + is_sound, n_damaged + (not is_sound)
    if n_damaged:
        remark(f"skydex: {n_damaged} of {n_sound + n_damaged} tables are damaged.")
    if n_changed:
        remark(f"skydex: files of {n_changed} of {len(collections)} collections of images have changed.")
    if n_damaged or n_changed:
        raise typer.Exit(1)


def index(
    archive: Archive,
    table: Annotated[str, typer.Argument(metavar="TABLE", help="A table of the archive: schema.table.")],
    column: Annotated[str, typer.Argument(metavar="COLUMN", help="A column of whole numbers or of texts.")],
) -> None:
    """Make rows of a table be found by the values of a column, however many rows there are.

    The id of a table and its foreign keys are indexed when it is ingested. This does it for another column, or for a
    table of an earlier skydex: the column is read once, no row is written again, and who reads the table goes on.

    **Example**: `skydex index archive survey.detections obj_id`
    """
    from skydex.store import ArchiveDirectory, index_column

    with progress_bar(table) as progress:
        entry = index_column(
            ArchiveDirectory(archive), table, column, progress=lambda done, total: progress("index", done, total)
        )
    remark(f"{entry.name} is found by {column}.")


def _is_sound(name: str, opened: Callable[[], Dataset]) -> bool:
    """Whether a table is what it was; says what it finds."""
    from skydex import store

    try:
        with progress_bar(name, unit="files") as progress:
            found = store.verify(opened(), progress=lambda done, total: progress("verify", done, total))
    except StoreError as error:
        print(f"{name}: damaged\n  {error}")
        return False
    print(f"{name}: {'damaged' if found else 'sound'}")
    for damage in found:
        print(f"  {damage.partition}: {damage.problem}")
    return not found


def _has_originals(directory: ArchiveDirectory, collection: str) -> bool:
    """Whether the files of a collection of images are what they were; says what it finds."""
    from skydex.ingest.images import changed_originals

    found = list(changed_originals(directory, collection))
    print(f"images of {collection}: {'changed' if found else 'sound'}")
    for file, problem in found:
        print(f"  {file}: {problem}")
    return not found


def _kept_by_users(archive: OpenArchive) -> Iterator[tuple[str, Callable[[], Dataset]]]:
    """The own tables of all users, each with the way to open it."""
    for user in archive.accounts.users():
        mydb = archive.mydb(user.name)
        try:
            tables = mydb.tables()
        except StoreError:
            yield f"{user.name}: the list of tables", partial(mydb.open, "")
            continue
        for table in tables:
            yield f"{user.name}.{table.name}", partial(mydb.open, table.name, schema=user.name)


COMMANDS = (Command(list_tables, {"name": "list"}), Command(show), Command(verify), Command(index))
