"""CasJobs, asked: quick and queued queries in T-SQL, and tables of a user's own.

The service `edu.jhu.Cas.Services` in the forms that the modules `casjobs` 0.0.2 and `mastcasjobs` 0.1.1 send: each
operation has an address of its own and takes a form, its answer is one XML element, and a refusal has status 500 and
its message inside a stack trace. Rows come as text with typed headers, a whole table by MAST's fast download. Who asks
is said in each request: a number, which the service gives for a user's name and password, or which `CASJOBS_WSID` says.
Units are told by nobody; those of columns that have the names of a catalogue's are in the table of presets.
"""

from __future__ import annotations

import html
import os
import re
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property, partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from skydex.client.http import LOGIN_HINT, Web, WholeAnswer, host_of
from skydex.client.orders import Query, RowsOrder
from skydex.client.presets import Preset
from skydex.client.refusals import words_of
from skydex.client.tsql import names_of_into, rows_query
from skydex.client.xml import Element, children, tree_of
from skydex.errors import (
    BadAnswerError,
    BadParameterError,
    JobFailedError,
    LoginError,
    LoginNeededError,
    RefusedError,
    UnknownTableError,
    UnreadableFileError,
    near_names,
)
from skydex.formats.delimited import write_bare_csv
from skydex.formats.knowncsv import TAB, KnownCsv, read_known_csv, read_typed
from skydex.tables import POSITION_NAMES, Column, Datatype, Result, Table, likely_position, limited

__all__ = ["CasJobs"]

MYDB = "MyDB"
_FAILED, _NOT_FOUND = 500, 404
_NOBODY = ("", "-1")
_MESSAGE_BEGINS, _MESSAGE_ENDS = "System.Exception:", "--->"
_MOST_DIGITS = 18
_TABLE = re.compile(r"(?:\[?mydb\]?\.)?(?:\[?dbo\]?\.|\.)?\[?(?P<name>[A-Za-z_]\w{0,127})\]?", re.ASCII | re.IGNORECASE)
_ROWS_AFFECTED = "Rows Affected"
_UPLOAD_BYTES = 64 << 20
"""Of one request; larger tables come in several, as the service's own client sends them."""
_MINUTES = 500
"""That a queued query may take: the longest queue."""
_PHASES = ("QUEUED", "EXECUTING", "EXECUTING", "ABORTED", "ERROR", "COMPLETED")
"""Of UWS, by the number of a status."""
_ENDED = ("ABORTED", "ERROR", "COMPLETED")
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0
_DATATYPES = {
    "bigint": Datatype.LONG,
    "int": Datatype.INT,
    "smallint": Datatype.SHORT,
    "tinyint": Datatype.UNSIGNED_BYTE,
    "bit": Datatype.BOOLEAN,
    "float": Datatype.DOUBLE,
    "real": Datatype.FLOAT,
    "decimal": Datatype.DOUBLE,
    "numeric": Datatype.DOUBLE,
}
"""Types of columns by the words of SQL Server; any other is a text."""


