"""The basis of an answer: the tables that it rests on, each in the version that is published now, or the files.

Whoever was given an answer need not be given it again as long as its basis is the same, whatever else is published
meanwhile. A cone and a search name their tables. Of a query in text every table counts whose name is a word of it, so
that neither parsing nor planning is needed; that may be too many, and never too few: no name can be written without
its letters, and a table that makes a name ambiguous is called so itself. TAP_SCHEMA describes all tables, and whoever
asks it asks for all. Pixels rest on the files that they are read from, which are left where they lie: on which file it
is, its date and its size.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable

from skydex.archive.catalog_request import CatalogRequest
from skydex.archive.descriptors import has_links
from skydex.archive.images import Images, mark_of
from skydex.archive.looks import Look
from skydex.archive.pictures import PictureRequest
from skydex.archive.requests import ComposedRequest, ConeRequest, QueryRequest, TableRequest
from skydex.errors import SkydexError
from skydex.query import Namespace, Relation

__all__ = ["basis_of", "basis_of_pixels"]

_WORD = re.compile(r"\w+")
_MOST_CHARACTERS = 100_000
"""Longer texts are taken to rest on everything."""


def basis_of(request: TableRequest, shown: Namespace, everything: Namespace, mounted: Collection[str]) -> str | None:
    """Names what the answer to a request rests on.

    Parameters
    ----------
    request : TableRequest
        A question that is nobody's in particular and brings no tables along.
    shown : Namespace
        The names that it may use.
    everything : Namespace
        All that whoever asks may see, to which answers refer.
    mounted : collection of str
        Tables that may change where they lie, by their names in the archive, in small letters.

    Returns
    -------
    basis : str or None
        The same in every process as long as the tables are the same. Empty where one of them may change without being
        published; `None` where it is everything that is published, or is not known.
    """
    read = _tables_read(request, shown)
    datasets = [relation.dataset for relation in read or ()]
    if any(dataset is not None and dataset.table.name.lower() in mounted for dataset in datasets):
        return ""
    if not datasets or None in datasets:
        return None
    return " ".join(sorted(_version(relation, shown, everything) for relation in read or ()))


def basis_of_pixels(request: PictureRequest, images: Images) -> str | None:
    """Names the files of images that an answer is made of, as they are now; `None` if it is made of something else."""
    try:
        records = request.images_read(images)
    except SkydexError:  # which whoever answers will tell
        return None
    marks = [mark_of(record) for record in records or ()]
    return repr((records, marks)) if marks and None not in marks else None


def _tables_read(request: TableRequest, shown: Namespace) -> list[Relation] | None:
    """Every table that is read, and perhaps more; `None` if that is not known."""
    if isinstance(request, ConeRequest):
        return _found([request.table], shown)
    if isinstance(request, Look):
        return _found([request.subject.table], shown)
    if isinstance(request, ComposedRequest):
        return _found(_read_of(request, shown), shown)
    if isinstance(request, CatalogRequest):
        offer = request.search.offer
        return _found([offer.table, *([offer.place.table] if offer.place else [])], shown)
    if isinstance(request, QueryRequest) and len(request.text) <= _MOST_CHARACTERS:
        words = set(_WORD.findall(request.text.lower()))
        return [relation for relation in shown if relation.table.bare_name.lower() in words]
    return None


def _read_of(request: ComposedRequest, shown: Namespace) -> Iterable[str]:
    try:
        return request.tables_read(shown)
    except SkydexError:  # which whoever answers will tell
        return ()


def _found(names: Iterable[str], shown: Namespace) -> list[Relation]:
    return [relation for relation in map(shown.find, names) if relation is not None]


def _version(relation: Relation, shown: Namespace, everything: Namespace) -> str:
    """Names a table as it is shown: its files, what is told of its columns, and whether answers lead to links."""
    return shown.kept((basis_of, relation.table.name), lambda: _new_version(relation, everything))


def _new_version(relation: Relation, everything: Namespace) -> str:
    dataset = relation.dataset
    assert dataset is not None, "tables in memory have no version"
    facts = (
        dataset.directory,
        dataset.version,
        dataset.table,
        relation.table,
        sorted(relation.links.items()),
        sorted(relation.reaches.items()),
        has_links(relation, everything),
    )
    return hashlib.sha256(repr(facts).encode("utf-8", "replace")).hexdigest()
