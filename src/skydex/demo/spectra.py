"""Spectra of the Hubble Legacy Archive: a few that a publication printed, and none that are simulated."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow.compute as pc

from skydex.demo.columns import read_columns
from skydex.demo.publications import read_printed, read_source
from skydex.demo.simulation import Printed, SimulatedTable, batch_of
from skydex.demo.size import Size

__all__ = ["simulate_spectra"]

_NAME = "hsc_spectra"


def simulate_spectra(_: Size, __: int) -> Iterator[SimulatedTable]:
    """The table of spectra, the same for every size and seed."""
    rows, columns = read_printed(_NAME), read_columns(_NAME)
    values = {
        column.name: pc.fill_null(cells.cast("string"), "") if column.datatype.is_text else cells
        for column, cells in ((column, rows[column.name].combine_chunks()) for column in columns)
    }
    yield SimulatedTable(
        "hsc.SpecCat",
        "Spectra of the Hubble Legacy Archive that are linked to the Hubble Source Catalog.",
        columns,
        iter([batch_of(columns, values, rows.num_rows)]),
        {"id": "ObjID", "ra": "RA", "dec": "Dec"},
        (Printed("ObjID", rows["ObjID"].to_pylist(), read_source(_NAME)),),
    )
