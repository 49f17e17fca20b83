"""HEALPix pixels of stored positions come from their index."""

from __future__ import annotations

import numpy as np
import pytest

from skydex.engines.duckdb import DuckDBEngine
from skydex.query import bind, get_language, make_plan
from skydex.sky import pixels_of


@pytest.fixture(scope="module")
def duckdb_engine():
    return DuckDBEngine()


def plan_of(text, namespace):
    return make_plan(bind(get_language("ADQL").parse(text, version="2.1"), namespace))


@pytest.mark.parametrize("order", [0, 3, 29])
def test_pixels_of_stored_positions_come_from_the_index(order, namespace, rows, duckdb_engine):
    text = (
        f"SELECT ivo_healpix_index({order}, ra, dec) AS p, COUNT(*) AS n, AVG(mag) AS m FROM sources "
        f"WHERE ivo_healpix_index(1, ra, dec) < 40 GROUP BY p ORDER BY p"
    )
    plan = plan_of(text, namespace)
    assert all(scan.with_index for scan in plan.scans.values())
    pixels, coarse = (pixels_of(rows["ra"].to_numpy(), rows["dec"].to_numpy(), each) for each in (order, 1))
    expected, counts = np.unique(pixels[coarse < 40], return_counts=True)
    found = duckdb_engine.run(plan).to_arrow()
    assert found["p"].to_pylist() == expected.tolist()
    assert found["n"].to_pylist() == counts.tolist()


def test_pixels_of_other_places_and_of_orders_from_rows_are_computed(namespace):
    for places in (
        "3, dec, ra",
        "band, ra, dec",
        "3, ra + 1, dec",
    ):
        plan = plan_of(f"SELECT ivo_healpix_index({places}) AS p FROM sources", namespace)
        assert not any(scan.with_index for scan in plan.scans.values())
