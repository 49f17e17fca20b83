"""Contexts: what users of CasJobs call the database that a query is for."""

from __future__ import annotations

from collections.abc import Iterator

from skydex.archive import MYDB_CONTEXT, Archive, ContextOffer
from skydex.errors import BadParameterError, near_names
from skydex.web.dali import Parameters

__all__ = ["context_of", "contexts"]


def contexts(archive: Archive, owner: str | None) -> Iterator[tuple[str, ContextOffer | None]]:
    """Every context that shows something to a user, or to anybody, by its name; that of users' own tables first."""
    yield MYDB_CONTEXT, None
    for offer in archive.offers_for(owner).contexts:
        yield offer.context, offer


def context_of(archive: Archive, parameters: Parameters, owner: str) -> str:
    """The context that a request names, as its publisher writes it; without one, that of the user's own tables.

    Raises
    ------
    BadParameterError
        There is none of that name.
    """
    asked = (parameters.find("context") or MYDB_CONTEXT).strip()
    if asked.upper() == MYDB_CONTEXT:
        return MYDB_CONTEXT
    offer = archive.offers_for(owner).find_context(asked)
    if offer is None:
        names = [name for name, _ in contexts(archive, owner)]
        near = near_names(asked, names) or names
        raise BadParameterError("context", f'"{asked[:80]}" is none here. Did you mean {" or ".join(near)}?')
    return offer.context
