"""Tasks of a cross-match on Spark: the same work, on the executors of a cluster, with the same outcome.

Executors are given the job and the numbers of tasks, read the catalogues themselves, and write what comes out to a
directory that they share with this process, as they share the catalogues; no more than counts come back. Tasks go in
batches, so that what is done is staged now and then and a killed match can go on.
"""

from __future__ import annotations

import dataclasses
import json
import pickle
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from skydex.archive.matching.running import Done, Run
from skydex.archive.matching.tasks import Task
from skydex.archive.matching.work import Counts, Job, Part, matches
from skydex.engines.spark_session import close_session, open_session
from skydex.errors import EngineError, SettingsError
from skydex.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["spark_run", "tasks_on"]

BATCH = 64
"""Tasks that are handed out together."""
_NUMBER = "~number"
_SCHEMA = "task int, part int, counts string"
_ARROW_SCHEMA = pa.schema([("task", pa.int32()), ("part", pa.int32()), ("counts", pa.string())])


def spark_run(settings: Settings) -> Run:
    """Who carries tasks out where the settings say that Spark is.

    Raises
    ------
    SettingsError
        They do not say it.
    """
    url = settings.spark
    if not url:
        raise SettingsError("Setting spark says where Spark runs, as local[2] or spark://HOST:7077: give it first.")

    def run(tasks: Sequence[Task], job: Job) -> Iterator[Done]:
        if not tasks:
            return
        properties = Path(settings.spark_properties) if settings.spark_properties else None
        session = open_session(
            url,
            memory_mb=settings.spark_memory_mb,
            wait_s=settings.spark_wait_s,
            directory=settings.spill_directory,
            properties=properties,
            name="skydex xmatch",
        )
        try:
            yield from tasks_on(session, tasks, job, spool=Path(settings.spark_spool or settings.spill_directory))
        finally:
            close_session(session)

    return run


def tasks_on(session: SparkSession, tasks: Sequence[Task], job: Job, *, spool: Path) -> Iterator[Done]:
    """Carry tasks out on a session of Spark.

    Parameters
    ----------
    session : SparkSession
        Of any kind.
    tasks : sequence of Task
        In the order in which they are begun.
    job : Job
        What is to be done.
    spool : Path
        A directory that the executors share.
    """
    packed = pickle.dumps(job)
    with tempfile.TemporaryDirectory(prefix="skydex-match-", dir=spool) as folder:
        for start in range(0, len(tasks), BATCH):
            batch = list(tasks[start : start + BATCH])
            yield from _batch(session, batch, packed, folder, start)


def _batch(session: SparkSession, batch: list[Task], job: bytes, folder: str, start: int) -> Iterator[Done]:
    given = [dataclasses.astuple(task) for task in batch]

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        unpacked: Job = pickle.loads(job)
        for numbers in batches:
            for number in numbers.column(0).to_pylist():
                yield _carried_out(Task(*given[number]), number, unpacked, folder, start)

    rows = session.createDataFrame([(number,) for number in range(len(batch))], "task int").repartition(len(batch))
    try:
        found = rows.mapInArrow(work, _SCHEMA).collect()
    except Exception as error:  # whatever the library raises; what an executor raised stands in its text
        raise EngineError(
            "Spark did not carry the match out; its log says why. The same call goes on with it."
        ) from error
    for row in sorted(found):
        task = batch[row["task"]]
        if row["counts"] is None:
            yield task, row["part"], None
            continue
        file = Path(folder) / _file_name(start, row["task"], row["part"])
        with pa.memory_map(str(file)) as mapped:
            table = pa.ipc.open_stream(mapped).read_all()
        facts = json.loads(row["counts"])
        counts = Counts(*facts[:3], *(tuple(fact) for fact in facts[3:]))
        yield task, row["part"], Part(table.drop_columns([_NUMBER]), counts, table[_NUMBER].to_numpy())
        file.unlink()


def _carried_out(task: Task, number: int, job: Job, folder: str, start: int) -> pa.RecordBatch:
    """Do one task; its parts lie in files, and at the end stands how many there are."""
    told: list[tuple[int, int, str | None]] = []
    for part in matches(task, job):
        rows = part.rows.append_column(_NUMBER, pa.array(part.numbers))
        file = Path(folder) / _file_name(start, number, len(told))
        whole = file.with_suffix(f".{id(rows):x}.part")  # an executor that was thought lost may write the same
        with pa.OSFile(str(whole), "wb") as out, pa.ipc.new_stream(out, rows.schema) as writer:
            writer.write_table(rows)
        whole.replace(file)
        told.append((number, len(told), json.dumps(dataclasses.astuple(part.counts))))
    told.append((number, len(told), None))
    columns = [
        pa.array(list(values), field.type) for values, field in zip(zip(*told, strict=True), _ARROW_SCHEMA, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_ARROW_SCHEMA)


def _file_name(start: int, number: int, part: int) -> str:
    return f"{start + number}-{part}.arrow"
