"""Looks are counted as numpy counts the same rows, and say what they have read."""

from __future__ import annotations

import collections
import math
from types import SimpleNamespace

import astropy.units as u
import numpy as np
import pyarrow as pa
import pytest
from cdshealpix.nested import lonlat_to_healpix
from hypothesis import given
from hypothesis import strategies as st

from skydex.archive import (
    Archive,
    Axis,
    ColumnsRequest,
    Constraint,
    DensityRequest,
    FacetsRequest,
    HistogramRequest,
    SkyRequest,
    Subject,
)
from skydex.archive.looks.binning import Bins
from skydex.errors import BadParameterError, RequestError, UnknownColumnError, UnknownFunctionError, UnknownTableError
from skydex.sky import Cone, index29
from skydex.store import ArchiveDirectory, Staging
from skydex.tables import INDEX_COLUMN, Column, Datatype, Position, Table, arrow_schema

N = 60_000
STARS = Table(
    "look.stars",
    (
        Column("id", Datatype.LONG, ucd="meta.id;meta.main"),
        Column("ra", Datatype.DOUBLE, unit="deg", ucd="pos.eq.ra;meta.main"),
        Column("dec", Datatype.DOUBLE, unit="deg", ucd="pos.eq.dec;meta.main"),
        Column("g", Datatype.DOUBLE, unit="mag", ucd="phot.mag"),
        Column("r", Datatype.FLOAT, unit="mag", ucd="phot.mag"),
        Column("n_obs", Datatype.SHORT),
        Column("kind", Datatype.CHAR, arraysize="8*"),
        Column("is_good", Datatype.BOOLEAN),
        Column("x", Datatype.DOUBLE, description="A column that is called as a parameter is"),
        Column("empty", Datatype.DOUBLE),
        Column("when", Datatype.CHAR, arraysize="26*", xtype="timestamp"),
        Column("shape", Datatype.DOUBLE, arraysize="2"),
    ),
    position=Position("ra", "dec"),
    id_column="id",
)


def make_rows() -> pa.Table:
    """Rows with nulls, a sentinel, wild values and values just on the edges of bins."""
    rng = np.random.default_rng(5)
    g = rng.normal(20.0, 2.0, N)
    g[:50], g[50:60], g[60] = -999.0, 1e30, 24.0
    g[1000:1200] = np.linspace(16.0, 24.0, 200)
    r = (g - rng.normal(0.8, 0.4, N)).astype(np.float32)
    ra, dec = rng.uniform(10.0, 20.0, N), rng.uniform(-5.0, 5.0, N)
    columns = [
        np.arange(N),
        ra,
        dec,
        pa.array(g, mask=np.arange(N) % 97 == 0),
        pa.array(r, mask=np.arange(N) % 89 == 0),
        rng.integers(0, 40, N).astype(np.int16),
        pa.array(rng.choice(["star", "galaxy", "quasar"], N, p=[0.7, 0.29, 0.01]), mask=np.arange(N) % 50 == 0),
        rng.random(N) < 0.25,
        np.full(N, 3.0),
        pa.nulls(N, pa.float64()),
        pa.array(1_500_000_000_000_000 + np.arange(N) * 1_000_000, pa.timestamp("us")),
        pa.array([[1.0, 2.0]] * N),
    ]
    return pa.table([pa.array(column) for column in columns], schema=arrow_schema(STARS.columns))


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    """The archive of one table, and its rows as they were given."""
    directory = ArchiveDirectory.create(tmp_path_factory.mktemp("looks") / "archive")
    rows = make_rows()
    index = index29(rows["ra"].to_numpy(), rows["dec"].to_numpy())
    with Staging.open(directory.staging_directory(STARS.name, "k"), table=STARS) as staging:
        staging.add("all", rows.add_column(0, INDEX_COLUMN, pa.array(index)))
        report = staging.finish()
    directory.publish(STARS.name, report.directory)
    columns = {c.name: rows[c.name].to_numpy() for c in STARS.columns if c.datatype.is_numeric and not c.is_array}
    return SimpleNamespace(archive=Archive.open(directory.path), rows=rows, **{f"{k}_": v for k, v in columns.items()})