class CasJobs:
    """The contexts of a CasJobs service, and a user's own tables there.

    Parameters
    ----------
    preset : Preset
        Its addresses, `jobs`, `login` and `fast`, and the context that is meant where none is named.
    web : Web
        How it is asked, and as whom; by default as `CASJOBS_USERID` and `CASJOBS_PW` say.
    """

    def __init__(self, preset: Preset, web: Web) -> None:
        self._web, self._urls, self._name = web, preset.services, preset.name
        self._context = preset.options.get("context") or MYDB
        self._units = {context.lower(): _by_column(units) for context, units in preset.units.items()}
        self._columns = cache(self._ask_columns)

    @property
    def host(self) -> str:
        """Whom messages name."""
        return host_of(self._urls["jobs"])

    def tables(self) -> tuple[Table, ...]:
        """The tables of the context, without columns."""
        return tuple(Table(name, ()) for name in self._table_names(self._context))

    def table(self, name: str) -> Table:
        """One of them with its columns.

        Raises
        ------
        UnknownTableError
            There is none of this name.
        """
        columns = self._columns(name.rpartition(".")[2].strip("[]"))
        if not columns:
            names = self._table_names(self._context)
            raise UnknownTableError(name[:80], where=self._context, near=near_names(name, names) or names[:5])
        return Table(name, columns, position=likely_position(columns, POSITION_NAMES))

    def rows(self, order: RowsOrder) -> Result:
        """Rows of one table of the context, by a quick query."""
        text = rows_query(order, self.table(order.table))
        return limited(self.quick(text, self._context), order.max_rows)

    def sql(self, text: str, context: str | None) -> Result:
        """Carry out statements in T-SQL, as a quick job.

        Raises
        ------
        LoginError
            Nobody asks, or the password is wrong.
        RefusedError
            The service refuses, in its own words; what takes longer than a minute is to be submitted.
        """
        return self.quick(text, context or self._context)

    def submit(self, order: Query) -> _Job:
        """Queue statements in T-SQL."""
        if order.uploads:
            raise BadParameterError("uploads", "do not come along with a job: put tables into mydb first.")
        asked = {"qry": order.text, "context": self._context, "taskname": "skydex", "estimate": _MINUTES}
        answer = self._asked("SubmitJob", asked, repeatable=False)
        return _Job(self, _number(answer, self.host))

    def job(self, url: str) -> _Job:
        """A job by its address.

        Raises
        ------
        BadParameterError
            It is not the address of a job here.
        """
        number = dict(parse_qsl(urlsplit(url).query)).get("jobid", "")
        if not url.startswith(self._urls["jobs"]) or not (number.isascii() and number.isdecimal()):
            raise BadParameterError("url", f'must be the address of a job of {self.host}, not "{url[:120]}".')
        return _Job(self, int(number))

    def own_tables(self) -> _OwnTables:
        """The tables of the user."""
        return _OwnTables(self)

    def quick(self, text: str, context: str, *, is_system: bool = False) -> Result:
        """Carry out statements at once; those of the system stay out of the user's history."""
        asked = {"qry": text, "context": context, "taskname": "skydex", "isSystem": is_system}
        words = "".join(self._asked("ExecuteQuickJob", asked, repeatable=is_system).itertext())
        try:
            return self._described(_with_count(read_typed(words.encode(), name=f"result of {self._name}")), context)
        except UnreadableFileError as error:
            raise BadAnswerError(self.host, error.reason) from error

    def whole_table(self, name: str) -> Result:
        """All rows of a table of the user's own."""
        if "fast" not in self._urls or self._user is None:
            return self.quick(f"SELECT * FROM [{name}]", MYDB)
        user, password = self._user
        form = {"userid": user, "pw": password, "table": name}
        url = self._urls["fast"]
        try:
            return self._described(read_typed(self._web.post(url, form), layout=TAB, name=name), MYDB)
        except RefusedError as error:
            if error.status == _NOT_FOUND:
                raise UnknownTableError(name, where=MYDB) from error
            raise
        except UnreadableFileError as error:
            raise BadAnswerError(host_of(url), error.reason) from error

    def upload(self, name: str, text: bytes, *, is_there: bool) -> None:
        """Put rows of CSV into a new table, or into one that is there."""
        asked = {"tableName": name, "data": text.decode(), "tableExists": is_there}
        self._sent("UploadData", asked, repeatable=False)

    def status(self, number: int) -> int:
        """Of a job."""
        return _number(self._asked("GetJobStatus", {"jobid": number}), self.host)

    def cancel(self, number: int) -> None:
        """Stop a job."""
        self._sent("CancelJob", {"jobid": number})

    def facts(self, number: int) -> Mapping[str, str]:
        """What the list of jobs says of one."""
        wsid, password = self._credentials
        owner = {"owner_wsid": wsid, "owner_pw": password, "conditions": f"jobid : {number}", "includeSystem": True}
        jobs = children(self._asked("GetJobs", owner), "CJJob")
        return {element.tag: "".join(element.itertext()).strip() for element in jobs[0]} if jobs else {}

    def output(self, url: str) -> Result:
        """The rows that a job has put into a file."""
        try:
            return read_known_csv(self._web.get(url), lambda _: None, layout=KnownCsv())
        except UnreadableFileError as error:
            raise BadAnswerError(host_of(url), error.reason) from error

    def address(self, number: int) -> str:
        """By which a job is found again."""
        return f"{self._urls['jobs']}/GetJobStatus?jobid={number}"

    @property
    def keeps_blanks(self) -> bool:
        """Whether texts with blanks arrive as they are sent; MAST's service stumbles over them (`mastcasjobs`)."""
        try:
            return self._sent("GetJobTypes", {}).headers.get("server", "").startswith("skydex/")
        except RefusedError:
            return False

    @cached_property
    def _user(self) -> tuple[str, str] | None:
        """Name and password, if they are known."""
        name, password = os.environ.get("CASJOBS_USERID"), os.environ.get("CASJOBS_PW")
        return self._web.login or ((name, password) if name and password else None)

    @cached_property
    def _credentials(self) -> tuple[str, str]:
        """Number and password, as each request has them."""
        number, password = os.environ.get("CASJOBS_WSID"), os.environ.get("CASJOBS_PW")
        if self._user is None:
            if not number or not password:
                hint = f"{LOGIN_HINT[:-1]}, or set CASJOBS_USERID and CASJOBS_PW."
                raise LoginNeededError(self.host, hint=hint)
            return number, password
        name, password = self._user
        url = self._urls["login"]
        content = self._web.post(url, {"userid": name, "password": password})
        wsid = "".join(tree_of(content, host_of(url)).itertext()).strip()
        if wsid in _NOBODY:
            raise LoginError(f"{host_of(url)} does not know this user name with this password.")
        return wsid, password

    def own_names(self) -> list[str]:
        """Names of the user's own tables."""
        return [name.rpartition(".")[2] for name in self._table_names(MYDB)]

    def _table_names(self, context: str) -> list[str]:
        text = "SELECT DISTINCT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES"
        return sorted((f"{schema}.{name}" for schema, name in self._system_rows(text, context, 2)), key=str.lower)

    def _system_rows(self, text: str, context: str, n_columns: int) -> Iterator[tuple[Any, ...]]:
        """Few rows about tables."""
        found = self.quick(text, context, is_system=True).to_arrow()
        if found.num_columns != n_columns:
            raise BadAnswerError(self.host, f"it has {found.num_columns} columns, and {n_columns} were asked for.")
        return zip(*(column.to_pylist() for column in found.columns), strict=True)

    def _described(self, result: Result, context: str) -> Result:
        """The same with units, where the names of columns tell them."""
        result.columns = self._with_units(result.columns, context)
        return result

    def _with_units(self, columns: Iterable[Column], context: str) -> tuple[Column, ...]:
        meant = self._context if context.lower() == MYDB.lower() else context
        units = self._units.get(meant.lower(), {})
        return tuple(replace(c, unit=units.get(c.name.lower())) if c.datatype.is_floating else c for c in columns)

    def _ask_columns(self, table: str) -> tuple[Column, ...]:
        quoted = table.replace("'", "''")
        text = (
            "SELECT COLUMN_NAME, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH FROM information_schema.COLUMNS "
            f"WHERE TABLE_NAME = '{quoted}' ORDER BY ORDINAL_POSITION"
        )
        rows = self._system_rows(text, self._context, 3)
        return self._with_units((_column(*row) for row in rows), self._context)

    def _asked(self, operation: str, fields: Mapping[str, Any], *, repeatable: bool = True) -> Element:
        return tree_of(self._sent(operation, fields, repeatable=repeatable).content, self.host)

    def _sent(self, operation: str, fields: Mapping[str, Any], *, repeatable: bool = True) -> WholeAnswer:
        """Ask for an operation; status 500 is no accident here, but how the service refuses."""
        wsid, password = self._credentials
        form = {**fields, "wsid": wsid, "pw": password}
        url = f"{self._urls['jobs']}/{operation}"
        answer = self._web.whole("POST", url, form=form, accepted={_FAILED}, repeatable=repeatable)
        if answer.status == _FAILED:
            raise RefusedError(self.host, _words(answer), status=_FAILED)
        return answer


