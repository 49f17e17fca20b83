"""A list of places: a file that somebody drops or sends, each of its rows with what a table has near it.

Nothing is kept, so what is posted here changes nothing; to keep a list there is MyDB.
"""

from __future__ import annotations

from skydex.archive import CatalogOffer, CounterpartsRequest, Search, Upload
from skydex.errors import BadParameterError
from skydex.tables import has_colours, shown_columns
from skydex.web.asgi import Call, Reply
from skydex.web.catalog_parameters import received_fields
from skydex.web.pages.rendering import rendered
from skydex.web.pages.rows import rows_of
from skydex.web.pages.searchable import searchable
from skydex.web.uploads import KeptFiles

__all__ = ["matched"]

_FILE = "table"
_ARCSEC = 2.0
_MOST_ARCSEC = 3600.0
_MOST_ROWS = 500
"""Rows that are shown."""


async def matched(call: Call) -> Reply:
    """What a table has near the places of a file."""
    tables = searchable(call)
    max_mb, intake = call.site.settings.upload_mb, call.site.intake
    with call.site.folders.folder() as folder, KeptFiles(folder, max_mb, intake) as files:
        fields = await received_fields(call, files)
        file = files.of_part(_FILE)
        if file is None:
            raise BadParameterError(_FILE, "is missing: choose a file with positions: CSV, VOTable, FITS, Parquet.")
        first = next((table for table in tables if has_colours(table)), next(iter(tables), None))
        name = fields.find("in") or (first.name if first else "")
        table = call.site.archive.namespace(owner=call.owner).get(name).table
        arcsec = fields.find_number("arcsec", least=0.0, most=_MOST_ARCSEC)
        arcsec = _ARCSEC if arcsec is None else arcsec
        offer = CatalogOffer(table.name, table.name)
        request = CounterpartsRequest(
            Search(offer, columns=tuple(shown_columns(table))),
            Upload("positions", str(file.path), file.content_type),
            arcsec / 3600.0,
            (fields.find("ra_name") or "ra", fields.find("dec_name") or "dec"),
            max_rows=_MOST_ROWS,
            owner=call.owner,
        )
        found = await rows_of(call, request)
    facts = {"table": table.name, "arcsec": arcsec, "rows": found.facts(), "all_tables": [one.name for one in tables]}
    return rendered(call, "list_search.html", facts)