def looked(ground, request):
    """The columns of an answer, and its infos."""
    result = ground.archive.query(request)
    return result.to_arrow(), dict(result.infos)


def density(x="g - r", y="g", *, constraints=(), cone=None, nx=40, ny=30, x_range=None, y_range=None, **given):
    subject = Subject("look.stars", tuple(constraints), cone)
    asked = {"sample_rows": 20_000, "median_rows": 10**6, **given}
    return DensityRequest(subject=subject, x=Axis(x, nx, x_range), y=Axis(y, ny, y_range), **asked)


def sky(*, cone=None, **given):
    return SkyRequest(subject=Subject("look.stars", (), cone), sample_rows=1, most_pixels=100_000, **given)


def histogram(x, *, limits=None, is_log=False):
    return HistogramRequest(subject=Subject("look.stars"), sample_rows=20_000, x=Axis(x, 50, limits, is_log))


def facets(table="look.stars", **asked):
    return FacetsRequest(subject=Subject(table), sample_rows=20_000, **asked)


def columns(table="look.stars", *, sample_rows=20_000):
    return ColumnsRequest(subject=Subject(table), sample_rows=sample_rows)


def raster(cells, nx=40, ny=30):
    """The whole raster of the cells of an answer."""
    counts = np.zeros((nx, ny), int)
    counts[cells["ix"].to_numpy(), cells["iy"].to_numpy()] = cells["n"].to_numpy()
    return counts


# --- bins ---


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(1, 300), st.integers(0, 2**32))
def test_bins_are_those_of_numpy_also_at_their_edges(low, width, n, seed):
    assert_binned(low, width, n, seed)


@given(st.floats(1.0, 1e6), st.floats(17.0, 1e4), st.integers(1, 300), st.integers(0, 2**32))
def test_bins_are_those_of_numpy_where_doubles_can_hardly_tell_them_apart(low, ulps, n, seed):
    assert_binned(low, 2.0 * ulps * n * math.ulp(low), n, seed)


def assert_binned(low, width, n, seed):
    bins = Bins(low, low + width, n)
    bins.check("x_range")
    edges = np.linspace(low, low + width, n + 1)
    random = np.random.default_rng(seed).uniform(low, low + width, 200)
    values = np.concatenate([random, edges, np.nextafter(edges[1:], -np.inf), np.nextafter(edges[:-1], np.inf)])
    values = np.concatenate([values, [np.nan, np.inf, -np.inf, 1e300, -1e300]])
    counts = np.bincount(bins.numbers(values), minlength=n + 2)
    assert np.array_equal(counts[1:-1], np.histogram(values, edges)[0])
    assert counts[-1] == np.count_nonzero(values > edges[-1])


@pytest.mark.parametrize(("low", "high", "n"), [(1.0, 1.0 + 1e-14, 256), (-1e308, 1e308, 10), (1e15, 1e15 + 1, 1000)])
def test_a_range_that_doubles_cannot_divide_is_refused_by_name(low, high, n):
    with pytest.raises(BadParameterError, match="x_range"):
        Bins(low, high, n).check("x_range")


# --- density ---


def test_a_density_is_the_histogram_of_numpy(ground):
    cells, infos = looked(ground, density(x_range=(-1.0, 3.0), y_range=(16.0, 24.0)))
    x, y = ground.g_ - ground.r_.astype(float), ground.g_
    known = ~np.isnan(x)
    expected, *_ = np.histogram2d(x[known], y[known], (40, 30), [(-1.0, 3.0), (16.0, 24.0)])
    assert np.array_equal(raster(cells), expected)
    assert cells["n"].to_pylist().count(0) == 0
    totals = [int(infos[name]) for name in ("n_inside", "n_outside", "n_null")]
    assert totals == [expected.sum(), known.sum() - expected.sum(), (~known).sum()]


