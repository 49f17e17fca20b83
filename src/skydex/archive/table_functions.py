"""Table functions: what stands in FROM as `f(ra, dec, radius)`, alone or by CROSS or OUTER APPLY.

A call with numbers is a cone search of the table behind the function, and a call with columns is a cross-match of the
positions that its left side has; both are asked before the query in which they stand, so that each reads no more of the
table than its circles touch, and their rows take their place in the query as a table in memory. The meaning of the
functions is theirs of SkyServer (fGetNearbyObjEq) and of MAST's CasJobs (SearchHCVMatchID).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from sqlglot import exp

from skydex.archive.batch_values import written_value
from skydex.archive.offers import RADIUS_UNITS, ContextOffer, TableFunction
from skydex.errors import BadQueryError, UnknownFunctionError, near_names
from skydex.query import Namespace, Relation, build
from skydex.query.languages import place_of
from skydex.query.tree import number
from skydex.sky import Cone
from skydex.tables import Column, Datatype, Table

__all__ = ["Asker", "expand"]

_CALLS = "TAP_UPLOAD.~calls"
_MOST_CONDITIONS = 50
_RANDOM = ("RAND", "NEWID")
_CALL_COLUMNS = tuple(Column(name, Datatype.DOUBLE) for name in ("~ra", "~dec", "~radius"))
_ARGUMENTS = ("~a0", "~a1", "~a2")
"""Columns that say for which call a row is; no user can name them, and `*` does not mean them."""


class Asker(Protocol):
    """What carries out a batch, as its table functions see it."""

    def functions(self, database: str) -> ContextOffer | None:
        """The context of a database; of the batch's own if the name is empty."""

    def published(self) -> Namespace:
        """What the caller may see, under the names of the archive."""

    def ask(self, query: exp.Query) -> tuple[tuple[Column, ...], pa.Table]:
        """The rows of a T-SQL query whose variables are values already."""

    def ask_published(self, query: exp.Query, more: Sequence[Relation] = ()) -> tuple[tuple[Column, ...], pa.Table]:
        """The rows of a query that was built, over what is published and some tables beside."""

    def keep(self, columns: Sequence[Column], rows: pa.Table) -> str:
        """Put rows where the queries of this statement find them; gives their name there."""

    def is_bound(self, query: exp.Query) -> bool:
        """Whether all names of a query are known."""


def expand(query: exp.Query, asker: Asker) -> None:
    """Put tables in the place of all table functions of a query, which is changed.

    Raises
    ------
    UnknownFunctionError
        The context has none of that name.
    BadQueryError
        Arguments that a function does not take.
    """
    if any(_is_applied(join) or _calls_in(join) for join in query.find_all(exp.Join)):
        _settle(query, asker)
    with_ = query.args.get("with_")
    for select in list(query.find_all(exp.Select)):
        from_ = select.args.get("from_")
        if from_ is None:
            continue
        joins = [join for item in _items(select) for join in item.args.get("joins") or ()]
        for item in [*_items(select), *(join.this for join in joins)]:
            if isinstance(item, exp.Table) and isinstance(item.this, exp.Func):
                _expand_call(item, _Call.of(item, asker), asker)
        for place, join in enumerate(select.args.get("joins") or ()):
            if _is_applied(join):
                _expand_apply(select, place, with_=with_, asker=asker)
            for item in _calls_in(join):
                _expand_within(select, place, item, with_=with_, asker=asker)


def _is_applied(join: exp.Join) -> bool:
    """Whether it is an APPLY of a function."""
    return isinstance(join.this, exp.Lateral) and isinstance(join.this.this, exp.Func | exp.Dot)


def _calls_in(join: exp.Join) -> list[exp.Table]:
    """The calls around columns of the left side in a query that APPLY takes in parentheses."""
    query = join.this.this.this if isinstance(join.this, exp.Lateral) else None
    if not isinstance(query, exp.Select) or query.args.get("from_") is None:
        return []
    calls = [item for item in _items(query) if isinstance(item, exp.Table) and isinstance(item.this, exp.Func)]
    return [call for call in calls if any(node.find(exp.Column) for node in call.this.expressions)]


def _items(select: exp.Select) -> list[exp.Expression]:
    return [select.args["from_"].this, *(join.this for join in select.args.get("joins") or ())]


