"""`BatchRequest`: a T-SQL text, carried out statement by statement as CasJobs does.

Each statement happens wholly or not at all, and those before it stay. A SELECT takes the way of all queries (tree,
bind, plan, run); INTO, INSERT and the like send its rows into MyDB, or into a temporary table, instead of to the user.
The answer is the rows of the last SELECT that shows any, or else how many rows were written.

A job that is begun anew after its worker was lost meets what it has done already: every change in MyDB carries its
`origin`, the job and the number of the statement, and is not made twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import pyarrow as pa
from sqlglot import exp

from skydex.archive.batch_changes import Changes
from skydex.archive.batch_columns import check_names, check_unique
from skydex.archive.batch_names import BatchNames, Scratch
from skydex.archive.batch_telling import Telling
from skydex.archive.batch_values import literal_of, written_value
from skydex.archive.batch_variables import ROWS_AFFECTED, Variables
from skydex.archive.offers import MYDB_CONTEXT, ContextOffer, Offers
from skydex.archive.requests import Upload
from skydex.archive.table_functions import expand
from skydex.engines import Deadline
from skydex.errors import (
    BadQueryError,
    RequestError,
    TableExistsError,
    TemporaryTablesError,
    UnknownContextError,
    UnknownTableError,
    near_names,
)
from skydex.formats import Format, get_format
from skydex.mydb import MyDB
from skydex.query import Namespace, Plan, Relation, bind, build, make_plan
from skydex.query.languages import read_batch, translate
from skydex.query.languages.statements import (
    AddColumns,
    AlterColumn,
    Assign,
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
)
from skydex.query.tsql import TSQL_RULES
from skydex.tables import Column, Datatype, Result, arrow_schema

__all__ = ["ROWS_AFFECTED", "Batch", "BatchRequest", "House"]

_OBJECT_ID = Column("object_id", Datatype.INT)


@dataclass(frozen=True)
class BatchRequest:
    """Statements in T-SQL."""

    text: str
    """What the user wrote."""
    context: str = MYDB_CONTEXT
    """Where bare names are looked up."""
    owner: str | None = None
    """Who asks; None for anybody, who has no tables of her own."""
    max_rows: int | None = None
    """Limit of the rows that are shown; tables that are made have all theirs."""
    origin: str = ""
    """On whose behalf, so that nothing is done twice; empty if it is asked once."""
    collection: str | None = None
    """A batch is confined by its context only."""
    uploads: tuple[Upload, ...] = ()
    """A batch has none."""

    def plan(self, namespace: Namespace) -> Plan:
        """The plan of a text that is one query."""
        statements = read_batch(self.text)
        if len(statements) != 1 or not isinstance(statements[0], Select) or statements[0].into is not None:
            raise BadQueryError("Only a single SELECT has a plan; a batch has none before it runs.")
        return make_plan(bind(translate(statements[0].query), namespace, TSQL_RULES), self.max_rows)

    def shaped(self, result: Result, namespace: Namespace) -> Result:
        return result

    def form(self, name: str, namespace: Namespace) -> Format:
        return get_format(name)


class House(Protocol):
    """The archive, as a batch sees it."""

    def offers_for(self, owner: str | None) -> Offers: ...

    def namespace(self, collection: str | None = None, owner: str | None = None) -> Namespace: ...

    def mydb(self, owner: str) -> MyDB: ...

    def run(self, plan: Plan, deadline: Deadline | None = None) -> Result: ...


class Batch:
    """One batch on its way.

    Parameters
    ----------
    request : BatchRequest
        What is asked.
    house : House
        Who answers queries and keeps tables.
    scratch_bytes : int
        How much temporary tables may take.
    deadline : Deadline, optional
        When all of it must have ended.
    """

    def __init__(
        self, request: BatchRequest, house: House, *, scratch_bytes: int, deadline: Deadline | None = None
    ) -> None:
        self._request, self._house, self._deadline = request, house, deadline
        self._most_bytes = scratch_bytes
        self._variables = Variables()
        self._scratch = Scratch()
        self._own = house.mydb(request.owner) if request.owner is not None else None
        self._names = BatchNames(
            request.context,
            house.offers_for(request.owner),
            namespace_of=self._namespace,
            scratch=self._scratch,
            mydb=self._own,
        )
        self._changes = Changes(self, self._names, self._scratch, self._own)
        self._n_kept = 0
        self._answer: Result | None = None
        self._n_rows = 0
        self._is_alone = False

    def check(self) -> None:
        """See whether the text can be read, and its context is there."""
        read_batch(self._request.text)
        self._check_context()

    @property
    def is_reading(self) -> bool:
        """Whether nothing that anybody keeps is changed by it."""
        return all(map(_is_reading, read_batch(self._request.text)))

    def find_plan(self) -> Plan | None:
        """The plan of a batch that is one query of tables alone; others have none before they run."""
        statements = read_batch(self._request.text)
        self._check_context()
        [first, *others] = statements or (Nothing(),)
        if others or not isinstance(first, Select) or first.query.find(exp.Anonymous, exp.Parameter):
            return None
        return make_plan(self._bound(first.query), self._request.max_rows)

    def run(self) -> Result:
        """Carry out all statements; the rows of the last come as the result is walked through."""
        statements = read_batch(self._request.text)
        self._check_context()
        self._is_alone = len(statements) == 1 and not isinstance(statements[0], If)
        self._run_all(statements, is_last=True)
        return self._answer if self._answer is not None else _rows_affected(self._n_rows)

    def _run_all(self, statements: Sequence[Statement], *, is_last: bool) -> None:
        """Carry out statements; if the last of the batch is among them, its rows are not looked at yet."""
        for place, statement in enumerate(statements, start=1):
            is_very_last = is_last and place == len(statements)
            if isinstance(statement, If):
                self._run_branch(statement, is_last=is_very_last)
            else:
                self._run_one(statement, is_last=is_very_last)

    def _run_one(self, statement: Statement, *, is_last: bool) -> None:
        with self._told(statement) as told:
            self._check_time()
            shown = self._shown(statement, is_last=is_last)
            if shown is None:
                n_written = self._carry_out(statement, self._origin(statement.number))
                self._variables.set_rowcount(n_written)
                self._n_rows += n_written
            else:
                self._answer = told.in_result(shown) if is_last else shown
            self._scratch.forget()

    def _run_branch(self, statement: If, *, is_last: bool) -> None:
        with self._told(statement):
            self._check_time()
            holds = self._holds(statement, self._origin(statement.number))
            taken, other = (statement.then, statement.otherwise)[:: 1 if holds else -1]
            self._declare_only(other)
            self._variables.set_rowcount(0)
            self._scratch.forget()
        self._run_all(taken, is_last=is_last)

    def _holds(self, statement: If, origin: str) -> bool:
        """Whether the condition of an IF holds.

        What came out is kept: a job that is begun anew goes the same way, though what it did may have changed what the
        condition asks.
        """
        done = self._own.find_done(origin) if self._own is not None else None
        if done is not None:
            return bool(done)
        holds = bool(self._collected(self._start(statement.condition)).column(0)[0].as_py())
        if self._own is not None:
            self._own.note(origin, int(holds))
        return holds

    def _declare_only(self, statements: Sequence[Statement]) -> None:
        """Declare what the way declares that is not taken: variables are those of the whole batch."""
        for statement in statements:
            if isinstance(statement, If):
                self._declare_only(statement.then)
                self._declare_only(statement.otherwise)
            elif isinstance(statement, Declare):
                self._declare(Declare(tuple(replace(variable, value=None) for variable in statement.variables)), "")
            elif isinstance(statement, DeclareTable):
                self._carry_out(statement, "")

    def _told(self, statement: Statement) -> Telling:
        return Telling(statement, is_alone=self._is_alone)

    def _check_context(self) -> None:
        offers, context = self._offers(), self._request.context
        if context.upper() == MYDB_CONTEXT or offers.find_context(context) is not None:
            return
        try:
            self._namespace(context)
        except UnknownTableError as error:
            known = [MYDB_CONTEXT, *(offer.context for offer in offers.contexts)]
            raise UnknownContextError(context, near=near_names(context, known)) from error

    def _offers(self) -> Offers:
        return self._house.offers_for(self._request.owner)

    def _namespace(self, key: str | None) -> Namespace:
        return self._house.namespace(key, self._request.owner)

    def _origin(self, number: int) -> str:
        return f"{self._request.origin}#{number}" if self._request.origin else ""

    def _check_time(self) -> None:
        if self._deadline is not None:
            self._deadline.check()

    def _shown(self, statement: Statement, *, is_last: bool) -> Result | None:
        """The rows that a statement shows; those of the last statement are not looked at yet."""
        if not isinstance(statement, Select) or statement.into is not None:
            return None
        result = self._start(statement.query, self._request.max_rows)
        return result if is_last else self._held(result)

    def _held(self, result: Result) -> Result:
        """A result whose rows are in memory, so that statements behind it do not change them."""
        rows = self._collected(result)
        return replace(result, batches=iter(rows.to_batches()), is_held=True)

    def _carry_out(self, statement: Statement, origin: str) -> int:
        """Do what a statement asks; gives the rows that it wrote."""
        change = _CHANGES.get(type(statement))
        if change is not None:
            return change(self._changes, statement, origin) or 0
        return _METHODS[type(statement)](self, statement, origin)

    # --- queries ---

    def _start(self, query: exp.Query, max_rows: int | None = None) -> Result:
        """Ask a query, with the values of variables and the rows of table functions in it."""
        return self._house.run(make_plan(self._bound(self._filled(query)), max_rows), self._deadline)

    def query(self, query: exp.Query) -> Result:
        """The rows of a query, as they come."""
        return self._start(query)

    def _filled(self, query: exp.Query) -> exp.Query:
        filled = self._variables.filled(query, self.value)
        for call in list(filled.find_all(exp.Anonymous)):
            if call.name.upper() == "OBJECT_ID":
                call.replace(literal_of(self._object_id(call.expressions), _OBJECT_ID))
        expand(filled, self)
        return filled

    def _bound(self, query: exp.Query) -> Any:
        return bind(translate(query), self._names, TSQL_RULES)

    def _object_id(self, arguments: Sequence[exp.Expression]) -> int | None:
        """What OBJECT_ID gives: a number, if there is a table of that name, or else null."""
        if not 1 <= len(arguments) <= 2 or any(argument.find(exp.Column) for argument in arguments):
            raise BadQueryError("OBJECT_ID takes the name of a table as a text, and perhaps 'U': OBJECT_ID('mydb.t').")
        values = [self.value(argument) for argument in arguments]
        if None in values or str(values[-1] if len(values) == 2 else "U").strip().upper() != "U":
            return None
        return self._names.object_id(str(values[0]))

    def _collected(self, result: Result) -> pa.Table:
        """All rows of a result, in memory."""
        batches, n_bytes = [], self._scratch.n_bytes
        with result:
            for batch in result.batches:
                n_bytes += batch.nbytes
                if n_bytes > self._most_bytes:
                    raise TemporaryTablesError(self._most_bytes >> 20)
                batches.append(batch)
        return pa.Table.from_batches(batches, result.schema)

    def collect(self, batches: Iterator[pa.RecordBatch], columns: Sequence[Column]) -> pa.Table:
        """Rows in memory."""
        return self._collected(Result(tuple(columns), batches))

    # --- what table functions ask ---

    def functions(self, database: str) -> ContextOffer | None:
        """The context of a database; of the batch's own if the name is empty."""
        return self._offers().find_context(database or self._request.context)

    def published(self) -> Namespace:
        """What the caller may see, under the names of the archive."""
        return self._namespace(None)

    def ask(self, query: exp.Query) -> tuple[tuple[Column, ...], pa.Table]:
        """The rows of a T-SQL query whose variables are values already."""
        plan = make_plan(self._bound(query))
        return plan.columns, self._collected(self._house.run(plan, self._deadline))

    def ask_published(self, query: exp.Query, more: Sequence[Relation] = ()) -> tuple[tuple[Column, ...], pa.Table]:
        """The rows of a query that was built, over what is published and some tables beside."""
        namespace = self.published()
        plan = make_plan(bind(query, namespace.extended(more) if more else namespace))
        return plan.columns, self._collected(self._house.run(plan, self._deadline))

    def keep(self, columns: Sequence[Column], rows: pa.Table) -> str:
        """Put rows where the queries of this batch find them; gives their name there."""
        self._n_kept += 1
        name = f"~f{self._n_kept}"
        self._scratch.put(name, columns, rows.rename_columns([column.name for column in columns]))
        return name

    def is_bound(self, query: exp.Query) -> bool:
        """Whether all names of a query are known."""
        try:
            self._bound(query)
        except RequestError:
            return False
        return True

    # --- variables ---

    def _declare(self, statement: Declare, _: str) -> int:
        for variable in statement.variables:
            self._variables.declare(variable.name, variable.kind)
            if variable.value is not None:
                self._variables.set(variable.name, self.value(variable.value))
        return 0

    def _set_variable(self, statement: SetVariable, _: str) -> int:
        self._variables.get(statement.name)
        self._variables.set(statement.name, self.value(statement.value))
        return 0

    def value(self, node: exp.Expression) -> Any:
        """What an expression without columns is."""
        is_written, value = written_value(node)
        if is_written:
            return value
        self._check_time()
        rows = self._collected(self._start(exp.Select(expressions=[build.named(node.copy(), "v")])))
        return rows.column(0)[0].as_py()

    def _assign(self, statement: Assign, _: str) -> int:
        last = None
        with self._start(statement.query) as result:
            for batch in result.batches:
                last = batch.slice(batch.num_rows - 1) if batch.num_rows else last
        if last is not None:
            for name, values in zip(statement.names, last.columns, strict=True):
                self._variables.set(name, values[0].as_py())
        return 0

    # --- tables ---

    def _select_into(self, statement: Select, origin: str) -> int:
        assert statement.into is not None
        own = self._changes.target(statement.into)
        done = own.find_done(origin) if own is not None else None
        if done is not None:
            return done
        check_names(statement.query)
        if self._changes.exists(statement.into):
            raise TableExistsError(statement.into.bare)
        result = self._start(statement.query)
        check_unique(result.columns, statement.into)
        with result:
            return self._changes.create(statement.into, result.columns, result.batches, origin=origin)

    def _nothing(self, statement: Nothing, _: str) -> int:
        for target in statement.targets:
            self._changes.relation(target)
        return 0


