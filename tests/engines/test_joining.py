"""Tables joined by their places while they are read: the rows of the join that an engine would have made."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.engines.skies import COLUMNS, nasty_places, near_to, pairs_by_astropy, table_of

from skydex.archive.answer import Explanation
from skydex.engines import Deadline, joining
from skydex.engines.duckdb import DuckDBEngine, DuckDBLimits
from skydex.errors import DamagedDataError, TimeLimitError
from skydex.query import Namespace, Plan, Relation, bind, get_language, make_plan
from skydex.sky import index29
from skydex.store import ArchiveDirectory, Layout, Staging
from skydex.tables import INDEX_COLUMN, Column, Datatype, Position, Table, arrow_schema

N = 2_400
RADIUS_DEG = 0.02
WIDE = (*COLUMNS, Column("name", Datatype.CHAR, arraysize="8*"), Column("mag", Datatype.FLOAT))
NEAR = f"DISTANCE(a.ra, a.dec, b.ra, b.dec) <= {RADIUS_DEG}"


def wide(rows: pa.Table, rng: np.random.Generator) -> pa.Table:
    """The same rows with names and magnitudes, some of them null."""
    names = pa.array([f"n{i % 7}" for i in range(len(rows))], mask=rng.random(len(rows)) < 0.1)
    mags = pa.array(rng.normal(20, 2, len(rows)).astype(np.float32), mask=rng.random(len(rows)) < 0.1)
    return pa.table([*rows.columns, names, mags], schema=arrow_schema(WIDE))


def table(name: str) -> Table:
    return Table(name, WIDE, position=Position("ra", "dec"), id_column="id")


@pytest.fixture(scope="module")
def skies(tmp_path_factory: pytest.TempPathFactory):
    """Two tables of nasty places near each other, stored and in memory; some rows of one have no position."""
    rng = np.random.default_rng(20260501)
    ra, dec = nasty_places(N, rng)
    a = table_of(ra, dec, rng.random(N))
    b = table_of(*near_to(ra, dec, RADIUS_DEG * rng.choice([0.3, 0.999, 1.001], N), rng), rng.random(N))
    lost = np.concatenate([b["ra"].to_numpy()[:-100], np.full(100, np.nan)])
    b = b.set_column(1, "ra", pa.array(lost, from_pandas=True))
    a, b = wide(a, rng), wide(b, rng)
    archive = ArchiveDirectory.create(Path(tmp_path_factory.mktemp("archive")) / "a")
    stored = [store(archive, f"sky.{name}", rows) for name, rows in (("a", a), ("b", b))]
    held = [Relation(table(f"up.{name}"), rows) for name, rows in (("a", a), ("b", b))]
    return a, b, Namespace([*stored, *held])


def store(archive: ArchiveDirectory, name: str, rows: pa.Table) -> Relation:
    index = index29(rows["ra"].to_numpy(), rows["dec"].to_numpy())
    indices = pa.array(index, mask=index < 0)
    directory = archive.staging_directory(name, "test")
    with Staging.open(
        directory, table=table(name), layout=Layout(rows_per_partition=900, rows_per_group=150)
    ) as staging:
        staging.add("all", rows.add_column(0, INDEX_COLUMN, indices))
        report = staging.finish()
    archive.publish(name, report.directory)
    dataset = archive.open(name)
    return Relation(dataset.table, dataset)


@pytest.fixture(scope="module")
def engine() -> DuckDBEngine:
    return DuckDBEngine(DuckDBLimits(threads=2))


@pytest.fixture
def small_parts(monkeypatch):
    """Little is held and read at a time."""
    monkeypatch.setattr(joining, "_CHUNK_ROWS", 300)
    monkeypatch.setattr(joining, "_HELD_BYTES", 80_000)
    monkeypatch.setattr(joining, "_FIRST_ROWS", 100)


def plan_of(text: str, namespace: Namespace, max_rows: int | None = None) -> Plan:
    return make_plan(bind(get_language("ADQL").parse(text, version="2.1"), namespace), max_rows)


def rows_of(plan: Plan, engine: DuckDBEngine) -> list[tuple]:
    rows = engine.run(plan).to_arrow()
    return list(zip(*(column.to_pylist() for column in rows.columns), strict=True))


SIDES = [("sky.a", "sky.b"), ("sky.b", "sky.a"), ("sky.a", "up.b"), ("up.b", "sky.a"), ("up.a", "up.b")]


@pytest.mark.parametrize(("left", "right"), SIDES)
def test_the_pairs_are_those_of_astropy(skies, left, right, engine):
    a, b, namespace = skies
    with_place = b.filter(pa.compute.is_valid(b["ra"]))
    truth, ties = pairs_by_astropy(a, with_place, RADIUS_DEG)
    plan = plan_of(f"SELECT a.id, b.id FROM {left} AS a JOIN {right} AS b ON {NEAR}", namespace)
    assert plan.joined is not None
    assert plan.joined.only_scans
    found = rows_of(plan, engine)
    if left.endswith("b"):
        found = [(j, i) for i, j in found]
    assert len(found) == len(set(found)) > 1_000
    assert set(found) ^ truth <= ties


FORMS = {
    "all columns": f"SELECT * FROM sky.a AS a JOIN sky.b AS b ON {NEAR}",
    "columns in any order": f"SELECT b.name, a.mag, b.id, a.name, a.id, b.ra FROM sky.a AS a JOIN sky.b AS b ON {NEAR}",
    "open": f"SELECT a.id, b.id FROM sky.a a JOIN sky.b b ON DISTANCE(a.ra, a.dec, b.ra, b.dec) < {RADIUS_DEG}",
    "same place": "SELECT a.id, b.id FROM sky.a a JOIN sky.b b ON DISTANCE(a.ra, a.dec, b.ra, b.dec) <= 0",
    "a comma": f"SELECT a.id, b.name FROM sky.a AS a, sky.b AS b WHERE {NEAR} AND b.name <> 'n3'",
    "parentheses": f"SELECT a.id, b.id FROM sky.a a CROSS JOIN sky.b b WHERE ((a.mag < 21 AND ({NEAR})) AND b.id > 9)",
    "conditions": f"SELECT a.id, b.id FROM sky.a a JOIN sky.b b ON {NEAR} AND a.mag < b.mag WHERE a.r < .5 OR b.r < .5",
    "a region": f"SELECT a.id, b.id FROM sky.a a JOIN sky.b b ON {NEAR} WHERE DISTANCE(b.ra, b.dec, 0, 0) < 40",
    "expressions": f"SELECT a.id + b.id, DISTANCE(a.ra, a.dec, b.ra, b.dec) FROM sky.a a JOIN sky.b b ON {NEAR}",
    "a count": f"SELECT COUNT(*) FROM sky.a a JOIN sky.b b ON {NEAR}",
    "groups": f"SELECT b.name, COUNT(*), MIN(a.mag) FROM sky.a a JOIN up.b b ON {NEAR} GROUP BY b.name",
    "order": f"SELECT TOP 50 a.id, b.id FROM sky.a a JOIN sky.b b ON {NEAR} ORDER BY a.id DESC, b.id",
    "distinct": f"SELECT DISTINCT a.name FROM up.a a JOIN sky.b b ON {NEAR}",
    "with itself": "SELECT a.id FROM sky.a a JOIN sky.a b ON DISTANCE(a.ra, a.dec, b.ra, b.dec) < .1 AND a.id < b.id",
    "a derived table": f"SELECT i, COUNT(*) FROM (SELECT a.id AS i FROM sky.a a JOIN sky.b b ON {NEAR}) q GROUP BY i",
    "a named query": f"WITH q AS (SELECT a.id, b.r FROM sky.a a JOIN sky.b b ON {NEAR}) SELECT id FROM q WHERE r < 0.5",
    "a union": (
        f"SELECT a.id FROM sky.a a JOIN sky.b b ON {NEAR} UNION ALL SELECT a.id FROM up.a a, sky.b b WHERE {NEAR}"
    ),
    "a subquery": (
        f"SELECT a.id FROM sky.a a JOIN sky.b b ON {NEAR} WHERE b.r = (SELECT MAX(c.r) FROM sky.b c WHERE c.id = b.id)"
    ),
    "nothing near": "SELECT a.id FROM sky.a a, sky.b b WHERE DISTANCE(a.ra, a.dec, b.ra, b.dec) <= 0.01 AND a.id < -5",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_the_rows_are_those_of_a_join_of_cells(skies, small_parts, text, engine):
    plan = plan_of(text, skies[2])
    assert plan.joined is not None
    assert Counter(rows_of(plan, engine)) == Counter(rows_of(replace(plan, joined=None), engine))


ELSEWHERE = {
    "outer": f"SELECT a.id FROM sky.a a LEFT JOIN sky.b b ON {NEAR}",
    "full": f"SELECT a.id FROM sky.a a FULL JOIN sky.b b ON {NEAR}",
    "three": f"SELECT a.id FROM sky.a a JOIN sky.b b ON {NEAR} JOIN up.a c ON a.id = c.id",
    "a subquery": f"SELECT a.id FROM sky.a a WHERE EXISTS (SELECT 1 FROM sky.b b WHERE {NEAR})",
    "a further match": f"SELECT a.id FROM sky.a a JOIN sky.b b ON {NEAR} WHERE EXISTS "
    "(SELECT 1 FROM up.a c WHERE DISTANCE(c.ra, c.dec, b.ra, b.dec) < 0.1)",
    "own radii": "SELECT a.id FROM sky.a a JOIN sky.b b ON DISTANCE(a.ra, a.dec, b.ra, b.dec) <= a.r / 60",
    "large": "SELECT a.id FROM sky.a a JOIN sky.b b ON DISTANCE(a.ra, a.dec, b.ra, b.dec) <= 3",
    "moved": "SELECT a.id FROM sky.a a JOIN sky.b b ON DISTANCE(a.ra + a.r, a.dec, b.ra, b.dec) <= 0.01",
    "either": f"SELECT a.id FROM sky.a a JOIN sky.b b ON {NEAR} OR a.id = b.id",
}


@pytest.mark.parametrize("text", ELSEWHERE.values(), ids=ELSEWHERE)
def test_other_joins_are_left_to_the_engine(skies, text):
    assert plan_of(text, skies[2]).joined is None


def test_few_rows_of_ones_own_are_left_to_the_engine_which_reads_less_for_them(skies, engine):
    few = Relation(table("up.few"), skies[0].slice(0, N // 40))
    namespace = Namespace([*skies[2], few])
    text = f"SELECT a.id, b.id, b.name FROM sky.b b JOIN {{}} a ON {NEAR}"
    plan = plan_of(text.format("up.few"), namespace)
    assert plan.joined is None
    mine = set(few.rows["id"].to_pylist())
    more = rows_of(plan_of(text.format("up.a"), namespace), engine)
    assert Counter(rows_of(plan, engine)) == Counter(row for row in more if row[0] in mine)


@pytest.mark.parametrize("columns", ["a.id, b.name", "a.id, SIN(b.r)"])
@pytest.mark.parametrize("limit", [1, 60, 1_000_000])
def test_a_limit_ends_the_reading_and_leaves_no_thread(skies, small_parts, columns, limit, engine):
    plan = plan_of(f"SELECT {columns} FROM sky.a a JOIN sky.b b ON {NEAR}", skies[2], limit)
    everything = rows_of(replace(plan, max_rows=None), engine)
    result = engine.run(plan)
    rows = result.to_arrow()
    result.close()
    assert rows.num_rows == min(limit, len(everything))
    assert result.overflow == (limit < len(everything))
    assert set(zip(*(column.to_pylist() for column in rows.columns), strict=True)) <= set(everything)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("read")]


@pytest.mark.parametrize("columns", ["a.id, b.name", "COUNT(*), MAX(b.r)"])
def test_a_join_ends_at_its_deadline(skies, small_parts, columns, engine):
    plan = plan_of(f"SELECT {columns} FROM sky.a a JOIN sky.b b ON {NEAR}", skies[2])
    with pytest.raises(TimeLimitError):
        engine.run(plan, Deadline(0.0, 3.0)).to_arrow()


@pytest.mark.parametrize("columns", ["a.id, b.name", "COUNT(*), MAX(b.r)"])
def test_a_damaged_file_is_told(skies, columns, engine, tmp_path):
    a, b, _ = skies
    archive = ArchiveDirectory.create(tmp_path / "a")
    namespace = Namespace([store(archive, "sky.a", a), store(archive, "sky.b", b)])
    plan = plan_of(f"SELECT {columns} FROM sky.a a JOIN sky.b b ON {NEAR}", namespace)
    file = Path(namespace.get("sky.b").dataset.partitions[2].file)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(DamagedDataError, match=r"sky\.b"):
        engine.run(plan).to_arrow()


def test_a_place_with_a_crowd_is_gone_through_in_pieces(engine):
    n = 3_000
    crowd = wide(table_of(np.full(n, 10.0), np.full(n, 20.0)), np.random.default_rng(1))
    namespace = Namespace([Relation(table("up.a"), crowd), Relation(table("up.b"), crowd)])
    result = engine.run(plan_of(f"SELECT a.id, b.id FROM up.a a JOIN up.b b ON {NEAR}", namespace))
    sizes = [batch.num_rows for batch in result.batches]
    assert sum(sizes) == n * n
    assert max(sizes) < 1_500_000


def test_the_plan_tells_how_rows_are_joined(skies):
    explained = str(Explanation(plan_of(FORMS["a count"], skies[2])))
    assert "t0 with t1, while they are read in the order of the sky" in explained
