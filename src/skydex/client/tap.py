"""`TapService`: queries to a service of the Virtual Observatory, skydex's own among them.

Client side of TAP 1.1 (IVOA REC 2019-09-27) and 1.0: sync (section 2.1), async (2.2), MAXREC (2.7.4), inline uploads
(2.7.5), tables by VOSI or else by TAP_SCHEMA (4). Results are asked for as Arrow where that is offered, then as
BINARY2, and are taken as they come. What a service says of itself is asked for when it is first needed; one that says
nothing is taken for one that can do everything.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from skydex.client.asking import answered_table
from skydex.client.http import Files, Web, host_of
from skydex.client.orders import Query, RowsOrder
from skydex.client.texts import InCone, in_circle, in_haversine, query_text
from skydex.client.uws import UWSJob, begun_job
from skydex.client.vosi import Capabilities, plain_name, read_capabilities, read_tables, table_of, tap_column
from skydex.errors import BadAnswerError, NotOfferedError, RefusedError, UnknownTableError, near_names
from skydex.formats import format_of_file, get_format
from skydex.tables import Column, Result, Table, limited

__all__ = ["TapService"]

_ARROW = "application/vnd.apache.arrow.stream"
_BINARY2 = "ivo://ivoa.net/std/tapregext#output-votable-binary2"
_VOTABLE = "application/x-votable+xml"
_PATIENCE_S = 60.0
"""How long a service may think about what it says of itself."""
_MOST_DESCRIBED = 1_000_000
"""Tables, or columns of one, that TAP_SCHEMA is asked for; many services tell 2000 if nobody says how many."""
_MOST_BYTES = 256 << 20
"""How much a service may say of its tables."""
_UNTOLD = (RefusedError, BadAnswerError)
"""What services do that have no such document."""


class TapService:
    """A TAP service.

    Parameters
    ----------
    address : str
        Below which `/sync`, `/async`, `/tables` and `/capabilities` are.
    web : Web
        How it is asked.
    """

    def __init__(self, address: str, web: Web) -> None:
        self.address, self._web = address.rstrip("/"), web
        self._described: dict[str, Table] = {}

    @functools.cached_property
    def capabilities(self) -> Capabilities:
        """What the service says it can; nothing if it does not say."""
        try:
            content = self._web.get(f"{self.address}/capabilities", timeout_s=_PATIENCE_S, max_bytes=_MOST_BYTES)
            return read_capabilities(content, host_of(self.address))
        except _UNTOLD:
            return Capabilities()

    def query(self, order: Query) -> Result:
        """Answer a query at once."""
        with _uploads(order) as files:
            result = answered_table(self._web, "POST", f"{self.address}/sync", form=self._form(order), files=files)
        return limited(result, order.max_rows)

    def submit(self, order: Query) -> UWSJob:
        """Have a query answered apart."""
        asked = f"{self.address}/async"
        form = {**self._form(order), "PHASE": "RUN"}
        with _uploads(order) as files:
            made = self._web.whole("POST", asked, form=form, files=files, repeatable=False)
        return begun_job(self._web, made.url, made.content, asked=asked)

    def job(self, url: str) -> UWSJob:
        """Find a job again.

        Raises
        ------
        UnknownResourceError
            There is none, or none any more.
        NotOfferedError
            It is no address of such a job.
        """
        if "/async/" not in urlsplit(url).path:
            hint = f"Its jobs are below {self.address}/async/."
            raise NotOfferedError(f"job {url[:100]}", host_of(self.address), [], hint=hint)
        job = UWSJob(self._web, url)
        job.phase()
        return job

    def rows(self, order: RowsOrder) -> Result:
        """Rows of one table, by a query.

        Where a service knows no geometry, or says nothing of it and refuses it, a cone is written by its formula.
        """
        table, has_geometry = self.table(order.table), self.capabilities.has_geometry
        if order.cone is None or has_geometry:
            return self._rows(order, table, in_circle)
        if has_geometry is None:
            with contextlib.suppress(RefusedError):
                return self._rows(order, table, in_circle)
        return self._rows(order, table, in_haversine)

    def _rows(self, order: RowsOrder, table: Table, in_cone: InCone) -> Result:
        return self.query(Query(query_text(order, table, in_cone=in_cone), max_rows=order.max_rows))

    def tables(self) -> tuple[Table, ...]:
        """What there is; with columns where the service tells them unasked."""
        return tuple(self._tables.values())

    def table(self, name: str) -> Table:
        """One table with all its columns, by its name in any case, without its schema if no other is called so.

        Raises
        ------
        UnknownTableError
            There is none, or several; with near names.
        """
        found = self._find(name)
        if found.name not in self._described:
            self._described[found.name] = found if found.columns else self._with_columns(found)
        return self._described[found.name]

    @functools.cached_property
    def _tables(self) -> Mapping[str, Table]:
        tables: tuple[Table, ...] = ()
        with contextlib.suppress(*_UNTOLD):
            content = self._web.get(f"{self.address}/tables", {"detail": "min"}, max_bytes=_MOST_BYTES)
            tables = read_tables(content, host_of(self.address))
        return {table.name: table for table in tables or self._schema_tables()}

    def _find(self, name: str) -> Table:
        wanted = name.strip().lower()
        by_name = [table for table in self._tables.values() if wanted in (table.name.lower(), _unquoted(table.name))]
        bare = [table for table in self._tables.values() if table.bare_name.lower() == wanted]
        if by_name or len(bare) == 1:
            return (by_name or bare)[0]
        near = [table.name for table in bare] or near_names(name, self._tables)
        raise UnknownTableError(name[:100], where=host_of(self.address), near=near)

    def _with_columns(self, table: Table) -> Table:
        """Ask for the columns of one table: at its own address (VOSI 1.1), or else TAP_SCHEMA."""
        with contextlib.suppress(*_UNTOLD):
            content = self._web.get(f"{self.address}/tables/{quote(table.name)}", max_bytes=_MOST_BYTES)
            for told in read_tables(content, host_of(self.address)):
                if told.columns and told.bare_name.lower() == table.bare_name.lower():
                    return replace(told, name=table.name, description=told.description or table.description)
        columns = tuple(self._schema_columns(table.name))
        if not columns:
            raise BadAnswerError(host_of(self.address), f"it tells no columns of {table.name}.")
        return table_of(table.name, columns, description=table.description, n_rows=table.n_rows)

    def _schema_tables(self) -> Iterator[Table]:
        for row in self._described_in("SELECT table_name, description FROM TAP_SCHEMA.tables"):
            name = _told(row, "table_name")
            if name:
                yield table_of(name, (), description=_told(row, "description"))

    def _schema_columns(self, name: str) -> Iterator[Column]:
        literal = name.replace("'", "''")
        for row in self._described_in(f"SELECT * FROM TAP_SCHEMA.columns WHERE table_name = '{literal}'"):
            yield tap_column(
                plain_name(_told(row, "column_name")),
                _told(row, "datatype"),
                arraysize=_told(row, "arraysize"),
                size=_told(row, "size"),
                xtype=_told(row, "xtype"),
                unit=_told(row, "unit"),
                ucd=_told(row, "ucd"),
                utype=_told(row, "utype"),
                description=_told(row, "description"),
                indexed=bool(row.get("indexed")),
                std=bool(row.get("std")),
            )

    def _described_in(self, text: str) -> list[dict[str, Any]]:
        with self.query(Query(text, max_rows=_MOST_DESCRIBED)) as answer:
            rows = answer.to_arrow()
        return list(rows.rename_columns([name.lower() for name in rows.column_names]).to_pylist())

    def _form(self, order: Query) -> dict[str, object]:
        form: dict[str, object] = {"REQUEST": "doQuery", "LANG": order.language, "QUERY": order.text}
        form["RESPONSEFORMAT"] = self.capabilities.find_format(_ARROW, _BINARY2)
        form["MAXREC"] = self.capabilities.most_rows if order.is_whole else order.max_rows
        if order.uploads:
            form["UPLOAD"] = ";".join(f"{name},param:{name}" for name in order.uploads)
        return form


@contextlib.contextmanager
def _uploads(order: Query) -> Iterator[Files | None]:
    """The tables that come along, as VOTables on disk, from where they can be sent again."""
    if not order.uploads:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="skydex-upload-"))
    try:
        yield {
            name: (f"{name}.vot", _votable(rows, folder / f"{number}.vot"), _VOTABLE)
            for number, (name, rows) in enumerate(order.uploads.items())
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _votable(rows: Result | Path, file: Path) -> Path:
    """A table as every service reads it: with TABLEDATA, for some read nothing else."""
    if isinstance(rows, Path):
        kind = format_of_file(rows)
        if kind.name == "votable":
            return rows
        assert kind.read is not None
        source = kind.read(rows, {})[0]
        rows = Result(source.columns, source.open_batches(), source.name)
    write = get_format("votable/td").write
    assert write is not None
    with rows, file.open("wb") as out:
        out.writelines(write(rows))
    return file


def _told(row: Mapping[str, Any], name: str) -> str:
    """What TAP_SCHEMA says, whatever type it has for it; empty where it says nothing."""
    value = row.get(name)
    return "" if value is None else str(value)


def _unquoted(name: str) -> str:
    return ".".join(plain_name(part) for part in name.split(".")).lower()
