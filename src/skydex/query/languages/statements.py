"""Statements: what the parts of a T-SQL batch ask to be done.

Queries and expressions stay as they are parsed; what their names mean is found when they are run. From a text they
are made by `tsql_batch`.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from skydex.query.languages.tsql_names import TableName

__all__ = [
    "AddColumns",
    "AlterColumn",
    "Assign",
    "ColumnType",
    "CreateTable",
    "Declare",
    "DeclareTable",
    "Delete",
    "DropColumns",
    "DropTable",
    "If",
    "Insert",
    "Nothing",
    "Rename",
    "Select",
    "SetVariable",
    "Statement",
    "Truncate",
    "Update",
    "Variable",
]


@dataclass(frozen=True)
class ColumnType:
    """A column of a table that is made."""

    name: str
    """As it is written."""
    kind: exp.DataType
    """Its type."""
    counted_from: int | None = None
    """The first of its values, if they are counted (IDENTITY)."""
    default: exp.Expression | None = None
    """What it is in a row that says nothing of it; null if there is nothing."""
    fills_old_rows: bool = False
    """Whether rows that are there already get the default, when the column is added."""


@dataclass(frozen=True)
class Variable:
    """A variable that is declared."""

    name: str
    """With its `@`, in small letters."""
    kind: exp.DataType
    """Its type."""
    value: exp.Expression | None = None
    """What it is at first; null if there is nothing."""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of a batch."""

    line: int = 1
    """Where it begins in the text, from 1."""
    number: int = 0
    """Its place among all statements of the text, from 0, whichever of them are carried out."""


@dataclass(frozen=True)
class Select(Statement):
    """Rows, for the user or for a new table."""

    query: exp.Query
    """Without INTO."""
    into: TableName | None = None
    """The table to be made of the rows."""


@dataclass(frozen=True)
class Assign(Statement):
    """`SELECT @a = x, @b = y FROM ...`: variables from the last row."""

    names: tuple[str, ...]
    """The variables."""
    query: exp.Query
    """What they become, column by column."""


@dataclass(frozen=True)
class Declare(Statement):
    """`DECLARE @a int = 1, @b float`."""

    variables: tuple[Variable, ...]
    """In their order."""


@dataclass(frozen=True)
class DeclareTable(Statement):
    """`DECLARE @t TABLE (...)`."""

    target: TableName
    """Its name, with the `@`."""
    columns: tuple[ColumnType, ...]
    """In their order."""


@dataclass(frozen=True)
class SetVariable(Statement):
    """`SET @a = x`."""

    name: str
    """The variable."""
    value: exp.Expression
    """What it becomes; a query in parentheses is possible."""


@dataclass(frozen=True)
class CreateTable(Statement):
    """`CREATE TABLE t (...)`."""

    target: TableName
    """Its name."""
    columns: tuple[ColumnType, ...]
    """In their order."""


@dataclass(frozen=True)
class DropTable(Statement):
    """`DROP TABLE [IF EXISTS] t, u`."""

    targets: tuple[TableName, ...]
    """All of them."""
    if_exists: bool = False
    """Whether one that is not there is no mistake."""


@dataclass(frozen=True)
class Insert(Statement):
    """`INSERT INTO t (a, b) SELECT ...` or `... VALUES (...), (...)`."""

    target: TableName
    """The table that gets rows."""
    columns: tuple[str, ...] = ()
    """The columns that are given; none written means all."""
    query: exp.Query | None = None
    """The rows, if a query gives them."""
    rows: tuple[tuple[exp.Expression, ...], ...] = ()
    """The rows, if they are written out."""


@dataclass(frozen=True)
class Update(Statement):
    """`UPDATE t SET a = x FROM ... WHERE ...`."""

    target: TableName
    """The table, or its alias in FROM."""
    changes: tuple[tuple[str, exp.Expression], ...]
    """Columns, and what they become."""
    source: exp.From | None = None
    """What is read beside; the target is in it."""
    joins: tuple[exp.Join, ...] = ()
    """What is joined to that."""
    where: exp.Expression | None = None
    """Of which rows."""
    alias: str = ""
    """What conditions call the target, where there is no FROM."""
    with_: exp.With | None = None
    """Queries that the others may name."""


@dataclass(frozen=True)
class Delete(Statement):
    """`DELETE FROM t FROM ... WHERE ...`."""

    target: TableName
    """The table, or its alias in FROM."""
    source: exp.From | None = None
    """What is read beside; the target is in it."""
    joins: tuple[exp.Join, ...] = ()
    """What is joined to that."""
    where: exp.Expression | None = None
    """Which rows."""
    with_: exp.With | None = None
    """Queries that the others may name."""


@dataclass(frozen=True)
class AddColumns(Statement):
    """`ALTER TABLE t ADD a int, b float`."""

    target: TableName
    """The table."""
    columns: tuple[ColumnType, ...]
    """In their order."""


@dataclass(frozen=True)
class DropColumns(Statement):
    """`ALTER TABLE t DROP COLUMN a, b`."""

    target: TableName
    """The table."""
    names: tuple[str, ...]
    """Of the columns."""
    if_exists: bool = False
    """Whether one that is not there is no mistake."""


@dataclass(frozen=True)
class AlterColumn(Statement):
    """`ALTER TABLE t ALTER COLUMN a bigint`."""

    target: TableName
    """The table."""
    column: ColumnType
    """The column as it is to be."""


@dataclass(frozen=True)
class Truncate(Statement):
    """`TRUNCATE TABLE t`."""

    targets: tuple[TableName, ...]
    """All of them."""


@dataclass(frozen=True)
class Rename(Statement):
    """`EXEC sp_rename 'old', 'new'`."""

    old: exp.Expression
    """A text with the name of a table, perhaps with `mydb.dbo.` before it."""
    new: exp.Expression
    """A text with its new name, and nothing before it."""


@dataclass(frozen=True)
class Nothing(Statement):
    """A hint for a server of another kind: an index, a key, SET NOCOUNT ON."""

    targets: tuple[TableName, ...] = ()
    """The tables that it concerns, which must be there."""


@dataclass(frozen=True)
class If(Statement):
    """`IF x > 1 ... ELSE ...`."""

    condition: exp.Query
    """One row with 1, if the condition holds, or else 0."""
    then: tuple[Statement, ...]
    """What is done if it holds."""
    otherwise: tuple[Statement, ...] = ()
    """What is done if not."""
