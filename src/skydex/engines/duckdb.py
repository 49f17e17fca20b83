"""The DuckDB engine: joins, aggregates, sorts, set operations, over the same Parquet files.

DuckDB never sees a user's text: the bound tree is spelled in its dialect, the files are the ones that the plan names,
and small pruned selections are handed over as Arrow tables. Tables that lie far away stream in through
Arrow. Limits are set on the connection itself, since DuckDB does not pass them on to cursors; results stream, since
`to_arrow_reader` of a relation does not materialise.
"""

from __future__ import annotations

import inspect
import re
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from skydex.engines.duckdb_sql import function_name, spelled
from skydex.engines.engine import Deadline
from skydex.engines.far_rows import FarRows
from skydex.engines.joining import joined_rows, joined_schema
from skydex.engines.reading import read_scan
from skydex.engines.scan import scanned
from skydex.errors import (
    BadQueryError,
    DamagedDataError,
    EngineError,
    MemoryLimitError,
    QueryTooLargeError,
    SkydexError,
    SpillLimitError,
    TimeLimitError,
)
from skydex.query import Plan, Scan, SkyJoin
from skydex.query.kernels import Kernel
from skydex.tables import Result, arrow_schema, conform, limited

if TYPE_CHECKING:
    import duckdb

__all__ = ["DuckDBEngine", "DuckDBLimits"]

_ARROW_ROWS = 400_000
"""A pruned selection up to so many rows is read by us, row group by row group, and handed over."""
_SIFTED_ROWS = 100_000
"""So is a larger selection of which our reader leaves no more than about so many rows."""
_PROBED_ROWS = 200_000
"""More rows than this leave too little out to look at their places."""
_BATCH_ROWS = 65_536
_RETRY_INTERRUPT_S = 0.2
_MOST_LEVELS = 1_000
"""Operations and parentheses inside one another; the time to plan them grows with their cube."""


@dataclass(frozen=True)
class DuckDBLimits:
    """What one query may use."""

    memory_mb: int = 2048
    """Memory of its operators."""
    spill_mb: int = 8192
    """Temporary files."""
    threads: int = 2
    """Processor cores."""
    spill_directory: Path | None = None
    """Where temporary files go; None forbids them."""


