"""Pages about the catalogue REST API for people: what is offered, how to ask, and the columns of each table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from skydex.archive import OPERATORS, CatalogOffer
from skydex.formats import writable
from skydex.settings import Settings
from skydex.tables import Column, Table
from skydex.web.asgi import Call, Reply
from skydex.web.catalog_parameters import largest_radius
from skydex.web.pages import page

__all__ = ["overview_page", "table_page"]

_PARAMETERS = (
    ("ra, dec", "centre of a cone: ICRS, degrees"),
    ("radius", "radius of the cone, degrees"),
    ("columns", "columns of the answer: <code>a,b,c</code>, <code>[a,b,c]</code>, or the parameter several times"),
    ("sort_by", "<code>column</code> or <code>column.desc</code>; <code>distance</code> in a cone; several are keys"),
    ("pagesize, page", "rows of a page, and its number from 1; the header <code>Link</code> leads to the next one"),
    ("format", "if the address does not end in one"),
    ("any column", "<code>column=value</code> or <code>column.operator=value</code>; all constraints hold"),
)


def overview_page(call: Call, offers: Iterable[CatalogOffer], url: str) -> Reply:
    """What is offered, and how to ask."""
    rows = ((_link(f"{url}/{offer.path}/docs", offer.path), escape(offer.title)) for offer in offers)
    formats = ", ".join(f"<code>.{form.name}</code>" for form in writable() if "/" not in form.name)
    operators = ((f"<code>{word}</code>", _marked(meaning)) for word, meaning in OPERATORS.items())
    body = (
        "<p>Each table is searched by position, by constraints on its columns, or both: with GET, or with POST of a "
        "form or of JSON. A search without a position needs a constraint. Names are taken in any case.</p>"
        f"<h2>Tables</h2>{_table(('address', 'what'), rows)}"
        f"<h2>Parameters</h2>{_table(('parameter', 'meaning'), _PARAMETERS)}"
        f"<h2>Operators</h2>{_table(('operator', 'meaning'), operators)}"
        f"<h2>Formats</h2><p>The address of a table ends in one of {formats}.</p>"
        f"<h2>For programs</h2><p>{_link(f'{url}/openapi.json', 'Description as OpenAPI')}</p>"
    )
    return page(call, "Catalogue searches", body)


def table_page(call: Call, offer: CatalogOffer, table: Table, url: str) -> Reply:
    """The columns of a table, and requests to begin with."""
    address = f"{url}/{offer.path}"
    rows = (_column_row(column) for column in table.columns)
    samples = "".join(
        f"<li><code>{escape(sample)}</code></li>" for sample in _samples(offer, table, call.site.settings, address)
    )
    n_rows = f"<p>{table.n_rows:,} rows, {len(table.columns):,} columns.</p>" if table.n_rows is not None else ""
    body = (
        f"<p>{escape(table.description)}</p>{n_rows}<h2>Requests</h2><ul>{samples}</ul>"
        f"<p>{_link(f'{address}/metadata', 'The columns for programs')}; {_link(f'{url}/', 'how to ask')}</p>"
        f"<h2>Columns</h2>{_table(('name', 'type', 'unit', 'UCD', 'description'), rows)}"
    )
    return page(call, offer.title or offer.path, body)


def _samples(offer: CatalogOffer, table: Table, settings: Settings, address: str) -> Iterable[str]:
    if table.position is not None or offer.place is not None:
        radius = min(0.1, largest_radius(offer, settings))
        yield f"{address}.csv?ra=10.68&dec=41.27&radius={radius:g}"
    numbers = [column.name for column in table.columns if column.datatype.is_numeric and not column.is_array]
    if numbers:
        yield f"{address}.json?{numbers[0]}.gt=0&columns={','.join(numbers[:3])}&sort_by={numbers[0]}.desc&pagesize=10"


def _column_row(column: Column) -> Sequence[str]:
    size = f"({column.arraysize})" if column.arraysize else ""
    texts = (column.unit or "", column.ucd or "", column.description)
    return (f"<code>{escape(column.name)}</code>", f"{column.datatype.value}{escape(size)}", *map(escape, texts))


def _marked(text: str) -> str:
    """A text with what stands between backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))


def _link(url: str, text: str) -> str:
    return f'<a href="{escape(url)}">{escape(text)}</a>'


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML already."""
    head = "".join(f"<th>{text}</th>" for text in heads)
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{lines}</table>"
