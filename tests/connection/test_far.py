"""The words of an astronomer, asked of a server: rows, limits, names, jobs' addresses, logins."""

from __future__ import annotations

import sys
from pathlib import Path

import astropy.units as u
import pytest
from astropy.coordinates import SkyCoord

import skydex
from skydex.errors import BadParameterError, NotOfferedError, RequestError, UnknownTableError

sys.path[:0] = [str(Path(__file__).parents[1] / "web")]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    import serving

    archive = serving.build_archive(tmp_path_factory.mktemp("far"))
    with serving.serving(archive, max_rows_default=8000) as server:
        yield archive, server.url


def test_a_server_answers_as_its_directory_does(server):
    directory, url = server
    near, far = skydex.connect(directory), skydex.connect(url)
    here, there = (
        archive.cone("sky.stars", SkyCoord(137.5 * u.deg, 0 * u.deg), 5 * u.deg, sort_by="star_id")
        for archive in (near, far)
    )
    assert here.colnames == there.colnames
    for name in here.colnames:
        assert here[name].unit == there[name].unit
        assert here[name].dtype == there[name].dtype
        assert list(here[name]) == list(there[name])
    assert len(far.search("sky.stars", skydex.col.gmag < 10.5, maxrec=7)) == 7
    assert set(near.tables()["name"]) == set(far.tables()["name"])
    assert near.columns("sky.stars").table.colnames == far.columns("sky.stars").table.colnames


def test_a_tap_service_has_its_verbs_and_names_them(server):
    tap = skydex.connect(f"{server[1]}/tap")
    assert len(tap.query("SELECT TOP 4 star_id FROM sky.stars")) == 4
    with pytest.raises(NotOfferedError, match="query"):
        tap.sql("SELECT 1")


def test_errors_of_a_server_are_errors_of_the_request(server):
    far = skydex.connect(server[1])
    with pytest.raises(UnknownTableError, match=r"sky\.stars"):
        far.columns("sky.strs")
    with pytest.raises(RequestError, match="starid"):
        far.query("SELECT starid FROM sky.stars")


def test_a_user_has_a_password(server):
    with pytest.raises(BadParameterError, match="password"):
        skydex.connect(server[1], user="alice")


def test_the_login_of_the_environment_goes_to_addresses_and_to_no_public_service(server, monkeypatch):
    monkeypatch.setenv("SKYDEX_USER", "alice")
    monkeypatch.setenv("SKYDEX_PASSWORD", "secret")
    assert skydex.connect(f"{server[1]}/tap").door.web.login == ("alice", "secret")
    assert skydex.connect("csc21", at=server[1]).door.web.login == ("alice", "secret")
    assert skydex.connect("csc21").door.web.login is None