def test_all_engines_count_alike(ground):
    function = density("POWER(10, 0 * n_obs) * g", x_range=(16.0, 24.0), y_range=(16.0, 24.0))
    plain = density("g", x_range=(16.0, 24.0), y_range=(16.0, 24.0))
    assert [ground.archive.plan(request).engine for request in (function, plain)] == ["sql", "scan"]
    assert looked(ground, function)[0].equals(looked(ground, plain)[0])
    whole = looked(ground, plain)[0]
    sql = Archive.open(ground.archive._directory.path, engine="duckdb")
    assert sql.query(plain).to_arrow().equals(whole)


def test_cells_have_the_median_or_the_mean_of_a_third_value(ground):
    asked = {"x": "ra", "y": "dec", "nx": 5, "ny": 4, "color": "r", "x_range": (10, 20), "y_range": (-5, 5)}
    x, y = np.floor((ground.ra_ - 10) / 2), np.floor((ground.dec_ + 5) / 2.5)
    for few, word, function in ((10**6, "median", np.nanmedian), (1000, "mean", np.nanmean)):
        cells, _ = looked(ground, density(**asked, median_rows=few))
        assert cells.schema.names == ["ix", "iy", "n", f"value_{word}"]
        for row in cells.to_pylist():
            inside = (x == row["ix"]) & (y == row["iy"])
            assert row[f"value_{word}"] == pytest.approx(function(ground.r_[inside].astype(float)), rel=1e-12)


def test_a_colour_that_is_missing_everywhere_leaves_the_counts(ground):
    for few in (0, 10**6):
        cells, infos = looked(ground, density(color="empty", median_rows=few))
        assert cells[3].null_count == len(cells) > 0
        assert int(infos["n_inside"]) == pa.compute.sum(cells["n"]).as_py()


def test_an_axis_without_a_range_leaves_sentinels_out_and_says_so(ground):
    _, infos = looked(ground, density("g", "n_obs"))
    assert 8 < float(infos["x_low"]) < 14 < 26 < float(infos["x_high"]) < 32
    assert (infos["x_range_from"], infos["y_range_from"]) == ("sample", "statistics")
    assert (float(infos["y_low"]), float(infos["y_high"])) == (0.0, 39.0)
    assert int(infos["n_outside"]) == np.count_nonzero(
        (ground.g_ < float(infos["x_low"])) | (ground.g_ > float(infos["x_high"]))
    )
    _, infos = looked(ground, density("g", "x", sample_rows=10**6))
    assert (infos["x_range_from"], infos["y_range_from"]) == ("rows", "rows")
    assert (float(infos["y_low"]), float(infos["y_high"])) == (2.5, 3.5)


def test_rows_are_chosen_by_constraints_and_by_a_cone(ground):
    constraints = (Constraint("g", "between", ("16,24",)), Constraint("kind", "eq", ("GALAXY",)))
    cells, _ = looked(ground, density("ra", "dec", constraints=constraints, cone=Cone(15.0, 0.0, 2.0), nx=9, ny=9))
    kind = np.array(ground.rows["kind"].to_pylist()) == "galaxy"
    near = np.cos(np.radians(2.0)) <= np.sin(0) * np.sin(np.radians(ground.dec_)) + np.cos(
        np.radians(ground.dec_)
    ) * np.cos(np.radians(ground.ra_ - 15.0))
    wanted = kind & near & (ground.g_ >= 16) & (ground.g_ <= 24)
    assert pa.compute.sum(cells["n"]).as_py() == wanted.sum() > 100


def test_no_row_gives_no_cell(ground):
    cells, infos = looked(ground, density(constraints=[Constraint("n_obs", "gt", ("1000",))], color="r"))
    assert len(cells) == 0
    assert infos["x_range_from"] == "nothing"
    cells, infos = looked(ground, density("empty", "g"))
    assert len(cells) == 0
    assert int(infos["n_null"]) == N


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("(SELECT MAX(g) FROM look.stars)", BadParameterError),
        ("g + (SELECT 1 AS one FROM TAP_SCHEMA.tables)", BadParameterError),
        ("COUNT(*)", BadParameterError),
        ("g - AVG(g)", BadParameterError),
        ("RAND()", BadParameterError),
        ("g FROM look.stars; DROP TABLE look.stars", BadParameterError),
        ("g, r", BadParameterError),
        ("g > r", BadParameterError),
        ("*", BadParameterError),
        ("'text'", BadParameterError),
        ("kind", BadParameterError),
        ("shape", BadParameterError),
        ("NULL", BadParameterError),
        ("g" + " + g" * 1500, BadParameterError),
        ("(" * 100 + "g" + ")" * 100, BadParameterError),
        ("gg", UnknownColumnError),
        ("other.g", RequestError),
        ("read_parquet('/etc/passwd')", UnknownFunctionError),
        ("getenv('HOME')", UnknownFunctionError),
        ("", BadParameterError),
    ],
)
def test_what_is_not_a_number_of_its_row_is_refused(ground, text, error):
    with pytest.raises(error):
        ground.archive.plan(density(text))


