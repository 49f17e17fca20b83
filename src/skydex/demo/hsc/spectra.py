"""Spectra of the Hubble Legacy Archive: a few that a publication printed, and none that are simulated."""

from __future__ import annotations

import pyarrow.compute as pc

from skydex.demo.columns import read_columns
from skydex.demo.publications import printed_in, read_printed
from skydex.demo.simulation import SimulatedTable, batch_of

__all__ = ["spectra"]

_NAME = "hsc_spectra"


def spectra() -> SimulatedTable:
    """The table of spectra, the same for every size and seed."""
    rows, columns = read_printed(_NAME), read_columns("hsc/SpecCat")
    values = {
        column.name: pc.fill_null(cells.cast("string"), "") if column.datatype.is_text else cells
        for column, cells in ((column, rows[column.name].combine_chunks()) for column in columns)
    }
    return SimulatedTable(
        "hsc.SpecCat",
        "Spectra of the Hubble Legacy Archive that are linked to the Hubble Source Catalog.",
        columns,
        iter([batch_of(columns, values, rows.num_rows)]),
        {"id": "ObjID", "ra": "RA", "dec": "Dec"},
        (printed_in(columns, _NAME, identifier="ObjID"),),
        is_real=True,
    )
