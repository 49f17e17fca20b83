"""pyvo, as astronomers use it, against a real server."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import pyvo
from astropy.coordinates import SkyCoord
from pyvo.dal.exceptions import DALOverflowWarning, DALQueryError
from serving import HOSTILE, N_STARS, stars

TABLES = ["schemas", "tables", "columns", "keys", "key_columns"]


@pytest.fixture(scope="module")
def tap(server):
    return pyvo.dal.TAPService(f"{server.url}/tap")


@pytest.fixture(scope="module")
def scs(server):
    return pyvo.dal.SCSService(f"{server.url}/sky/scs/stars")


def test_search_gives_values_units_and_nulls(tap):
    table = tap.search("SELECT * FROM sky.stars ORDER BY star_id").to_table()
    truth = stars()
    assert len(table) == N_STARS
    for name in ("star_id", "ra", "dec", "gmag"):
        assert np.array_equal(np.asarray(table[name]), np.asarray(truth[name]))
    assert np.array_equal(table["n_obs"].mask, truth["n_obs"].mask)
    assert (table["ra"].unit, table["gmag"].unit) == ("deg", "mag")
    assert table["name"][0] == HOSTILE
    assert table["name"].dtype.kind == "U"  # bounded, so that astropy need not make it an object column


def test_tables_come_in_order_and_describe_themselves(tap):
    names = list(tap.tables.keys())
    assert names == [f"TAP_SCHEMA.{name}" for name in TABLES] + ["sky.detections", "sky.stars"]
    columns = {column.name: column for column in tap.tables["sky.stars"].columns}
    assert list(columns) == ["star_id", "ra", "dec", "gmag", "n_obs", "name"]
    assert columns["ra"].unit == "deg"
    assert columns["ra"].datatype.content == "double"


def test_the_service_describes_itself(tap, capsys):
    tap.describe()
    assert "ADQL" in capsys.readouterr().out
    assert (tap.maxrec, tap.hardlimit) == (8000, 16000)
    assert [version.content for version in tap.get_tap_capability().get_adql().versions] == ["2.0", "2.1"]


def test_an_overflow_is_a_warning_and_a_complete_answer_is_not(tap):
    with pytest.warns(DALOverflowWarning):
        assert len(tap.search("SELECT star_id FROM sky.detections")) == 8000
    assert tap.search("SELECT star_id FROM sky.stars", maxrec=10).query_status == "OVERFLOW"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(tap.search("SELECT TOP 10 star_id FROM sky.stars")) == 10


def test_maxrec_zero_gives_columns(tap):
    query = tap.create_query("SELECT * FROM sky.stars")
    query["MAXREC"] = 0  # pyvo itself drops a limit of zero
    with pytest.warns(DALOverflowWarning):
        result = query.execute()
    assert len(result) == 0
    assert len(result.fieldnames) == 6


@pytest.mark.parametrize(
    ("query", "part"),
    [
        ("SELECT nope FROM sky.stars", "nope"),
        ("SELECT * FROM sky.strs", "sky.stars"),
        ("SELEC * FROM sky.stars", "SELEC"),
        ('SELECT "<b>&" FROM sky.stars', "<b>&"),
    ],
)
def test_an_error_is_its_message(tap, query, part):
    with pytest.raises(DALQueryError) as caught:
        tap.search(query)
    assert part in str(caught.value)


def test_a_job_that_cannot_be_done_fails_when_it_is_made(tap):
    job = tap.submit_job("SELECT nope FROM sky.stars")
    assert job.phase == "ERROR"
    with pytest.raises(DALQueryError, match="nope"):
        job.run().wait().raise_if_error()
    job.delete()
    with pytest.raises(DALQueryError, match="nope"):
        tap.run_async("SELECT nope FROM sky.stars")


def test_a_collection_is_a_service_of_its_own(server):
    tap = pyvo.dal.TAPService(f"{server.url}/sky/tap")
    assert len(tap.search("SELECT TOP 3 * FROM stars")) == 3
    assert "sky.stars" in tap.tables


def test_every_example_finds_something(tap):
    assert tap.examples
    for example in tap.examples:
        assert len(example.execute()) > 0


def test_a_circle_holds_what_astropy_counts(tap):
    truth = stars()
    centre = SkyCoord(200, -40, unit="deg")
    inside = SkyCoord(truth["ra"], truth["dec"]).separation(centre).deg < 7
    query = "SELECT star_id FROM sky.stars WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', 200, -40, 7))"
    assert set(tap.search(query)["star_id"]) == set(truth["star_id"][inside])


def test_a_cone_search_finds_positions_and_identifiers(scs):
    results = scs.search(pos=SkyCoord(200, -40, unit="deg"), radius=7.0)
    truth = stars()
    inside = SkyCoord(truth["ra"], truth["dec"]).separation(SkyCoord(200, -40, unit="deg")).deg < 7
    assert {int(record.id) for record in results} == set(truth["star_id"][inside])
    first = results[0]
    assert first.pos.separation(SkyCoord(200, -40, unit="deg")).deg < 7


@pytest.mark.parametrize("verbosity", [0, 1, 2, 3])
def test_a_cone_search_takes_every_verbosity(scs, verbosity):
    assert len(scs.search(pos=(10, 5), radius=3, verbosity=verbosity).fieldnames) >= 3


def test_a_cone_search_with_an_impossible_radius_is_an_error(scs):
    with pytest.raises(DALQueryError, match="SR"):
        scs.search(pos=(10, 5), radius=-1)


def test_radius_zero_describes_the_columns(scs):
    assert len(scs.search(pos=(10, 5), radius=0)) == 0
