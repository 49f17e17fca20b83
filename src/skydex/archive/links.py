"""`Link`: one row of an answer of DataLink, and the columns of all of them.

DataLink 1.1 (IVOA REC 2023-12-15), section 3.2. What semantics are called says the core vocabulary
(http://www.ivoa.net/rdf/datalink/core), of which only those terms are used that DataLink 1.0 had: they are what clients
know without asking a network.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from skydex.query.languages.words import spelled
from skydex.tables import Column, Datatype

__all__ = [
    "LINK_COLUMNS",
    "VOTABLE_TYPE",
    "Link",
    "address_of",
    "adql_name",
    "adql_value",
    "failed_link",
    "image_link",
    "table_link",
]

VOTABLE_TYPE = "application/x-votable+xml"


def _text(name: str, ucd: str, description: str) -> Column:
    return Column(name, Datatype.CHAR, "*", ucd=ucd, description=description)


LINK_COLUMNS = (
    _text("ID", "meta.id;meta.main", "Identifier that was asked for"),
    _text("access_url", "meta.ref.url", "Where to get it"),
    _text("service_def", "meta.ref", "Descriptor of the service that gives it"),
    _text("error_message", "meta.code.error", "Why it cannot be had"),
    _text("description", "meta.note", "What it is"),
    _text("semantics", "meta.code", "What it is to what was asked for"),
    _text("content_type", "meta.code.mime", "Media type"),
    Column("content_length", Datatype.LONG, unit="byte", ucd="phys.size;meta.file", description="Size"),
    _text("content_qualifier", "meta.code", "Kind of data product"),
    _text("local_semantics", "meta.id.assoc", "The same word for the same kind of link"),
)


@dataclass(frozen=True)
class Link:
    """One row. Its fields are called as the columns are."""

    ID: str
    semantics: str
    description: str
    access_url: str | None = None
    service_def: str | None = None
    error_message: str | None = None
    content_type: str | None = None
    content_length: int | None = None
    content_qualifier: str | None = None
    local_semantics: str | None = None


def image_link(
    identifier: str, semantics: str, description: str, address: str, media_type: str | None, *, local: str
) -> Link:
    """A link to an image or a picture of one; `local` is the word for this kind of link on this server."""
    return Link(
        identifier,
        semantics,
        description,
        address,
        content_type=media_type,
        content_qualifier="#image",
        local_semantics=local,
    )


def table_link(identifier: str, semantics: str, description: str, query: str, *, url: str, local: str) -> Link:
    """A link to the answer to a query in ADQL."""
    address = address_of(f"{url}/tap/sync", REQUEST="doQuery", LANG="ADQL", QUERY=query)
    return Link(identifier, semantics, description, address, content_type=VOTABLE_TYPE, local_semantics=local)


def failed_link(identifier: str, message: str) -> Link:
    """Why there are no links; the message begins with a word of the standard (section 3.5)."""
    return Link(identifier, "#this", "", error_message=message)


def address_of(service: str, **parameters: str) -> str:
    """The address of an answer of a service."""
    return f"{service}?{urlencode(parameters, quote_via=quote)}"


def adql_name(name: str) -> str:
    """The qualified name of a table as a query writes it."""
    return ".".join(map(spelled, name.split(".")))


def adql_value(value: int | str) -> str:
    """A literal."""
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"
