"""Cross-matches of whole tables: the pairs of astropy, at every place of the sky, in however many parts."""

from __future__ import annotations

import json
from pathlib import Path

import astropy.units as u
import numpy as np
import pyarrow as pa
import pytest
from astropy.coordinates import SkyCoord, match_coordinates_sky, search_around_sky
from astropy.time import Time
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skydex.archive.matching import CrossmatchRequest, Given, crossmatched, tasks
from skydex.errors import BadParameterError, UnknownColumnError
from skydex.query import Namespace, Relation
from skydex.sky import Cone
from skydex.tables import Column, Datatype, Position, Table, arrow_schema
from skydex.xmatch import Criteria, Keep, Radius, SameRows, find_errors

ARCSEC = 1.0 / 3600.0


def relation(name, ra, dec, **more):
    """A table with its rows in memory: `id` counts them."""
    names = {key: column for key, (column, _) in more.items()}
    columns = (
        Column("id", Datatype.LONG, ucd="meta.id;meta.main"),
        Column("ra", Datatype.DOUBLE, unit="deg", ucd="pos.eq.ra;meta.main"),
        Column("dec", Datatype.DOUBLE, unit="deg", ucd="pos.eq.dec;meta.main"),
        *names.values(),
    )
    rows = [np.arange(len(ra)), np.asarray(ra, float), np.asarray(dec, float), *(values for _, values in more.values())]
    table = Table(name, columns, position=Position("ra", "dec"), id_column="id")
    return Relation(table, pa.table([pa.array(c, from_pandas=True) for c in rows], schema=arrow_schema(columns)))


def found(relations, radius_deg, room, **options):
    radius = radius_deg if isinstance(radius_deg, Radius) else Radius(radius_deg)
    request = CrossmatchRequest(tuple(r.table.name for r in relations), Criteria(radius, **options))
    unique = {r.table.name: r for r in relations}.values()
    return crossmatched(request, Given(Namespace(unique), Path(room))).to_arrow()


def pairs_of(table, other="b"):
    return list(zip(table["id"].to_pylist(), table[f"id_{other}"].to_pylist(), strict=True))


def sky(n, seed, *, around=None):
    rng = np.random.default_rng(seed)
    if around is None:
        return rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    return (around[0] + rng.normal(0, 0.01, n)) % 360, np.clip(around[1] + rng.normal(0, 0.01, n), -90, 90)


@pytest.fixture
def small_parts(monkeypatch):
    """Tasks of few rows, so that small tables have many."""
    monkeypatch.setattr(tasks, "MOST_ROWS", 60)
    monkeypatch.setattr(tasks, "MOST_OTHERS", 120)


edges = st.one_of(
    st.tuples(st.floats(0, 359.999), st.floats(-90, 90)),
    st.tuples(st.sampled_from([0.0, 1e-7, 359.9999999, 45.0, 90.0, 180.0]), st.floats(-90, 90)),
    st.tuples(st.floats(0, 359.999), st.sampled_from([90.0, -90.0, 89.9999999, 41.8103149, -41.8103149, 0.0])),
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    places=st.lists(edges, min_size=1, max_size=12),
    steps=st.lists(st.tuples(st.integers(0, 11), st.floats(0, 3), st.floats(0, 360)), max_size=12),
    radius=st.sampled_from([0.0, ARCSEC, 0.01, 2.0]),
)
def test_pairs_are_those_of_astropy_at_the_edges_of_the_sky(small_parts, tmp_path, places, steps, radius):
    left = SkyCoord(*np.transpose(places), unit="deg")
    some = [
        left[which % len(left)].directional_offset_by(angle * u.deg, way * radius * u.deg)
        for which, way, angle in steps
    ]
    right = SkyCoord([*left.ra.deg, *(c.ra.deg for c in some)], [*left.dec.deg, *(c.dec.deg for c in some)], unit="deg")
    here, there = relation("t.a", left.ra.deg, left.dec.deg), relation("t.b", right.ra.deg, right.dec.deg)
    ours = found([here, there], radius, tmp_path, keep=Keep.ALL)
    separation = left[:, None].separation(right[None, :]).deg
    sure, possible = separation < radius - 1e-12, separation <= radius + 1e-12
    pairs = set(pairs_of(ours))
    assert len(pairs) == len(ours)
    assert {(i, j) for i, j in np.argwhere(sure)} <= pairs <= {(i, j) for i, j in np.argwhere(possible)}
    assert {(i, i) for i in range(len(left))} <= pairs
    assert np.allclose(ours["separation"].to_numpy(), [separation[pair] * 3600 for pair in pairs_of(ours)], atol=1e-8)


