"""Searches of the catalogue REST API as the archive answers them: what a page holds, whatever ties there are."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skydex.archive import Archive, CatalogOffer, CatalogRequest, Constraint, Search, SortKey
from skydex.archive.offers import Place
from skydex.ingest import ingest_files
from skydex.sky import Cone

N = 20_000


@pytest.fixture(scope="module")
def measurements(tmp_path_factory):
    """An archive of measurements of which no column alone names one."""
    directory = tmp_path_factory.mktemp("ties")
    rng = np.random.default_rng(4)
    columns = {
        "star": rng.integers(0, N // 20, N),
        "band": pa.array(np.array(["g", "r", "i"])[rng.integers(0, 3, N)]),
        "mjd": rng.random(N) * 1000.0 + 55_000.0,
    }
    n_stars = N // 20
    stars = {"star": np.arange(n_stars), "ra": 10.0 + rng.random(n_stars) * 0.5, "dec": rng.random(n_stars) * 0.5}
    for name, values, given in (("measurements", columns, {"position": "none"}), ("stars", stars, {})):
        pq.write_table(pa.table(values), directory / f"{name}.parquet")
        ingest_files([directory / f"{name}.parquet"], directory / "archive", f"ties.{name}", **given)
    return Archive.open(directory / "archive")


@pytest.mark.parametrize("cone", [None, Cone(10.25, 0.25, 0.5)], ids=["constraint", "cone"])
@pytest.mark.parametrize("sort_by", [(), (SortKey("band"),), (SortKey("band", descends=True), SortKey("star"))])
def test_pages_of_rows_with_equal_keys_are_together_the_whole(measurements, sort_by, cone):
    search = Search(
        CatalogOffer("ties/measurements", "ties.measurements", place=Place("ties.stars", "star")),
        constraints=(Constraint("star", "gte", ("0",)),),
        cone=cone,
        columns=("star", "mjd"),
        sort_by=sort_by,
    )

    def rows(page: int, size: int) -> list[dict[str, object]]:
        return measurements.query(CatalogRequest(search, page, size)).to_arrow().to_pylist()

    whole = rows(1, N)
    assert len(whole) == N
    assert [row for page in range(1, 9) for row in rows(page, N // 8)] == whole
