"""The Spark engine: the same plans over the same files, by executors that may be on many machines.

Spark never sees a user's text: the bound tree is spelled in its dialect, and the files are the ones that the plan
names. Rows do not pass through the driver: executors write them as Parquet into a spool directory, part by part in the
order of the answer, and we read the parts and delete them. The directory must be one that the executors and we share.
"""

from __future__ import annotations

import itertools
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from skydex.engines.engine import Deadline
from skydex.engines.reading import read_scan
from skydex.engines.spark_kernels import register, schema_of, spark_type
from skydex.engines.spark_sql import function_name, spelled
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
from skydex.query import Plan, Scan
from skydex.query.kernels import Kernel
from skydex.tables import Result, arrow_schema, arrow_type, conform, limited

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["SparkEngine", "SparkLimits"]

_PROBED_ROWS = 200_000
"""More rows than this leave too little out to look at their places."""
_BATCH_ROWS = 65_536
_MOST_ROWS_OF_PART = 4_000_000
_RETRY_CANCEL_S = 0.2
_MOST_LEVELS = 400
"""Operations and parentheses inside one another: Spark's parser and planner go down them on the stack."""

_SETTINGS = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.variable.substitute": "false",
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.ansi.enforceReservedKeywords": "false",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.execution.topKSortFallbackThreshold": "200000",
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(_BATCH_ROWS),
}
"""What the meaning of a plan hangs on; each engine has a session of its own, in which they are set."""


@dataclass(frozen=True)
class SparkLimits:
    """What queries may use."""

    spool_directory: Path | None = None
    """Where executors put the rows of answers; the system's directory for temporary files if it is not said."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further settings of the sessions, such as `spark.sql.shuffle.partitions`."""


class SparkEngine:
    """Runs plans of every kind.

    Parameters
    ----------
    session_source : callable
        Gives the Spark session, when the first query asks for it.
    limits : SparkLimits, optional
        What queries may use.
    """

    name = "spark"

    def __init__(self, session_source: Callable[[], SparkSession], limits: SparkLimits | None = None) -> None:
        self._session_source = session_source
        self._limits = limits or SparkLimits()
        self._session: SparkSession | None = None
        self._known: set[str] = set()
        self._serial = itertools.count()
        self._lock = threading.Lock()

    def run(self, plan: Plan, deadline: Deadline | None = None) -> Result:
        """Start a query; rows come as the result is walked through."""
        return limited(Result(plan.columns, self._conforming(plan, deadline)), plan.max_rows)

    def close(self) -> None:
        """End its own session at a Spark Connect server; elsewhere that ends with the session that was given."""
        with self._lock:
            session, self._session = self._session, None
            self._known.clear()
        if session is not None and _is_connect(session):
            with suppress(Exception):  # what is gone already need not be ended
                session.stop()

    def _conforming(self, plan: Plan, deadline: Deadline | None) -> Iterator[pa.RecordBatch]:
        """Rows in the types of their columns."""
        try:
            yield from conform(self._rows(plan, deadline), plan.columns)
        except pa.ArrowInvalid as error:
            raise BadQueryError("The query computes a number that is out of range.") from error

    def _rows(self, plan: Plan, deadline: Deadline | None) -> Iterator[pa.RecordBatch]:
        """Rows of the tree's own columns, out of the spool, which is gone afterwards."""
        plan = self._narrowed(plan, deadline)
        spool = Path(tempfile.mkdtemp(prefix="skydex-spark-", dir=self._limits.spool_directory))
        try:
            self._write(plan, spool / "rows", deadline)
            yield from _spooled(spool / "rows", deadline)
        finally:
            shutil.rmtree(spool, ignore_errors=True)

    def _narrowed(self, plan: Plan, deadline: Deadline | None) -> Plan:
        """Ask what the plan wants to know first, and leave out what cannot matter then."""
        for probe in plan.probes:
            answer = self.run(plan.plan_of(probe, max_rows=_PROBED_ROWS), deadline)
            places = answer.to_arrow()
            if not answer.overflow:
                plan = plan.narrowed(probe.target, probe.ranges_near(places))
        return plan

    def _write(self, plan: Plan, directory: Path, deadline: Deadline | None) -> None:
        """Have the executors write the answer as Parquet; part numbers follow its order.

        Tables that are joined by their places are so in Spark's SQL: `plan.joined` would have one process, this one,
        read both tables for all executors.
        """
        _check_depth(plan)
        session, serial = self._opened(), next(self._serial)
        views = {name: f"skydex_{serial}_{name}" for name in plan.scans}
        sql, kernels = spelled(plan, views)
        with _errors_translated(deadline), _cancelled_at(session, f"skydex-{id(self)}-{serial}", deadline):
            self._make_known(session, kernels)
            try:
                for name, view in views.items():
                    far = directory.with_name(f"{name}.parquet")
                    _frame(session, plan.scans[name], far).createOrReplaceTempView(view)
                rows = _typed(session.sql(sql), plan)
                writer = rows.write.option("maxRecordsPerFile", _MOST_ROWS_OF_PART).option("compression", "lz4_raw")
                writer.parquet(f"file://{directory}")
            finally:
                for view in views.values():
                    session.catalog.dropTempView(view)

    def _opened(self) -> SparkSession:
        """The session of this engine, with its own settings, views and functions."""
        with self._lock:
            if self._session is None:
                session = self._session_source().newSession()
                for key, value in {**self._limits.settings, **_SETTINGS}.items():
                    session.conf.set(key, value)
                self._session = session
            return self._session

    def _make_known(self, session: SparkSession, kernels: Iterable[Kernel]) -> None:
        for kernel in kernels:
            with self._lock:
                if kernel.name not in self._known:
                    register(session, function_name(kernel), kernel)
                    self._known.add(kernel.name)


