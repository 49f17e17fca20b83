"""The collections of the simulated archive, in the order in which they are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from skydex.demo.csc21 import simulate_csc21
from skydex.demo.hcv import simulate_hcv
from skydex.demo.hsc import simulate_hsc
from skydex.demo.named import simulate_named
from skydex.demo.ps1 import simulate_ps1
from skydex.demo.psf import simulate_psf
from skydex.demo.simulation import Printed, Simulate, SimulatedTable, batch_of
from skydex.tables import Column, Datatype

__all__ = ["COLLECTIONS", "printed_rows"]

COLLECTIONS: dict[str, Simulate] = {
    "demo": simulate_named,
    "ps1": simulate_ps1,
    "csc21": simulate_csc21,
    "psf": simulate_psf,
    "hsc": simulate_hsc,
    "hcv": simulate_hcv,
}
"""A collection by its name, which is the schema of its tables; `hsc` has those of `hscv2` too."""

_PRINTED_COLUMNS = (
    Column("table_name", Datatype.CHAR, "*", ucd="meta.id;meta.table", description="Table in which the row stands"),
    Column("id_column", Datatype.CHAR, "*", ucd="meta.id", description="Column that names the row"),
    Column("id_value", Datatype.CHAR, "*", ucd="meta.id", description="Value of that column in the row, as text"),
    Column("source", Datatype.CHAR, "*", ucd="meta.bib", description="Publication that printed the row"),
    Column(
        "columns",
        Datatype.CHAR,
        "*",
        ucd="meta.id",
        description="Columns whose values were printed, * for all; what others say of the row is simulated or derived",
    ),
)


def printed_rows(printed: Sequence[tuple[str, Printed]]) -> SimulatedTable:
    """The table that tells which rows of the archive are real."""

    def batches() -> Iterator[pa.RecordBatch]:
        for table, one in printed:
            columns = " ".join(one.columns) or "*"
            values = {"table_name": table, "id_column": one.column, "source": one.source, "columns": columns}
            yield batch_of(
                _PRINTED_COLUMNS, {**values, "id_value": [str(value) for value in one.values]}, len(one.values)
            )

    description = "The rows of this archive that are not simulated, and what of them a publication printed."
    options = {"position": "none"}
    return SimulatedTable("demo.printed_rows", description, _PRINTED_COLUMNS, batches(), options, is_real=True)
