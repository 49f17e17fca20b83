from __future__ import annotations

import pyarrow as pa
import pytest
from astropy import units as u

from skydex.ingest.meaning import find_id, understood
from skydex.ingest.units import angle_unit, normalised_unit
from skydex.tables import Column, Datatype

NONE = pa.chunked_array([pa.array([], pa.float64())])


@pytest.mark.parametrize(
    ("given", "vounit"),
    [
        ("mas/yr", "mas/yr"),
        ("erg / (s cm2)", "erg.s**-1.cm**-2"),
        ("degrees", "deg"),
        ("days", "d"),
        ("mW/m2", "mW.m**-2"),
        ("electron/s", "electron/s"),
        ("dex", "dex"),
        ("---", None),
        ("", None),
        (None, None),
        ("deg C", "deg C"),
    ],
)
def test_units_become_vounits_where_they_can(given: str | None, vounit: str | None) -> None:
    assert normalised_unit(given) == vounit


def test_units_that_astropy_has_learned_from_a_votable_are_no_vounits_yet() -> None:
    with pytest.warns(u.UnitsWarning):
        u.Unit("electron.s**-1", format="vounit", parse_strict="warn")
    normalised_unit.cache_clear()
    assert normalised_unit("electron/s") == "electron/s"


def test_the_sexagesimal_unit_of_vizier_is_recognised() -> None:
    assert angle_unit('"h:m:s"') == angle_unit("d:m:s") == "sexagesimal"
    assert angle_unit("pix") is None


@pytest.mark.parametrize(
    ("name", "unit", "ucd"),
    [
        ("gMeanPSFMag", "mag", "phot.mag"),
        ("e_Jmag", "mag", "stat.error;phot.mag"),
        ("phot_g_mean_mag", "mag", "phot.mag"),
        ("pmra", "mas/yr", "pos.pm;pos.eq.ra"),
        ("pmRA_error", "mas/yr", "stat.error;pos.pm;pos.eq.ra"),
        ("parallax", "mas", "pos.parallax.trig"),
        ("obsMJD", "d", "time.epoch"),
        ("period", "d", "time.period"),
        ("psfFlux", None, "phot.flux"),
        ("teff", "K", "phys.temperature.effective"),
        ("P_F[day]", "d", None),
        ("magnification", None, None),
        ("imagename", None, None),
    ],
)
def test_common_names_are_understood_and_marked(name: str, unit: str | None, ucd: str | None) -> None:
    column = understood(Column(name, Datatype.DOUBLE), NONE)
    assert (column.unit, column.ucd) == (unit, ucd)
    assert set(column.inferred) == {key for key in ("unit", "ucd") if getattr(column, key)}
    assert all(0 < trust < 1 for trust in column.inferred.values())


def test_what_a_file_says_is_respelled_but_never_overridden() -> None:
    column = understood(Column("gmag", Datatype.FLOAT, unit="mags", ucd="PHOT_SDSS_G"), NONE)
    assert (column.unit, column.ucd) == ("mag", "phot.mag;em.opt.B")
    assert not column.inferred


def test_a_guess_must_go_with_the_unit_that_the_file_gives() -> None:
    assert understood(Column("gmag", Datatype.FLOAT, unit="Jy"), NONE).ucd is None
    assert understood(Column("period", Datatype.FLOAT, unit="h"), NONE).ucd == "time.period"


def test_a_description_helps_where_a_name_does_not() -> None:
    column = understood(Column("t0", Datatype.DOUBLE, description="Modified Julian Date of the maximum"), NONE)
    assert column.ucd == "time.epoch"
    assert column.inferred["ucd"] < understood(Column("mjd", Datatype.DOUBLE), NONE).inferred["ucd"]


def test_unknown_ucds_stay_as_they_are() -> None:
    assert understood(Column("x", Datatype.DOUBLE, ucd="my.word"), NONE).ucd == "my.word"


def test_only_text_that_is_clearly_iso_becomes_a_timestamp() -> None:
    def xtype(*values: str | None) -> str | None:
        return understood(Column("t", Datatype.CHAR, arraysize="*"), pa.chunked_array([pa.array(values)])).xtype

    assert xtype("2015-06-01T12:34:56", None, "2016-01-01 00:00:00.25") == "timestamp"
    assert xtype("2015-06-01", "2016-01-01") is None
    assert xtype("2015-06-01T12:34:56", "never") is None


def test_an_id_is_found_by_ucd_or_by_a_name_whose_values_differ() -> None:
    ids = [Column("source_id", Datatype.LONG), Column("objID", Datatype.LONG)]
    rows = pa.table({"source_id": [1, 1, 2], "objID": [1, 2, 3]})
    assert find_id(ids, rows) == "objID"
    assert find_id([*ids, Column("n", Datatype.LONG, ucd="meta.id;meta.main")], rows) == "n"
    assert find_id([Column("id", Datatype.DOUBLE)], pa.table({"id": [1.0, 2.0]})) is None