class _Job:
    """A queued query; CasJobs keeps it in the user's history for good.

    Parameters
    ----------
    service : CasJobs
        Where it is.
    number : int
        Its own.
    """

    def __init__(self, service: CasJobs, number: int) -> None:
        self._service, self._number = service, number

    @property
    def url(self) -> str:
        return self._service.address(self._number)

    def phase(self, wait_s: float = 0.0) -> str:
        deadline, pause_s = time.monotonic() + wait_s, _FIRST_PAUSE_S
        first = phase = self._phase()
        while phase == first and phase not in _ENDED and (left_s := deadline - time.monotonic()) > 0:
            time.sleep(min(pause_s, left_s))
            pause_s, phase = min(pause_s * 1.5, _LONGEST_PAUSE_S), self._phase()
        return phase

    def progress(self) -> float | None:
        return None

    def message(self) -> str:
        return self._service.facts(self._number).get("Error", "")

    def result(self) -> Result:
        """The rows that it has put into a table or a file.

        Raises
        ------
        JobFailedError
            It did not end well, or has not ended.
        RefusedError
            It has left no rows anywhere.
        """
        phase, facts = self._phase(), self._service.facts(self._number)
        if phase != "COMPLETED":
            raise JobFailedError(self.url, phase, facts.get("Error", ""))
        made = names_of_into(facts.get("Query", ""))
        if made:
            return self._service.whole_table(made[-1])
        if facts.get("OutputLoc"):
            return self._service.output(facts["OutputLoc"])
        raise RefusedError(self._service.host, "the job has left no rows: write SELECT ... INTO mydb.name FROM ...")

    def abort(self) -> None:
        self._service.cancel(self._number)

    def delete(self) -> None:
        """Stop it if it has not ended; it stays in the history."""
        if self._phase() not in _ENDED:
            self.abort()

    def _phase(self) -> str:
        status = self._service.status(self._number)
        return _PHASES[status] if 0 <= status < len(_PHASES) else "UNKNOWN"


