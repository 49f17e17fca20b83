"""How the server is: whether it answers, who waits, which versions it consists of, and what it may be asked at most."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from skydex import __version__
from skydex.errors import SkydexError
from skydex.web.asgi import Call
from skydex.web.pages.definition import Page
from skydex.web.pages.rendering import Facts

__all__ = ["PAGE"]

_LIBRARIES = (
    "duckdb",
    "pyarrow",
    "sqlglot",
    "astropy",
    "numpy",
    "starlette",
    "uvicorn",
    "healpix-geo",
    "mocpy",
    "pyspark",
)
_LIMITS = (
    ("query_time_s", "Seconds of a query that somebody waits for"),
    ("job_time_s", "Seconds of a job, unless it asks for more"),
    ("job_time_hard_s", "Seconds of a job at most"),
    ("max_rows_default", "Rows of an answer, unless it asks for more"),
    ("max_rows_hard", "Rows of an answer at most"),
    ("upload_mb", "MB of a table that comes with a query"),
    ("jobs_per_user", "Unfinished jobs of a user"),
    ("jobs_per_address", "Unfinished jobs of an address without account"),
    ("mydb_mb", "MB of a user's own tables"),
)


async def gather(call: Call) -> Facts:
    """What this process knows of the server."""
    from skydex.web.vosi import STARTED

    site = call.site
    dispatcher, settings = site.dispatcher, site.settings
    tables = [relation.table for relation in site.archive.published(call.owner)]
    return {
        "available": dispatcher.n_ready > 0,
        "since": STARTED,
        "workers": {"ready": dispatcher.n_ready, "busy": dispatcher.n_busy, "waiting": dispatcher.n_waiting},
        "jobs": await _jobs(call),
        "release": {
            "revision": site.archive.revision,
            "n_tables": len(tables),
            "n_rows": sum(table.n_rows or 0 for table in tables),
        },
        "versions": {"skydex": __version__, **dict(_versions())},
        "limits": [
            {"name": name, "about": about, "value": getattr(settings, name)}
            for name, about in _LIMITS
            if hasattr(settings, name)
        ],
        "n_processes": settings.processes,
    }


async def _jobs(call: Call) -> Facts | None:
    """How many jobs there are in each phase; None where the server runs none."""
    try:
        return dict(await call.site.runner.counts())
    except SkydexError:
        return None


def _versions() -> list[tuple[str, str]]:
    found = []
    for name in _LIBRARIES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:  # not every installation has everything
            continue
    return found


PAGE = Page("/status", "status.html", gather)