@dataclass(frozen=True)
class _Call:
    """A function that is called."""

    function: TableFunction
    """Which."""
    arguments: tuple[exp.Expression, ...]
    """Position and radius."""
    table: str
    """The table that it reads."""

    @classmethod
    def of(cls, node: exp.Expression, asker: Asker) -> _Call:
        """The call in an entry of FROM."""
        *before, function = _parts(node)
        name, arguments = function.name, list(function.expressions)
        database = before[0].name if len(before) > 1 else ""
        known = {one.name.lower(): one for one in _functions(asker, database)}
        found = known.get(name.lower())
        if found is None:
            near = near_names(name, [one.name for one in known.values()])
            hint = "" if known else "This context has no table functions."
            raise UnknownFunctionError(name, near=near, hint=hint, **place_of(node))
        return cls(found, tuple(arguments[:3]), _table(found, arguments, node))

    @property
    def numbers(self) -> tuple[float, ...] | None:
        """The arguments, if they are numbers that are written out; what is computed has T-SQL's meaning."""
        values = [value for _, value in map(written_value, self.arguments) if isinstance(value, int | float)]
        return tuple(map(float, values)) if len(values) == len(self.arguments) else None


def _functions(asker: Asker, database: str) -> list[TableFunction]:
    """The functions of a context whose tables the caller may see."""
    offer = asker.functions(database)
    published = asker.published()
    return [one for one in offer.functions if all(map(published.find, one.tables))] if offer else []


def _parts(node: exp.Expression) -> list[exp.Expression]:
    """The parts of a function's name, the call last."""
    if isinstance(node, exp.Lateral):
        return _parts(node.this)
    if isinstance(node, exp.Dot):
        return [*_parts(node.this), node.expression]
    if isinstance(node, exp.Table):
        return [part for part in (node.args.get("catalog"), node.args.get("db")) if part] + [node.this]
    return [node]


def _table(function: TableFunction, arguments: Sequence[exp.Expression], node: exp.Expression) -> str:
    """The table that a call reads: the only one, or the one that its fourth argument says."""
    n_wanted = 4 if function.choices else 3
    if len(arguments) != n_wanted:
        form = f"{function.name}(ra, dec, radius in {function.unit}{', kind' if function.choices else ''})"
        raise BadQueryError(f"{form} has {n_wanted} arguments, not {len(arguments)}.", **place_of(node))
    if not function.choices:
        return function.table
    word = arguments[3].name if isinstance(arguments[3], exp.Literal) else arguments[3].sql()
    if word not in function.choices:
        known = " or ".join(function.choices)
        raise BadQueryError(f"The fourth argument of {function.name} is {known}, not {word[:40]}.", **place_of(node))
    return function.choices[word]


def _expand_call(item: exp.Table, call: _Call, asker: Asker) -> None:
    """A cone search in the place of a call."""
    values = call.numbers if call.numbers is not None else _evaluated(call, item, asker)
    columns, rows = _around(call, values, asker)
    _put(item, asker.keep(columns, rows), call)


def _evaluated(call: _Call, item: exp.Expression, asker: Asker) -> tuple[float, ...]:
    """Arguments that are computed."""
    if any(argument.find(exp.Column) for argument in call.arguments):
        sentence = f"The arguments of {call.function.name} are columns: write CROSS APPLY {call.function.name}(...)."
        raise BadQueryError(sentence, **place_of(item))
    values = [build.named(node.copy(), f"v{i}") for i, node in enumerate(call.arguments)]
    _, rows = asker.ask(exp.Select(expressions=values))
    try:
        return tuple(float(column[0].as_py()) for column in rows.columns)
    except (TypeError, ValueError) as error:
        raise BadQueryError(f"{call.function.name} needs numbers for ra, dec and radius.", **place_of(item)) from error


def _around(call: _Call, values: Sequence[float], asker: Asker) -> tuple[tuple[Column, ...], pa.Table]:
    """The rows of the table around a position."""
    ra_deg, dec_deg, radius = values
    cone = Cone(ra_deg % 360.0, dec_deg, radius / RADIUS_UNITS[call.function.unit])
    table, position = _positioned(call, asker)
    centre = [number(cone.ra_deg), number(cone.dec_deg)]
    distance = build.distance_node(position, centre)
    query = build.select_query(
        [*_outputs(call.function, table), *_distance(call.function, distance)],
        table,
        alias="t",
        conditions=[build.in_cone(position, cone)],
        tail=build.Tail(order=[(distance.copy(), False)] if call.function.nearest else ()),
    )
    if call.function.nearest:
        query.set("limit", exp.Limit(expression=exp.Literal.number(1)))
    return asker.ask_published(query)


