from __future__ import annotations

import pyarrow as pa
import pytest

from skydex.ingest.positions import find_position
from skydex.ingest.recipe import AngleUnit, Frame
from skydex.tables import Column, Datatype


def columns(*names: str, datatype: Datatype = Datatype.DOUBLE, **facts: str) -> list[Column]:
    return [Column(name, datatype, **facts) for name in names]


def sample(columns: list[Column], *values: tuple[object, ...]) -> pa.Table:
    rows = values or (tuple(1.0 for _ in columns),)
    return pa.table([pa.array(column) for column in zip(*rows, strict=True)], names=[c.name for c in columns])


@pytest.mark.parametrize(
    ("ra", "dec"),
    [
        ("ra", "dec"),
        ("RA", "DEC"),
        ("RAJ2000", "DEJ2000"),
        ("_RAJ2000", "_DEJ2000"),
        ("RA_ICRS", "DE_ICRS"),
        ("ra_deg", "dec_deg"),
        ("RAdeg", "DEdeg"),
        ("raMean", "decMean"),
        ("MatchRA", "MatchDec"),
        ("ALPHA_J2000", "DELTA_J2000"),
        ("s_ra", "s_dec"),
        ("RA[deg]", "Dec[deg]"),
        ("RA (deg)", "Dec (deg)"),
        ("right_ascension", "declination"),
        ("GAIA_RA", "GAIA_DEC"),
        ("raBest", "decBest"),
    ],
)
def test_usual_names_are_found(ra: str, dec: str) -> None:
    given = columns("id", ra, dec, "e_ra", "flux")
    found = find_position(given, sample(given)).position
    assert found is not None
    assert (found.ra, found.dec, found.unit) == ((ra,), (dec,), AngleUnit.DEG)


def test_a_main_ucd_beats_a_name() -> None:
    main = {"x": "POS_EQ_RA_MAIN", "y": "pos.eq.dec;meta.main"}
    given = [*columns("ra", "dec"), *(Column(name, Datatype.DOUBLE, ucd=ucd) for name, ucd in main.items())]
    found = find_position(given, sample(given))
    assert found.position is not None
    assert found.position.columns == ("x", "y")
    assert found.confidence == 1.0


def test_an_error_of_a_position_is_no_position() -> None:
    ucds = {"a": "stat.error;pos.eq.ra", "b": "pos.pm;pos.eq.dec"}
    given = [Column(name, Datatype.DOUBLE, ucd=ucd) for name, ucd in ucds.items()]
    assert find_position(given, sample(given)).position is None


def test_two_pairs_of_equal_right_are_left_to_the_user() -> None:
    given = columns("a_ra", "a_dec", "b_ra", "b_dec")
    found = find_position(given, sample(given))
    assert found.position is None
    assert "--ra a_ra --dec a_dec" in found.hints[0]


def test_the_suffix_that_a_cross_match_puts_on_all_names_is_passed_over() -> None:
    given = columns("RAJ2000_gaia", "DEJ2000_gaia", "RA_ICRS_gaia", "DE_ICRS_gaia", "Gmag_gaia")
    found = find_position(given, sample(given)).position
    assert found is not None
    assert found.columns == ("RA_ICRS_gaia", "DE_ICRS_gaia")


def test_degrees_are_preferred_to_the_same_in_sexagesimal() -> None:
    given = [*columns("RAJ2000", "DEJ2000", datatype=Datatype.CHAR), *columns("_RAJ2000", "_DEJ2000")]
    found = find_position(given, sample(given, ("05 34 31.9", "+22 00 52", 83.63, 22.01))).position
    assert found is not None
    assert found.columns == ("_RAJ2000", "_DEJ2000")


def test_sexagesimal_text_is_recognised() -> None:
    given = columns("ra", "dec", datatype=Datatype.CHAR)
    found = find_position(given, sample(given, ("05 34 31.9", "+22 00 52"), (None, None))).position
    assert found is not None
    assert found.unit is AngleUnit.SEXAGESIMAL