def test_nearest_and_all_are_those_of_astropy_in_many_parts(small_parts, tmp_path):
    ra, dec = sky(300, 1, around=(0.0, 10.0))
    ra2, dec2 = sky(400, 2, around=(0.0, 10.0))
    left, right = SkyCoord(ra, dec, unit="deg"), SkyCoord(ra2, dec2, unit="deg")
    tables = [relation("t.a", ra, dec), relation("t.b", ra2, dec2)]
    i, j, _, _ = search_around_sky(left, right, 5 * u.arcsec)
    ours = found(tables, 5 * ARCSEC, tmp_path, keep=Keep.ALL)
    assert sorted(pairs_of(ours)) == sorted(zip(i.tolist(), j.tolist(), strict=True))
    nearest, apart, _ = match_coordinates_sky(left, right)
    is_near = apart <= 5 * u.arcsec
    ours = found(tables, 5 * ARCSEC, tmp_path)
    assert pairs_of(ours) == list(zip(np.flatnonzero(is_near).tolist(), nearest[is_near].tolist(), strict=True))
    assert ours["n_matches"].to_pylist() == np.bincount(i, minlength=300)[is_near].tolist()
    ours = found(tables, 5 * ARCSEC, tmp_path, keep=Keep.NONE)
    assert ours.column_names == ["id", "ra", "dec"]
    assert ours["id"].to_pylist() == np.flatnonzero(~is_near).tolist()
    ours = found(tables, 5 * ARCSEC, tmp_path, keep=Keep.LEFT)
    assert ours["id"].to_pylist() == list(range(300))
    assert ours["id_b"].to_pylist() == np.where(is_near, nearest, None).tolist()
    assert ours["separation"].null_count == ours["ra_b"].null_count == np.count_nonzero(~is_near)
    ours = found(tables, 5 * ARCSEC, tmp_path, keep=Keep.LEFT_ALL)
    assert len(ours) == len(i) + np.count_nonzero(~is_near)
    assert max(ours["rank"].drop_null().to_pylist()) == np.bincount(i).max()


def test_rows_without_a_position_have_no_partner_and_stay_where_the_lonely_are_asked_for(tmp_path):
    nan = float("nan")
    tables = [relation("t.a", [10, nan, 10, 370.0], [0, 0, nan, 95]), relation("t.b", [10, nan, nan], [0, 0, nan])]
    for keep, ids in ((Keep.NEAREST, [0]), (Keep.ALL, [0]), (Keep.NONE, [1, 2, 3]), (Keep.LEFT, [0, 1, 2, 3])):
        assert found(tables, 180.0, tmp_path, keep=keep)["id"].to_pylist() == ids, keep


@pytest.mark.parametrize("keep", Keep)
def test_empty_tables_give_what_they_can(tmp_path, keep):
    none, one = relation("t.a", [], []), relation("t.b", [1.0], [2.0])
    assert len(found([none, one], 1.0, tmp_path, keep=keep)) == 0
    assert len(found([one, none], 1.0, tmp_path, keep=keep)) == (0 if keep in (Keep.NEAREST, Keep.ALL) else 1)


def test_a_table_with_itself_leaves_out_the_same_row_or_the_second_of_two(tmp_path):
    table = relation("t.b", [10, 10, 10 + ARCSEC, 50], [0, 0, 0, 0])
    pairs = {
        same: pairs_of(found([table, table], 2 * ARCSEC, tmp_path, keep=Keep.ALL, same=same), "b_2")
        for same in SameRows
    }
    every = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2), (3, 3)]
    assert sorted(pairs[SameRows.ALL]) == every
    assert sorted(pairs[SameRows.OTHERS]) == [(i, j) for i, j in every if i != j]
    assert sorted(sorted(pair) for pair in pairs[SameRows.ONCE]) == [[0, 1], [0, 2], [1, 2]]


def test_partners_at_the_same_separation_are_in_an_order_of_their_own(tmp_path):
    tables = [relation("t.a", [10.0], [0.0]), relation("t.b", [10, 10, 10.5, 10], [0.5, -0.5, 0, -0.5])]
    assert found(tables, 1.0, tmp_path, keep=Keep.ALL)["id_b"].to_pylist() == [1, 3, 2, 0]
    assert found(tables, 1.0, tmp_path)["id_b"].to_pylist() == [1]


