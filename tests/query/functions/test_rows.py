"""Functions of columns: row by row, with nulls, the same on every engine that can."""

from __future__ import annotations

import datetime as dt
import math

import astropy.units as u
import cdshealpix
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.time import Time

from skydex.errors import BadQueryError, RequestError, UnknownObjectError
from skydex.query import bind, get_language
from skydex.query.functions import AGGREGATES, SCALARS, USER_DEFINED
from skydex.query.functions.time_domain import MAGNITUDES, VARIABILITY


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("ivo_to_mjd(seen)", [51545.5, 19036.25, 61041.0, None, None]),
        ("ivo_to_jd(seen)", [2451546.0, 2419036.75, 2461041.5, None, None]),
        ("ivo_nocasematch(word, 'ALEPH')", [0, 0, 1, 1, None]),
        ("ivo_nocasematch(word, NULL)", [None] * 5),
        ("ivo_hasword(word, 'and')", [0, 1, 0, 0, None]),
        ("ivo_hasword(word, 'green red')", [1, 0, 0, 0, None]),
        ("ivo_hasword(word, word)", [1, 1, 1, 1, None]),
        ("ivo_hasword('the aleph', word)", [0, 0, 1, 1, None]),
        ("ivo_hashlist_has(word, 'GREEN')", [1, 0, 0, 0, None]),
        ("ivo_hashlist_has(word, NULL)", [None] * 5),
        ("gavo_match('eph$', word)", [0, 0, 1, 1, None]),
        ("gavo_getauthority('ivo://' || word || '/x')", ["red", "Miller and Urey have", "Aleph", "aleph", None]),
        ("ivo_interval_overlaps(x, 2, 0, 1)", [1, 1, 0, 0, None]),
        ("ivo_interval_overlaps(5, 6, 0, x)", [0, 0, 0, 0, None]),
        ("ivo_interval_has(x, span)", [0, 1, 0, 1, None]),
        ("ivo_interval_has(NULL, span)", [None] * 5),
        ("ivo_dms_to_degrees(word)", [None] * 5),
        ("ivo_healpix_center(0, n)", None),
        ("ivo_epoch_prop_pos(ra, dec, x, x, x, x, 2016, 2000)", None),
        ("ivo_geom_transform('ICRS', 'GALACTIC', ring)", None),
    ],
)
def test_null_comes_of_null(expression, expected, column):
    values = column(expression)
    if expected is not None:
        assert values == expected
    else:
        assert [value is None for value in values] == {
            "n": [False, False, False, True, False],
            "p": [False] * 5,
            "r": [False, True, False, False, False],
        }["n" if "(0, n)" in expression else "p" if "prop" in expression else "r"]


def test_cells_are_those_of_cdshealpix(rows, column):
    ra, dec = (rows[name].to_numpy() * u.deg for name in ("ra", "dec"))
    orders = rows["n"].to_pylist()
    for values in (column("ivo_healpix_index(n, ra, dec)"), column("ivo_healpix_index(n, spot)")):
        for i in (0, 1, 2, 4):
            assert values[i] == cdshealpix.lonlat_to_healpix(ra[i], dec[i], depth=orders[i])
        assert values[3] is None


def test_centres_of_cells_are_where_astropy_healpix_puts_them(column):
    """Centres of the base cells: four at latitude 41.81, four on the equator (Gorski et al. 2005, figure 3)."""
    values = column("ivo_healpix_center(0, n)")
    assert values[:3] == [pytest.approx([lon, 41.8103148957786]) for lon in (45.0, 135.0, 225.0)]
    assert values[4] == pytest.approx([0.0, 0.0])


@pytest.mark.parametrize(
    "call", ["ivo_healpix_center(0, -1)", "ivo_healpix_center(0, 12)", "ivo_healpix_center(30, 1)"]
)
def test_a_cell_that_does_not_exist_has_no_centre(call, column):
    assert column(call) == [None] * 5


