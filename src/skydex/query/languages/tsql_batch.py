"""A batch of T-SQL: from a text to its statements.

From the trees of `tsql`, in the words of Transact-SQL (SQL Server 2022): SELECT with and without INTO, variables, and
statements that make and change tables. What CasJobs never ran for its users (procedures, loops, permissions) is refused
by name.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlglot import exp

from skydex.errors import BadQueryError, QueryTooLargeError
from skydex.query.languages.limits import QueryLimits
from skydex.query.languages.statements import (
    AddColumns,
    AlterColumn,
    Assign,
    ColumnType,
    CreateTable,
    Declare,
    DeclareTable,
    Delete,
    DropColumns,
    DropTable,
    If,
    Insert,
    Nothing,
    Rename,
    Select,
    SetVariable,
    Statement,
    Truncate,
    Update,
    Variable,
)
from skydex.query.languages.tsql import LINE, parse_tsql
from skydex.query.languages.tsql_blocks import iter_statements
from skydex.query.languages.tsql_names import TableName, table_name, variable_name

__all__ = ["read_batch"]

MOST_STATEMENTS = 1000
"""Statements of one text."""
_GO = re.compile(r"(?im)^([ \t]*)GO([ \t]*)$")
"""The line with which tools part batches."""


def read_batch(text: str, *, limits: QueryLimits | None = None) -> list[Statement]:
    """Read a text of one statement or more.

    Raises
    ------
    QuerySyntaxError, BadQueryError, QueryTooLargeError
        It is no T-SQL, has a statement that is not offered, or is too large; with its place.

    Examples
    --------
    >>> [type(statement).__name__ for statement in read_batch("DECLARE @r float = 2 SELECT @r AS r INTO mydb.t")]
    ['Declare', 'Select']
    """
    text = _GO.sub(r"\1;\2 ", text)
    trees = parse_tsql(text, limits=limits)
    n_statements = sum(1 for _ in iter_statements(trees))
    if n_statements > MOST_STATEMENTS:
        hint = "Send the rest as a job of its own."
        raise QueryTooLargeError("number of statements", size=n_statements, limit=MOST_STATEMENTS, hint=hint)
    return _numbered(_read_all(trees), itertools.count())


def _read_all(trees: Sequence[exp.Expression]) -> list[Statement]:
    return [statement for tree in trees for statement in _read(tree, tree.meta[LINE])]


def _numbered(statements: Sequence[Statement], numbers: Iterator[int]) -> list[Statement]:
    """The statements with their numbers, by which a batch that is begun anew knows what it has done."""
    found = []
    for statement in statements:
        statement = replace(statement, number=next(numbers))
        if isinstance(statement, If):
            then, otherwise = (tuple(_numbered(part, numbers)) for part in (statement.then, statement.otherwise))
            statement = replace(statement, then=then, otherwise=otherwise)
        found.append(statement)
    return found


def _read(tree: exp.Expression, line: int) -> Sequence[Statement]:
    """The statement of a tree; a DECLARE of variables and tables is several."""
    reader = next((reader for kind, reader in _READERS.items() if isinstance(tree, kind)), None)
    if reader is None:
        raise _refused(tree.key.upper().removesuffix("BLOCK"), line)
    read = reader(tree, line)
    _check_parts(tree, line)
    return [replace(part, line=line) for part in (read if isinstance(read, list) else [read])]


def _check_parts(tree: exp.Expression, line: int) -> None:
    """Refuse clauses of a statement that would be passed over."""
    known = next((names for kind, names in _PARTS.items() if isinstance(tree, kind)), None)
    unknown = [name for name, value in tree.args.items() if value and known is not None and name not in known]
    if unknown:
        word = _WORDS.get(unknown[0], unknown[0].strip("_").upper())
        raise BadQueryError(
            f"{word} is not offered in {tree.key.upper()}.", line=line, column=1, token=tree.key.upper()
        )


_PARTS: dict[type[exp.Expression], tuple[str, ...]] = {
    exp.Create: ("this", "kind", "unique", "properties"),
    exp.Drop: ("this", "tables", "kind", "exists"),
    exp.Insert: ("this", "expression", "with_"),
    exp.Update: ("this", "expressions", "from_", "where", "with_"),
    exp.Delete: ("this", "tables", "where", "with_"),
    exp.Alter: ("this", "kind", "actions"),
    exp.TruncateTable: ("expressions",),
}
"""The parts of statements that are read, or say nothing about rows."""
_WORDS = {"returning": "OUTPUT", "replace": "OR REPLACE", "with_": "WITH", "order": "ORDER BY"}
_OPTIONS = frozenset({
    "NOCOUNT", "ANSI_NULLS", "ANSI_PADDING", "ANSI_WARNINGS", "ARITHABORT", "CONCAT_NULL_YIELDS_NULL",
    "QUOTED_IDENTIFIER", "NUMERIC_ROUNDABORT", "XACT_ABORT", "STATISTICS",
})  # fmt: skip
"""Options of a session that change no rows here."""


_INSTEAD = {
    "WHILE": " What is done for each row, one query does for all of them.",
    "EXECUTE": " There are no stored procedures but sp_rename; functions of positions stand in FROM.",
}
"""What users may do instead."""


def _refused(word: str, line: int) -> BadQueryError:
    instead = _INSTEAD.get(word.partition(" ")[0], "")
    return BadQueryError(f"{word} is no statement that is offered here.{instead}", line=line, column=1, token=word)


def _if(tree: exp.IfBlock, line: int) -> Statement:
    then, otherwise = (tuple(_read_all(tree.args[name].expressions)) for name in ("true", "false"))
    return If(tree.this, then, otherwise)


def _execute(tree: exp.Execute, line: int) -> Statement:
    schema, name = tree.this.text("db").lower(), tree.this.name
    if name.lower() != "sp_rename" or schema not in ("", "dbo", "sys") or tree.args.get("return_status"):
        raise _refused(f"EXECUTE {name[:100]}", line)
    given: dict[str, exp.Expression] = {}
    for place, argument in enumerate(tree.expressions):
        is_named = isinstance(argument, exp.EQ) and isinstance(argument.this, exp.Parameter)
        key = variable_name(argument.this) if is_named else dict(enumerate(_RENAMED)).get(place, "")
        given[key] = argument.expression if is_named else argument
    kind = given.pop("@objtype", exp.Literal.string("OBJECT"))
    if given.keys() != {"@objname", "@newname"} or kind.name.upper() != "OBJECT":
        sentence = "sp_rename renames tables: write EXEC sp_rename 'old', 'new'."
        raise BadQueryError(sentence, line=line, column=1, token="sp_rename")
    return Rename(*(_as_text(given[key]) for key in _RENAMED[:2]))


_RENAMED = ("@objname", "@newname", "@objtype")
"""The parameters of sp_rename in their order."""


def _as_text(argument: exp.Expression) -> exp.Expression:
    """An argument of a procedure, where a bare word is a text."""
    is_word = isinstance(argument, exp.Column) and len(argument.parts) == 1
    return exp.Literal.string(argument.name) if is_word else argument


def _select(tree: exp.Query, line: int) -> Statement:
    with_into = [node for node in tree.find_all(exp.Select) if node.args.get("into") is not None]
    if with_into:
        return _into(tree, with_into, line)
    first = tree.expressions[0] if isinstance(tree, exp.Select) and tree.expressions else None
    return _assign(tree, line) if isinstance(first, exp.EQ) and isinstance(first.this, exp.Parameter) else Select(tree)


def _into(tree: exp.Query, selects: Sequence[exp.Select], line: int) -> Statement:
    first = tree
    while isinstance(first, exp.SetOperation):
        first = first.this
    if len(selects) > 1 or selects[0] is not first:
        raise BadQueryError("INTO stands once, in the first SELECT of a statement.", line=line, column=1, token="INTO")
    into = first.args["into"]
    first.set("into", None)
    return Select(tree, table_name(into.this))


def _assign(tree: exp.Select, line: int) -> Statement:
    if not all(isinstance(item, exp.EQ) and isinstance(item.this, exp.Parameter) for item in tree.expressions):
        sentence = "A SELECT that sets variables gives no other columns."
        raise BadQueryError(sentence, line=line, column=1, token="SELECT")
    names = tuple(variable_name(item.this) for item in tree.expressions)
    tree.set("expressions", [_named(item.expression, f"v{i}") for i, item in enumerate(tree.expressions)])
    return Assign(names, tree)


def _named(node: exp.Expression, name: str) -> exp.Alias:
    return exp.Alias(this=node, alias=exp.Identifier(this=name, quoted=True))


def _declare(tree: exp.Declare, line: int) -> list[Statement]:
    found: list[Statement] = []
    for item in tree.expressions:
        for parameter in item.this if isinstance(item.this, list) else [item.this]:
            name, kind, value = variable_name(parameter), item.args.get("kind"), item.args.get("default") or None
            if isinstance(kind, exp.Schema):
                found.append(DeclareTable(TableName((name,)), _column_types(kind, line)))
            elif isinstance(kind, exp.DataType):
                found.append(Declare((Variable(name, kind, value),)))
            else:
                raise BadQueryError(f"DECLARE {name} needs a type.", line=line, column=1, token=name)
    return found


def _set(tree: exp.Set, line: int) -> list[Statement]:
    found: list[Statement] = []
    for item in tree.expressions:
        equal = item.this
        if isinstance(equal, exp.EQ) and isinstance(equal.this, exp.Parameter):
            found.append(SetVariable(variable_name(equal.this), equal.expression))
        elif isinstance(equal, exp.EQ) and equal.this.name.upper() in _OPTIONS:
            found.append(Nothing())
        else:
            raise _refused(f"SET {equal.this.name.upper() if equal is not None else ''}", line)
    return found


def _create(tree: exp.Create, line: int) -> Statement:
    kind = str(tree.args.get("kind") or "").upper()
    if kind.endswith("INDEX"):
        table = tree.this.args.get("table")
        return Nothing((table_name(table),) if table is not None else ())
    if kind != "TABLE" or not isinstance(tree.this, exp.Schema):
        raise _refused(f"CREATE {kind}" if kind != "TABLE" else "CREATE TABLE without columns", line)
    return CreateTable(table_name(tree.this.this), _column_types(tree.this, line))


def _column_types(schema: exp.Schema, line: int) -> tuple[ColumnType, ...]:
    """The columns of a list in parentheses; keys and checks in it are hints."""
    found = tuple(_column_type(item, line) for item in schema.expressions if isinstance(item, exp.ColumnDef))
    if not found:
        raise BadQueryError("A table has columns, each with a type.", line=line, column=1, token="TABLE")
    return found


def _column_type(item: exp.ColumnDef, line: int) -> ColumnType:
    kind = item.args.get("kind")
    if not isinstance(kind, exp.DataType):
        raise BadQueryError(f"The column {item.name} needs a type.", line=line, column=1, token=item.name)
    said = [one.args.get("kind") for one in item.args.get("constraints") or ()]
    identity = next((one for one in said if isinstance(one, _IDENTITIES)), None)
    default = next((one.this.unnest() for one in said if isinstance(one, exp.DefaultColumnConstraint)), None)
    is_needed = any(isinstance(one, exp.NotNullColumnConstraint) and not one.args.get("allow_null") for one in said)
    return ColumnType(item.name, kind, _first_number(identity, item.name, line), default, is_needed)


_IDENTITIES = (exp.GeneratedAsIdentityColumnConstraint, exp.AutoIncrementColumnConstraint)


def _first_number(identity: exp.Expression | None, name: str, line: int) -> int | None:
    """Where a column begins to count; `None` if it does not."""
    if identity is None:
        return None
    first, step = identity.args.get("start"), identity.args.get("increment")
    if (step is not None and step.name != "1") or (first is not None and not first.name.isdigit()):
        sentence = f"The column {name} cannot be counted so: IDENTITY counts by one here, from 0 or more."
        raise BadQueryError(sentence, line=line, column=1, token=name)
    return int(first.name) if first is not None else 1


def _drop(tree: exp.Drop, line: int) -> Statement:
    kind = str(tree.args.get("kind") or "").upper()
    if kind.endswith("INDEX"):
        return Nothing()
    if kind != "TABLE":
        raise _refused(f"DROP {kind}", line)
    tables = tree.args.get("tables") or [tree.this]
    return DropTable(tuple(table_name(table) for table in tables), bool(tree.args.get("exists")))


def _insert(tree: exp.Insert, line: int) -> Statement:
    target, columns = tree.this, ()
    if isinstance(target, exp.Schema):
        target, columns = target.this, tuple(item.name for item in target.expressions)
    source = tree.expression
    if isinstance(source, exp.Values):
        rows = tuple(_row(item) for item in source.expressions)
        return Insert(table_name(target), columns, rows=rows)
    if not isinstance(source, exp.Query):
        raise _refused("INSERT without VALUES or SELECT", line)
    if tree.args.get("with_") is not None:
        source.set("with_", tree.args["with_"])
    return Insert(table_name(target), columns, query=source)


def _row(item: exp.Expression) -> tuple[exp.Expression, ...]:
    return tuple(item.expressions) if isinstance(item, exp.Tuple) else (item.unnest(),)


def _update(tree: exp.Update, line: int) -> Statement:
    changes = []
    for item in tree.expressions:
        if not isinstance(item, exp.EQ) or not isinstance(item.this, exp.Column):
            raise BadQueryError("UPDATE sets columns: SET a = x, b = y.", line=line, column=1, token="SET")
        changes.append((item.this.name, item.expression))
    source, joins = _source(tree.args.get("from_"))
    where, with_ = _where(tree), tree.args.get("with_")
    return Update(table_name(tree.this), tuple(changes), source, joins, where, tree.this.alias, with_)


def _delete(tree: exp.Delete, line: int) -> Statement:
    tables = tree.args.get("tables") or ()
    if not tables:
        return Delete(table_name(tree.this), where=_where(tree), with_=tree.args.get("with_"))
    source, joins = _source(exp.From(this=tree.this) if tree.this else None)
    if table_name(tables[0]).bare.upper() == "TOP":
        raise BadQueryError("TOP is not offered in DELETE.", line=line, column=1, token="TOP")
    return Delete(table_name(tables[0]), source, joins, _where(tree), tree.args.get("with_"))


def _source(from_: exp.From | None) -> tuple[exp.From | None, tuple[exp.Join, ...]]:
    """A FROM clause and its joins, which sqlglot hangs on the table of a statement that changes rows."""
    if from_ is None:
        return None, ()
    joins = from_.this.args.pop("joins", None) or ()
    return from_, tuple(joins)


def _where(tree: exp.Expression) -> exp.Expression | None:
    where = tree.args.get("where")
    return where.this if where is not None else None


def _alter(tree: exp.Alter, line: int) -> Statement:
    target, actions = table_name(tree.this), tree.args.get("actions") or ()
    if str(tree.args.get("kind") or "").upper() != "TABLE" or not actions:
        raise _refused("This ALTER", line)
    if all(isinstance(action, exp.ColumnDef) for action in actions):
        return AddColumns(target, tuple(_column_type(action, line) for action in actions))
    if all(isinstance(action, exp.AddConstraint) for action in actions):
        return Nothing((target,))
    if all(isinstance(action, exp.Drop) and str(action.args.get("kind")).upper() == "COLUMN" for action in actions):
        names = tuple(item.name for action in actions for item in action.args.get("tables") or [action.this])
        return DropColumns(target, names, any(action.args.get("exists") for action in actions))
    (first, *more) = actions
    if isinstance(first, exp.AlterColumn) and isinstance(first.args.get("dtype"), exp.DataType) and not more:
        return AlterColumn(target, ColumnType(first.name, first.args["dtype"]))
    raise _refused("This ALTER TABLE", line)


def _truncate(tree: exp.TruncateTable, line: int) -> Statement:
    return Truncate(tuple(table_name(table) for table in tree.expressions))


_READERS: dict[Any, Callable[..., Statement | list[Statement]]] = {
    exp.IfBlock: _if,
    exp.Execute: _execute,
    exp.Query: _select,
    exp.Declare: _declare,
    exp.Set: _set,
    exp.Create: _create,
    exp.Drop: _drop,
    exp.Insert: _insert,
    exp.Update: _update,
    exp.Delete: _delete,
    exp.Alter: _alter,
    exp.TruncateTable: _truncate,
}
"""How the trees of statements are read, by their class."""
