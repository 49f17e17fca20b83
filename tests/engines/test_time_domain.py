"""Functions of the time domain: what numpy, scipy and astropy say, and `skydex.lightcurve`, on every engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from astropy import units as u
from astropy.stats import median_absolute_deviation
from astropy.table import Table as AstropyTable
from scipy import stats
from tests.engines.conftest import SLOW_ON_SPARK

from skydex.archive.batch import BatchRequest
from skydex.engines import Engine
from skydex.engines.duckdb import DuckDBEngine, DuckDBLimits
from skydex.errors import BadQueryError, MemoryLimitError
from skydex.lightcurve import LightCurves, indices, phases, photometry, stetson
from skydex.query import Namespace, Relation, bind, get_language, make_plan
from skydex.tables import Column, Datatype, Table, arrow_schema

NOVA = Path(__file__).parents[2].parent / "shared" / "data" / "seeds" / "hcv_1905457_lightcurve.ecsv"
N_CURVES = 40
POINTS = Table(
    "sky.points",
    (
        Column("star", Datatype.LONG, ucd="meta.id"),
        Column("t", Datatype.DOUBLE, unit="d", ucd="time.epoch"),
        Column("x", Datatype.DOUBLE, unit="mag", ucd="phot.mag;em.opt.V;meta.main"),
        Column("err", Datatype.DOUBLE, unit="mag", ucd="stat.error;phot.mag"),
        Column("flux", Datatype.DOUBLE, unit="nJy", ucd="phot.flux.density;em.opt.V"),
        Column("flux_err", Datatype.FLOAT, unit="uJy", ucd="stat.error;phot.flux.density"),
        Column("hours", Datatype.DOUBLE, unit="h", ucd="time.period"),
        Column("bare", Datatype.DOUBLE),
    ),
)
AGGREGATES = {
    "median(x)": lambda c: c.median,
    "mad(x)": indices.mad,
    "iqr(x)": indices.interquartile_range,
    "amplitude(x)": indices.amplitude,
    "weighted_mean(x, err)": lambda c: c.weighted_mean,
    "weighted_mean_err(x, err)": lambda c: 1.0 / np.sqrt(c.segments.sum(c.weight)),
    "chi2(x, err)": indices.chi2,
    "reduced_chi2(x, err)": indices.chi2_reduced,
    "roms(x, err)": indices.roms,
    "von_neumann(t, x)": indices.von_neumann,
    "stetson_j(t, x, err)": stetson.stetson_j,
    "stetson_j(t, x, err, 0.5)": lambda c: stetson.stetson_j(c, pair_days=0.5),
}


@pytest.fixture(scope="module")
def points() -> pa.Table:
    """Light curves of 0 to 39 points that count, in no order, among points that do not."""
    rng = np.random.default_rng(20260202)
    star = np.repeat(np.arange(N_CURVES), np.arange(N_CURVES) + 3)
    n = len(star)
    t = 55000.0 + np.round(rng.uniform(0, 8, n), 3)
    x = 20.0 + 0.4 * np.sin(2.0 * t) + rng.normal(0, 0.05, n)
    err, flux = rng.uniform(0.02, 0.08, n), rng.normal(5e3, 4e3, n)
    flux_err, hours, bare = np.full(n, 0.1, np.float32), rng.uniform(-2, 20, n), rng.normal(0, 3, n)
    number = np.arange(n) - np.searchsorted(star, star)
    x[number == 0], err[number == 1], t[number == 2] = np.nan, -999.0, np.inf
    x[number == 1] = t[number == 1] = np.nan  # so that every function counts the same points
    x[number == 2] = np.inf
    arrays = [pa.array(star), *(pa.array(each) for each in (t, x, err, flux, flux_err, hours, bare))]
    arrays[2] = pa.array(x, mask=number == 0)  # and some are null rather than NaN
    table = pa.table(arrays, schema=arrow_schema(POINTS.columns))
    return table.take(rng.permutation(n))


@pytest.fixture(scope="module")
def space(points: pa.Table) -> Namespace:
    return Namespace([Relation(POINTS, points)])


@pytest.fixture(scope="module")
def curves(points: pa.Table) -> LightCurves:
    arrays = (points[name].to_numpy() for name in ("star", "t", "x", "err"))
    return LightCurves.of_points(*arrays, n_curves=N_CURVES)


def plan_of(text: str, space: Namespace):
    return make_plan(bind(get_language("ADQL").parse(text, version="2.1"), space))


@pytest.fixture
def ask(space, sql_engine):
    return lambda text: columns_of(text, space, sql_engine)


@pytest.fixture(params=["duckdb", SLOW_ON_SPARK])
def query(space, request):
    return lambda text: columns_of(text, space, request.getfixturevalue(f"{request.param}_engine"))


def columns_of(text: str, space: Namespace, engine: Engine) -> list[list]:
    """The columns of an answer."""
    return [column.to_pylist() for column in engine.run(plan_of(text, space)).to_arrow().columns]


def with_nan(values: list) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values])


def test_aggregates_are_what_the_light_curves_have(ask, curves):
    star, *found = ask(f"SELECT star, {', '.join(AGGREGATES)} FROM points GROUP BY star ORDER BY star")
    assert star == list(range(N_CURVES))
    for (call, function), values in zip(AGGREGATES.items(), found, strict=True):
        with np.errstate(divide="ignore"):
            expected = function(curves)
        expected = np.where(np.isfinite(expected), expected, np.nan)  # 1 / 0 of no points
        assert not np.isnan(with_nan(values)[4:]).any(), call
        np.testing.assert_allclose(with_nan(values), expected, rtol=1e-11, atol=1e-13, err_msg=call)


def test_aggregates_are_what_their_definitions_say(points, space, duckdb_engine):
    calls = ", ".join(AGGREGATES)
    plan = plan_of(f"SELECT star, {calls} FROM points GROUP BY star ORDER BY star", space)
    found = duckdb_engine.run(plan).to_arrow()
    star, t, x, err = (points[name].to_numpy() for name in ("star", "t", "x", "err"))
    for number in (7, 20, 39):
        mine = np.flatnonzero((star == number) & np.isfinite(x))
        mine = mine[np.argsort(t[mine])]
        expected = definitions(t[mine], x[mine], err[mine])
        values = [column[number].as_py() for column in found.columns[1:]]
        np.testing.assert_allclose(values, expected, rtol=1e-8)


def definitions(t: np.ndarray, x: np.ndarray, err: np.ndarray) -> list[float]:
    """Every aggregate of one light curve in the order of its times."""
    n, half, ordered = len(x), len(x) // 2, np.sort(x)
    mean, norm = np.average(x, weights=err**-2, returned=True)
    chi2 = float(np.sum(((x - mean) / err) ** 2))
    return [
        float(np.median(x)),
        float(median_absolute_deviation(x)),
        float(np.median(ordered[n - half :]) - np.median(ordered[:half])),
        float(np.ptp(x)),
        float(mean),
        float(norm**-0.5),
        chi2,
        chi2 / (n - 1),
        float(np.sum(np.abs(x - np.median(x)) / err) / (n - 1)),
        float(np.mean(np.diff(x) ** 2) / np.var(x, ddof=1)),
        stetson_j_by_hand(t, x, err, 0.1),
        stetson_j_by_hand(t, x, err, 0.5),
    ]


def stetson_j_by_hand(t: np.ndarray, x: np.ndarray, err: np.ndarray, pair_days: float) -> float:
    """J of Stetson 1996, equation 1, about the mean of his section 2, with weights of 1."""
    n, mean = len(x), float(np.average(x, weights=err**-2))
    for _ in range(300):
        delta = np.sqrt(n / (n - 1)) * (x - mean) / err
        mean = float(np.average(x, weights=err**-2 / (1 + (np.abs(delta) / 2) ** 2)))
    delta = np.sqrt(n / (n - 1)) * (x - mean) / err
    products, i = [], 0
    while i < n:
        is_pair = i + 1 < n and t[i + 1] - t[i] <= pair_days
        products.append(delta[i] * delta[i + 1] if is_pair else delta[i] ** 2 - 1)
        i += 2 if is_pair else 1
    return float(np.mean(np.sign(products) * np.sqrt(np.abs(products))))


@pytest.mark.skipif(not NOVA.is_file(), reason="no light curve of the nova here")
def test_the_nova_in_m87_has_its_known_indices(duckdb_engine):
    """HCV MatchID 1905457 in ACS_F606W; values cross-checked with the package light-curve 0.13.3."""
    stored = AstropyTable.read(NOVA)
    columns = (Column("t", Datatype.DOUBLE), Column("x", Datatype.DOUBLE), Column("err", Datatype.DOUBLE))
    arrays = [np.asarray(stored[name], dtype=np.float64) for name in ("MJD", "CorrMag", "MagErr")]
    space = Namespace([Relation(Table("hcv.nova", columns), pa.table(arrays, schema=arrow_schema(columns)))])
    calls = "median(x), mad(x), weighted_mean(x, err), weighted_mean_err(x, err), reduced_chi2(x, err)"
    found = duckdb_engine.run(plan_of(f"SELECT {calls}, 1 / von_neumann(t, x) FROM nova", space)).to_arrow()
    expected = [24.4274937, 0.45988274, 23.992111, 0.011061, 77.430741, 1.3413944]
    assert [column[0].as_py() for column in found.columns] == pytest.approx(expected, rel=3e-5)


def test_spreads_of_integers_and_of_everything_together(query):
    """One group, of all rows; NULL is no value, and 1 to 9 are there."""
    numbers = [1, 2, 3, 4, 6, 9]
    rows = " UNION ALL ".join(f"SELECT TOP 1 {one} AS n FROM points" for one in [*numbers, "NULL"])
    found = query(f"SELECT median(n), mad(n), amplitude(n), weighted_mean(n, 2), chi2(n, 2) FROM ({rows}) AS q")
    chi2 = np.sum((np.array(numbers) - np.mean(numbers)) ** 2) / 4
    expected = [np.median(numbers), stats.median_abs_deviation(numbers), 8.0, np.mean(numbers), chi2]
    assert [one for (one,) in found] == pytest.approx(expected)


def test_groups_are_chosen_and_ordered_by_their_indices(ask, curves):
    """The way to the most variable objects of a collection."""
    limit, most = 1.0, 5
    star, j = ask(
        f"SELECT TOP {most} star, stetson_j(t, x, err) AS j FROM points GROUP BY star "
        f"HAVING stetson_j(t, x, err) > {limit} AND COUNT(x) > 5 AND mad(x) > 0 ORDER BY j DESC"
    )
    expected = stetson.stetson_j(curves)
    expected[curves.segments.counts < 5] = -np.inf
    assert star == np.argsort(-expected)[:most].tolist()
    assert j == sorted(j, reverse=True)
    assert j[-1] > limit


def test_no_rows_have_no_index(query):
    calls = ", ".join(AGGREGATES)
    assert query(f"SELECT {calls} FROM points WHERE star < 0") == [[None]] * len(AGGREGATES)
    assert query(f"SELECT {calls} FROM points WHERE star < 0 GROUP BY star") == [[]] * len(AGGREGATES)


def test_functions_nest_and_the_indices_of_a_subquery_are_numbers_outside(query, curves):
    (found,) = query(
        "SELECT MAX(ROUND(m * 1000)) FROM (SELECT star, mad(x - 3) + 0 * mad(ab_mag(flux)) AS m FROM points "
        "GROUP BY star) AS q WHERE m IS NOT NULL"
    )
    assert found[0] == pytest.approx(np.round(np.nanmax(indices.mad(curves)[5:]) * 1000), abs=0.1)


def test_magnitudes_are_those_of_astropy_but_for_the_rounded_zero_point(ask, points):
    flux, mag, err, again = ask(
        "SELECT flux, ab_mag(flux), ab_mag_err(flux, flux_err), ab_mag(bare, 'uJy') FROM points"
    )
    mag, err, again = map(with_nan, (mag, err, again))
    positive = np.array(flux) > 0
    exact = (np.array(flux)[positive] * u.nJy).to_value(u.ABmag)
    np.testing.assert_allclose(mag[positive], exact, rtol=0, atol=1.2e-4)  # 8.90 for 8.9000656
    assert np.isnan(mag[~positive]).all()
    assert np.isnan(err[~positive]).all()
    jansky = np.array(flux) * 1e-9
    np.testing.assert_allclose(mag, photometry.ab_mag(jansky), rtol=1e-14)
    np.testing.assert_allclose(err, photometry.ab_mag_err(jansky, np.float64(np.float32(0.1)) * 1e-6), rtol=1e-14)
    np.testing.assert_allclose(again, photometry.ab_mag(points["bare"].to_numpy() * 1e-6), rtol=1e-14)


def test_phases_are_those_of_light_curves_whatever_the_unit_of_the_period(query):
    t, hours, found, plain = query("SELECT t, hours, phase(t, hours, 55001.25), phase(t, 0.48636, 0) FROM points")
    for time, period, phase, other in zip(t, hours, found, plain, strict=True):
        if time is None or np.isinf(time):
            assert phase is None
            assert other is None
            continue
        assert other == pytest.approx(phases(np.array([time]), 0.48636)[0][0], abs=1e-15)
        if period > 0:
            assert 0 <= phase < 1
            expected = phases(np.array([time]), period / 24, 55001.25)[0][0]
            assert min(abs(phase - expected), 1 - abs(phase - expected)) < 1e-10  # the period is rounded
        else:
            assert phase is None


def test_t_sql_has_the_same_functions(space, duckdb_engine, curves):
    text = (
        "SELECT TOP 3 star, mad(x) AS m, stetson_j(t, x, err) AS j, MAX(ab_mag(flux)) AS faintest "
        "FROM sky.points GROUP BY star HAVING COUNT(x) > 9 ORDER BY mad(x) DESC"
    )
    found = duckdb_engine.run(BatchRequest(text).plan(space)).to_arrow()
    assert found["m"].to_pylist() == pytest.approx([indices.mad(curves)[i] for i in found["star"].to_pylist()])
    for call, problem in (
        ("mad(x) OVER (PARTITION BY star)", "mad does not stand with OVER"),
        ("mad(DISTINCT x)", "DISTINCT stands only in COUNT, SUM, AVG, MIN and MAX"),
    ):
        with pytest.raises(BadQueryError, match=problem):
            BatchRequest(f"SELECT {call} AS m FROM sky.points").plan(space)


def test_units_and_meanings_of_the_results(space):
    calls = {
        "ab_mag(flux)": ("mag", "phot.mag;em.opt.V"),
        "ab_mag(bare, 'mJy')": ("mag", "phot.mag"),
        "ab_mag_err(flux, flux_err)": ("mag", "stat.error;phot.mag;em.opt.V"),
        "phase(t, hours, 0)": (None, "time.phase"),
        "median(x)": ("mag", "phot.mag;em.opt.V;stat.median"),
        "mad(x)": ("mag", "stat.error;phot.mag;em.opt.V"),
        "mad(flux)": ("nJy", "stat.error;phot.flux.density;em.opt.V"),
        "iqr(bare)": (None, "stat.stdev"),
        "amplitude(x)": ("mag", "src.var.amplitude;phot.mag;em.opt.V"),
        "weighted_mean(x, err)": ("mag", "phot.mag;em.opt.V;stat.mean"),
        "weighted_mean_err(x, err)": ("mag", "stat.error;phot.mag;em.opt.V"),
        "chi2(x, err)": (None, "stat.fit.chi2"),
        "von_neumann(t, x)": (None, "src.var.index"),
        "stetson_j(t, x, err)": (None, "src.var.index"),
    }
    for call, expected in calls.items():
        (column,) = bind(get_language("ADQL").parse(f"SELECT {call} FROM points", version="2.1"), space).columns
        assert (column.unit, column.ucd) == expected, call
        assert (column.datatype, column.name) == (Datatype.DOUBLE, call.partition("(")[0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("ab_mag(bare)", "A flux without unit has no magnitude: ab_mag(bare, 'nJy') says what its unit is."),
        ("ab_mag(flux * 2)", "ab_mag(flux, 'nJy') says"),
        ("ab_mag(x)", "mag cannot be converted to Jy"),
        ("ab_mag(flux, 'parsec')", "parsec cannot be converted to Jy"),
        (
            "ab_mag(flux, x)",
            "Argument 2 of AB_MAG must be a text in single quotes: ab_mag(flux) or ab_mag(",
        ),
        ("ab_mag(flux, 'Jy', 1)", "AB_MAG does not take 3 arguments: ab_mag(flux) or ab_mag(flux, 'unit')."),
        ("ab_mag_err(flux)", "AB_MAG_ERR does not take 1 argument: ab_mag_err(flux, flux_err)."),
        ("ab_mag_err(x, err)", "mag cannot be converted to Jy"),
        ("phase(t, 2)", "PHASE does not take 2 arguments: phase(t, period, t0)."),
        ("phase(t, x, 0)", "mag cannot be converted to d"),
        ("mad(x, err)", "MAD does not take 2 arguments: mad(x)."),
        ("mad('x')", "Argument 1 of MAD must be a number: mad(x)."),
        ("mad(*)", ""),
        ("mad(DISTINCT x)", "DISTINCT stands only in COUNT, SUM, AVG, MIN and MAX"),
        ("von_neumann(x)", "VON_NEUMANN does not take 1 argument: von_neumann(t, x)."),
        ("stetson_j(t, x, err, bare)", "Argument 4 of STETSON_J must be a number that is written out"),
        ("stetson_j(x, t, err)", "mag cannot be converted to d"),
        ("mad(AVG(x))", "cannot stand inside another"),
        ("t, mad(x)", "must stand in GROUP BY"),
        ("von_neuman(t, x)", "von_neumann"),
    ],
)
def test_wrong_arguments_are_told_what_is_right(call, message, space):
    with pytest.raises(Exception, match=r"\w") as caught:
        plan_of(f"SELECT {call} FROM points", space)
    assert message.lower() in str(caught.value).lower()


def test_an_aggregate_in_a_wrong_place_is_pointed_at(space):
    with pytest.raises(BadQueryError, match="cannot stand in WHERE") as caught:
        plan_of("SELECT star FROM points WHERE star > 0 AND mad(x) > 1", space)
    assert (caught.value.line, caught.value.column) == (1, 44)


def test_a_group_that_does_not_fit_into_memory_is_an_error_and_the_engine_goes_on():
    n = 3_000_000
    rows = pa.table({"t": np.arange(n) / 1.0, "x": np.arange(n) % 7.0})
    table = Table("sky.many", (Column("t", Datatype.DOUBLE), Column("x", Datatype.DOUBLE)))
    space, engine = Namespace([Relation(table, rows)]), DuckDBEngine(DuckDBLimits(memory_mb=60, threads=1))
    with pytest.raises(MemoryLimitError):
        engine.run(plan_of("SELECT von_neumann(t, x) FROM many", space)).to_arrow()
    assert engine.run(plan_of("SELECT amplitude(x) FROM many", space)).to_arrow().column(0).to_pylist() == [6.0]
