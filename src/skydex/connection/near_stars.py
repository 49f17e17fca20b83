"""Rows as MAST's Filtered services give them, of an archive on this disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from skydex.archive import Archive, MashupRequest, Output, column_filters
from skydex.sky import Cone
from skydex.tables import Result, Table

__all__ = ["filtered_request", "near_filtered"]

_ALL_ROWS = 1 << 62
"""A page that everything has room on."""


def near_filtered(
    archive: Archive,
    table: str,
    columns: Sequence[str] = ("*",),
    filters: Sequence[Mapping[str, object]] = (),
    *,
    max_rows: int | None = None,
    owner: str | None = None,
) -> Result:
    """Rows of a table that pass filters, in the order of the table.

    Parameters
    ----------
    archive : Archive
        Where it is.
    table : str
        Qualified name, such as `psf.UVIS`.
    columns : sequence of str
        Names, or `*` for all.
    filters : sequence of mappings
        As `skydex.client.psf.filters` makes them; all of them hold.
    max_rows : int, optional
        Row limit; by default that of the archive.
    owner : str, optional
        Who asks.
    """
    known = archive.namespace(owner=owner).get(table).table
    return archive.query(filtered_request(known, columns, filters, max_rows=max_rows, owner=owner))


def filtered_request(
    table: Table,
    columns: Sequence[str],
    filters: Sequence[Mapping[str, object]],
    *,
    cone: Cone | None = None,
    max_rows: int | None = None,
    owner: str | None = None,
) -> MashupRequest:
    """The request for rows that pass filters, and lie in a cone; for the parameters see `near_filtered`."""
    names = [column.name for column in table.columns] if "*" in columns or not columns else columns
    return MashupRequest(
        table.name,
        tuple(Output(name, name) for name in names),
        cone=cone,
        filters=column_filters([dict(one) for one in filters]),
        sort_by=None,
        page_rows=_ALL_ROWS,
        max_rows=max_rows,
        owner=owner,
    )