def _frame(session: SparkSession, scan: Scan, far: Path) -> DataFrame:
    """The rows of a scan: those of its files, as they are stored, those in memory, or a copy of what lies far away."""
    if scan.selection is None or not scan.selection.pieces:
        rows = scan.relation.rows
        columns = scan.column_list()
        held = rows.select([column.name for column in columns]) if isinstance(rows, pa.Table) else None
        return session.createDataFrame(_signed(held or arrow_schema(columns).empty_table()))
    if scan.is_distant:
        with pq.ParquetWriter(far, arrow_schema(scan.column_list()), compression="lz4") as writer:
            for batch in read_scan(scan):
                writer.write_batch(batch)
        return session.read.parquet(_path(str(far)))
    dataset, selection = scan.stored
    names = list(dict.fromkeys(scan.stored_name(column) for column in scan.column_list()))
    if scan.ranges is not None and dataset.index_column is not None and dataset.index_column not in names:
        names.append(dataset.index_column)
    schema = schema_of([dataset.arrow_schema.field(name) for name in names])
    reader = session.read.schema(schema).option("recursiveFileLookup", "true")
    return reader.parquet(*(_path(piece.file) for piece in selection.pieces))


def _signed(table: pa.Table) -> pa.Table:
    """A table without unsigned types, of which Spark has none."""
    kinds = [pa.int16() if field.type == pa.uint8() else field.type for field in table.schema]
    return table.cast(pa.schema(list(zip(table.column_names, kinds, strict=True))))


_WILD = re.compile(r"([\\*?{}\[\]])")


def _path(file: str) -> str:
    """A file as Hadoop calls it, which would take some letters for wildcards."""
    address = file if "://" in file else f"file://{file}"
    return _WILD.sub(r"\\\1", re.sub("^s3://", "s3a://", address))


def _typed(rows: DataFrame, plan: Plan) -> DataFrame:
    """The rows with a type for columns that are NULL and nothing else, which no file can hold."""
    from pyspark.sql import functions, types

    fields = zip(rows.schema.fields, plan.columns, strict=True)
    if not any(isinstance(field.dataType, types.NullType) for field in rows.schema.fields):
        return rows
    return rows.select(
        *(
            functions.lit(None).cast(spark_type(arrow_type(column))).alias(field.name)
            if isinstance(field.dataType, types.NullType)
            else functions.col(field.name)
            for field, column in fields
        )
    )


def _spooled(directory: Path, deadline: Deadline | None) -> Iterator[pa.RecordBatch]:
    """The rows of all parts, in their order; each part is deleted when its rows have been taken."""
    for part in sorted(directory.glob("part-*"), key=_place):
        try:
            with pq.ParquetFile(part) as file:
                for batch in file.iter_batches(_BATCH_ROWS):
                    if deadline is not None:
                        deadline.check()
                    yield batch
        except (OSError, pa.ArrowInvalid) as error:
            raise EngineError("The rows of the answer cannot be read back.") from error
        part.unlink(missing_ok=True)


def _place(part: Path) -> tuple[int, int]:
    """Number of the task that wrote a part, and of the file among those of the task."""
    found = re.match(r"part-(\d+)-.*-c(\d+)", part.name)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _check_depth(plan: Plan) -> None:
    deepest, stack = 0, [(plan.bound.tree, 1)]
    while stack:
        node, level = stack.pop()
        deepest = max(deepest, level)
        stack += [(child, level + 1) for child in node.iter_expressions()]
    if deepest > _MOST_LEVELS:
        raise QueryTooLargeError(
            "depth of expressions", limit=_MOST_LEVELS, hint="Nest fewer functions in one another."
        )


@contextmanager
def _cancelled_at(session: SparkSession, group: str, deadline: Deadline | None) -> Iterator[None]:
    """Cancel what is started here again and again once the deadline has passed, since more may start by itself."""
    if deadline is None:
        yield
        return
    deadline.check()
    done = threading.Event()
    cancel = _marked(session, group)
    threading.Thread(target=_watch, args=(cancel, deadline, done), name="deadline", daemon=True).start()
    try:
        yield
    finally:
        done.set()
        _unmarked(session, group)
    deadline.check()