def test_transformed_columns_agree_with_astropy(rows, column):
    spots = [spot for spot in rows["spot"].to_pylist() if spot is not None]
    expected = SkyCoord(spots, unit="deg").galactic
    values = [value for value in column("gavo_transform('ICRS', 'GALACTIC', spot)") if value is not None]
    np.testing.assert_allclose(values, np.stack([expected.l.deg, expected.b.deg], axis=1), rtol=0, atol=1e-9)
    rings = column("ivo_transform('ICRS', 'GALACTIC', ring)")
    assert [ring and ring[2] for ring in rings] == [3.0, None, 1.0, 0.5, 3.0]
    assert rings[0][:2] == pytest.approx([241.121831182, 3.62785788087], abs=1e-9)


def test_dates_agree_with_astropy(rows, column):
    for moment, mjd in zip(rows["seen"].to_pylist(), column("ivo_to_mjd(seen)"), strict=True):
        assert mjd is None if moment is None else mjd == Time(moment, scale="tai").mjd


def test_values_in_other_units_are_those_of_astropy(rows, column):
    for unit in ("rad", "arcmin", "mas"):
        expected = (rows["ra"].to_numpy() * u.deg).to_value(unit)
        np.testing.assert_allclose(column(f"IN_UNIT(ra, '{unit}')"), expected, rtol=1e-15)
        np.testing.assert_allclose(column(f"IN_UNIT(ra + 10 - 10, '{unit}')"), expected, rtol=1e-12)
    flux = [None if x is None else (x * u.Jy).to_value("erg s-1 cm-2 Hz-1") for x in rows["x"].to_pylist()]
    assert column("IN_UNIT(x, 'erg.s**-1.cm**-2.Hz**-1')") == [None if f is None else pytest.approx(f) for f in flux]


def test_the_unit_of_a_converted_value_is_the_new_one(namespace):
    query = get_language("ADQL").parse("SELECT IN_UNIT(MAX(x), 'mJy') FROM sky.stars", version="2.1")
    assert [column.unit for column in bind(query, namespace).columns] == ["mJy"]


def test_bits_of_columns(column):
    assert column("BIT_AND(n, 6)") == [0, 0, 2, None, 4]
    assert column("BIT_OR(id, 0x10)") == [17, 18, 19, 20, 21]
    assert column("BIT_XOR(id, 1)") == [0, 3, 2, 5, 4]
    assert column("BIT_NOT(n)") == [-1, -2, -3, None, -5]


def test_casts_of_columns(column):
    assert column("CAST(seen AS VARCHAR)")[:2] == ["2000-01-02T12:00:00", "1910-12-31T06:00:00"]
    assert column("CAST(spot AS VARCHAR)") == ["1 1", "359 -1", "120 -23", None, "10 90"]
    assert column("CAST('20' || CAST(n AS VARCHAR) AS INTEGER)") == [200, 201, 202, None, 204]
    assert column("CAST(CAST(ra AS VARCHAR) || ' 1' AS POINT)")[1] == [359.0, 1.0]
    assert column("CAST(x AS INTEGER)") == [-1, 0, 1, 3, None]


def test_what_stands_in_for_a_missing_value(column):
    assert column("COALESCE(spot, POINT(0, 0))")[3] == [0.0, 0.0]
    assert column("COALESCE(seen, '2001-02-03')")[3] == dt.datetime(2001, 2, 3)
    assert column("CASE WHEN id = 4 THEN '2001-02-03' ELSE seen END")[3:] == [dt.datetime(2001, 2, 3), None]


def test_what_a_column_holds_and_cannot_be_cast_is_named(answers):
    for target, what in (("INTEGER", "number"), ("DOUBLE PRECISION", "number"), ("TIMESTAMP", "time")):
        with pytest.raises(BadQueryError, match=f"CAST meets a text that is no {what}: '"):
            answers(f"SELECT CAST(word AS {target}) FROM sky.stars")
    with pytest.raises(BadQueryError, match="CAST meets a number that is too large"):
        answers("SELECT CAST(ra * 1000 AS SMALLINT) FROM sky.stars")


def test_unknown_motions_count_as_zero_row_by_row(column):
    assert column("ivo_epoch_prop_pos(ra, dec, x, x, x, NULL, 2016, 2000)")[4] == pytest.approx([10.0, 90.0])
    six = column("ivo_epoch_prop(ra, dec, 1.0, x, 3.0, NULL, 2016, 2000)")
    assert [[math.isnan(item) for item in row] for row in six[3:]] == [
        [False, False, False, False, False, True],
        [False, False, False, True, True, True],
    ]


