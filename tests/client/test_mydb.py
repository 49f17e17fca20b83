"""Own tables on a skydex server keep what is known of their columns."""

from __future__ import annotations

import astropy.units as u
import pytest
from astropy.table import Table
from casjobs_ground import PASSWORDS
from loopback import answering

import skydex
from skydex.client.http import Web
from skydex.client.mydb import MyDBService
from skydex.client.presets import get_preset
from skydex.errors import BadAnswerError, BadParameterError, LoginNeededError, UnknownTableError


@pytest.fixture(scope="module")
def mydb(demonstration):
    with skydex.connect(demonstration.url, user="alice", password=PASSWORDS["alice"]) as archive:
        yield archive.mydb


def test_a_table_comes_back_with_its_units(mydb):
    mydb.write("far_units", Table({"flux": [1.0, 2.0] * u.Jy, "note": ["two words", 'é, "x"']}))
    kept = mydb["FAR_units"]
    assert kept["flux"].unit == u.Jy
    assert list(kept["note"]) == ["two words", 'é, "x"']
    assert dict(mydb.tables()["name", "n_rows"].iterrows())["far_units"] == 2
    mydb.write("far_units", Table({"flux": [3.0] * u.mJy}), overwrite=True)
    assert mydb["far_units"]["flux"].to_value(u.mJy) == [3.0]
    mydb.drop("far_units")
    assert "far_units" not in mydb


def test_a_table_that_is_not_there_is_told_with_those_that_are(mydb):
    mydb.write("far_there", {"n": [1]})
    for ask in (mydb.read, mydb.drop):
        with pytest.raises(UnknownTableError, match="far_there"):
            ask("far_ther")
    mydb.drop("far_there")


def test_a_name_that_no_table_can_have_is_told(mydb):
    with pytest.raises(BadParameterError, match="letters, digits and _"):
        mydb.write("far-there", {"n": [1]})


def test_own_tables_need_a_login(demonstration):
    with skydex.connect(demonstration.url) as archive, pytest.raises(LoginNeededError):
        archive.mydb.tables()


@pytest.mark.parametrize("content", [b"<html>", b"{}", b"[1]", b"[" * 10**5, b'[{"n_rows": 1}]'])
def test_a_list_that_is_none_is_refused(content):
    with answering(lambda asked: content) as server, pytest.raises(BadAnswerError):
        MyDBService(get_preset("skydex").moved(server.url), Web(retries=0)).own_tables().tables()