def test_several_tables_are_matched_with_the_first(tmp_path):
    first = relation("t.a", [10, 20, 30], [0, 0, 0])
    second = relation("t.b", [10, 10, 30], [0, ARCSEC / 2, 0])
    third = relation("u.b", [10, 10, 20], [0, ARCSEC / 4, 0])
    ours = found([first, second, third], ARCSEC, tmp_path, keep=Keep.ALL)
    assert list(zip(ours["id"].to_pylist(), ours["id_b"].to_pylist(), ours["id_b_2"].to_pylist(), strict=True)) == [
        (0, 0, 0),
        (0, 0, 1),
        (0, 1, 0),
        (0, 1, 1),
    ]
    assert {"separation_b", "separation_b_2", "n_matches_b", "rank_b_2"} <= set(ours.column_names)
    left = found([first, second, third], ARCSEC, tmp_path, keep=Keep.LEFT)
    assert (left["id_b"].to_pylist(), left["id_b_2"].to_pylist()) == ([0, None, 2], [0, 2, None])
    assert found([first, second, third], ARCSEC, tmp_path, keep=Keep.NONE)["id"].to_pylist() == []


def test_a_radius_of_errors_counts_both_and_none_that_is_unknown(tmp_path):
    error = Column("err", Datatype.DOUBLE, unit="mas")
    other = Column("pos_err", Datatype.FLOAT)
    first = relation("t.a", [10, 20, 30, 40], [0, 0, 0, 0], err=(error, [3000.0, 3000.0, None, 0.0]))
    second = relation(
        "t.b",
        [10 + 0.9 * 5 * ARCSEC, 20 + 1.1 * 5 * ARCSEC, 30, 40],
        [0] * 4,
        pos_err=(other, [4.0, 4.0, 4.0, 0.0]),
    )
    radius = find_errors("1*sqrt(err^2 + pos_err^2) arcsec")
    assert found([first, second], radius, tmp_path)["id"].to_pylist() == [0, 3]
    assert found([first, second], find_errors("2*err"), tmp_path)["id"].to_pylist() == [0, 1, 3]
    with pytest.raises(BadParameterError, match="unit of pos_err"):
        found([first, second], find_errors("sqrt(err^2+pos_err^2)"), tmp_path)
    with pytest.raises(UnknownColumnError, match="No column"):
        found([first, second], find_errors("3*errr"), tmp_path)


def test_stars_are_found_where_they_were_at_the_epoch(small_parts, tmp_path):
    """Barnard's star, and slower ones: Gaia's positions of 2016 against where astropy has them in 1991.25."""
    rng = np.random.default_rng(3)
    ra, dec = np.append(rng.uniform(0, 360, 60), 269.4486144), np.append(rng.uniform(-89, 89, 60), 4.7394202)
    pm_ra, pm_dec = np.append(rng.normal(0, 500, 60), -801.551), np.append(rng.normal(0, 500, 60), 10362.394)
    parallax, rv = np.append(rng.uniform(1, 50, 60), 546.976), np.append(rng.normal(0, 40, 60), -110.468)
    now = SkyCoord(
        ra * u.deg,
        dec * u.deg,
        distance=(1000 / parallax) * u.pc,
        pm_ra_cosdec=pm_ra * u.mas / u.yr,
        pm_dec=pm_dec * u.mas / u.yr,
        radial_velocity=rv * u.km / u.s,
        obstime=Time("J2016"),
    )
    then = now.apply_space_motion(Time("J1991.25"))
    moving = {
        "pmra": (Column("pmra", Datatype.DOUBLE, unit="mas.yr**-1", ucd="pos.pm;pos.eq.ra"), pm_ra),
        "pmdec": (Column("pmdec", Datatype.DOUBLE, unit="mas.yr**-1", ucd="pos.pm;pos.eq.dec"), pm_dec),
        "parallax": (Column("parallax", Datatype.DOUBLE, unit="mas", ucd="pos.parallax.trig"), parallax),
        "rv": (Column("rv", Datatype.DOUBLE, unit="km.s**-1", ucd="spect.dopplerVeloc.opt"), rv),
        "epoch": (Column("ref_epoch", Datatype.DOUBLE, unit="yr", ucd="meta.ref;time.epoch"), np.full(61, 2016.0)),
    }
    gaia, old = relation("t.a", ra, dec, **moving), relation("t.b", then.ra.deg, then.dec.deg)
    ours = found([gaia, old], 0.05 * ARCSEC, tmp_path, epoch=1991.25)
    assert pairs_of(ours) == [(i, i) for i in range(61)]
    assert max(ours["separation"].to_pylist()) < 0.01
    turned = found(
        [relation("t.a", then.ra.deg, then.dec.deg), relation("t.b", ra, dec, **moving)],
        0.05 * ARCSEC,
        tmp_path,
        epoch=1991.25,
    )
    assert pairs_of(turned) == [(i, i) for i in range(61)]
    assert len(found([gaia, old], 0.05 * ARCSEC, tmp_path)) < 10