class DuckDBEngine:
    """Runs plans of every kind."""

    name = "duckdb"

    def __init__(self, limits: DuckDBLimits | None = None) -> None:
        self._limits = limits or DuckDBLimits()
        self._connection = _connect(self._limits)
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def run(self, plan: Plan, deadline: Deadline | None = None) -> Result:
        """Start a query; rows come as the result is walked through."""
        return limited(Result(plan.columns, self._conforming(plan, deadline)), plan.max_rows)

    def _conforming(self, plan: Plan, deadline: Deadline | None) -> Iterator[pa.RecordBatch]:
        """Rows in the types of their columns; the engine adds integers up in wider ones."""
        plan = self._narrowed(plan, deadline)
        if plan.joined is not None and plan.joined.only_scans:
            (join,) = plan.joined.joins
            yield from scanned(plan.joined.tree, joined_rows(plan, join, deadline), plan, deadline)
            return
        try:
            yield from conform(self._rows(plan, deadline), plan.columns)
        except pa.ArrowInvalid as error:
            raise BadQueryError("The query computes a number that is out of range.") from error

    def _rows(self, plan: Plan, deadline: Deadline | None) -> Iterator[pa.RecordBatch]:
        """Rows of the tree's own columns; names given to Arrow tables are seen by this query's cursor alone."""
        joined = plan.joined
        streams = {join.name: _Stream(plan, join, deadline) for join in joined.joins} if joined is not None else {}
        plan = plan.over_joined_rows()
        handed_over = _handed_over(plan)
        sql, kernels = spelled(plan, [name for name in plan.scans if name not in handed_over])
        self._make_known(kernels)
        cursor = self._connection.cursor()
        with (
            self._errors_translated(deadline),
            _ended(streams.values()),
            closing(cursor),
            _interrupted_at(cursor, deadline),
        ):
            for name, stream in streams.items():
                cursor.register(name, stream.reader)
            far = self._registered(cursor, plan, handed_over, deadline)
            try:
                yield from cursor.sql(sql).to_arrow_reader(_BATCH_ROWS)
            except Exception:
                for rows in far:
                    rows.reraise()
                raise

    def _registered(
        self, cursor: duckdb.DuckDBPyConnection, plan: Plan, handed_over: Iterable[str], deadline: Deadline | None
    ) -> list[FarRows]:
        """Give names to what we read ourselves: the rows of small scans, and streams of those that are far away."""
        streams = []
        for name in handed_over:
            scan = plan.scans[name]
            if _is_stream(scan):
                streams.append(FarRows(scan, deadline))
                cursor.register(name, streams[-1])
            else:
                cursor.register(name, _arrow_table(scan, deadline))
        return streams

    def _narrowed(self, plan: Plan, deadline: Deadline | None) -> Plan:
        """Ask what the plan wants to know first, and leave out what cannot matter then."""
        for probe in plan.probes:
            answer = self.run(plan.plan_of(probe, max_rows=_PROBED_ROWS), deadline)
            places = answer.to_arrow()
            if not answer.overflow:
                plan = plan.narrowed(probe.target, probe.ranges_near(places))
        for key in plan.keys:
            answer = self.run(plan.plan_of_keys(key), deadline)
            values = answer.to_arrow()
            if not answer.overflow:
                plan = plan.having(key, values)
        return plan

    def _make_known(self, kernels: Iterable[Kernel]) -> None:
        """Tell DuckDB of kernels; all its cursors then know them."""
        for kernel in kernels:
            with self._lock:
                if kernel.name not in self._known:
                    _register(self._connection, kernel)
                    self._known.add(kernel.name)

    def _connect_anew(self) -> None:
        with self._lock:
            self._connection, self._known = _connect(self._limits), set()

    @contextmanager
    def _errors_translated(self, deadline: Deadline | None) -> Iterator[None]:
        import duckdb

        try:
            yield
        except (duckdb.Error, OSError) as error:
            raise self._translated(str(error), deadline) from error

    def _translated(self, text: str, deadline: Deadline | None) -> SkydexError:
        """What DuckDB says in our own words; by its text, since what happens while rows stream has no class."""
        kind, _, message = text.partition("\n\nLINE ")[0].partition(" Error: ")
        if kind == "INTERRUPT":
            return TimeLimitError(deadline.seconds if deadline else 0.0)
        if kind == "Out of Memory":
            return self._out_of_memory(message)
        if kind == "Not implemented":
            return BadQueryError("The engine does not offer this form of query; a simpler one may do.")
        if kind == "Parser":
            hint = "Nest fewer functions in one another."
            return QueryTooLargeError("depth of expressions", limit=_MOST_LEVELS, hint=hint)
        if kind in ("IO", "Serialization") or (kind in _OF_FILES and "parquet" in message.lower()):
            return DamagedDataError("A partition of one of the tables cannot be read.")
        if kind in _OF_VALUES:
            return _complaint(message)
        if kind in ("FATAL", "INTERNAL"):
            self._connect_anew()  # after such an error DuckDB answers nothing more
        return EngineError("The engine could not run the query.")

    def _out_of_memory(self, message: str) -> MemoryLimitError | SpillLimitError:
        if "max_temp_directory_size" in message or "temp directory" in message.lower():
            return SpillLimitError(self._limits.spill_mb)
        return MemoryLimitError(self._limits.memory_mb)


_OF_VALUES = ("Out of Range", "Conversion", "Invalid Input")
"""Kinds of errors that are about values."""
_OF_FILES = ("Out of Range", "Invalid Input")
"""Those of them that can be about a file; the others quote values, whatever these say."""
_UNCASTABLE = re.compile(
    r"""Could[ ]not[ ]convert[ ]string[ ]'(?P<text>.*)'[ ]to
      | invalid[ ]timestamp[ ]field[ ]format:[ ]"(?P<time>.*)",[ ]expected
      | with[ ]value[ ](?P<number>\S+)[ ]can't[ ]be[ ]cast""",
    re.VERBOSE | re.DOTALL,
)


def _complaint(message: str) -> BadQueryError:
    """What was wrong with the values, in our own words."""
    if "more than one row" in message.lower():
        return BadQueryError("A subquery that stands for a value gave more than one row.")
    found = _UNCASTABLE.search(message)
    if found is None:
        return BadQueryError("The query computes a value that is out of range or of the wrong form.")
    if found["number"] is not None:
        return BadQueryError(f"CAST meets a number that is too large for the type: {found['number']}.")
    what, value = ("time", found["time"]) if found["text"] is None else ("number", found["text"])
    return BadQueryError(f"CAST meets a text that is no {what}: {value[:60]!r}.")