def _marked(session: SparkSession, group: str) -> Callable[[], Any]:
    """Give what this thread starts a name, and say how it is cancelled; far from the driver that is a tag."""
    if _is_connect(session):
        session.addTag(group)
        return lambda: session.interruptTag(group)
    context = session.sparkContext
    context.setJobGroup(group, "a query", interruptOnCancel=True)
    return lambda: context.cancelJobGroup(group)


def _unmarked(session: SparkSession, group: str) -> None:
    if _is_connect(session):
        session.removeTag(group)
    else:
        session.sparkContext.setLocalProperty("spark.jobGroup.id", None)


def _is_connect(session: SparkSession) -> bool:
    return "connect" in type(session).__module__


def _watch(cancel: Callable[[], Any], deadline: Deadline, done: threading.Event) -> None:
    if deadline.awaits(done):
        return
    while not done.wait(_RETRY_CANCEL_S):
        with suppress(Exception):  # the session may be ending
            cancel()


@contextmanager
def _errors_translated(deadline: Deadline | None) -> Iterator[None]:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError, OSError) as error:
        raise _translated(error, deadline) from error


_CONDITION = re.compile(r"\[([A-Z][A-Z0-9_]{5,}(?:\.[A-Z0-9_]+)*)\]")
_WRAPPERS = ("TASK_WRITE_FAILED", "WRITE_FAILED", "FAILED_EXECUTE_UDF", "INTERNAL_ERROR")


def _translated(error: Exception, deadline: Deadline | None) -> SkydexError:
    """What Spark says in our own words; by the first of its conditions that is no wrapper of another."""
    text = str(error)
    if deadline is not None and deadline.left_s <= 0:
        return TimeLimitError(deadline.seconds)
    own = error.getCondition() if hasattr(error, "getCondition") else None
    names = [name for name in (own, *_CONDITION.findall(text)) if name and not name.startswith(_WRAPPERS)]
    name = names[0] if names else ""
    if name.startswith("SCALAR_SUBQUERY_TOO_MANY_ROWS"):
        return BadQueryError("A subquery that stands for a value gave more than one row.")
    if name.startswith("CAST_"):
        return _complaint(text)
    if name.startswith(_OF_VALUES):
        return BadQueryError("The query computes a value that is out of range or of the wrong form.")
    if name.startswith(_OF_FILES):
        return DamagedDataError("A partition of one of the tables cannot be read.")
    if name.startswith(_OF_FORM):
        return BadQueryError("The engine does not offer this form of query; a simpler one may do.")
    if "StackOverflowError" in text or name.startswith("FAILED_TO_PARSE_TOO_COMPLEX"):
        return QueryTooLargeError(
            "depth of expressions", limit=_MOST_LEVELS, hint="Nest fewer functions in one another."
        )
    if "OutOfMemoryError" in text or "UNABLE_TO_ACQUIRE_MEMORY" in name:
        return MemoryLimitError(None)
    if "No space left on device" in text:
        return SpillLimitError(None)
    return EngineError("The engine could not run the query.")


_OF_VALUES = (
    "ARITHMETIC_OVERFLOW", "BINARY_ARITHMETIC_OVERFLOW", "NUMERIC_", "DATETIME_OVERFLOW", "DIVIDE_BY_ZERO",
    "INTERVAL_", "INVALID_PARAMETER_VALUE", "INVALID_ARRAY_INDEX", "COLLECTION_SIZE_LIMIT", "REMAINDER_BY_ZERO",
    "CANNOT_PARSE_TIMESTAMP", "INCORRECT_",
)  # fmt: skip
_OF_FILES = ("FAILED_READ_FILE", "CANNOT_READ_FILE", "PATH_NOT_FOUND", "FAILED_TO_READ", "PARQUET_", "UNABLE_TO_INFER")
_OF_FORM = (
    "UNSUPPORTED_", "NOT_SUPPORTED_", "INVALID_SUBQUERY", "SCALAR_SUBQUERY_IS_IN", "INVALID_NON_DETERMINISTIC",
    "UNRESOLVED_COLUMN", "MISSING_ATTRIBUTES",
)  # fmt: skip
_UNCASTABLE = re.compile(
    r"The value (?P<value>'.*?'|\S+) of the type \"(?P<type>\w+)\" cannot be cast to \"(?P<to>\w+)", re.S
)


def _complaint(message: str) -> BadQueryError:
    """What was wrong with a value that is cast, in our own words."""
    found = _UNCASTABLE.search(message)
    if found is None:
        return BadQueryError("The query computes a value that is out of range or of the wrong form.")
    if found["type"] != "STRING":
        return BadQueryError(f"CAST meets a number that is too large for the type: {found['value'].rstrip('DLSF')}.")
    what = "time" if found["to"].startswith(("TIMESTAMP", "DATE")) else "number"
    return BadQueryError(f"CAST meets a text that is no {what}: {found['value'][1:-1][:60]!r}.")