def test_a_row_without_a_position_has_none_at_another_epoch(column):
    assert column("ivo_epoch_prop_pos(x, dec, 1, 1, 1, 1, 2016, 2000)")[4] is None
    assert column("ivo_epoch_prop_pos(ra, dec, 1, 1, 1, 1, 2016, x)")[4] is None


def test_random_numbers_follow_the_normal_distribution(answers):
    pairs = "sky.stars AS a, sky.stars AS b, sky.stars AS c, sky.stars AS d, sky.stars AS e"
    (table,) = answers(f"SELECT ivo_normal_random(10, 5) AS v, ivo_normal_random(10, 5) AS w FROM {pairs}")
    drawn, other = table.column(0).to_numpy(), table.column(1).to_numpy()
    assert len(np.unique(drawn)) == len(drawn) == 5**5
    assert not np.any(drawn == other)
    assert drawn.mean() == pytest.approx(10.0, abs=0.6)
    assert drawn.std() == pytest.approx(5.0, abs=0.4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("ivo_healpix_index(3)", "does not take 1 argument: ivo_healpix_index(order, ra, dec) or"),
        ("ivo_healpix_index(1.5, ra, dec)", "Argument 1 of IVO_HEALPIX_INDEX must be an integer"),
        ("ivo_healpix_index(3, word)", "Argument 2 of IVO_HEALPIX_INDEX must be a point"),
        ("ivo_healpix_index(3, span)", "Argument 2 of IVO_HEALPIX_INDEX must be a point"),
        ("ivo_healpix_center(17, 23.2)", "Argument 2 of IVO_HEALPIX_CENTER must be an integer"),
        ("ivo_epoch_prop_pos(NULL, 11.8, 125, 300, 0, 0, 2016, 1875)", "must be a number other than NULL"),
        ("ivo_epoch_prop_pos(7.6, 11.8, 125, 300, -428.8, 52.51, NULL, 1875)", "Argument 7 of IVO_EPOCH_PROP_POS"),
        ("ivo_epoch_prop(ra, dec)", "IVO_EPOCH_PROP does not take 2 arguments"),
        ("ivo_geom_transform('GALATIC', 'ICRS', spot)", 'No frame of reference "GALATIC". Did you mean "GALACTIC"?'),
        ("ivo_geom_transform('galactic', 'ICRS', spot)", 'Did you mean "GALACTIC"?'),
        ("ivo_geom_transform(word, 'ICRS', spot)", "Argument 1 of IVO_GEOM_TRANSFORM must be a text in single quotes"),
        ("ivo_geom_transform('ICRS', 'FK4', ra)", "Argument 3 of IVO_GEOM_TRANSFORM must be a POINT, CIRCLE or"),
        ("ivo_to_mjd(ra)", "Argument 1 of IVO_TO_MJD must be a timestamp"),
        ("ivo_to_mjd('yesterday')", "'yesterday' is not a time"),
        ("ivo_hasword(ra, 'x')", "Argument 1 of IVO_HASWORD must be text"),
        ("gavo_match('(', word)", "The pattern '(' is no regular expression"),
        ("ivo_interval_has(1, ra)", "Argument 2 of IVO_INTERVAL_HAS must be an array of two numbers"),
        ("ivo_hasword(spot, 'x')", "Argument 1 of IVO_HASWORD must be text"),
        ("ABS(spot)", "Argument 1 of ABS must be a number"),
        ("MAX(spot)", "Argument 1 of MAX must be a number, a text, a time or a flag"),
        ("BIT_AND(x, 1)", "Argument 1 of BIT_AND must be an integer"),
        ("IN_UNIT(ra, '')", "'' is no unit"),
        ("IN_UNIT(ra, 'foo')", "'foo' is no unit"),
        ("IN_UNIT(ra, 'kg')", "deg cannot be converted to kg"),
        ("IN_UNIT(n, 'deg')", "What has no unit cannot be converted"),
        ("IN_UNIT(42, 'kg')", "What has no unit cannot be converted"),
        ("IN_UNIT(40+2, 'deg')", "What has no unit cannot be converted"),
        ("IN_UNIT(SQRT(42), 'deg')", "What has no unit cannot be converted"),
        ("gavo_specconv(ra, 'm')", "deg and m are not both of wavelength, frequency or energy"),
        ("gaia_healpix_index(13, id)", "order 0 to 12"),
        ("CAST('x' AS INTEGER)", "CAST makes no INTEGER of 'x'"),
        ("CAST(100000 AS SMALLINT)", "100000 is more than SMALLINT can hold"),
        ("CAST(1e300 AS BIGINT)", "1e+300 is more than BIGINT can hold"),
        ("CAST(seen AS INTEGER)", "CAST makes no INTEGER of a time"),
        ("CAST(spot AS REAL)", "CAST makes no REAL of an array"),
        ("CAST(n AS TIMESTAMP)", "CAST makes no TIMESTAMP of a number"),
        ("CAST('yesterday' AS TIMESTAMP)", "'yesterday' is not a time"),
        ("TIMESTAMP '2021-02-30'", "'2021-02-30' is not a time"),
        ("CAST('1 2 3' AS POINT)", "'1 2 3' is a CIRCLE, not a POINT"),
        ("CAST(n AS POINT)", "CAST makes no POINT of a number"),
        ("COALESCE(word, 1)", "The arguments of COALESCE must be of one kind"),
        ("COALESCE(seen, 'x')", "'x' is not a time"),
    ],
)
def test_wrong_arguments_are_told_with_the_usage(call, message, answers):
    with pytest.raises(BadQueryError) as caught:
        answers(f"SELECT {call} FROM sky.stars")
    assert message in str(caught.value)
    assert "line 1, column 8" in str(caught.value)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("spot = POINT(1, 1)", "Arrays and geometries are not compared"),
        ("span IN (span)", "Arrays and geometries are not compared"),
        ("seen = 'yesterday'", "'yesterday' is not a time"),
        ("seen > 2000", "Cannot compare a time with a number"),
    ],
)
def test_wrong_comparisons_are_told_where_they_stand(condition, message, answers):
    with pytest.raises(BadQueryError) as caught:
        answers(f"SELECT id FROM sky.stars WHERE {condition}")
    assert message in str(caught.value)
    assert "line 1, column 32" in str(caught.value)