def test_units_of_radians_and_hours_are_recognised() -> None:
    for unit, spelling in (("rad", AngleUnit.RAD), ("radians", AngleUnit.RAD), ("h", AngleUnit.HOURANGLE)):
        given = [Column("ra", Datatype.DOUBLE, unit=unit), Column("dec", Datatype.DOUBLE)]
        found = find_position(given, sample(given, (0.5, 0.5))).position
        assert found is not None
        assert found.unit is spelling


def test_separate_columns_of_hours_and_degrees_are_joined() -> None:
    given = columns("RAh", "RAm", "RAs", "DE-", "DEd", "DEm", "DEs")
    found = find_position(given, sample(given)).position
    assert found is not None
    assert found.unit is AngleUnit.PARTS
    assert found.dec == ("DE-", "DEd", "DEm", "DEs")


def test_galactic_columns_are_used_if_there_is_nothing_else() -> None:
    given = columns("GLON", "GLAT")
    found = find_position(given, sample(given)).position
    assert found is not None
    assert found.frame is Frame.GALACTIC


def test_values_that_cannot_be_degrees_are_no_position() -> None:
    given = columns("ra", "dec")
    found = find_position(given, sample(given, *[(1000.0 + i, 500.0) for i in range(10)]))
    assert found.position is None
    assert "outside" in found.hints[0]


@pytest.mark.parametrize(
    "facts",
    [{"unit": "deg"}, {"ucd": "pos.eq.ra;meta.main pos.eq.dec;meta.main"}, {"ucd": "pos.eq.ra pos.eq.dec"}],
    ids=["unit", "main UCD", "UCD"],
)
def test_units_and_ucds_are_believed_whatever_the_values(facts: dict[str, str]) -> None:
    ucds = facts.get("ucd", "").split() or [None, None]
    given = [
        Column(n, Datatype.DOUBLE, unit=facts.get("unit"), ucd=u) for n, u in zip(("ra", "dec"), ucds, strict=True)
    ]
    found = find_position(given, sample(given, *[(1000.0 + i, 500.0) for i in range(10)]))
    assert found.position is not None
    assert not found.contradicted


@pytest.mark.parametrize(
    ("names", "is_found"), [(("ra", "dec"), True), (("a_ra", "a_dec"), False)], ids=["exact", "part of a name"]
)
def test_bad_rows_speak_against_part_of_a_name_only(names: tuple[str, str], is_found: bool) -> None:
    given = columns(*names)
    found = find_position(given, sample(given, (10.0, 20.0), (11.0, 95.0), (12.0, -91.0)))
    assert (found.position is not None) == is_found
    assert found.contradicted != is_found


def test_one_text_in_two_that_is_no_angle_does_not_hide_the_others() -> None:
    given = columns("ra", "dec", datatype=Datatype.CHAR)
    found = find_position(given, sample(given, ("05 34 31.9", "+22 00 52"), ("05 34 31.9", "unknown"))).position
    assert found is not None
    assert found.unit is AngleUnit.SEXAGESIMAL


def test_sentinels_do_not_hide_a_position() -> None:
    given = columns("ra", "dec")
    found = find_position(given, sample(given, *[(-999.0, -999.0)] * 8, (10.0, 20.0)))
    assert found.position is not None


def test_unlabelled_numbers_that_look_like_radians_raise_a_doubt() -> None:
    given = columns("ra", "dec")
    rows = [(i * 0.0628, -1.5 + i * 0.03) for i in range(100)]
    assert "radians" in find_position(given, sample(given, *rows)).hints[0]


def test_unlabelled_numbers_that_look_like_hours_raise_a_doubt() -> None:
    given = columns("ra", "dec")
    rows = [(i * 0.2399, -80 + 1.6 * i) for i in range(100)]
    assert "hours" in find_position(given, sample(given, *rows)).hints[0]


def test_columns_l_and_b_are_only_a_hint() -> None:
    given = columns("l", "b", "x")
    found = find_position(given, sample(given))
    assert found.position is None
    assert "--frame galactic" in found.hints[0]


def test_a_plain_table_has_no_position() -> None:
    given = columns("period", "brand", "decade", "radius", "random")
    assert find_position(given, sample(given)).position is None
