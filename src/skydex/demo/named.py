"""Named objects of the demonstration: those that notebooks look up, where these notebooks found them.

All rows are real. A search around a name gives the documented result only at the position that its author was given,
which for IC 1613 depends on the resolver that is asked.
"""

from __future__ import annotations

from collections.abc import Iterator

from skydex.demo.columns import read_columns
from skydex.demo.publications import printed_in, read_printed
from skydex.demo.simulation import SimulatedTable, batch_of
from skydex.demo.size import Size

__all__ = ["simulate_named"]

_NAME = "named_objects"


def simulate_named(_: Size, __: int) -> Iterator[SimulatedTable]:
    """The table of named objects, the same for every size and seed."""
    rows, columns = read_printed(_NAME), read_columns(_NAME)
    values = {name: rows[name].combine_chunks() for name in rows.column_names}
    yield SimulatedTable(
        f"demo.{_NAME}",
        "Objects that can be asked for by name, and where: the archive's resolvers look here first.",
        columns,
        iter([batch_of(columns, values, rows.num_rows)]),
        {"ra": "ra", "dec": "dec"},
        (printed_in(columns, _NAME, identifier="name"),),
        is_real=True,
    )
