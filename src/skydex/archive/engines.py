"""Engines by name, for callers who choose which one answers; otherwise the plan does."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from skydex.engines import Engine, ScanEngine
from skydex.errors import BadParameterError, near_names
from skydex.query import Plan
from skydex.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["ENGINES", "check_able", "make_engine"]


def make_engine(name: str, settings: Settings) -> Engine:
    """The engine of a name, within the limits of the settings.

    Raises
    ------
    BadParameterError
        There is no such engine.
    """
    if name not in ENGINES:
        near = near_names(name, ENGINES) or list(ENGINES)
        raise BadParameterError("engine", f"is one of {', '.join(ENGINES)}, not {name!r}. Did you mean {near[0]}?")
    return ENGINES[name](settings)


def check_able(engine: Engine, plan: Plan) -> None:
    """Refuse a plan that a chosen engine cannot run."""
    if engine.name == "scan" and plan.engine != "scan":
        hint = "leave the choice to the plan, or take duckdb or spark"
        raise BadParameterError("engine", f"scan answers conditions on one table and no more: {hint}.")


def _scan(_: Settings) -> Engine:
    return ScanEngine()


def _duckdb(settings: Settings) -> Engine:
    from skydex.engines.duckdb import DuckDBEngine, DuckDBLimits

    threads = settings.threads or os.cpu_count() or 1
    limits = DuckDBLimits(settings.query_memory_mb, settings.query_spill_mb, threads, settings.spill_directory)
    return DuckDBEngine(limits)


def _spark(settings: Settings) -> Engine:
    from skydex.engines.spark import SparkEngine, SparkLimits
    from skydex.engines.spark_session import open_session

    def opened() -> SparkSession:
        return open_session(
            settings.spark or f"local[{settings.threads or '*'}]",
            memory_mb=settings.spark_memory_mb,
            wait_s=settings.spark_wait_s,
            directory=settings.spill_directory,
            properties=Path(settings.spark_properties) if settings.spark_properties else None,
        )

    return SparkEngine(
        opened, SparkLimits(Path(settings.spark_spool) if settings.spark_spool else settings.spill_directory)
    )


ENGINES: Mapping[str, Callable[[Settings], Engine]] = MappingProxyType(
    {
        "scan": _scan,
        "duckdb": _duckdb,
        "spark": _spark,
    }
)
"""By name: conditions on one table, all of SQL in this process, all of SQL by Spark."""
