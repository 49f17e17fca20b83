"""Geometry in queries, on both engines: the values of shapes, and what shapes of rows are to one another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from tests.engines.conftest import SLOW_ON_SPARK

from skydex.engines import ScanEngine
from skydex.query import Namespace, Relation, bind, get_language, make_plan
from skydex.sky import index29
from skydex.store import ArchiveDirectory, Layout, Staging
from skydex.tables import INDEX_COLUMN, Column, Datatype, Position, Table, arrow_schema

N = 3_000
AREA_OF_CAP = np.degrees(np.degrees(2 * np.pi * (1 - np.cos(np.radians(2.0)))))
"""Square degrees, of a circle of two degrees."""
FIELDS = Table(
    "obs.fields",
    (
        Column("id", Datatype.LONG),
        Column("ra", Datatype.DOUBLE, unit="deg", ucd="pos.eq.ra;meta.main"),
        Column("dec", Datatype.DOUBLE, unit="deg", ucd="pos.eq.dec;meta.main"),
        Column("r", Datatype.DOUBLE, unit="deg"),
        Column("s_region", Datatype.CHAR, arraysize="200*", xtype="adql:REGION"),
        Column("p", Datatype.DOUBLE, arraysize="2", unit="deg", xtype="point"),
        Column("c", Datatype.DOUBLE, arraysize="3", unit="deg", xtype="circle"),
        Column("poly", Datatype.DOUBLE, arraysize="*", unit="deg", xtype="polygon"),
        Column("spectrum", Datatype.DOUBLE, arraysize="3"),
    ),
    position=Position("ra", "dec"),
)


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    """Fields of 1 to 3 degrees; each third one has a circle, and each tenth one nothing, as its footprint."""
    rng = np.random.default_rng(42)
    ra, dec = rng.random(N) * 360.0, np.degrees(np.arcsin(rng.uniform(-1, 1, N)))
    ra[:20], dec[20:40] = 0.0, rng.choice([-89.9, 89.9], 20)
    radius = rng.uniform(1, 3, N)
    corners = SkyCoord(ra[:, None], dec[:, None], unit="deg").directional_offset_by(
        np.array([45, 135, 225, 315]) * u.deg, radius[:, None] * u.deg
    )
    polygons = np.stack([corners.ra.deg, corners.dec.deg], axis=2).reshape(N, 8)
    texts = [
        None if i % 10 == 9 else f"CIRCLE ICRS {ra[i]!s} {dec[i]!s} {radius[i]!s}" if i % 3 == 0
        else "Polygon ICRS GEOCENTER " + " ".join(map(str, polygons[i])) for i in range(N)
    ]  # fmt: skip
    points, circles = np.stack([ra, dec], axis=1), np.stack([ra, dec, radius], axis=1)
    lists = [
        [None if i % 10 == 9 else one.tolist() for i, one in enumerate(some)] for some in (points, circles, polygons)
    ]
    columns = [np.arange(N), ra, dec, radius, texts, *lists, [[1.0, 2.0, 3.0]] * N]
    return pa.table(list(map(pa.array, columns)), names=[column.name for column in FIELDS.columns]).cast(
        arrow_schema(FIELDS.columns)
    )


@pytest.fixture(scope="module")
def namespace(rows, tmp_path_factory) -> Namespace:
    archive = ArchiveDirectory.create(Path(tmp_path_factory.mktemp("archive")) / "a")
    index = index29(rows["ra"].to_numpy(), rows["dec"].to_numpy())
    directory = archive.staging_directory(FIELDS.name, "test")
    with Staging.open(directory, table=FIELDS, layout=Layout(rows_per_partition=1_000, rows_per_group=500)) as staging:
        staging.add("all", rows.add_column(0, INDEX_COLUMN, pa.array(index)))
        report = staging.finish()
    archive.publish(FIELDS.name, report.directory)
    dataset = archive.open(FIELDS.name)
    return Namespace([Relation(dataset.table, dataset)])


@pytest.fixture(scope="module", params=["duckdb", SLOW_ON_SPARK])
def run(request, namespace):
    """Runs a query on an engine, and on the scan engine as well if that can; both must agree."""
    engine = request.getfixturevalue(f"{request.param}_engine")

    def run(text: str):
        plan = make_plan(bind(get_language("ADQL").parse(text, version="2.1"), namespace))
        result = engine.run(plan)
        table = result.to_arrow()
        if plan.engine == "scan":
            other = ScanEngine().run(plan).to_arrow()
            assert other.schema == table.schema
            assert ordered(other) == ordered(table)
        return table, result.columns

    return run


def ordered(table: pa.Table) -> list:
    return sorted(zip(*(column.to_pylist() for column in table.columns), strict=True), key=repr)


def ids(answer) -> set:
    return set(answer[0].column(0).to_pylist())


@pytest.mark.parametrize(
    ("expression", "arraysize", "xtype", "width"),
    [
        ("POINT(ra, dec)", "2", "point", 2),
        ("POINT('ICRS', ra, dec)", "2", "point", 2),
        ("CIRCLE(ra, dec, r)", "3", "circle", 3),
        ("CIRCLE(POINT(ra, dec), 0.5)", "3", "circle", 3),
        ("CIRCLE(p, 0.5)", "3", "circle", 3),
        ("POLYGON(ra, dec, ra + 1, dec, ra, dec * 0.99)", "*", "polygon", 6),
        ("POLYGON(p, POINT(ra + 1, dec), POINT(ra, dec * 0.99))", "*", "polygon", 6),
        ("REGION('Circle ICRS GEOCENTER 10 20 1')", "3", "circle", 3),
        ("REGION('BOX 10 20 1 1')", "*", "polygon", 8),
        ("CENTROID(s_region)", "2", "point", 2),
        ("CENTROID(poly)", "2", "point", 2),
        ("p", "2", "point", 2),
    ],
)
def test_a_geometry_in_the_list_is_its_dali_array(expression, arraysize, xtype, width, run):
    table, (column, _) = run(f"SELECT {expression} AS g, id FROM fields")
    assert (column.datatype, column.arraysize, column.unit, column.xtype) == ("double", arraysize, "deg", xtype)
    assert {len(value) for value in table.column(0).to_pylist() if value is not None} == {width}


def test_shapes_that_cannot_be_are_null_where_they_come_from_columns(run):
    for expression in ("POINT(ra, dec + 200)", "CIRCLE(ra, dec, -r)", "CIRCLE(ra, dec, r + 200)", "BOX(ra, dec, r, -r)",
                       "REGION('x' || s_region)", "POINT(ra, r / 0)"):  # fmt: skip
        table, _ = run(f"SELECT {expression} AS g FROM fields")
        assert table.column(0).null_count == N, expression


def test_a_region_of_any_kind_is_a_text_in_the_list(run, rows):
    table, (column, _) = run("SELECT REGION(s_region), id FROM fields")
    assert (column.datatype, column.xtype) == ("char", "adql:REGION")
    texts = dict(zip(table.column(1).to_pylist(), table.column(0).to_pylist(), strict=True))
    assert texts[9] is None
    assert texts[0].startswith("CIRCLE ICRS ")
    assert texts[1].startswith("POLYGON ICRS ")
    again, _ = run(
        "SELECT id, AREA(r), AREA(s_region) FROM (SELECT id, s_region, REGION(s_region) AS r FROM fields) AS q"
    )
    assert again.column(1).equals(again.column(2))


def test_a_region_of_several_parts_has_the_places_of_all(run):
    known = ids(run("SELECT id FROM fields WHERE s_region IS NOT NULL"))
    for text in ("s_region || ' CIRCLE ICRS 200 80 2'", "'UNION ICRS (' || s_region || ' CIRCLE 200 80 2)'"):
        region = f"REGION({text})"
        for place in ("POINT(40, 10)", "POINT(0, -1)", "CIRCLE(40, 10, 0.1)", "POLYGON(40, 10, 41, 10, 40, 11)"):
            for test in (f"CONTAINS({place}, {{}})", f"INTERSECTS({{}}, {place})"):
                one = ids(run(f"SELECT id FROM fields WHERE 1 = {test.format('s_region')}"))
                assert ids(run(f"SELECT id FROM fields WHERE 1 = {test.format(region)}")) == one
        assert ids(run(f"SELECT id FROM fields WHERE 1 = CONTAINS(POINT(200, 81), {region})")) == known
        assert ids(run(f"SELECT id FROM fields WHERE 1 = CONTAINS(s_region, {region})")) == known
        assert ids(run(f"SELECT id FROM fields WHERE 1 = CONTAINS({region}, {region})")) == known
        assert ids(run(f"SELECT id FROM fields WHERE 1 = CONTAINS({region}, CIRCLE(p, 3.1))")).isdisjoint(range(20))
        table, _ = run(f"SELECT AREA({region}) - AREA(s_region), id FROM fields WHERE s_region IS NOT NULL")
        np.testing.assert_allclose(table.column(0).to_numpy(), AREA_OF_CAP, rtol=1e-9)


def test_a_written_region_of_several_parts_prunes_like_its_parts(run, namespace):
    parts = ["CIRCLE ICRS 40 10 5", "POLYGON ICRS 200 -40 210 -40 205 -30", "BOX GALACTIC 120 20 4 4"]
    each = [ids(run(f"SELECT id FROM fields WHERE 1 = CONTAINS(POINT(ra, dec), REGION('{p}'))")) for p in parts]
    text = f"SELECT id FROM fields WHERE 1 = CONTAINS(POINT(ra, dec), REGION('{' '.join(parts)}'))"
    assert ids(run(text)) == set().union(*each)
    assert all(each)
    (scan,) = make_plan(bind(get_language("ADQL").parse(text, version="2.1"), namespace)).scans.values()
    assert scan.selection.n_groups < scan.selection.total_groups


def test_what_is_asked_of_no_geometry_is_not_known(run):
    table, _ = run("SELECT CONTAINS(NULL, c), INTERSECTS(c, NULL), AREA(NULL), CENTROID(NULL) FROM fields")
    assert all(column.null_count == N for column in table.columns)


def test_areas_and_coordinates_are_those_of_the_shapes(run, rows):
    table, columns = run("SELECT AREA(c), AREA(CIRCLE(ra, dec, r)), COORD1(p), COORD2(POINT(ra, dec)), id FROM fields")
    order = np.argsort(table.column(4).to_numpy())
    radius = np.radians(rows["r"].to_numpy())
    caps = np.degrees(np.degrees(2 * np.pi * (1 - np.cos(radius))))
    np.testing.assert_allclose(table.column(1).to_numpy()[order], caps, rtol=1e-10)
    assert table.column(0).null_count == table.column(2).null_count == N // 10
    np.testing.assert_array_equal(table.column(3).to_numpy()[order], rows["dec"].to_numpy())
    assert [column.unit for column in columns] == ["deg**2", "deg**2", "deg", "deg", None]


def test_centroids_of_polygons_are_their_centres(run, rows):
    table, _ = run("SELECT CENTROID(poly), ra, dec FROM fields WHERE poly IS NOT NULL")
    centres = np.array(table.column(0).to_pylist())
    apart = SkyCoord(*centres.T, unit="deg").separation(
        SkyCoord(table.column(1).to_numpy(), table.column(2).to_numpy(), unit="deg")
    )
    assert len(centres) == N - N // 10
    assert apart.deg.max() < 1e-12


@pytest.mark.parametrize("half", [1.0, 3.0, 5.0, 10.0, 30.0, 45.0])
def test_centroids_across_the_meridian_stay_below_360_degrees(half, run):
    pair = f"REGION('POINT ' || CAST({360.0 - half} AS VARCHAR) || ' 0 POINT ' || CAST({half} AS VARCHAR) || ' 0')"
    table, _ = run(f"SELECT TOP 1 COORD1(CENTROID({pair})) FROM fields")
    assert 0.0 <= table.column(0)[0].as_py() < 360.0


def test_a_text_with_a_number_beyond_all_numbers_is_no_region(run):
    text = "'POLYGON 1 1 2 2 1 2 1e' || '999 10 20 5'"
    table, _ = run(f"SELECT TOP 1 AREA(REGION({text})), CONTAINS(POINT(10, 20), REGION({text})) FROM fields")
    assert [column[0].as_py() for column in table.columns] == [None, None]


@pytest.mark.parametrize(
    ("place", "circle"),
    [((40.0, 10.0), 0.0), ((0.01, -3.0), 0.0), ((123.0, 89.7), 0.0), ((40.0, 10.0), 5.0), ((200.0, -89.0), 2.0)],
)
def test_footprints_are_found_where_astropy_says_that_they_are(place, circle, run, rows):
    """A square field is met where the place is inside its sides; the circles that hold it and lie in it decide most."""
    apart = SkyCoord(rows["ra"].to_numpy(), rows["dec"].to_numpy(), unit="deg").separation(SkyCoord(*place, unit="deg"))
    known = np.arange(N) % 10 != 9
    radius, is_circle = rows["r"].to_numpy(), np.arange(N) % 3 == 0
    surely = set(np.flatnonzero(known & (apart.deg <= circle + np.where(is_circle, radius, radius * 0.7))).tolist())
    maybe = set(np.flatnonzero(known & (apart.deg <= circle + radius)).tolist())
    shape = f"CIRCLE('ICRS', {place[0]}, {place[1]}, {circle})" if circle else f"POINT({place[0]}, {place[1]})"
    by_text = ids(run(f"SELECT id FROM fields WHERE 1 = INTERSECTS({shape}, s_region)"))
    assert surely <= by_text <= maybe
    by_region = ids(run(f"SELECT id FROM fields WHERE INTERSECTS(REGION(s_region), {shape}) = 1"))
    assert by_text == by_region
    by_columns = ids(run(f"SELECT id FROM fields WHERE 1 = INTERSECTS(poly, {shape})")) & set(
        np.flatnonzero(~is_circle)
    )
    assert by_columns == by_text - set(np.flatnonzero(is_circle).tolist())
    circles = ids(run(f"SELECT id FROM fields WHERE 1 = INTERSECTS(c, {shape})"))
    assert circles == maybe


def test_contains_takes_every_pair_of_shapes(run):
    everything = set(np.flatnonzero(np.arange(N) % 10 != 9).tolist())
    for inner, outer in [("p", "c"), ("p", "poly"), ("p", "s_region"), ("POINT(ra, dec)", "s_region"),
                         ("CIRCLE(p, 0.5)", "s_region"), ("s_region", "CIRCLE(p, r + 0.001)"), ("s_region", "s_region"),
                         ("poly", "CIRCLE(p, r + 0.001)"), ("CENTROID(poly)", "poly")]:  # fmt: skip
        assert ids(run(f"SELECT id FROM fields WHERE 1 = CONTAINS({inner}, {outer})")) == everything, (inner, outer)
    for inner, outer in [("c", "poly"), ("c", "CIRCLE(p, r * 0.99)"), ("CIRCLE(p, 0.9 * r)", "poly"),
                         ("poly", "CIRCLE(p, 0.5)")]:  # fmt: skip
        assert ids(run(f"SELECT id FROM fields WHERE 1 = CONTAINS({inner}, {outer})")) == set(), (inner, outer)


def test_contains_as_a_value_is_one_zero_or_null(run):
    table, _ = run("SELECT CONTAINS(p, poly), CONTAINS(c, poly), INTERSECTS(p, c) FROM fields")
    assert set(ordered(table)) == {(1, 0, 1), (None, None, None)}


def test_boxes_and_polygons_of_columns_hold_what_constant_ones_hold(run, rows):
    ra, dec = 210.0, 30.0
    constant = ids(run(f"SELECT id FROM fields WHERE 1 = CONTAINS(POINT(ra, dec), BOX({ra}, {dec}, 40, 30))"))
    moving = ids(run(f"SELECT id FROM fields WHERE 1 = CONTAINS(POINT(ra, dec), BOX({ra} + 0 * r, {dec}, 40, 30))"))
    assert constant == moving
    assert len(constant) > 20
    corners = [ra - 20, dec - 15, ra - 20, dec + 15, ra + 20, dec + 15, ra + 20, dec - 15]
    polygon = ", ".join(f"{number} + 0 * r" for number in corners)
    assert ids(run(f"SELECT id FROM fields WHERE 1 = CONTAINS(POINT(ra, dec), POLYGON({polygon}))")) == constant


def test_distances_of_point_columns_are_astropys(run, rows):
    table, _ = run("SELECT id, DISTANCE(p, POINT(40, 10)) FROM fields WHERE p IS NOT NULL")
    places = np.array([p for p in rows["p"].to_pylist() if p is not None])
    expected = SkyCoord(*places.T, unit="deg").separation(SkyCoord(40, 10, unit="deg")).deg
    order = np.argsort(table.column(0).to_numpy())
    np.testing.assert_allclose(table.column(1).to_numpy()[order], expected, atol=1e-12)
    near = ids(run("SELECT id FROM fields WHERE DISTANCE(p, POINT(40, 10)) <= 20"))
    assert near == ids(run("SELECT id FROM fields WHERE DISTANCE(ra, dec, 40, 10) <= 20 AND p IS NOT NULL"))


def test_constant_regions_prune_however_they_are_written(namespace):
    for region in ("CIRCLE('ICRS', 40, 10, 1)", "REGION('CIRCLE ICRS 40 10 1')", "REGION('BOX J2000 40 10 1 1')",
                   "CIRCLE(POINT(40, 10), 1)", "CIRCLE(CENTROID(BOX(40, 10, 1, 1)), 1)",
                   "REGION('CIRCLE GALACTIC 160 -30 1')"):  # fmt: skip
        for asked in ("= 1", "<> 0", "> 0", ">= 1"):
            text = f"SELECT id FROM fields WHERE CONTAINS(POINT('ICRS', ra, dec), {region}) {asked}"
            plan = make_plan(bind(get_language("ADQL").parse(text, version="2.1"), namespace))
            (scan,) = plan.scans.values()
            assert scan.selection.n_groups < scan.selection.total_groups, text


def test_coordinate_systems_are_converted_as_astropy_does(run, rows):
    sky = SkyCoord(rows["ra"].to_numpy(), rows["dec"].to_numpy(), unit="deg")
    centre = SkyCoord(120, 20, unit="deg", frame="galactic")
    expected = set(np.flatnonzero(sky.separation(centre).deg < 15).tolist())
    text = "SELECT id FROM fields WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('GALACTIC', 120, 20, 15))"
    assert ids(run(text)) == expected
    here = centre.icrs
    circle = f"CIRCLE({here.ra.deg}, {here.dec.deg}, 15)"
    galactic = f"SELECT id FROM fields WHERE 1 = CONTAINS(POINT('GALACTIC', ra, dec), {circle})"
    moved = SkyCoord(rows["ra"].to_numpy(), rows["dec"].to_numpy(), unit="deg", frame="galactic")
    assert ids(run(galactic)) == set(np.flatnonzero(moved.separation(centre).deg < 15).tolist())
    same = "SELECT id FROM fields WHERE 1 = CONTAINS(POINT('GALACTIC', ra, dec), CIRCLE('GALACTIC', 120, 20, 15))"
    assert ids(run(same)) == ids(run(same.replace("GALACTIC", "ICRS")))
    table, _ = run(
        "SELECT TOP 1 POINT('GALACTIC', 120, 20), COORDSYS(POINT('GALACTIC', ra, dec)), COORDSYS(p) FROM fields"
    )
    assert table.column(0)[0].as_py() == pytest.approx([here.ra.deg, here.dec.deg], abs=1e-9)
    assert [table.column(i)[0].as_py() for i in (1, 2)] == ["GALACTIC", "ICRS"]


def test_footprints_need_no_sql_engine(namespace):
    text = "SELECT id, POINT(ra, dec) FROM fields WHERE 1 = INTERSECTS(s_region, CIRCLE('ICRS', 10, 20, 1))"
    assert make_plan(bind(get_language("ADQL").parse(text, version="2.1"), namespace)).engine == "scan"


def test_geometries_pass_through_derived_tables_and_joins(run):
    text = (
        "SELECT a.id FROM (SELECT id, CIRCLE(ra, dec, r) AS around FROM fields) AS a "
        "JOIN (SELECT id, POINT(ra, dec) AS here FROM fields) AS b ON a.id = b.id "
        "WHERE 1 = CONTAINS(b.here, a.around) AND AREA(a.around) > 0"
    )
    assert ids(run(text)) == set(range(N))


def test_calls_of_different_kernels_are_not_taken_for_one_another(run):
    table, _ = run("SELECT COORD1(p) AS x, COORD2(p) AS y, COUNT(*) FROM fields GROUP BY COORD1(p), COORD2(p)")
    assert table.num_rows == N - N // 10 + 1