def test_motions_without_a_year_are_refused_with_the_remedy(tmp_path):
    motion = {name: (Column(name, Datatype.DOUBLE, unit="mas/yr"), [1.0]) for name in ("pmra", "pmdec")}
    tables = [relation("t.a", [1.0], [1.0], **motion), relation("t.b", [1.0], [1.0])]
    with pytest.raises(BadParameterError, match="year of the positions"):
        found(tables, ARCSEC, tmp_path, epoch=2000.0)
    assert len(found(tables, ARCSEC, tmp_path, epoch=2000.0, epochs=(2000.0,))) == 1


def test_a_region_confines_the_first_table_alone(small_parts, tmp_path):
    ra, dec = sky(200, 5, around=(10.0, 20.0))
    tables = [relation("t.a", ra, dec), relation("t.b", ra, dec)]
    cone = Cone(10.0, 20.0, 0.01)
    inside = np.flatnonzero(SkyCoord(ra, dec, unit="deg").separation(SkyCoord(10, 20, unit="deg")) <= 0.01 * u.deg)
    assert found(tables, 0.0, tmp_path, region=cone)["id"].to_pylist() == inside.tolist()
    assert found(tables, 0.0, tmp_path, region=cone, keep=Keep.LEFT)["id"].to_pylist() == inside.tolist()


def test_columns_are_chosen_and_named_after_their_table_where_two_have_them(tmp_path):
    magnitude = Column("mag", Datatype.DOUBLE, unit="mag", ucd="phot.mag;em.opt.V")
    tables = [relation("t.a", [1.0], [1.0]), relation("t.b", [1.0], [1.0], mag=(magnitude, [15.0]))]
    request = CrossmatchRequest(("t.a", "t.b"), Criteria(Radius(ARCSEC), columns=(("id",), ("mag", "id"))))
    result = crossmatched(request, Given(Namespace(tables), tmp_path))
    assert [c.name for c in result.columns] == ["ra", "dec", "id", "mag", "id_b", "separation", "n_matches"]
    columns = {column.name: column for column in result.columns}
    assert (columns["mag"].unit, columns["id_b"].ucd) == ("mag", "meta.id")
    assert (columns["separation"].unit, columns["separation"].ucd) == ("arcsec", "pos.angDistance")


def by_chance(tables, room, radius_arcsec, keep):
    """What is expected by chance, the error of that, and the rows that came out."""
    names = tuple(table.table.name for table in tables)
    request = CrossmatchRequest(names, Criteria(Radius(radius_arcsec * ARCSEC), keep=keep, chance=True))
    result = crossmatched(request, Given(Namespace(tables), room))
    ((expected, error),) = json.loads(dict(result.infos)["chance"])
    return expected, error, result.to_arrow()


@pytest.mark.parametrize(("keep", "radius", "n"), [(Keep.ALL, 10, 2000), (Keep.ALL, 60, 300), (Keep.NEAREST, 60, 300)])
def test_expected_chance_partners_are_those_of_poisson(tmp_path, keep, radius, n):
    """Pairs are the product of the numbers and the area, rows with a partner 1 - exp(-pi r^2 n) of all."""
    rng = np.random.default_rng(11)
    ra, dec = 10 + rng.random(2000), rng.random(2000)
    ra2, dec2 = 9.8 + 1.4 * rng.random(round(1.96 * n)), -0.2 + 1.4 * rng.random(round(1.96 * n))
    tables = [relation("t.a", ra, dec), relation("t.b", ra2, dec2)]
    expected, error, _ = by_chance(tables, tmp_path, radius, keep)
    of_one = n * np.pi * (radius * ARCSEC) ** 2
    truth = 2000 * (of_one if keep is Keep.ALL else 1 - np.exp(-of_one))
    assert abs(expected - truth) < 4 * error < truth


def test_chance_partners_are_as_many_as_pairs_of_different_stars_though_most_partners_are_real(tmp_path):
    """In a cluster that is a hundred times as dense as the sky around it; of each star it is known who it is."""
    rng = np.random.default_rng(23)
    ra = np.append(30 + rng.normal(0, 0.05, 3000), 30 + rng.uniform(-0.5, 0.5, 3000))
    dec = np.append(-60 + rng.normal(0, 0.03, 3000), -60 + rng.uniform(-0.3, 0.3, 3000))
    off = rng.normal(0, 0.3 * ARCSEC, (2, 6000))
    tables = [relation("t.a", ra, dec), relation("t.b", ra + off[0] / np.cos(np.radians(dec)), dec + off[1])]
    expected, error, rows = by_chance(tables, tmp_path, 1.5, Keep.ALL)
    pairs = np.array(pairs_of(rows))
    is_real = pairs[:, 0] == pairs[:, 1]
    n_false = np.count_nonzero(~is_real)
    assert np.count_nonzero(is_real) > 5990
    assert n_false > 200
    assert abs(expected - n_false) < 3 * np.hypot(error, np.sqrt(n_false))