def test_a_table_that_is_not_there_is_unknown(ground):
    with pytest.raises(UnknownTableError):
        ground.archive.query(
            DensityRequest(subject=Subject("look.star"), sample_rows=9, x=Axis("g", 2), y=Axis("g", 2))
        )


# --- histogram ---


@pytest.mark.parametrize(("x", "limits"), [("g", (16.0, 24.0)), ("n_obs", (0.0, 39.0)), ("r", (10.0, 24.0))])
def test_a_histogram_is_that_of_numpy(ground, x, limits):
    table, infos = looked(ground, histogram(x, limits=limits))
    values = getattr(ground, f"{x}_").astype(float)
    expected, edges = np.histogram(values[~np.isnan(values)], 50, limits)
    assert table["n"].to_pylist() == expected.tolist()
    assert [*table["lo"].to_pylist(), table["hi"][-1].as_py()] == edges.tolist()
    assert int(infos["n_null"]) == np.isnan(values).sum()
    assert int(infos["n_inside"]) + int(infos["n_outside"]) + int(infos["n_null"]) == N


def test_logarithmic_bins_leave_out_what_has_no_logarithm(ground):
    table, infos = looked(ground, histogram("g", limits=(1.0, 100.0), is_log=True))
    values = ground.g_[~np.isnan(ground.g_)]
    expected, _ = np.histogram(np.log10(values[values > 0]), 50, (0.0, 2.0))
    assert table["n"].to_pylist() == expected.tolist()
    assert (table["lo"][0].as_py(), table["hi"][-1].as_py()) == (1.0, 100.0)
    assert int(infos["n_outside"]) == len(values) - expected.sum()
    _, infos = looked(ground, histogram("g", is_log=True))
    assert 8 < float(infos["x_low"]) < 16 < 24 < float(infos["x_high"]) < 40


# --- sky ---


@pytest.mark.parametrize("order", [0, 2, 5, 8])
def test_pixels_of_the_sky_are_counted_as_healpix_numbers_them(ground, order):
    table, infos = looked(ground, sky(order=order))
    pixels = lonlat_to_healpix(ground.ra_ * u.deg, ground.dec_ * u.deg, order)
    expected = dict(zip(*(part.tolist() for part in np.unique(pixels, return_counts=True)), strict=True))
    assert dict(zip(table["pixel"].to_pylist(), table["n"].to_pylist(), strict=True)) == expected
    assert set(table["order"].to_pylist()) == {order}
    if order == 0:
        assert int(infos["n_read"]) < N / 2


def test_pixels_inside_a_cone_are_those_of_its_rows(ground):
    table, infos = looked(ground, sky(cone=Cone(15.0, 0.0, 1.0), with_centres=True))
    whole, wide = looked(ground, sky())
    near = np.hypot(table["ra"].to_numpy() - 15.0, table["dec"].to_numpy())
    assert near.max() < 1.2
    assert 0 < len(table) < int(infos["n_inside"]) < N == pa.compute.sum(whole["n"]).as_py()
    assert int(infos["order"]) >= int(wide["order"]) >= 5


def test_too_many_pixels_are_refused_with_the_order_that_can_be(ground):
    with pytest.raises(BadParameterError, match=r"take [0-9]+ or less"):
        ground.archive.query(sky(order=15))


# --- facets ---


