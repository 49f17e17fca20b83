"""What to cite: for each collection what its publisher asks for, and skydex."""

from __future__ import annotations

from skydex import __version__
from skydex.web.asgi import Call
from skydex.web.pages.definition import Page
from skydex.web.pages.rendering import Facts

__all__ = ["PAGE", "citations_of"]


async def gather(call: Call) -> Facts:
    """Collections with their references."""
    published = call.site.archive.published(call.owner)
    schemas = dict.fromkeys(relation.table.schema_name for relation in published)
    cited = ((schema, citations_of(call, schema)) for schema in schemas)
    return {
        "collections": [{"name": schema, "citations": found} for schema, found in cited if found],
        "software": {
            "text": f"The skydex developers, skydex: an astronomical archive in a box, version {__version__}",
            "bibtex": (
                "@software{skydex,\n  author = {{The skydex developers}},\n"
                "  title = {skydex: an astronomical archive in a box},\n"
                f"  version = {{{__version__}}},\n  license = {{BSD-3-Clause}}\n}}"
            ),
        },
        "archive": {
            "title": call.site.settings.title,
            "url": call.site.url,
            "release": call.site.archive.revision,
        },
    }


def citations_of(call: Call, schema: str) -> list[Facts]:
    """What the publisher of a schema asks to be cited."""
    return [
        {"text": one.text, "doi": one.doi or None, "bibtex": one.bibtex.strip() or None}
        for one in call.site.archive.offers.citations
        if one.schema.lower() == schema.lower()
    ]


PAGE = Page("/cite", "cite.html", gather)
