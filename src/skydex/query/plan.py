"""`Plan`: what will be read, and by which engine.

A plan adds to a bound query the columns, files and row groups of each of its tables, the row limit, and the choice of
engine: a query that only scans one table needs no SQL engine.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa
from sqlglot import exp

from skydex.errors import EngineError
from skydex.query.bind import BoundQuery
from skydex.query.crossmatch import INDEX, CellJoin, with_cells
from skydex.query.firsts import FirstRows, find_first_rows, order_keys
from skydex.query.keys import MOST_KEYS, KeyProbe, key_probes, known_keys
from skydex.query.namespace import Relation
from skydex.query.narrow import Probe, narrowed, probes
from skydex.query.pairs import Side, bare_column
from skydex.query.prune import prune
from skydex.query.scope import Source
from skydex.query.sky_joins import SkyJoin, with_sky_joins
from skydex.query.stored_index import with_stored_index
from skydex.query.tallies import Tally, find_tally
from skydex.query.tree import Compute, InRegion, Near, column, integer, walk
from skydex.query.value_tests import value_tests
from skydex.sky import Ranges, Region, intersect_ranges, ranges29
from skydex.store import AllOf, Dataset, RowTest, Selection
from skydex.tables import Column, Datatype, arrow_type

__all__ = ["Joined", "Plan", "Scan", "is_scannable", "make_plan", "within"]

_SCANNED: frozenset[type[exp.Expression]] = frozenset({
    exp.Select, exp.From, exp.Table, exp.Identifier, exp.Alias, exp.Where, exp.Limit, exp.Offset,
    exp.Column, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Neg, InRegion, Compute,
    exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between, exp.In, exp.Is, exp.Like, exp.ILike,
    exp.And, exp.Or, exp.Not, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Nullif, exp.Abs, exp.Log,
    exp.Cast, exp.DataType, exp.Case, exp.If, exp.Array, exp.Lower, exp.Upper, exp.DPipe,
    exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor, exp.BitwiseNot,
    exp.BitwiseRightShift,
})  # fmt: skip
"""Kinds of nodes that the scan engine evaluates; one contract suite holds both engines to the same answers."""
_MOST_SIFTED_ROWS = 200_000
"""Beyond so many rows conditions are the SQL engine's, which reads whole rows only where they are fulfilled; but it is
told of files, not of row groups, and would read more where these are few in each."""
_LEAST_ODDS = 20
"""So many times the rows of a table in memory make its partners few: with all columns of 2 x 10^6 rows, 10^4 rows take
the engine 0.3 s of CPU, and 0.45 s if all were read beforehand; for 4 x 10^5 rows it is 1.0 s and 0.9 s."""
_MOST_ORDERED_ROWS = 30_000
"""So many rows are sorted sooner than the SQL engine has begun."""
_SCANNED_CASTS = (exp.DataType.Type.DOUBLE, exp.DataType.Type.BIGINT, exp.DataType.Type.TIMESTAMP)
_INDEX_COLUMN = Column(INDEX, Datatype.LONG)


@dataclass(frozen=True)
class Scan:
    """What is read of one table."""

    source: str
    """Its name in the bound tree."""
    relation: Relation
    """The table."""
    columns: tuple[str, ...]
    """The columns that the query looks at."""
    ranges: Ranges | None = None
    """Order-29 ranges outside of which no row can matter; None if there are none."""
    test: RowTest | None = None
    """What rows have in common that can matter, as far as row groups can be told by it."""
    selection: Selection | None = None
    """Files and row groups to be read; None for a table in memory."""
    with_index: bool = False
    """Whether the HEALPix index of a stored table is read as well, as `crossmatch.INDEX`."""

    @property
    def stored(self) -> tuple[Dataset, Selection]:
        """The data set and what to read of it, for a table that is stored."""
        if self.relation.dataset is None or self.selection is None:
            raise EngineError(f"{self.relation.table.name} is held in memory: it has no files.")
        return self.relation.dataset, self.selection

    @property
    def is_distant(self) -> bool:
        """Whether its rows lie far away."""
        return self.relation.dataset is not None and self.relation.dataset.is_distant

    def kind_of(self, name: str) -> pa.DataType:
        """Arrow type in which a column of it is given."""
        return arrow_type(self.relation.table.get_column(name))

    def within(self, ranges: Ranges) -> Scan:
        """The same of a stored table, where no row outside of some ranges matters."""
        dataset, _ = self.stored
        return replace(self, ranges=ranges, selection=dataset.select(ranges, self.test))

    def having(self, test: RowTest) -> Scan:
        """The same of a stored table, where no row matters that fails a further test."""
        dataset, _ = self.stored
        both = test if self.test is None else AllOf((self.test, test))
        return replace(self, test=both, selection=dataset.select(self.ranges, both))

    @property
    def dataset(self) -> Dataset | None:
        """The data set, if it is stored."""
        return self.relation.dataset

    @property
    def rows(self) -> pa.Table | None:
        """The rows, if they are in memory."""
        return self.side().rows

    @property
    def n_rows(self) -> int:
        """Rows at the most."""
        return self.side().n_rows

    def column_list(self) -> tuple[Column, ...]:
        """The columns to read, the index last if it is wanted; one at least, so that rows can be counted."""
        table = self.relation.table
        own = tuple(table.get_column(name) for name in self.columns)
        return (*own, _INDEX_COLUMN) if self.with_index else own or table.columns[:1]

    def stored_name(self, item: Column) -> str:
        """What the files call a column of `column_list`."""
        dataset, _ = self.stored
        return str(dataset.index_column) if item.name == INDEX else item.name

    def side(self) -> Side:
        """What matters for matching its rows with others."""
        if self.selection is None:
            assert isinstance(self.relation.rows, pa.Table)
            return Side(self.relation.rows.num_rows, rows=self.relation.rows)
        dataset, selection = self.stored
        position = self.relation.table.position
        if position is None or dataset.index_column is None:
            return Side(selection.n_rows)
        return Side(selection.n_rows, (position.ra, position.dec), dataset.index_order)


@dataclass(frozen=True)
class Joined:
    """A query over tables that are joined by their places before it begins."""

    tree: exp.Query
    """The query."""
    joins: tuple[SkyJoin, ...]
    """The joins whose rows it takes for tables."""
    only_scans: bool
    """Whether no SQL engine is needed for what remains."""


@dataclass(frozen=True)
class Plan:
    """A query that is ready to run."""

    bound: BoundQuery
    """The query."""
    scans: Mapping[str, Scan]
    """What it reads, by source."""
    max_rows: int | None
    """Row limit of the answer; one row more is asked for, to know whether there is one."""
    engine: str
    """`scan`, `metadata`, `first` or `sql`; what is not for `sql` it can run as well."""
    matches: tuple[CellJoin, ...] = ()
    """The cross-matches that are found by cells."""
    probes: tuple[Probe, ...] = ()
    """What is asked first, so that less has to be read."""
    keys: tuple[KeyProbe, ...] = ()
    """Which values are asked for first, so that less has to be read."""
    joined: Joined | None = None
    """Another way to the same rows, for engines that can be given joined rows."""
    first: FirstRows | None = None
    """How the first rows of an order are found, for the engine `first`."""
    tally: Tally | None = None
    """What is known of the answer without reading, for the engine `metadata`."""

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.bound.columns

    @property
    def limit(self) -> int | None:
        """How many rows to produce at the most."""
        return None if self.max_rows is None else self.max_rows + 1

    def over_joined_rows(self) -> Plan:
        """The plan of what remains when tables are joined by their places; the same plan if there are none."""
        if self.joined is None:
            return self
        left = {table.name for table in self.joined.tree.find_all(exp.Table)}
        scans = {name: scan for name, scan in self.scans.items() if name in left}
        bound = replace(self.bound, tree=self.joined.tree)
        return Plan(bound, scans, self.max_rows, self.engine)

    def plan_of(self, probe: Probe, *, max_rows: int) -> Plan:
        """The plan of one of the probes."""
        scan = self.scans[probe.asked]
        columns = (Column("ra", Datatype.DOUBLE), Column("dec", Datatype.DOUBLE))
        return Plan(BoundQuery(probe.query, columns, {}), {probe.asked: scan}, max_rows, "sql")

    def plan_of_keys(self, probe: KeyProbe) -> Plan:
        """The plan of one of the questions for values; of more than are of use there is one row too many."""
        scan = self.scans[probe.asked]
        column = scan.relation.table.get_column(probe.asked_column)
        return Plan(BoundQuery(probe.query, (column,), {}), {probe.asked: scan}, MOST_KEYS, "sql")

    def having(self, probe: KeyProbe, answer: pa.Table) -> Plan:
        """The same where only rows matter that have one of the values of an answer."""
        test = probe.test(answer.column(0))
        return replace(self, scans={**self.scans, probe.target: self.scans[probe.target].having(test)})

    def narrowed(self, name: str, ranges: Ranges) -> Plan:
        """The same where only some ranges of a table matter."""
        scan = self.scans[name]
        left = ranges if scan.ranges is None else intersect_ranges(scan.ranges, ranges)
        return replace(self, scans={**self.scans, name: scan.within(left)})


def make_plan(bound: BoundQuery, max_rows: int | None = None) -> Plan:
    """Prune the tables of a query, find ways for its cross-matches, and choose its engine."""
    ranges, tests = prune(bound.tree, bound.sources), value_tests(bound.tree, bound.sources)
    scans = {
        name: _scan(source, ranges.get(name), tests.get(name))
        for name, source in bound.sources.items()
        if source.relation
    }
    left = narrowed(bound.tree, ranges, {name: scan.side() for name, scan in scans.items()})
    scans |= {name: scans[name].within(found) for name, found in left.items() if found is not ranges.get(name)}
    scans |= {name: scans[name].having(test) for name, test in known_keys(bound.tree, scans).items()}
    tree, matches = with_cells(bound.tree, {name: scan.side() for name, scan in scans.items()})
    indexed: Collection[str] = {name for match in matches for name in match.indexed}
    if not matches:
        tree, indexed = with_stored_index(tree, bound.sources)
        scans |= {name: replace(scans[name], columns=_columns_in(tree, scans[name])) for name in indexed}
    for name in indexed:
        scans[name] = replace(scans[name], with_index=True)
    asked = probes(bound.tree, {name: scan.side() for name, scan in scans.items()}) if matches else ()
    tally, first = _tally(tree, scans), _first_rows(tree, scans, max_rows)
    engine = "scan" if _only_scans(tree, scans) else "sql"
    engine = "metadata" if tally is not None else "first" if first is not None else engine
    joined = _joined(bound.tree, {name: scan.side() for name, scan in scans.items()}) if matches else None
    keys = key_probes(bound.tree, scans) if len(scans) > 1 else ()
    return Plan(replace(bound, tree=tree), scans, max_rows, engine, matches, asked, keys, joined, first, tally)


def _columns_in(query: exp.Query, scan: Scan) -> tuple[str, ...]:
    """Those columns of a scan that a query still looks at, where their index has taken the place of positions."""
    left = {node.name for node in walk(query) if isinstance(node, exp.Column) and node.table == scan.source}
    return tuple(name for name in scan.columns if name in left)


def _joined(query: exp.Query, sides: Mapping[str, Side]) -> Joined | None:
    """The query over joined rows, if that leaves no cross-match to the engine."""
    tree, joins = with_sky_joins(query, sides)
    if not joins or any(isinstance(node, Near) for node in walk(tree)):
        return None
    if any(_is_for_few(*(sides[name] for name in join.sides)) for join in joins):
        return None
    return Joined(tree, joins, _is_scan(tree))


def _is_for_few(one: Side, other: Side) -> bool:
    """Whether a short table in memory meets a long one, of which the engine then reads values in the few pairs only."""
    few, many = (one, other) if one.n_rows <= other.n_rows else (other, one)
    return few.rows is not None and few.n_rows * _LEAST_ODDS <= many.n_rows


def _scan(source: Source, ranges: Ranges | None, test: RowTest | None) -> Scan:
    """What is read of a table of which only some ranges and values matter."""
    assert source.relation is not None
    dataset = source.relation.dataset
    selection = dataset.select(ranges, test) if dataset is not None else None
    return Scan(source.identifier, source.relation, tuple(source.used), ranges, test, selection)


def within(plan: Plan, region: Region, *, max_rows: int | None) -> Plan:
    """The plan of a query without conditions on one positioned table, as it is inside a region.

    It is the plan that CONTAINS in the query's text would have led to; making it so saves binding the same columns
    for every cone of a service.
    """
    (scan,) = plan.scans.values()
    ra, dec = (column.name for column in scan.relation.table.position_columns())
    test = InRegion(this=column(scan.source, ra), expression=column(scan.source, dec))
    test.meta["region"] = region
    query = exp.Select()
    query.args = {**plan.bound.tree.args, "where": exp.Where(this=test)}
    dataset = scan.relation.dataset
    ranges = ranges29(region) if dataset is not None else None
    selection = dataset.select(ranges) if dataset is not None else None
    columns = tuple(dict.fromkeys((*scan.columns, ra, dec)))
    narrow = replace(scan, columns=columns, ranges=ranges, selection=selection)
    if plan.tally is not None or plan.first is not None:  # which hold for the whole table
        plan = replace(plan, engine="sql", tally=None, first=None)
    return replace(plan, bound=replace(plan.bound, tree=query), scans={scan.source: narrow}, max_rows=max_rows)


def _only_scans(query: exp.Query, scans: Mapping[str, Scan]) -> bool:
    """Whether the scan engine can answer, and does not read whole rows of a large table to find a few."""
    selection = next(iter(scans.values())).selection if len(scans) == 1 else None
    if selection is None:
        return False
    if query.args.get("order") is not None:
        return selection.n_rows <= _MOST_ORDERED_ROWS and _is_ordered_scan(query, next(iter(scans.values())))
    is_large = query.args.get("where") is not None and selection.n_rows > _MOST_SIFTED_ROWS
    return (not is_large or selection.is_sparse) and _is_scan(query)


def _is_ordered_scan(query: exp.Query, scan: Scan) -> bool:
    """Whether a query is scanned, and its rows are then put in the order of columns."""
    bare = query.copy()
    bare.set("order", None)
    if not _is_scan(bare):
        return False
    keys = [bare_column(key) for key in order_keys(query)]
    return not any(key is None or pa.types.is_nested(scan.kind_of(key.name)) for key in keys)


def _first_rows(query: exp.Query, scans: Mapping[str, Scan], max_rows: int | None) -> FirstRows | None:
    """The way to the first rows of one stored table, where the rest is for the scan engine's tests."""
    scan = _only_table(query, scans)
    limit = None if max_rows is None else max_rows + 1
    first = find_first_rows(query, *scan.stored, limit) if scan is not None else None
    if first is None:
        return None
    where = query.args.get("where")
    evaluated = [*query.expressions, *first.keys, *([where.this] if where is not None else [])]
    return first if all(map(is_scannable, evaluated)) else None


