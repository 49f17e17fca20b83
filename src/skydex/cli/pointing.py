"""Show where in a query an error is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from skydex.errors import Located

__all__ = ["pointing_into"]


@contextmanager
def pointing_into(text: str) -> Iterator[None]:
    """Add the line and a caret to errors that know their place in a text."""
    try:
        yield
    except Located as error:
        from skydex.query.languages import caret

        if picture := caret(text, error):
            error.add_note(picture)
        raise
