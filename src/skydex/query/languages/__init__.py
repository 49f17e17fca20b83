"""The languages that queries are written in: text becomes a tree.

A language is a module that ends with `LANGUAGE = Language(...)`; it is listed here.
"""

from __future__ import annotations

from skydex.errors import BadParameterError
from skydex.query.languages import adql
from skydex.query.languages.adql import parse_adql, parse_adql_value
from skydex.query.languages.language import Language
from skydex.query.languages.limits import QueryLimits
from skydex.query.languages.places import caret, place_of
from skydex.query.languages.tsql import parse_tsql
from skydex.query.languages.tsql_batch import read_batch
from skydex.query.languages.tsql_translate import translate
from skydex.query.languages.words import FOREIGN_FUNCTIONS

__all__ = [
    "FOREIGN_FUNCTIONS",
    "LANGUAGES",
    "Language",
    "QueryLimits",
    "caret",
    "get_language",
    "parse_adql",
    "parse_adql_value",
    "parse_tsql",
    "place_of",
    "read_batch",
    "translate",
]

LANGUAGES: dict[str, Language] = {module.LANGUAGE.name: module.LANGUAGE for module in (adql,)}
"""Every language, by the name that LANG gives it."""


def get_language(name: str) -> Language:
    """A language by its name, in any case.

    Raises
    ------
    BadParameterError
        There is none of that name.
    """
    language = LANGUAGES.get(name.upper())
    if language is None:
        raise BadParameterError("LANG", f"{name} is not offered. Offered: {', '.join(LANGUAGES)}.")
    return language