def _is_reading(statement: Statement) -> bool:
    if isinstance(statement, If):
        return all(map(_is_reading, (*statement.then, *statement.otherwise)))
    if isinstance(statement, Select):
        return statement.into is None
    return isinstance(statement, Declare | SetVariable | Assign | Nothing)


_METHODS: dict[type[Statement], Callable[[Batch, Any, str], int]] = {
    Declare: Batch._declare,
    SetVariable: Batch._set_variable,
    Assign: Batch._assign,
    Select: Batch._select_into,
    Nothing: Batch._nothing,
}
"""What carries out statements that ask something, or change variables."""
_CHANGES: dict[type[Statement], Callable[[Changes, Any, str], int | None]] = {
    CreateTable: Changes.create_empty,
    DeclareTable: Changes.create_empty,
    DropTable: Changes.drop,
    Insert: Changes.insert,
    Update: Changes.update,
    Delete: Changes.delete,
    AddColumns: Changes.alter,
    DropColumns: Changes.alter,
    AlterColumn: Changes.alter,
    Rename: Changes.rename,
    Truncate: Changes.truncate,
}
"""What carries out statements that change tables; those that write rows give their number."""


def _rows_affected(n_rows: int) -> Result:
    """The answer of a batch that shows no rows."""
    columns = (ROWS_AFFECTED,)
    batch = pa.record_batch([pa.array([n_rows], pa.int64())], schema=arrow_schema(columns))
    return Result(columns, iter([batch]), is_held=True, rows_affected=n_rows)