def _positioned(call: _Call, asker: Asker) -> tuple[Table, list[exp.Expression]]:
    """The table of a function, and the columns of its position."""
    table = asker.published().get(call.table).table
    if table.position is None:
        raise BadQueryError(f"{call.function.name} cannot be asked: {table.name} has no positions.")
    return table, [build.column_node(name, "t") for name in (table.position.ra, table.position.dec)]


def _outputs(function: TableFunction, table: Table) -> list[exp.Expression]:
    names = function.columns or [column.name for column in table.columns]
    return [build.column_node(name, "t") for name in names]


def _distance(function: TableFunction, degrees: exp.Expression) -> list[exp.Expression]:
    if not function.distance:
        return []
    factor = RADIUS_UNITS[function.distance_unit or function.unit]
    return [build.named(exp.Mul(this=degrees, expression=number(factor)), function.distance)]


def _put(item: exp.Table, name: str, call: _Call) -> None:
    """Let an entry of FROM name rows that are known."""
    alias = item.alias or call.function.name
    item.set("this", build.quoted(name))
    item.set("db", None)
    item.set("catalog", None)
    item.set("alias", exp.TableAlias(this=build.quoted(alias)))


def _expand_apply(select: exp.Select, place: int, *, with_: exp.With | None, asker: Asker) -> None:
    """A join with the rows around all positions of the left side, in the place of an APPLY."""
    join = select.args["joins"][place]
    lateral = join.this
    call = _Call.of(lateral, asker)
    is_outer = not lateral.args.get("cross_apply")
    item = exp.Table(this=build.quoted("~"))
    if lateral.args.get("alias") is not None:
        item.set("alias", lateral.args["alias"].copy())
    if call.numbers is not None:
        _expand_call(item, call, asker)
        condition: exp.Expression = exp.EQ(this=exp.Literal.number(1), expression=exp.Literal.number(1))
    else:
        _, calls = asker.ask(_left_side(select, place, call, with_=with_, asker=asker))
        columns, rows = _around_all(call, calls, asker)
        _put(item, asker.keep(columns, rows), call)
        condition = _same_call(call, item.alias)
    join.replace(exp.Join(this=item, on=condition, **({"side": "LEFT"} if is_outer else {"kind": "INNER"})))


def _expand_within(select: exp.Select, place: int, item: exp.Table, *, with_: exp.With | None, asker: Asker) -> None:
    """The rows around all positions of the left side, of which each row's own are chosen, in the place of a call."""
    call = _Call.of(item, asker)
    if any(not column.table for node in call.arguments for column in node.find_all(exp.Column)):
        sentence = f"The arguments of {call.function.name} inside of APPLY (...) name their tables, as in p.ra."
        raise BadQueryError(sentence, **place_of(item))
    _, calls = asker.ask(_left_side(select, place, call, with_=with_, asker=asker))
    columns, rows = _around_all(call, calls, asker)
    inner = item.find_ancestor(exp.Select)
    _put(item, asker.keep(columns, rows), call)
    assert inner is not None
    inner.where(_same_call(call, item.alias), copy=False)


def _left_side(select: exp.Select, place: int, call: _Call, *, with_: exp.With | None, asker: Asker) -> exp.Select:
    """The query for the different positions at which a function is called, of the rows that WHERE leaves of them."""
    arguments = [build.named(node.copy(), name) for node, name in zip(call.arguments, _ARGUMENTS, strict=True)]
    query = exp.Select(expressions=arguments)
    query.set("distinct", exp.Distinct())
    query.set("from_", select.args["from_"].copy())
    query.set("joins", [join.copy() for join in select.args["joins"][:place]])
    if with_ is not None:
        query.set("with_", with_.copy())
    for condition in _conditions(select)[:_MOST_CONDITIONS]:
        narrower = query.copy()
        narrower.where(condition.copy(), copy=False)
        if asker.is_bound(narrower):
            query = narrower
    return query


def _conditions(select: exp.Select) -> list[exp.Expression]:
    """What must hold of all rows, but for what is random."""
    where = select.args.get("where")
    if where is None:
        return []
    parts = list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]
    return [part for part in parts if not any(call.name.upper() in _RANDOM for call in part.find_all(exp.Anonymous))]