class _OwnTables:
    """The tables that a user keeps in MyDB.

    Parameters
    ----------
    service : CasJobs
        Where they are.
    """

    def __init__(self, service: CasJobs) -> None:
        self._service = service

    def tables(self) -> tuple[Table, ...]:
        return tuple(Table(name, ()) for name in self._service.own_names())

    def read(self, name: str) -> Result:
        return self._service.whole_table(_own_name(name))

    def write(self, name: str, rows: Result) -> None:
        """Keep rows as a new table, in pieces that the service takes."""
        own = _own_name(name)
        tidy = partial(_without_blanks, name=own) if not self._service.keeps_blanks else bytes
        for number, piece in enumerate(_pieces(rows)):
            self._service.upload(own, tidy(piece), is_there=number > 0)

    def drop(self, name: str) -> None:
        own, names = _own_name(name), self._service.own_names()
        if own.lower() not in map(str.lower, names):
            raise UnknownTableError(own, where=MYDB, near=near_names(own, names))
        self._service.quick(f"DROP TABLE [{own}]", MYDB)


def _by_column(units: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {name.lower(): unit for unit, names in units.items() for name in names}


def _own_name(name: str) -> str:
    """The bare name of a user's own table."""
    found = _TABLE.fullmatch(name.strip())
    if found is None:
        raise BadParameterError("table", f'"{name[:80]}" is no name of a table: use letters, digits and _.')
    return found["name"]


def _pieces(rows: Result) -> Iterator[bytes]:
    """Rows as CSV, in parts that each begin with the names."""
    lines = write_bare_csv(rows)
    head, _, first = next(lines, b"").partition(b"\n")
    piece, is_sent = first, False
    for chunk in lines:
        piece += chunk
        if len(piece) > _UPLOAD_BYTES:
            yield head + b"\n" + piece
            piece, is_sent = b"", True
    if piece or not is_sent:
        yield head + b"\n" + piece


def _without_blanks(text: bytes, *, name: str) -> bytes:
    if b" " in text:
        warnings.warn(f"Blanks in texts of {name} become underscores: the service does not keep them.", stacklevel=4)
    return text.replace(b" ", b"_")


def _words(answer: WholeAnswer) -> str:
    """The message inside a stack trace."""
    _, begins, rest = answer.text.partition(_MESSAGE_BEGINS)
    words, ends, _ = rest.partition(_MESSAGE_ENDS)
    if begins and ends:
        return html.unescape(words.strip())
    return words_of(answer.content, answer.headers.get("content-type", "")) or "it does not say why."


def _number(element: Element, host: str) -> int:
    text = "".join(element.itertext()).strip()
    if not text.isascii() or not text.removeprefix("-").isdecimal() or len(text) > _MOST_DIGITS:
        raise BadAnswerError(host, "it is no number.")
    return int(text)


def _with_count(result: Result) -> Result:
    """The same, with the number of rows that were written where it holds nothing else."""
    if [column.name for column in result.columns] == [_ROWS_AFFECTED]:
        rows = result.to_arrow()
        result.rows_affected = rows.column(0)[0].as_py() if rows.num_rows else 0
        result.batches = iter(rows.to_batches())
    return result


def _column(name: str, word: str, length: Any) -> Column:
    datatype = _DATATYPES.get(str(word).lower(), Datatype.CHAR)
    bound = f"{length}*" if isinstance(length, int) and length > 0 else "*"
    return Column(str(name), datatype, arraysize=bound if datatype.is_text else None)
