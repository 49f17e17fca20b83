"""`Variables` of a T-SQL batch, and how they enter its queries: as values.

Names that belong to the batch alone, of temporary tables and table variables, are spelled out on the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from skydex.archive.batch_values import column_of, kept_value, literal_of, written_value
from skydex.errors import BadQueryError
from skydex.mydb import MYDB
from skydex.query import build
from skydex.query.languages.tsql_names import is_temporary, variable_name
from skydex.tables import Column, Datatype

__all__ = ["ROWS_AFFECTED", "Variables"]

ROWS_AFFECTED = Column("Rows Affected", Datatype.LONG)
"""How many rows a statement has written: the only column of an answer without rows."""
_ROWCOUNT = "@@rowcount"
"""The variable that says how many rows the statement before has written."""


class Variables:
    """The variables of one batch, by their names with `@` in small letters; each has a type and a value."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Column, Any]] = {}

    def declare(self, name: str, kind: exp.DataType) -> None:
        """Make a variable, which is null."""
        if name in self._known:
            raise BadQueryError(f"The variable {name} is declared twice.")
        self._known[name] = column_of(name, kind), None

    def set(self, name: str, value: Any) -> None:
        """Give a variable a value, converted to its type."""
        column, _ = self.get(name)
        self._known[name] = column, kept_value(value, column)

    def set_rowcount(self, n_rows: int) -> None:
        """Keep how many rows a statement has written, for the one behind it."""
        self._known[_ROWCOUNT] = ROWS_AFFECTED, n_rows

    def get(self, name: str) -> tuple[Column, Any]:
        """The type and the value of a variable; `BadQueryError` if it is not declared."""
        if name.startswith("@@") and name not in self._known:
            raise BadQueryError(f"The server's own variable {name} is not offered here.")
        if name not in self._known:
            raise BadQueryError(f"The variable {name} is not declared: write DECLARE {name} float before it.")
        return self._known[name]

    def filled(self, query: exp.Query, value_of: Callable[[exp.Expression], Any]) -> exp.Query:
        """A query with values in the place of variables, and with plain names of temporary tables.

        Parameters
        ----------
        query : Query
            As it was parsed; it stays as it is.
        value_of : callable
            Computes what TOP, OFFSET and FETCH say.
        """
        whole = exp.Subquery(this=query.copy())
        _spell_temporary(whole)
        for parameter in list(whole.find_all(exp.Parameter)):
            if not isinstance(parameter.parent, exp.Parameter):
                column, value = self.get(variable_name(parameter))
                parameter.replace(literal_of(value, column))
        for limit in list(whole.find_all(exp.Limit, exp.Fetch, exp.Offset)):
            _compute_rows(limit, value_of)
        for named in whole.find_all(exp.Column):
            if named.args.get("catalog"):
                _shorten(named)
        filled: exp.Query = whole.this
        return filled


def _spell_temporary(node: exp.Expression) -> None:
    """Give names with `#` and table variables with `@`, which the parser reads as something else, that sign back."""
    for table in list(node.find_all(exp.Table)):
        if isinstance(table.this, exp.Parameter):
            table.this.replace(_placed(build.quoted(f"@{table.this.name.lower()}"), table.this))
    for identifier in list(node.find_all(exp.Identifier)):
        if is_temporary(identifier):
            identifier.replace(_placed(build.quoted(f"#{identifier.name}"), identifier))


def _compute_rows(limit: exp.Expression, value_of: Callable[[exp.Expression], Any]) -> None:
    """Put a number in the place of what TOP, OFFSET or FETCH compute."""
    rows = limit.args.get("count" if isinstance(limit, exp.Fetch) else "expression")
    if isinstance(rows, exp.Expression) and not written_value(rows)[0] and rows.find(exp.Column) is None:
        rows.replace(literal_of(value_of(rows), ROWS_AFFECTED))


def _shorten(named: exp.Column) -> None:
    """Let a column that is named with database and schema name its table as `mydb.t` or `dbo.t`."""
    database = named.args["catalog"]
    if database.name.lower() == MYDB:
        named.set("db", database.copy())
    elif not named.args.get("db"):
        named.set("db", exp.Identifier(this="dbo", quoted=False))
    named.set("catalog", None)


def _placed(new: exp.Expression, old: exp.Expression) -> exp.Expression:
    new.meta.update(old.meta)
    return new