def _settle(query: exp.Query, asker: Asker) -> None:
    """Ask queries with TOP inside of a query first, as what they choose must be the same each time it is looked at."""
    with_ = query.args.get("with_")
    named = list(with_.expressions) if with_ is not None else []
    for number_, cte in enumerate(named):
        if cte.this.find(exp.Limit, exp.Fetch) is not None:
            own = cte.this.copy()
            if number_:
                own.set("with_", exp.With(expressions=[before.copy() for before in named[:number_]]))
            cte.set("this", _settled(own, asker))
    for derived in list(query.find_all(exp.Subquery)):
        in_from = isinstance(derived.parent, exp.From | exp.Join) and derived.find_ancestor(exp.Lateral) is None
        if (
            in_from
            and isinstance(derived.this, exp.Query)
            and derived.alias
            and derived.find(exp.Limit, exp.Fetch) is not None
        ):
            own = derived.this.copy()
            if with_ is not None and not own.args.get("with_"):
                own.set("with_", with_.copy())
            derived.set("this", _settled(own, asker))


def _settled(query: exp.Query, asker: Asker) -> exp.Select:
    expand(query, asker)
    select = exp.Select(expressions=[exp.Star()])
    select.set("from_", exp.From(this=exp.Table(this=build.quoted(asker.keep(*asker.ask(query))))))
    return select


def _around_all(call: _Call, calls: pa.Table, asker: Asker) -> tuple[tuple[Column, ...], pa.Table]:
    """The rows around many positions, each with the position and the radius for which it is there."""
    ra_deg, dec_deg, radius = (np.asarray(column.cast(pa.float64()).to_numpy()) for column in calls.columns)
    usable = np.isfinite(ra_deg) & np.isfinite(dec_deg) & (np.abs(dec_deg) <= 90.0) & (radius >= 0.0)
    radius_deg = np.minimum(radius / RADIUS_UNITS[call.function.unit], 180.0)
    given = [pa.array(values[usable]) for values in (ra_deg, dec_deg, radius)]
    where = [pa.array(values[usable]) for values in (ra_deg % 360.0, dec_deg, radius_deg)]
    beside = tuple(Column(name, Datatype.DOUBLE) for name in _ARGUMENTS)
    own = (*_CALL_COLUMNS, *beside)
    rows = pa.Table.from_arrays([*where, *given], names=[column.name for column in own])
    calling = Relation(Table(_CALLS, own, n_rows=rows.num_rows), rows)
    table, position = _positioned(call, asker)
    centre = [build.column_node(name, "c") for name in ("~ra", "~dec")]
    different = np.unique(radius_deg[usable])
    reach = number(float(different[0])) if len(different) == 1 else build.column_node("~radius", "c")
    distance = build.distance_node(position, centre)
    circle = build.call("CIRCLE", *(node.copy() for node in centre), reach)
    near = exp.EQ(
        this=build.call("CONTAINS", build.call("POINT", *(node.copy() for node in position)), circle),
        expression=exp.Literal.number(1),
    )
    query = build.select_query(
        [
            *(build.column_node(name, "c") for name in _ARGUMENTS),
            *_outputs(call.function, table),
            *_distance(call.function, distance),
            build.named(distance.copy(), "~distance"),
        ],
        table,
        alias="t",
        joined=[build.Joined(calling.table, "c", near)],
    )
    columns, found = asker.ask_published(query, [calling])
    return columns[:-1], (_nearest(found) if call.function.nearest else found).drop_columns(["~distance"])


def _nearest(rows: pa.Table) -> pa.Table:
    """Of the rows of each call the nearest."""
    arguments = [rows[name].to_numpy() for name in _ARGUMENTS]
    order = np.lexsort((rows["~distance"].to_numpy(), *arguments))
    ordered = np.stack([values[order] for values in arguments], axis=1)
    is_first = np.ones(len(order), dtype=bool)
    is_first[1:] = np.any(ordered[1:] != ordered[:-1], axis=1)
    return rows.take(pa.array(order[is_first]))


def _same_call(call: _Call, alias: str) -> exp.Expression:
    """Whether a row is there for the position that the left side has."""
    same = [
        exp.EQ(this=build.column_node(name, alias), expression=exp.Paren(this=node.copy()))
        for node, name in zip(call.arguments, _ARGUMENTS, strict=True)
    ]
    return exp.And(this=exp.And(this=same[0], expression=same[1]), expression=same[2])
