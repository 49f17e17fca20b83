"""`read_columns`: what the columns of a simulated table mean, from a data file beside the collection that makes it.

A file is CSV with a header; its columns are `name`, `datatype`, `arraysize`, `unit`, `ucd` and `description`, and
`xtype` and `utype` where they are needed: the attributes of a VOTable FIELD. Lines that begin with `#` say where the
facts come from.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources

from skydex.tables import Column, Datatype

__all__ = ["read_columns", "read_rows"]

_PACKAGE = "skydex.demo"


@cache
def read_columns(name: str) -> tuple[Column, ...]:
    """Columns of a table.

    Parameters
    ----------
    name : str
        The data file without its ending, from the folder of the demonstration: `hsc/detailedCatalog`.
    """
    return tuple(
        Column(
            name=row["name"],
            datatype=Datatype(row["datatype"]),
            arraysize=row.get("arraysize") or None,
            unit=row.get("unit") or None,
            ucd=row.get("ucd") or None,
            utype=row.get("utype") or None,
            xtype=row.get("xtype") or None,
            description=row.get("description") or "",
        )
        for row in read_rows(name)
    )


def read_rows(name: str) -> tuple[dict[str, str], ...]:
    """Rows of a small data file of the demonstration as texts by column; lines that begin with `#` are comments."""
    text = resources.files(_PACKAGE).joinpath(f"{name}.csv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return tuple(csv.DictReader(lines, strict=True))