def test_a_mistyped_function_is_told_its_name(answers):
    with pytest.raises(RequestError, match="ivo_healpix_centre"):
        answers("SELECT ivo_healpix_centre(0, 1) FROM sky.stars")


def test_user_defined_functions_declare_every_form():
    names = {form.signature.partition("(")[0].upper() for form in USER_DEFINED}
    own = {"CHAR_LENGTH", "CHARACTER_LENGTH", "IN_UNIT"}
    of_time = {function.name for function in (*MAGNITUDES, *VARIABILITY)}
    assert {name for name in (*SCALARS, *AGGREGATES) if "_" in name or name in of_time} - own == names
    for form in USER_DEFINED:
        head, _, result = form.signature.rpartition(" -> ")
        assert head.endswith(")")
        assert result
        assert form.description.endswith(".")
        assert form.usage.startswith(head.partition("(")[0])


def test_an_object_is_a_constant_point(answers, column):
    assert column("ivo_simbadpoint('ngc 1333')") == [[52.23, 31.37]] * 5
    assert column("gavo_simbadpoint('M 31')") == [pytest.approx([10.6847083, 41.26875], abs=6e-4)] * 5


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            "ivo_simbadpoint('Siriuss')",
            UnknownObjectError,
            'No object "Siriuss". Did you mean "Sirius"? (line 1, col',
        ),
        ("ivo_simbadpoint('an invalid identifier')", UnknownObjectError, 'No object "an invalid identifier".'),
        ("ivo_simbadpoint(word)", BadQueryError, "Argument 1 of IVO_SIMBADPOINT must be a text in single quotes"),
        ("ivo_simbadpoint(NULL)", BadQueryError, "Argument 1 of IVO_SIMBADPOINT must be a text in single quotes"),
    ],
)
def test_an_object_that_is_not_known_is_told_while_the_query_is_read(call, error, message, answers):
    with pytest.raises(error) as caught:
        answers(f"SELECT {call} FROM sky.stars")
    assert message in str(caught.value)
