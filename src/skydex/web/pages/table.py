"""The page of a table: what its columns mean, its rows filtered and sorted, and how to ask the same elsewhere.

Everything is in the address, which is that of the catalogue REST API (`table_choice`), and nothing needs a script.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from skydex.archive import OPERATORS, PARAMETERS, CatalogRequest, ColumnsRequest, FacetsRequest, ReadyExample, Subject
from skydex.errors import SkydexError, UnknownResourceError, UnknownTableError
from skydex.lightcurve.holdings import pointing_column, time_column
from skydex.query import Namespace
from skydex.tables import Column, Table, spelled
from skydex.web import dali
from skydex.web.asgi import Call, Reply
from skydex.web.catalog_parameters import Fields
from skydex.web.pages.cite import citations_of
from skydex.web.pages.definition import Page
from skydex.web.pages.policy import Policy
from skydex.web.pages.rendering import Facts
from skydex.web.pages.rows import Rows, rows_of
from skydex.web.pages.snippets import downloads, snippets
from skydex.web.pages.sparks import spark
from skydex.web.pages.table_choice import FORM_ROWS, Choice, address_of_form, choice_of

__all__ = ["PAGE"]

_EMPTY_FILTERS = 3
_MOST_FILTERS = 50
_COUNTED_ROWS = 5_000_000
"""Of larger tables it is not counted how many rows a filter leaves: that reads all of them."""
_QUICK_ROWS = 1_000_000
_MOST_FACETS, _FACET_VALUES = 8, 8
_LONG = 60
"""Columns that are described at once; more are behind a click."""
_SIGNS = {
    "eq": "=", "neq": "≠", "gt": ">", "gte": "≥", "lt": "<", "lte": "≤", "between": "between (1,2)",
    "in": "any of (1,2,3)", "like": "like (*)", "contains": "contains", "null": "is missing", "nnull": "is there",
}  # fmt: skip
"""Operators as the form offers them."""
_SAME = {"ne": "neq", "min": "gte", "max": "lte"}


async def gather(call: Call) -> Facts | Reply:
    """What is known of a table, and one page of its rows."""
    table = _table(call)
    address = address_of_form(call, table)
    if address is not None:
        return Reply(b"", dali.TEXT_TYPE, 303, ((b"location", address.encode("ascii")),))
    fields = Fields(call.query_pairs())
    choice = choice_of(fields, table)
    found = await rows_of(call, choice.request(call.owner), is_quick=(table.n_rows or 0) <= _QUICK_ROWS)
    n_found, looks, facets = await asyncio.gather(
        _count(call, choice, found), _looks(call, table), _facets(call, choice)
    )
    return {
        **_about(table),
        "columns": list(_columns(choice, looks)),
        **_filters(fields, choice),
        "facets": facets,
        **_shown(choice, found, n_found),
        **_elsewhere(call, choice),
        **_related(call.site.archive.namespace(owner=call.owner), choice),
        "citations": citations_of(call, table.schema_name),
        "examples": [_example(ready) for ready in _examples(call, table)],
    }


def _table(call: Call) -> Table:
    """The table of an address; to who must not see it there is none.

    Raises
    ------
    UnknownResourceError
        There is none.
    """
    name = call.part("table") or ""
    try:
        return call.site.archive.namespace(owner=call.owner).get(name).table
    except UnknownTableError as error:
        raise UnknownResourceError("table", name[:100], near=error.near) from error


async def _count(call: Call, choice: Choice, found: Rows) -> int | None:
    """How many rows there are on all pages; None if that would take too long."""
    if not found.overflow and (found.rows or choice.page == 1):
        return choice.offset + len(found.rows)
    n_rows = choice.table.n_rows
    if not choice.is_restricted and n_rows is not None:
        return n_rows
    if n_rows is None or n_rows > _COUNTED_ROWS:
        return None
    try:
        (row,) = (await rows_of(call, choice.count(call.owner), is_quick=n_rows <= _QUICK_ROWS)).rows
    except SkydexError:  # the page is worth having without
        return None
    return int(row[0])


def _about(table: Table) -> Facts:
    position = None if table.position is None else [table.position.ra, table.position.dec]
    return {
        "name": table.name,
        "schema": table.schema_name,
        "description": table.description,
        "n_rows": table.n_rows,
        "n_columns": len(table.columns),
        "id_column": table.id_column,
        "position": position,
        "utype": table.utype,
    }


async def _looks(call: Call, table: Table) -> dict[str, Facts]:
    """What is known of the values of each column; of views nothing may be."""
    request = ColumnsRequest(
        subject=Subject(table.name), sample_rows=call.site.settings.look_sample_rows, owner=call.owner
    )
    try:
        found = await rows_of(call, request, is_quick=(table.n_rows or 0) <= _QUICK_ROWS)
    except SkydexError:  # the page is worth having without
        return {}
    return {row["name"]: row for row in found.dicts()}


def _columns(choice: Choice, looks: Mapping[str, Facts]) -> Iterator[Facts]:
    """Each column: what it means, and what its values are."""
    table, shown = choice.table, {column.name for column in choice.columns}
    n_rows = table.n_rows
    principal = [column.name for column in table.columns if column.principal]
    is_long = len(table.columns) > _LONG and bool(principal)
    first = shown | set(principal[:_LONG] if is_long else table.columns_by_name)
    for column in table.columns:
        look = looks.get(column.name, {})
        n_null, counts = look.get("n_null"), look.get("counts")
        low, high = look.get("min"), look.get("max")
        yield {
            "name": column.name,
            "datatype": column.datatype.value,
            "arraysize": column.arraysize,
            "unit": column.unit,
            "ucd": column.ucd,
            "description": column.description,
            "principal": column.principal,
            "is_shown": column.name in shown,
            "is_first": column.name in first,
            "min": look.get("first") if low is None else _whole(low, column),
            "max": look.get("last") if high is None else _whole(high, column),
            "null_share": n_null / n_rows if n_null is not None and n_rows else None,
            "counts": counts,
            "counts_from": look.get("lo"),
            "counts_to": look.get("hi"),
            "is_estimate": look.get("is_estimate"),
            "spark": spark(counts) if counts else None,
        }


def _whole(value: float, column: Column) -> float | int:
    """A number of a column of whole numbers as such."""
    return int(value) if column.datatype.is_integer else value


async def _facets(call: Call, choice: Choice) -> list[Facts]:
    """The most frequent values of columns that have few, of the rows that are chosen, each with a way to its rows."""
    settings = call.site.settings
    request = FacetsRequest(
        subject=Subject(choice.table.name, choice.constraints, choice.cone),
        sample_rows=settings.look_sample_rows,
        owner=call.owner,
        most=_FACET_VALUES,
        exact_rows=settings.look_exact_rows,
    )
    try:
        found = await rows_of(call, request, is_quick=(choice.table.n_rows or 0) <= _QUICK_ROWS)
    except SkydexError:  # the page is worth having without
        return []
    values: dict[str, list[Facts]] = {}
    for row in found.dicts():
        values.setdefault(row["column"], []).append(row)
    telling = {name: rows for name, rows in values.items() if len(rows) > 1}
    first = sorted(telling, key=lambda name: telling[name][0]["n_distinct"] > _FACET_VALUES)[:_MOST_FACETS]
    return [_facet(choice, name, telling[name]) for name in first]


def _facet(choice: Choice, name: str, rows: Sequence[Facts]) -> Facts:
    return {
        "column": name,
        "n_distinct": rows[0]["n_distinct"],
        "is_estimate": rows[0]["is_estimate"],
        "values": [
            {
                "value": row["value"],
                "n": row["n"],
                "address": choice.also(name, *_test(row["value"])).address(),
            }
            for row in rows
        ],
    }


def _test(value: str | None) -> tuple[str, str]:
    """What finds the rows that have a value."""
    return ("null", "true") if value is None or value == "" else ("eq", value)


def _filters(fields: Fields, choice: Choice) -> Facts:
    """What is chosen, and what the form has room for."""
    n_empty = fields.find_count(FORM_ROWS, most=_MOST_FILTERS) or _EMPTY_FILTERS
    cone = choice.cone
    return {
        "filters": [
            {
                "column": one.name,
                "operator": _SAME.get(one.operator, one.operator),
                "sign": _SIGNS.get(_SAME.get(one.operator, one.operator), one.operator),
                "value": value,
                "without": choice.without(one).address(),
            }
            for one in choice.constraints
            for value in one.values
        ],
        "n_empty": n_empty,
        "more": min(n_empty + _EMPTY_FILTERS, _MOST_FILTERS),
        "synonyms": _SAME,
        "parameters": [*PARAMETERS, FORM_ROWS.partition(".")[0]],
        "operators": [{"name": name, "sign": sign, "meaning": OPERATORS[name]} for name, sign in _SIGNS.items()],
        "cone": None if cone is None else {"ra": cone.ra_deg, "dec": cone.dec_deg, "radius": cone.radius_deg},
        "sort_by": [f"{key.name}.desc" if key.descends else key.name for key in choice.sort_by],
        "page_rows": choice.page_rows,
    }


def _shown(choice: Choice, found: Rows, n_found: int | None) -> Facts:
    """One page of rows, and the ways to others."""
    before = choice.at_page(choice.page - 1).address() if choice.page > 1 else None
    columns = [
        {
            **told,
            "order": choice.order_of(column),
            "sort": None if column.is_array else choice.sorted_by(column).address(),
        }
        for told, column in zip(found.columns, choice.columns, strict=True)
    ]
    return {
        "rows": {"columns": columns, "rows": found.rows, "overflow": found.overflow},
        "first": choice.offset + 1 if found.rows else choice.offset,
        "last": choice.offset + len(found.rows),
        "n_found": n_found,
        "previous": before,
        "next": choice.at_page(choice.page + 1).address() if found.overflow else None,
        "link": _link(choice),
        "address": choice.address(),
    }


def _link(choice: Choice) -> list[Any] | None:
    """Which column leads to the page of the object, and where that is, below the first page."""
    names = [column.name for column in choice.columns]
    key = choice.table.id_column
    return [names.index(key), f"o/{quote(choice.table.name, safe='')}/"] if key in names else None


def _elsewhere(call: Call, choice: Choice) -> Facts:
    """The same rows in other ways."""
    url = call.site.url
    namespace = call.site.archive.namespace(owner=call.owner)
    page, whole = choice.request(call.owner).adql(namespace), CatalogRequest(choice.search).adql(namespace)
    here = f"{url}/t/{quote(choice.table.name, safe='')}.json{choice.address() if choice.pairs() else ''}"
    return {
        "adql": whole,
        "snippets": [*snippets(page, url), {"label": "This page as JSON", "text": here}],
        "rest": _rest(call, choice),
        "downloads": downloads(whole),
    }


def _rest(call: Call, choice: Choice) -> str | None:
    """The address of the same rows in the catalogue REST API, which has nothing without a condition."""
    from skydex.web.catalog_parameters import largest_radius
    from skydex.web.catalogs import BASE, find_offer

    table = choice.table
    path = f"{table.schema_name}/{table.bare_name}"
    try:
        offer = find_offer(call.site.archive, path, call.owner)
    except SkydexError:
        return None
    is_large = choice.cone is not None and choice.cone.radius_deg > largest_radius(offer, call.site.settings)
    if not choice.is_restricted or is_large or offer.path != path or offer.missing is not None:
        return None
    names = [("columns", ",".join(column.name for column in choice.columns))]
    pairs = [*(pair for pair in choice.pairs() if pair[0] not in ("columns", "pagesize")), *names]
    return f"{call.site.url}{BASE}/{quote(path)}.csv?{urlencode([*pairs, ('pagesize', choice.page_rows)])}"


def _related(namespace: Namespace, choice: Choice) -> Facts:
    """Tables that this one points at, and those that point at it."""
    table = choice.table
    keys = [
        {"table": key.target_table, "columns": [list(pair) for pair in key.columns], "description": key.description}
        for key in table.foreign_keys
        if namespace.find(key.target_table) is not None
    ]
    return {"keys": keys, "pointing": list(_pointing(namespace, choice))}


def _pointing(namespace: Namespace, choice: Choice) -> Iterator[Facts]:
    """Tables with rows about the rows that are shown: their light curves, where they have a time."""
    table = choice.table
    if table.id_column is None:
        return
    key = table.get_column(table.id_column)
    for other in (relation.table for relation in namespace):
        here = pointing_column(other, table, key)
        if here is None:
            continue
        time = time_column(other) if (other.n_rows or 0) > (table.n_rows or 0) else None
        order = f"\nORDER BY {spelled(here)}, {spelled(time)}" if time else ""
        only = Choice(table, choice.constraints, choice.cone, (key.name,))
        which = CatalogRequest(only.search).adql(namespace).replace("\n", "\n  ")
        adql = f"SELECT *\nFROM {other.name}\nWHERE {spelled(here)} IN (\n  {which})" + order
        yield {"table": other.name, "column": here, "time": time, "adql": adql}


def _examples(call: Call, table: Table) -> Iterable[ReadyExample]:
    """Queries of its collection that read it."""
    try:
        ready = call.site.archive.examples(table.schema_name, call.owner)
    except SkydexError:
        return ()
    return (one for one in ready if table.name in one.tables)


def _example(ready: ReadyExample) -> Facts:
    example = ready.example
    return {"name": example.name, "description": example.description, "query": example.query}


PAGE = Page("/t/{table}", "table.html", gather, Policy(sends=True))