def test_facets_are_exact_where_all_rows_are_read(ground):
    table, _ = looked(ground, facets(exact_rows=10**6))
    rows = table.to_pylist()
    assert {row["column"] for row in rows} == {"n_obs", "kind", "is_good"}
    kinds = {row["value"]: row["n"] for row in rows if row["column"] == "kind"}
    counted = collections.Counter(ground.rows["kind"].to_pylist())
    assert kinds == dict(counted)
    assert [row["value"] for row in rows if row["column"] == "kind"] == ["star", "galaxy", "quasar", None]
    assert {row["n_distinct"] for row in rows if row["column"] == "kind"} == {3}
    assert {row["value"] for row in rows if row["column"] == "is_good"} == {"true", "false"}
    assert [row["n_distinct"] for row in rows if row["column"] == "n_obs"] == [40] * 20
    assert not any(row["is_estimate"] for row in rows)


def test_facets_of_a_sample_are_marked_and_near_the_truth(ground):
    table, infos = looked(ground, facets(columns=("KIND", "id"), most=3))
    rows = table.to_pylist()
    assert all(row["is_estimate"] for row in rows)
    assert 0 < float(infos["share_read"]) < 0.5
    stars = next(row["n"] for row in rows if row["value"] == "star")
    assert stars == pytest.approx(ground.rows["kind"].to_pylist().count("star"), rel=0.05)
    assert len([row for row in rows if row["column"] == "id"]) == 3


def test_facets_count_the_rows_that_are_chosen(ground):
    chosen = Subject("look.stars", (Constraint("n_obs", "lt", ("3",)),))
    table, _ = looked(ground, FacetsRequest(subject=chosen, sample_rows=1, exact_rows=10**6, columns=("n_obs",)))
    values, counts = np.unique(ground.n_obs_[ground.n_obs_ < 3], return_counts=True)
    assert {row["value"]: row["n"] for row in table.to_pylist()} == dict(zip(map(str, values), counts, strict=True))


def test_facets_of_what_has_none_are_refused(ground):
    with pytest.raises(BadParameterError, match="arrays"):
        ground.archive.plan(facets(columns=("shape",)))
    with pytest.raises(UnknownColumnError):
        ground.archive.plan(facets(columns=("kinds",)))


# --- columns ---


def test_columns_at_a_glance_are_known_without_a_scan(ground):
    table, infos = looked(ground, columns())
    rows = {row["name"]: row for row in table.to_pylist()}
    assert list(rows) == [column.name for column in STARS.columns]
    assert (rows["g"]["min"], rows["g"]["max"]) == (-999.0, 1e30)
    assert rows["g"]["n_null"] == np.isnan(ground.g_).sum()
    assert (rows["kind"]["first"], rows["kind"]["last"]) == ("galaxy", "star")
    assert rows["when"]["first"].startswith("2017-07-14T02:40:00")
    assert rows["empty"]["n_null"] == N
    assert rows["empty"]["counts"] is None
    assert rows["ra"]["unit"] == "deg"
    assert len(rows["g"]["counts"]) == 24
    assert 8 < rows["g"]["lo"] < rows["g"]["hi"] < 32
    assert sum(rows["n_obs"]["counts"]) == int(infos["n_read"]) < N / 2
    assert rows["g"]["is_estimate"]
    assert rows["kind"]["is_estimate"] is None


def test_a_histogram_of_all_rows_is_no_estimate(ground):
    rows = {row["name"]: row for row in looked(ground, columns(sample_rows=10**6))[0].to_pylist()}
    assert rows["n_obs"]["counts"] == np.histogram(ground.n_obs_, 24)[0].tolist()
    assert rows["n_obs"]["is_estimate"] is False


def test_tables_in_memory_have_looks_too(ground):
    rows = ground.archive.query(columns("TAP_SCHEMA.columns")).to_arrow().to_pylist()
    indexed = next(row for row in rows if row["name"] == "indexed")
    assert (indexed["min"], indexed["max"]) == (0.0, 1.0)
    table = ground.archive.query(facets("TAP_SCHEMA.columns", columns=("datatype",))).to_arrow()
    assert "double" in table["value"].to_pylist()
