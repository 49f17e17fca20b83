"""ADQL 2.1 and 2.0: from text to tree.

Answers ADQL 2.1 (IVOA REC 2023-12-15) and ADQL 2.0 (IVOA REC 2008-10-30): grammar and reserved words, not what names
and functions mean (`query.bind`). ADQL is a dialect of sqlglot, so that `sqlglot.parse_one(text, read="adql")` works;
its productions are its own, because sqlglot's accept far more than ADQL. The tree is built from what ADQL's grammar
names and from nothing else, so no construct of another language gets through.
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

from skydex.errors import BadParameterError
from skydex.query.languages.language import Language
from skydex.query.languages.limits import QueryLimits, check_tree, make_room_for_recursion
from skydex.query.languages.queries import QueryReader

__all__ = ["ADQL", "FEATURES", "LANGUAGE", "parse_adql", "parse_adql_value"]

_VERSIONS = ("2.0", "2.1")
FEATURES: dict[str, tuple[str, ...]] = {
    "features-adqlgeo": (
        "AREA", "BOX", "CENTROID", "CIRCLE", "CONTAINS", "COORD1", "COORD2", "COORDSYS", "DISTANCE", "INTERSECTS",
        "POINT", "POLYGON", "REGION",
    ),
    "features-adql-string": ("LOWER", "UPPER", "ILIKE"),
    "features-adql-conditional": ("COALESCE",),
    "features-adql-sets": ("UNION", "EXCEPT", "INTERSECT"),
    "features-adql-common-table": ("WITH",),
    "features-adql-type": ("CAST",),
    "features-adql-unit": ("IN_UNIT",),
    "features-adql-offset": ("OFFSET",),
}  # fmt: skip
"""The optional features of ADQL 2.1 that are offered, by feature type: `ivo://ivoa.net/std/TAPRegExt#` and the key."""


def parse_adql(text: str, *, version: str = "2.1", limits: QueryLimits | None = None) -> exp.Query:
    """Parse one ADQL query.

    Blanks around the query and one semicolon behind it are allowed. Names, columns, tables, calls and literals carry
    their place in the text (`place_of`).

    Parameters
    ----------
    text : str
        The query.
    version : str
        "2.1", which includes nearly all of 2.0, or "2.0", which refuses what came later.
    limits : QueryLimits, optional
        What is too large.

    Returns
    -------
    tree : sqlglot.exp.Query
        A `Select`, a set operation, or a `Subquery` with its own ORDER BY or OFFSET.

    Raises
    ------
    QuerySyntaxError
        The text is no query of that version; with line, column and token.
    QueryTooLargeError
        The text, its nesting, a list, or the number of tables or columns is over its limit.

    Examples
    --------
    >>> parse_adql("SELECT TOP 5 ra FROM stars WHERE mag < 12").sql()
    'SELECT ra FROM stars WHERE mag < 12 LIMIT 5'
    """
    if version not in _VERSIONS:
        raise BadParameterError("LANG", f"ADQL is offered in versions {' and '.join(_VERSIONS)}, not {version}.")
    limits = limits or QueryLimits()
    make_room_for_recursion(limits)
    reader = QueryReader(text, version, limits)
    tree = reader.query()
    check_tree(tree, len(reader.tokens), limits)
    return tree


def parse_adql_value(text: str, *, limits: QueryLimits | None = None) -> exp.Expression:
    """Parse one value, as it may stand in the list of a SELECT: `gmag - rmag`, `LOG10(flux)`.

    Raises
    ------
    QuerySyntaxError
        The text is no value; with line, column and token.
    QueryTooLargeError
        The text, its nesting, or a list is over its limit.

    Examples
    --------
    >>> parse_adql_value("gmag - rmag").sql()
    'gmag - rmag'
    """
    limits = limits or QueryLimits()
    make_room_for_recursion(limits)
    reader = QueryReader(text, _VERSIONS[-1], limits)
    tree = reader.value()
    reader.check_end()
    check_tree(tree, len(reader.tokens), limits)
    return tree


class ADQL(Dialect):  # type: ignore[misc]  # sqlglot ships no types
    """ADQL as sqlglot knows its dialects."""

    def parse(self, sql: str, **_: Any) -> list[exp.Expression | None]:
        return [parse_adql(sql)]


LANGUAGE = Language(name="ADQL", versions=_VERSIONS, parse=parse_adql)
