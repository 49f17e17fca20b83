"""Writing the rows of a large answer in each format, beside astropy's writers.

Both begin with the rows in memory, each in its own kind of table, and end with bytes in memory.
"""

from __future__ import annotations

import io
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from astropy.io.votable import from_table
from astropy.table import MaskedColumn, Table

from benchmarks import simulated
from benchmarks.finding import Finding
from benchmarks.holdings import N_SOURCES, Setup
from benchmarks.timing import Work, timed
from skydex.formats import get_format
from skydex.tables import Column, Datatype, Result

__all__ = ["TITLE", "measure"]

TITLE = "Writing formats"
_BATCH_ROWS = 65_536
_FORMATS = {"BINARY2": "votable", "TABLEDATA": "votable/td"}


def measure(setup: Setup) -> Iterator[Finding]:
    """Time of writing 406,089 rows x 10 columns."""
    rows = simulated.sources(N_SOURCES)
    theirs = _astropy_table(rows)
    references: dict[str, tuple[str, Callable[[], object]]] = {
        "BINARY2": ("astropy", partial(_votable, theirs, "binary2")),
        "TABLEDATA": ("astropy", partial(_votable, theirs, "tabledata")),
        "CSV": ("astropy, ascii.csv", partial(_written, theirs, "ascii.csv")),
        "FITS": ("astropy", partial(_written, theirs, "fits")),
        "Parquet": ("astropy, to a temporary file", partial(_to_file, theirs, "parquet")),
        "Arrow": ("pyarrow's own stream (astropy has none)", partial(_arrow, rows)),
    }
    for name, (reference, write) in references.items():
        ours = partial(_ours, rows, _FORMATS.get(name, name.lower()))
        mine, others = timed(Work(ours), Work(write))
        yield Finding(f"Writing {N_SOURCES:,} x 10 as {name}, time", mine.wall, reference, others.wall)
        yield Finding(f"Writing {N_SOURCES:,} x 10 as {name}, CPU", mine.cpu, reference, others.cpu)


def _ours(rows: pa.Table, format_name: str) -> int:
    form = get_format(format_name)
    assert form.write is not None
    batches = iter(rows.to_batches(_BATCH_ROWS))
    kept = list(form.write(Result(_columns(rows), batches)))
    return sum(map(len, kept))


def _columns(rows: pa.Table) -> tuple[Column, ...]:
    doubles = (Column(name, Datatype.DOUBLE) for name in rows.column_names[1:])
    return (Column("name", Datatype.CHAR, arraysize="22*"), *doubles)


def _astropy_table(rows: pa.Table) -> Table:
    table = Table({"name": np.array(rows["name"].to_pylist(), "U22")})
    for name in rows.column_names[1:]:
        column = rows[name]
        mask = column.is_null().to_numpy()
        table[name] = MaskedColumn(column.fill_null(0.0).to_numpy(), mask=mask) if mask.any() else column.to_numpy()
    return table


def _votable(table: Table, serialization: str) -> None:
    with warnings.catch_warnings(action="ignore"):
        from_table(table).to_xml(io.BytesIO(), tabledata_format=serialization)


def _written(table: Table, form: str) -> None:
    out: Any = io.StringIO() if form == "ascii.csv" else io.BytesIO()
    with warnings.catch_warnings(action="ignore"):
        table.write(out, format=form)


def _to_file(table: Table, form: str) -> None:
    """For a writer that takes only file names."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
        table.write(Path(folder) / "table", format=form)


def _arrow(rows: pa.Table) -> None:
    with pa.ipc.new_stream(io.BytesIO(), rows.schema) as writer:
        writer.write_table(rows, _BATCH_ROWS)
