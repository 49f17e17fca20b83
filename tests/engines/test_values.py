"""Row groups are left out by the values in them, and the rows that are found are those of DuckDB, asked alone."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skydex.engines.duckdb import DuckDBEngine, DuckDBLimits
from skydex.engines.scan import ScanEngine
from skydex.query import Namespace, Relation, bind, get_language, make_plan
from skydex.store import Layout, Staging, open_dataset
from skydex.tables import Column, Datatype, Table, arrow_schema

N = 2_000
START = dt.datetime(2015, 1, 1)
NIGHTS = Table(
    "obs.nights",
    (
        Column("k", Datatype.LONG),
        Column("number", Datatype.LONG, ucd="meta.id;meta.main"),
        Column("x", Datatype.DOUBLE),
        Column("mag", Datatype.FLOAT),
        Column("n", Datatype.SHORT),
        Column("name", Datatype.CHAR, arraysize="12*"),
        Column("flag", Datatype.BOOLEAN),
        Column("seen", Datatype.CHAR, arraysize="26*", xtype="timestamp"),
    ),
    id_column="number",
)


@pytest.fixture(scope="module")
def rows():
    """Rows in the order of most columns, with whole row groups of nulls, and numbers in no order."""
    rng = np.random.default_rng(7)
    k = np.arange(N)
    gone = (k // 100) % 5 == 0
    some = rng.random(N) < 0.05
    columns = [
        pa.array(2**60 + k),
        pa.array(rng.permutation(N) // 2),
        pa.array(k / 8.0, mask=gone | some),
        pa.array((k / 10.0).astype(np.float32), mask=gone),
        pa.array((k // 50 - 20).astype(np.int16), mask=some),
        pa.array([f"{'ab'[i // 1000]}{i // 100:02d}%" for i in k], mask=gone | some),
        pa.array(k > 1200, mask=gone),
        pa.array([START + dt.timedelta(hours=int(i)) for i in k], pa.timestamp("us"), mask=some),
    ]
    return pa.table(columns, schema=arrow_schema(NIGHTS.columns))


@pytest.fixture(scope="module")
def dataset(rows, tmp_path_factory):
    with Staging.open(tmp_path_factory.mktemp("nights"), table=NIGHTS, layout=Layout(500, 40)) as staging:
        staging.add("all", rows)
        return open_dataset(staging.finish().directory, name=NIGHTS.name)


@pytest.fixture(scope="module")
def plan_of(dataset):
    namespace = Namespace((Relation(dataset.table, dataset),))
    return lambda text: make_plan(bind(get_language("ADQL").parse(text), namespace))


@pytest.fixture(scope="module")
def duckdb_engine():
    return DuckDBEngine(DuckDBLimits(threads=1))


@pytest.fixture(scope="module")
def judge(rows):
    with duckdb.connect() as connection:
        connection.register("nights", rows)
        yield lambda where: {row[0] for row in connection.execute(f"SELECT k FROM nights WHERE {where}").fetchall()}


COMPARED = st.sampled_from(("=", "<", "<=", ">", ">=", "<>"))
CONSTANTS = {
    "k": st.integers(-3, N + 3).map(lambda i: str(2**60 + i)),
    "number": st.integers(-1, N // 2 + 1).map(str) | st.sampled_from(("17.0e0", "17.5e0", "1e300", "-0.0e0")),
    "x": st.integers(-9, N + 9).map(lambda i: f"{i / 8.0}e0") | st.sampled_from(("0.1e0", "-0.0e0", "99")),
    "mag": st.integers(0, N).map(lambda i: f"{i / 10.0}e0") | st.sampled_from(("0.1e0", "20", "1e40")),
    "n": st.integers(-22, 22).map(str) | st.just("2.5e0"),
    "name": st.sampled_from(("'a03%'", "'b15%'", "'B15%'", "'a'", "'b1'", "''")),
    "seen": st.integers(0, N).map(lambda i: f"'{(START + dt.timedelta(hours=i)).isoformat(sep=' ')}'"),
}


@st.composite
def simple(draw):
    name = draw(st.sampled_from(sorted(CONSTANTS)))
    kind = draw(st.sampled_from(("compare", "mirror", "between", "in", "null", "like", "flag", "not")))
    constant = CONSTANTS[name]
    if kind == "null":
        return f"{name} IS {draw(st.sampled_from(('', 'NOT ')))}NULL"
    if kind == "flag":
        return "flag = 1"
    if kind == "like":
        return f"name LIKE '{draw(st.sampled_from(('a0%', 'b1_%', '%5%', 'b15%', 'a_3%')))}'"
    if kind == "between":
        return f"{name} BETWEEN {draw(constant)} AND {draw(constant)}"
    if kind == "in":
        return f"{name} IN ({', '.join(draw(st.lists(constant, min_size=1, max_size=4)))})"
    if kind == "mirror":
        return f"{draw(constant)} {draw(COMPARED)} {name}"
    prefix = "NOT " if kind == "not" else ""
    return f"{prefix}{name} {draw(COMPARED)} {draw(constant)}"


CONDITIONS = st.recursive(
    simple(),
    lambda inner: st.tuples(inner, st.sampled_from(("AND", "OR")), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
    max_leaves=4,
)


@settings(max_examples=120, deadline=None)
@example("k = 1152921504606847976.0e0")
@example("mag = 0.1e0")
@given(where=CONDITIONS)
def test_conditions_find_the_rows_that_duckdb_finds(plan_of, duckdb_engine, judge, where):
    plan = plan_of(f"SELECT k FROM obs.nights WHERE {where}")
    engines = [duckdb_engine, ScanEngine()] if plan.engine == "scan" else [duckdb_engine]
    judged = where.replace("flag = 1", "flag = true")
    expected = judge(judged)
    for engine in engines:
        assert set(engine.run(plan).to_arrow().column(0).to_pylist()) == expected, engine.name


@pytest.mark.parametrize(
    ("where", "n_groups"),
    [
        ("k = 1152921504606846976", 1),
        ("k BETWEEN 1152921504606847975 AND 1152921504606847979", 2),
        ("x < 30.0 AND x > 20.0", 3),
        ("mag >= 199.5", 1),
        ("x < 13.0 OR x > 248.0", 2),
        ("n IN (-20, 3)", 4),
        ("name LIKE 'a03%'", 4),
        ("seen < '2015-01-01T05:00:00'", 1),
        ("flag = 1 AND flag = 0", 1),
        ("x IS NULL AND k < 1152921504606846980", 1),
        ("k = 1152921504606847976.0e0", 8),
        ("number IN (17, 4711)", 2),
    ],
)
def test_few_row_groups_are_read(plan_of, where, n_groups):
    plan = plan_of(f"SELECT k FROM obs.nights WHERE {where}")
    assert plan.scans["t0"].selection.n_groups <= n_groups


@pytest.mark.parametrize(
    "where", ["k + 1 < 5", "k < number", "LOWER(name) = 'a03%'", "number = 17 OR x * 2 < 1", "CAST(5.7 AS INTEGER) = k"]
)
def test_what_says_nothing_of_a_column_restricts_nothing(plan_of, where):
    assert plan_of(f"SELECT k FROM obs.nights WHERE {where}").scans["t0"].selection.whole


@pytest.mark.parametrize("before", ["", "(SELECT TOP 1 k FROM obs.nights) AS o, "])
def test_rows_that_an_outer_join_lacks_are_not_looked_for_among_the_nulls(plan_of, duckdb_engine, rows, before):
    text = f"SELECT a.k FROM {before}obs.nights AS a LEFT JOIN obs.nights AS b ON a.k = b.k + 7 WHERE b.x IS NULL"
    found = set(duckdb_engine.run(plan_of(text)).to_arrow().column(0).to_pylist())
    values = dict(zip(rows["k"].to_pylist(), rows["x"].to_pylist(), strict=True))
    assert found == {k for k in values if values.get(k - 7) is None}


JOINS = [
    ("a JOIN {0} b ON a.number = b.number", "a.k < 1152921504606846980", "t1"),
    ("a JOIN {0} b ON a.number = b.number AND a.x > 248.0e0", "a.n > 18", "t1"),
    ("a LEFT JOIN {0} b ON a.number = b.number", "a.k < 1152921504606846980", "t1"),
    ("a RIGHT JOIN {0} b ON a.number = b.number", "b.k < 1152921504606846980", "t0"),
    ("a LEFT JOIN {0} b ON a.number = b.number", "b.x IS NULL", None),
    ("a FULL JOIN {0} b ON a.number = b.number", "a.k < 1152921504606846980", None),
    ("a LEFT JOIN ({0} b JOIN {0} c ON b.number = c.number) ON a.k = b.k", "b.x IS NULL", None),
    ("a JOIN {0} b ON a.number = b.k", "a.k < 1152921504606846980", "t1"),
]


@pytest.mark.parametrize(("joined", "where", "target"), JOINS)
def test_a_join_with_few_rows_reads_only_where_their_partners_stand(
    plan_of, duckdb_engine, rows, monkeypatch, joined, where, target
):
    monkeypatch.setattr("skydex.query.keys._LARGE_ROWS", 100)
    text = f"SELECT a.k AS ak, b.k AS bk FROM {{0}} {joined} WHERE {where}"
    plan = plan_of(text.format("obs.nights"))
    assert [probe.target for probe in plan.keys] == ([target] if target else [])
    if target:
        selection = duckdb_engine._narrowed(plan, None).scans[target].selection
        assert selection.n_groups <= selection.total_groups / 2
    found = Counter(map(tuple, zip(*duckdb_engine.run(plan).to_arrow().to_pydict().values(), strict=True)))
    with duckdb.connect() as judge:
        judge.register("nights", rows)
        assert found == Counter(judge.execute(text.format("nights")).fetchall())


@pytest.mark.parametrize(
    ("joined", "where", "n_groups"),
    [
        ("a JOIN {0} b ON a.number = b.number", "a.number = 17", 2),
        ("a, {0} b", "a.number IN (17, 300) AND b.number = a.number", 4),
        ("a LEFT JOIN {0} b ON a.number = b.number", "a.number = 17", 2),
        ("a JOIN {0} c ON a.number = c.number JOIN {0} b ON b.number = c.number", "17 = a.number", 2),
        ("a LEFT JOIN {0} b ON a.number = b.number AND a.number = 17", "a.k < 1152921504606846980", None),
        ("a RIGHT JOIN {0} b ON a.number = b.number AND a.number = 17", "b.n > 5", None),
        ("a JOIN {0} b ON a.number = b.number", "a.number = 17 OR a.n > 5", None),
        ("a JOIN {0} b ON a.number = b.x", "a.number = 17", None),
        ("a JOIN {0} b ON a.mag = b.mag", "a.mag = 17.5", None),
    ],
)
def test_a_value_that_a_column_must_have_is_that_of_the_columns_joined_with_it(
    plan_of, duckdb_engine, rows, joined, where, n_groups
):
    text = f"SELECT a.k AS ak, b.k AS bk FROM {{0}} {joined} WHERE {where}"
    plan = plan_of(text.format("obs.nights"))
    last = plan.scans[max(name for name, scan in plan.scans.items() if "k" in scan.columns)].selection
    assert (last.n_groups <= n_groups) if n_groups else last.n_groups > 4
    found = Counter(map(tuple, zip(*duckdb_engine.run(plan).to_arrow().to_pydict().values(), strict=True)))
    with duckdb.connect() as judge:
        judge.register("nights", rows)
        assert found == Counter(judge.execute(text.format("nights")).fetchall())


def test_numbers_of_an_upload_say_what_is_read(dataset, rows, duckdb_engine, monkeypatch):
    monkeypatch.setattr("skydex.query.keys._LARGE_ROWS", 100)
    mine = Table("tap_upload.mine", (Column("number", Datatype.INT),))
    wanted = pa.table({"number": pa.array([3, 17, None, 99999], pa.int32())})
    namespace = Namespace((Relation(dataset.table, dataset), Relation(mine, wanted)))
    text = "SELECT n.k FROM obs.nights AS n JOIN tap_upload.mine AS m ON n.number = m.number"
    plan = make_plan(bind(get_language("ADQL").parse(text), namespace))
    assert plan.scans["t0"].selection.n_groups <= 5
    pairs = zip(rows["k"].to_pylist(), rows["number"].to_pylist(), strict=True)
    expected = [k for k, number in pairs if number in (3, 17)]
    assert sorted(duckdb_engine.run(plan).to_arrow().column(0).to_pylist()) == expected