@contextmanager
def _interrupted_at(cursor: duckdb.DuckDBPyConnection, deadline: Deadline | None) -> Iterator[None]:
    """Interrupt again and again once the deadline has passed: one that comes too early is lost."""
    if deadline is None:
        yield
        return
    deadline.check()
    done = threading.Event()
    threading.Thread(target=_watch, args=(cursor, deadline, done), name="deadline", daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _watch(cursor: duckdb.DuckDBPyConnection, deadline: Deadline, done: threading.Event) -> None:
    if deadline.awaits(done):
        return
    while not done.wait(_RETRY_INTERRUPT_S):
        cursor.interrupt()


def _connect(limits: DuckDBLimits) -> duckdb.DuckDBPyConnection:
    import duckdb

    config: dict[str, Any] = {
        "threads": limits.threads,
        "memory_limit": f"{limits.memory_mb}MB",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
    }
    connection = duckdb.connect(config=config)
    connection.execute("SET GLOBAL parquet_metadata_cache = true")
    connection.execute("SET GLOBAL python_enable_replacements = false")
    connection.execute(f"SET GLOBAL max_expression_depth = {_MOST_LEVELS}")
    spill = str(limits.spill_directory) if limits.spill_directory else ""
    connection.execute("SET GLOBAL temp_directory = ?", [spill])
    connection.execute(f"SET GLOBAL max_temp_directory_size = '{limits.spill_mb if spill else 0}MB'")
    connection.execute("SET GLOBAL lock_configuration = true")
    return connection


def _register(connection: duckdb.DuckDBPyConnection, kernel: Kernel) -> None:
    def compute(*columns: pa.ChunkedArray) -> pa.Array:
        arrays = [column.combine_chunks() for column in columns]
        return kernel.compute(*(a if a.type == k else pc.cast(a, k) for a, k in zip(arrays, kernel.takes, strict=True)))

    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(f"a{i}", positional) for i in range(len(kernel.takes))]
    compute.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # DuckDB counts parameters
    connection.create_function(
        function_name(kernel),
        compute,
        [_sql_type(kind) for kind in kernel.takes],
        _sql_type(kernel.gives),
        type="arrow",
        null_handling="special",
        side_effects=not kernel.is_repeatable,
    )


def _sql_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"{_sql_type(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        return f"STRUCT({', '.join(f'{field.name} {_sql_type(field.type)}' for field in kind)})"
    return _SQL_TYPES[kind]


_SQL_TYPES = {
    pa.float64(): "DOUBLE",
    pa.int64(): "BIGINT",
    pa.bool_(): "BOOLEAN",
    pa.string(): "VARCHAR",
    pa.timestamp("us"): "TIMESTAMP",
}


class _Stream:
    """Joined rows as DuckDB takes them; it does not hand on what fails there."""

    def __init__(self, plan: Plan, join: SkyJoin, deadline: Deadline | None) -> None:
        self.failure: SkydexError | None = None
        self._rows = joined_rows(plan, join, deadline)
        self.reader = pa.RecordBatchReader.from_batches(joined_schema(plan, join), self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._rows
        except SkydexError as error:
            self.failure = error
            raise

    def close(self) -> None:
        self._rows.close()


@contextmanager
def _ended(streams: Collection[_Stream]) -> Iterator[None]:
    """Raise what has failed in streams rather than what DuckDB says of it, and leave no thread behind."""
    try:
        yield
    except Exception as error:
        failed = [stream.failure for stream in streams if stream.failure is not None]
        if failed:
            raise failed[0] from error
        raise
    finally:
        for stream in streams:
            stream.close()


def _handed_over(plan: Plan) -> set[str]:
    """The tables that we read and hand over the rows of: those held, and those of which few rows matter."""
    repeated = {match.repeated for match in plan.matches}
    return {name for name, scan in plan.scans.items() if _is_small(scan, is_costly=name in repeated)}


def _is_small(scan: Scan, *, is_costly: bool) -> bool:
    """Whether a scan leaves few rows, and reads no more than DuckDB would; rows that cost much had better be few."""
    selection = scan.selection
    if selection is None or scan.stored[0].is_distant:
        return True
    if selection.n_rows <= _ARROW_ROWS:
        return not selection.whole
    dataset, _ = scan.stored
    if scan.ranges is None or not dataset.is_own or not (is_costly or selection.is_narrow):
        return False
    return dataset.row_groups.n_rows_in(scan.ranges) <= _SIFTED_ROWS


def _is_stream(scan: Scan) -> bool:
    """Whether a scan is of more rows than are held, and lies where DuckDB does not reach."""
    selection = scan.selection
    return selection is not None and scan.stored[0].is_distant and selection.n_rows > _ARROW_ROWS


def _arrow_table(scan: Scan, deadline: Deadline | None) -> pa.Table:
    """The rows of a small scan."""
    if isinstance(scan.relation.rows, pa.Table):
        return scan.relation.rows
    return pa.Table.from_batches(list(read_scan(scan, deadline=deadline)), arrow_schema(scan.column_list()))
