"""Cross-matches: the same pairs as astropy finds, in every form of a join, wherever on the sky."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.engines.conftest import SLOW_ON_SPARK
from tests.engines.skies import (
    COLUMNS,
    mixed_radii,
    nasty_places,
    near_to,
    pairs_by_astropy,
    pairs_of_circles,
    relation,
    table_of,
)

from skydex.archive.answer import Explanation
from skydex.engines import Engine
from skydex.query import Namespace, Plan, Relation, bind, get_language, make_plan
from skydex.sky import index29
from skydex.store import ArchiveDirectory, Layout, Staging
from skydex.tables import INDEX_COLUMN, Position, Table

SMALL_PIECES = Layout(rows_per_partition=3_000, rows_per_group=500)


@pytest.fixture(scope="module", params=["duckdb", SLOW_ON_SPARK])
def engine(request) -> Engine:
    return request.getfixturevalue(f"{request.param}_engine")


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory):
    """Store rows as `name`."""
    archive = ArchiveDirectory.create(Path(tmp_path_factory.mktemp("archive")) / "a")

    def store(name: str, rows: pa.Table, layout: Layout = SMALL_PIECES) -> Relation:
        table = Table(name, COLUMNS, position=Position("ra", "dec"), id_column="id")
        index = index29(rows["ra"].to_numpy(), rows["dec"].to_numpy())
        directory = archive.staging_directory(name, "test")
        with Staging.open(directory, table=table, layout=layout) as staging:
            staging.add("all", rows.add_column(0, INDEX_COLUMN, pa.array(index)))
            report = staging.finish()
        archive.publish(name, report.directory)
        dataset = archive.open(name)
        return Relation(dataset.table, dataset)

    return store


def plan_of(text: str, namespace: Namespace) -> Plan:
    return make_plan(bind(get_language("ADQL").parse(text, version="2.1"), namespace), None)


def rows_of(plan: Plan, engine: Engine) -> list[tuple]:
    table = engine.run(plan).to_arrow()
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


RADII = (0.0, 1e-9, 1e-6, 1 / 3600, 0.01, 0.3, 5.0)


@pytest.fixture(scope="module", params=RADII, ids=str)
def nasty(request, stored):
    """A thousand nasty places and as many beside them, matched to a radius."""
    rng = np.random.default_rng(20260301)
    radius = request.param
    ra, dec = nasty_places(1000, rng)
    scale = np.maximum(radius, 1e-10) * rng.choice([0.5, 0.999, 1.001, 2.0], 1000)
    a, b = table_of(ra, dec), table_of(*near_to(ra, dec, scale, rng))
    name = f"sky.a{RADII.index(radius)}"
    return radius, a, b, Namespace([stored(name, a), relation("up.a", a), relation("up.b", b)]), name


@pytest.mark.parametrize("left", ["stored", "memory"])
@pytest.mark.parametrize(
    "condition",
    [
        "1 = CONTAINS(POINT(a.ra, a.dec), CIRCLE(b.ra, b.dec, {r}))",
        "CONTAINS(POINT(b.ra, b.dec), CIRCLE(a.ra, a.dec, {r})) = 1",
        "DISTANCE(POINT(a.ra, a.dec), POINT(b.ra, b.dec)) <= {r}",
    ],
)
def test_the_pairs_are_those_of_astropy_at_nasty_places(nasty, left, condition, engine):
    radius, a, b, namespace, name = nasty
    table = name if left == "stored" else "up.a"
    plan = plan_of(f"SELECT a.id, b.id FROM {table} AS a JOIN up.b AS b ON {condition.format(r=radius)}", namespace)
    assert len(plan.matches) == 1
    found = rows_of(plan, engine)
    pairs, ties = pairs_by_astropy(a, b, radius)
    assert len(found) == len(set(found))
    assert set(found) ^ pairs <= ties
    assert len(pairs) > 300 or radius == 0.0


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 40))])
def test_the_pairs_are_those_of_astropy_whatever_the_radius(seed, stored, engine):
    rng = np.random.default_rng([20260306, seed])
    n, radius = 4000, 10.0 ** rng.uniform(-9, 0.3)
    ra, dec = nasty_places(n, rng)
    a, b = table_of(ra, dec), table_of(*near_to(ra, dec, radius * rng.choice([0.3, 0.999, 1.001], n), rng))
    namespace = Namespace([stored(f"sky.seed{seed}", a), relation("up.b", b)])
    near = f"1 = CONTAINS(POINT(a.ra, a.dec), CIRCLE(b.ra, b.dec, {radius!r}))"
    found = rows_of(plan_of(f"SELECT a.id, b.id FROM sky.seed{seed} AS a, up.b AS b WHERE {near}", namespace), engine)
    pairs, ties = pairs_by_astropy(a, b, radius)
    assert len(found) == len(set(found)) > n / 2
    assert set(found) ^ pairs <= ties


def test_many_random_positions_are_matched_as_by_astropy(stored, engine):
    rng = np.random.default_rng(20260302)
    n, radius = 100_000, 2 / 3600
    ra, dec = rng.random(n) * 360.0, np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    a, b = table_of(ra, dec), table_of(*near_to(ra, dec, radius * 2 * rng.random(n), rng))
    namespace = Namespace([stored("sky.random", a), relation("up.b", b)])
    plan = plan_of(
        f"SELECT a.id, b.id FROM sky.random a, up.b b WHERE DISTANCE(a.ra, a.dec, b.ra, b.dec) <= {radius}", namespace
    )
    found = rows_of(plan, engine)
    pairs, ties = pairs_by_astropy(a, b, radius)
    assert len(plan.matches) == 1
    assert len(found) == len(set(found)) > 50_000
    assert set(found) ^ pairs <= ties


@pytest.fixture(scope="module")
def circles(stored):
    """Two tables of nasty places, in memory and stored, each row with a radius of its own."""
    rng = np.random.default_rng(20260303)
    n = 600
    ra, dec = nasty_places(n, rng)
    radius = mixed_radii(n, rng)
    usual = np.clip(np.nan_to_num(np.abs(radius)), 1e-7, 90.0)
    b = table_of(*near_to(ra, dec, usual * rng.choice([0.5, 0.999, 1.0, 1.001, 2.0], n), rng), mixed_radii(n, rng))
    a = table_of(ra, dec, radius)
    namespace = Namespace([relation("up.a", a), relation("up.b", b), stored("sky.ca", a), stored("sky.cb", b)])
    return a, b, namespace


VARIED = {
    "of one side": ("1 = CONTAINS(POINT(b.ra, b.dec), CIRCLE(a.ra, a.dec, a.r))", lambda a, b: a[:, None]),
    "of the other side": ("1 = CONTAINS(POINT(b.ra, b.dec), CIRCLE(a.ra, a.dec, b.r))", lambda a, b: b[None, :]),
    "a multiple": ("DISTANCE(POINT(b.ra, b.dec), POINT(a.ra, a.dec)) <= 3 * a.r / 60", lambda a, b: a[:, None] / 20),
    "a sum": (
        "a.r / 10 + ABS(b.r) / 10 >= DISTANCE(a.ra, a.dec, b.ra, b.dec)",
        lambda a, b: (a[:, None] + abs(b)) / 10,
    ),
    "in quadrature": (
        "DISTANCE(a.ra, a.dec, b.ra, b.dec) <= SQRT(POWER(a.r, 2) + b.r * b.r)",
        lambda a, b: np.hypot(a[:, None], b[None, :]),
    ),
    "by case": (
        "DISTANCE(a.ra, a.dec, b.ra, b.dec) <= CASE WHEN a.r > 1 THEN a.r ELSE COALESCE(b.r, 2) END",
        lambda a, b: np.where(a[:, None] > 1, a[:, None], np.where(np.isnan(b), 2.0, b)[None, :]),
    ),
    "any of one side": (
        "DISTANCE(a.ra, a.dec, b.ra, b.dec) <= EXP(a.r / 100) - 1",
        lambda a, b: np.exp(a[:, None] / 100) - 1,
    ),
    "any of both": (
        "DISTANCE(a.ra, a.dec, b.ra, b.dec) <= EXP(a.r / 200 + b.r / 200) - 1",
        lambda a, b: np.exp(a[:, None] / 200 + b / 200) - 1,
    ),
}


@pytest.mark.parametrize(("left", "right"), [("sky.ca", "up.b"), ("up.a", "sky.cb"), ("sky.ca", "sky.cb")])
@pytest.mark.parametrize(("condition", "radius_of"), VARIED.values(), ids=VARIED)
def test_radii_may_differ_from_row_to_row(circles, left, right, condition, radius_of, engine, request):
    a, b, namespace = circles
    plan = plan_of(f"SELECT a.id, b.id FROM {left} AS a, {right} AS b WHERE {condition}", namespace)
    found = rows_of(plan, engine)
    radius = np.broadcast_to(radius_of(a["r"].to_numpy(), b["r"].to_numpy()), (len(a), len(b)))
    pairs, ties = pairs_of_circles(a, b, radius)
    assert len(plan.matches) == ("any of both" not in request.node.name)
    assert len(found) == len(set(found))
    assert set(found) ^ pairs <= ties
    assert len(pairs) > 1_000


@pytest.mark.spark
def test_spark_knows_the_limit_of_a_radius_with_a_single_branch(circles, spark_engine, duckdb_engine):
    condition, _ = VARIED[
        "in quadrature"
    ]  # a power becomes a CASE of one branch, and Spark's GREATEST wants two values
    plan = plan_of(f"SELECT a.id, b.id FROM up.a AS a, sky.cb AS b WHERE {condition}", circles[2])
    assert set(rows_of(plan, spark_engine)) == set(rows_of(plan, duckdb_engine)) != set()


def counted(pairs: set, n: int) -> list[int]:
    """How many partners each of n rows has."""
    return np.bincount([i for i, _ in pairs], minlength=n).tolist()


RADII_OF_FORMS = {
    "0.05": lambda a: np.full((len(a), 1), 0.05),
    "1.0001 * a.r - 1e-10": lambda a: 1.0001 * a[:, None] - 1e-10,
}
"""None of which is just the distance of a pair."""


@pytest.mark.parametrize(("left", "right"), [("sky.ca", "up.b"), ("up.a", "sky.cb"), ("up.a", "up.b")])
@pytest.mark.parametrize("radius", RADII_OF_FORMS)
def test_every_form_of_a_join_has_the_same_pairs(circles, left, right, radius, engine):
    a, b, namespace = circles
    pairs, ties = pairs_of_circles(a, b, np.broadcast_to(RADII_OF_FORMS[radius](a["r"].to_numpy()), (len(a), len(b))))
    assert not ties
    near = f"1 = CONTAINS(POINT('ICRS', b.ra, b.dec), CIRCLE('ICRS', a.ra, a.dec, {radius}))"

    def ask(text: str) -> list[tuple]:
        return rows_of(plan_of(text.replace("NEAR", near), namespace), engine)

    ids_a, ids_b = ({*range(len(a))} - {i for i, _ in pairs}, {*range(len(b))} - {j for _, j in pairs})
    alone_a, alone_b = {(i, None) for i in ids_a}, {(None, j) for j in ids_b}
    two, join = "SELECT a.id, b.id FROM", f"{left} AS a {{}} JOIN {right} AS b ON NEAR"
    assert {*ask(f"{two} {join.format('INNER')}")} == pairs
    assert {*ask(f"{two} {join.format('INNER')} WHERE a.id < b.id")} == {(i, j) for i, j in pairs if i < j}
    assert {*ask(f"{two} {join.format('LEFT')}")} == pairs | alone_a
    assert {*ask(f"{two} {join.format('RIGHT OUTER')}")} == pairs | alone_b
    assert {*ask(f"{two} {join.format('FULL')}")} == pairs | alone_a | alone_b
    full = f"SELECT COUNT(*), COUNT(a.id), MAX(b.r) FROM {join.format('FULL')} AND a.id > 7 WHERE a.id < 99 OR b.id > 9"
    assert ask(full) == ask(full.replace(near, f"(0 = 1 OR {near})"))  # that one measures every pair
    exists = f"EXISTS (SELECT 1 FROM {right} AS b WHERE NEAR)"
    assert {i for (i,) in ask(f"SELECT id FROM {left} AS a WHERE NOT {exists}")} == ids_a
    assert {i for (i,) in ask(f"SELECT id FROM {left} AS a WHERE {exists}")} == {*range(len(a))} - ids_a
    exists = f"EXISTS (SELECT 1 FROM {left} AS a WHERE NEAR)"
    assert {j for (j,) in ask(f"SELECT id FROM {right} AS b WHERE NOT {exists}")} == ids_b
    count = f"SELECT a.id, (SELECT COUNT(*) FROM {right} AS b WHERE NEAR) AS n FROM {left} AS a ORDER BY a.id"
    assert [n for _, n in ask(count)] == counted(pairs, len(a))
    derived = f"SELECT a.id, b.id FROM (SELECT * FROM {left}) AS a, (SELECT * FROM {right}) AS b WHERE NEAR"
    assert {*ask(derived)} == pairs


@pytest.mark.parametrize("table", ["sky.ca", "up.a"])
def test_a_table_is_matched_with_itself(circles, table, engine):
    a, _, namespace = circles
    near = "DISTANCE(POINT(t1.ra, t1.dec), POINT(t2.ra, t2.dec)) < 0.5"
    plan = plan_of(f"SELECT t1.id, t2.id FROM {table} t1 JOIN {table} t2 ON {near} AND t1.id < t2.id", namespace)
    pairs, ties = pairs_of_circles(a, a, np.full((len(a), len(a)), 0.5))
    assert not {(i, j) for i, j in ties if i != j}
    assert {*rows_of(plan, engine)} == {(i, j) for i, j in pairs if i < j}


def test_three_tables_are_matched_at_once(circles, engine):
    a, b, namespace = circles
    first, second = (f"DISTANCE({x}.ra, {x}.dec, {y}.ra, {y}.dec) <= {r}" for x, y, r in ("ab0", "bc1"))
    tables = "sky.ca a JOIN up.b b ON {} JOIN sky.ca c ON {}"
    near = [condition.replace(" 0", " 0.05").replace(" 1", " (b.r - 1e-9) / 47") for condition in (first, second)]
    plan = plan_of(f"SELECT a.id, b.id, c.id FROM {tables.format(*near)}", namespace)
    ab, ties_ab = pairs_of_circles(a, b, np.full((len(a), len(b)), 0.05))
    bc, ties_bc = pairs_of_circles(b, a, np.broadcast_to((b["r"].to_numpy()[:, None] - 1e-9) / 47, (len(b), len(a))))
    assert len(plan.matches) == 2
    assert not ties_ab | ties_bc
    found = rows_of(plan, engine)
    assert len(found) == len({*found}) > 1_000
    assert {*found} == {(i, j, k) for i, j in ab for m, k in bc if m == j}


@pytest.fixture(scope="module")
def survey(stored):
    """A stored table of the whole sky, some of its rows again in another, and an upload of one place in it."""
    rng = np.random.default_rng(20260304)
    n = 20_000
    ra, dec = rng.random(n) * 360.0, np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    everything, again = table_of(ra, dec), table_of(*near_to(ra[::4], dec[::4], np.full(n // 4, 1e-4), rng))
    here = everything.filter(np.hypot(dec - 30.0, (ra - 40.0) * np.cos(np.radians(dec))) < 5.0)
    relations = [stored("sky.main", everything), stored("sky.again", again), relation("up.here", here)]
    return Namespace(relations)


def share_read(plan: Plan, table: str) -> float:
    """The part of the row groups of a table that is read."""
    (selection,) = (scan.selection for scan in plan.scans.values() if scan.relation.table.name == table)
    return selection.n_groups / selection.total_groups


NEAR = "DISTANCE(a.ra, a.dec, b.ra, b.dec) < 0.001"
NARROWED = {
    "upload": f"SELECT a.id FROM sky.main AS a JOIN up.here AS b ON {NEAR}",
    "left join": f"SELECT a.id FROM up.here AS b LEFT JOIN sky.main AS a ON {NEAR}",
    "own radii": "SELECT a.id FROM sky.main a, up.here b WHERE DISTANCE(a.ra, a.dec, b.ra, b.dec) <= 0.001 + 2 * b.r",
    "subquery": f"SELECT b.id FROM up.here AS b WHERE NOT EXISTS (SELECT 1 FROM sky.main AS a WHERE {NEAR})",
    "cone": f"SELECT a.id FROM sky.main a JOIN sky.again b ON {NEAR} WHERE DISTANCE(b.ra, b.dec, 40, 30) < 3",
    "rectangle": f"SELECT a.id FROM sky.again b JOIN sky.main a ON {NEAR} AND b.dec < 25 AND b.dec > 20 AND b.ra < 50",
    "chain": f"SELECT c.id FROM sky.main a, up.here b, sky.again c WHERE {NEAR} AND DISTANCE(c.ra,c.dec,a.ra,a.dec)<1",
}


@pytest.mark.parametrize("text", NARROWED.values(), ids=NARROWED)
def test_a_match_leaves_only_its_part_of_the_sky_to_be_read(survey, text):
    namespace = survey
    plan = plan_of(text, namespace)
    assert all(share_read(plan, name) < 0.2 for name in ("sky.main", "sky.again") if name in text)


def test_the_side_of_an_outer_join_that_stays_whole_is_read_whole(survey):
    namespace = survey
    plan = plan_of(f"SELECT a.id FROM sky.main AS a LEFT JOIN up.here AS b ON {NEAR}", namespace)
    assert share_read(plan, "sky.main") == 1.0


@pytest.fixture(scope="module")
def large(stored):
    """A large table, and a smaller one of which few rows are chosen by what they are, not by where."""
    rng = np.random.default_rng(20260305)
    n = 450_000
    ra, dec = rng.random(n) * 360.0, np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    small = table_of(ra[::50], dec[::50], rng.random(n // 50))
    layout = Layout(rows_per_partition=50_000, rows_per_group=2_000)
    return Namespace([stored("sky.large", table_of(ra, dec), layout), stored("sky.small", small, layout)])


@pytest.mark.parametrize(
    "tables",
    [
        "sky.small AS a JOIN sky.large AS b ON {} AND a.r < 0.01",
        "sky.large AS b, sky.small AS a WHERE a.r < 0.01 AND {} AND a.r > -1",
        "sky.small AS a LEFT JOIN sky.large AS b ON {} WHERE a.r < 0.01",
    ],
)
def test_few_rows_are_asked_for_their_places_before_a_large_table_is_read(large, tables, engine):
    plan = plan_of(f"SELECT a.id, b.id FROM {tables.format(NEAR)}", large)
    (probe,) = plan.probes
    assert "Asks:\n" in str(Explanation(plan))
    (table,) = (name for name, scan in plan.scans.items() if scan.relation.table.name == "sky.large")
    places = engine.run(plan.plan_of(probe, max_rows=10_000)).to_arrow()
    narrow = plan.narrowed(table, probe.ranges_near(places)).scans[table].selection
    assert 50 < places.num_rows < 200 > narrow.n_groups
    rows = rows_of(plan, engine)
    assert len(rows) == places.num_rows
    assert all(j == 50 * i for i, j in rows)


def test_no_place_is_asked_for_where_rows_without_partner_stay(large):
    plan = plan_of(f"SELECT a.id FROM sky.large AS b LEFT JOIN sky.small AS a ON {NEAR} AND a.r < 0.01", large)
    assert not plan.probes


def test_the_plan_says_how_pairs_are_found(nasty, engine):
    radius, _, _, namespace, name = nasty
    text = f"SELECT a.id FROM {name} a JOIN up.b b ON DISTANCE(a.ra, a.dec, b.ra, b.dec) < {radius + 1e-9}"
    explained = str(Explanation(plan_of(text, namespace)))
    assert "Matches:\n  t1 with t0, by cells of order" in explained
    assert "DISTANCE" in explained
    assert "CELLS" in explained