def _only_table(query: exp.Query, scans: Mapping[str, Scan]) -> Scan | None:
    """The scan of a SELECT from one stored table."""
    scan = next(iter(scans.values())) if len(scans) == 1 else None
    from_ = query.args.get("from_")
    is_table = scan is not None and scan.selection is not None and from_ is not None
    return scan if is_table and isinstance(from_.this, exp.Table) else None


def _tally(query: exp.Query, scans: Mapping[str, Scan]) -> Tally | None:
    """What metadata say to a query on one stored table, where the rest is for the scan engine's tests."""
    scan = _only_table(query, scans)
    if scan is None:
        return None
    tally = find_tally(query, *scan.stored)
    where = query.args.get("where")
    evaluated = [*(tally.outputs if tally else ()), *([where.this] if where is not None else [])]
    return tally if all(map(is_scannable, evaluated)) else None


def _is_scan(query: exp.Query) -> bool:
    """Whether a query is of the kind that the scan engine evaluates, whatever it reads."""
    plain = not any(query.args.get(clause) for clause in ("distinct", "group", "having", "order", "joins"))
    return plain and is_scannable(query)


def is_scannable(node: exp.Expression) -> bool:
    """Whether the scan engine evaluates a query, a condition or another expression."""
    return all(type(part) in _SCANNED and _is_scannable(part) for part in walk(node))


def _is_scannable(node: exp.Expression) -> bool:
    """Whether a node of a scanned kind is also in a form that the scan engine evaluates."""
    if isinstance(node, exp.Null):
        return isinstance(node.parent, exp.Is)
    if isinstance(node, exp.Like | exp.ILike):
        return isinstance(node.expression, exp.Literal) and isinstance(node.this, exp.Column)
    if isinstance(node, exp.In):
        return isinstance(node.this, exp.Column | exp.Lower) and all(
            isinstance(item, exp.Literal) for item in node.expressions
        )
    if isinstance(node, exp.Cast):
        return node.args["to"].this in _SCANNED_CASTS
    if isinstance(node, exp.Case):  # what is known only where a condition holds, as functions spell it
        return node.this is None and len(node.args["ifs"]) == 1 and node.args.get("default") is None
    if isinstance(node, exp.Log):
        return bool(node.this == integer(10))
    return not isinstance(node, exp.Is) or isinstance(node.this, exp.Column)
