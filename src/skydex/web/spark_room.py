"""What happens inside a worker of the long queue: like any other, and large queries go to Spark.

Queries that read few rows are answered by the embedded engines here, too: Spark would take longer to begin with them.
The worker is held to the memory of a query as others are, but Java is not: it reserves address space as it pleases, and
has a limit of its own. A worker that is killed takes its Java along, and the executors end with that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from skydex.archive import Archive
from skydex.engines.spark_home import HomedEngine, SparkChoices, SparkHome
from skydex.errors import SettingsError
from skydex.jobs import Handler
from skydex.jobs.limits import limit_memory_softly
from skydex.settings import Settings
from skydex.web.workroom import handler_of

__all__ = ["PRELOAD", "open_spark_room"]

PRELOAD = ("skydex.web.workroom", "skydex.engines.duckdb", "numpy.ma")


def open_spark_room(directory: Path, settings: Settings, scratch: Path) -> Handler:
    """Open an archive for one worker that has Spark.

    Parameters
    ----------
    directory : Path
        The archive.
    settings : Settings
        The operator's choices, `spark` among them.
    scratch : Path
        The worker's own directory, where Spark and the embedded engine spill.
    """
    if settings.spark is None:
        raise SettingsError("Setting spark is unset: there is no Spark to open.")
    spool = Path(settings.spark_spool) if settings.spark_spool else settings.state_directory(directory) / "spark"
    properties = Path(settings.spark_properties) if settings.spark_properties else None
    choices = SparkChoices(
        url=settings.spark,
        memory_mb=settings.spark_memory_mb,
        wait_s=settings.spark_wait_s,
        idle_s=settings.spark_idle_s,
        properties=properties,
        spill=scratch,
        spool=spool,
    )
    home = SparkHome(choices)
    home.interrupt_orphans()
    archive = Archive.open(directory, replace(settings, temp_dir=str(scratch)), large=HomedEngine(home))
    inner = handler_of(archive, settings)
    limit_memory_softly(settings.query_memory_mb)

    def handle(order: Any, deadline: float | None) -> tuple[dict[str, Any], Iterator[bytes]]:
        with home.at_work():
            facts, chunks = inner(order, deadline)
            return facts, iter(list(chunks))  # of a job, whose answer goes into a file, there are none

    return handle
