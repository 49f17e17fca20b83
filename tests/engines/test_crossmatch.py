"""Cross-matches: the same pairs as astropy finds, in every form of a join, wherever on the sky."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.engines.skies import COLUMNS, nasty_places, near_to, pairs_by_astropy, relation, table_of

from skydex.archive.answer import Explanation
from skydex.engines.duckdb import DuckDBEngine, DuckDBLimits
from skydex.query import Namespace, Plan, Relation, bind, get_language, make_plan
from skydex.sky import index29
from skydex.store import ArchiveDirectory, Layout, Staging
from skydex.tables import INDEX_COLUMN, Position, Table


@pytest.fixture(scope="module")
def engine() -> DuckDBEngine:
    return DuckDBEngine(DuckDBLimits(threads=2))


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory):
    """Store rows as `name`."""
    archive = ArchiveDirectory.create(Path(tmp_path_factory.mktemp("archive")) / "a")

    def store(name: str, rows: pa.Table) -> Relation:
        table = Table(name, COLUMNS, position=Position("ra", "dec"), id_column="id")
        index = index29(rows["ra"].to_numpy(), rows["dec"].to_numpy())
        directory = archive.staging_directory(name, "test")
        layout = Layout(rows_per_partition=3_000, rows_per_group=500)
        with Staging.open(directory, table=table, layout=layout) as staging:
            staging.add("all", rows.add_column(0, INDEX_COLUMN, pa.array(index)))
            report = staging.finish()
        archive.publish(name, report.directory)
        dataset = archive.open(name)
        return Relation(dataset.table, dataset)

    return store


def plan_of(text: str, namespace: Namespace) -> Plan:
    return make_plan(bind(get_language("ADQL").parse(text, version="2.1"), namespace), None)


def rows_of(plan: Plan, engine: DuckDBEngine) -> list[tuple]:
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


def test_the_plan_says_how_pairs_are_found(nasty, engine):
    radius, _, _, namespace, name = nasty
    text = f"SELECT a.id FROM {name} a JOIN up.b b ON DISTANCE(a.ra, a.dec, b.ra, b.dec) < {radius + 1e-9}"
    explained = str(Explanation(plan_of(text, namespace)))
    assert "Matches:\n  t1 with t0, by cells of order" in explained
    assert "DISTANCE" in explained
    assert "CELLS" in explained
