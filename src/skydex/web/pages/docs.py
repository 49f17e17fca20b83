"""Help for astronomers: what one can do here, in a few sentences each, with links that do it."""

from __future__ import annotations

from skydex.errors import SkydexError
from skydex.query.functions import USER_DEFINED
from skydex.tables.tap_schema import TAP_SCHEMA
from skydex.web.asgi import Call
from skydex.web.pages.definition import Page
from skydex.web.pages.home_examples import live_examples
from skydex.web.pages.rendering import Facts

__all__ = ["PAGE"]

_MOST_EXAMPLES = 4
"""Of each collection."""


async def gather(call: Call) -> Facts:
    """Examples to begin with, queries to learn from, and functions of queries beyond ADQL's own."""
    settings = call.site.settings
    schemas = dict.fromkeys(relation.table.schema_name for relation in call.site.archive.published(call.owner))
    return {
        "examples": [{"title": one["title"], "at": one["at"]} for one in await live_examples(call)],
        "queries": [
            {"collection": name, "queries": found}
            for name in schemas
            if name != TAP_SCHEMA and (found := _queries(call, name))
        ],
        "functions": [{"signature": name, "description": text} for name, text in _functions().items()],
        "limits": {"max_rows": settings.max_rows_default, "query_time_s": settings.query_time_s},
    }


def _functions() -> dict[str, str]:
    """Each form of a call once, with what it gives."""
    forms = (form for function in USER_DEFINED for form in function.forms)
    return {form.signature: form.description for form in forms if form.signature}


def _queries(call: Call, schema: str) -> list[Facts]:
    """Queries of a collection, those of its publisher first."""
    try:
        ready = call.site.archive.examples(schema, call.owner)
    except SkydexError:
        return []
    tables = (relation.table for relation in call.site.archive.published(call.owner))
    own = {example.query for table in tables for example in table.examples}
    first = sorted((one.example for one in ready), key=lambda example: example.query not in own)[:_MOST_EXAMPLES]
    return [{"name": one.name, "description": one.description, "adql": one.query} for one in first]


PAGE = Page("/docs", "docs.html", gather)
