"""astropy and astroquery, as they are, looking names up at a skydex server."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
import requests
from astropy.coordinates import SkyCoord, name_resolve
from astropy.coordinates.name_resolve import NameResolveError
from astroquery.exceptions import ResolverError
from astroquery.mast import Mast


@pytest.fixture
def sesame(mast):
    with name_resolve.sesame_url.set([f"{mast.url}/cgi-bin/nph-sesame/"]):
        yield


@pytest.fixture
def by_way_of_proxy(mast, monkeypatch):
    """Lead plain HTTP to the server: the address of MAST's resolver stands in astroquery's code."""
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, mast.url)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("IC 1613", (16.2016962, 2.1194959)),
        ("NGC 1333", (52.297, 31.31)),
        ("KQ UMa", (139.334453, 68.635059)),
        ("MCG+07-02-016", (10.68479, 41.26906)),
        ("α Cen", (219.902066, -60.833975)),
    ],
)
def test_astropy_finds_positions_by_name(sesame, name, place):
    found = SkyCoord.from_name(name, cache=False)
    assert found.separation(SkyCoord(*place, unit="deg")).arcsec < 0.1


def test_astropy_can_ask_one_database(sesame):
    with name_resolve.sesame_database.set("ned"):
        assert SkyCoord.from_name("IC 1613", cache=False).ra.deg == 16.19913


def test_astropy_is_told_that_nobody_knows_a_name(sesame):
    with pytest.raises(NameResolveError, match="Unable to find coordinates for name 'no such thing'"):
        SkyCoord.from_name("no such thing", cache=False)


def test_astroquery_resolves_a_name(by_way_of_proxy):
    found = Mast.resolve_object("KQ UMa")
    assert (found.ra.deg, found.dec.deg) == (139.334453, 68.635059)


def test_astroquery_resolves_with_one_resolver_and_with_all(by_way_of_proxy):
    assert Mast.resolve_object("IC 1613", resolver="SIMBAD").ra.deg == 16.2016962
    assert Mast.resolve_object("IC 1613", resolver="NED").ra.deg == 16.19913
    every = Mast.resolve_object("IC 1613", resolve_all=True)
    assert {name: found.ra.deg for name, found in every.items()} == {"SIMBAD": 16.2016962, "NED": 16.19913}
    assert Mast.resolve_object("KIC 2161623", resolver="SIMBAD").dec.deg == 37.590999


def test_astroquery_resolves_many_names(by_way_of_proxy):
    names = [f"M {number}" for number in range(1, 41)]
    assert list(Mast.resolve_object(names)) == names


def test_astroquery_is_told_that_nobody_knows_a_name(by_way_of_proxy):
    with pytest.raises(ResolverError, match="Could not resolve"):
        Mast.resolve_object("no such thing")


def test_older_astroquery_resolves_a_name(mast):
    """As `astroquery.mast.utils.resolve_object` of 0.4.7 asks."""
    asked = {"service": "Mast.Name.Lookup", "params": {"input": "KQ UMa", "format": "json"}}
    answer = requests.get(f"{mast.url}/api/v0/invoke", params=f"request={quote(json.dumps(asked))}", timeout=30)
    answer.raise_for_status()
    (first,) = answer.json()["resolvedCoordinate"]
    assert (first["ra"], first["decl"]) == (139.334453, 68.635059)


def test_the_documents_resolve_their_names(mast, sesame, by_way_of_proxy):
    """The steps of all documents that look names up, as they stand there but for the base address."""
    coord_ic1613 = SkyCoord.from_name("IC 1613", cache=False)  # 000
    assert f"ra: {coord_ic1613.ra.degree}\ndec: {coord_ic1613.dec.degree}" == "ra: 16.2016962\ndec: 2.1194959"
    assert resolve(mast, "IC 1613") == (16.19913, 2.11778)  # 001
    with pytest.raises(ValueError, match="Unknown object 'no such thing'"):
        resolve(mast, "no such thing")
    places = {
        "KQ UMa": (139.334453, 68.635059),
        "KIC 2161623": (291.744463, 37.590999),
        "KIC 8153568": (286.90445, 44.005479),
    }
    for objname, place in places.items():  # 002
        coords = Mast.resolve_object(objname)
        assert (coords.ra.degree, coords.dec.degree) == place
    pos = SkyCoord.from_name("NGC 1333", cache=False)  # 004
    assert (pos.ra.deg, pos.dec.deg) == (52.297, 31.31)


def resolve(mast, name):
    """The function of 001."""
    resolver_request = {"service": "Mast.Name.Lookup", "params": {"input": name, "format": "json"}}
    r = requests.post(f"{mast.url}/api/v0/invoke", data={"request": json.dumps(resolver_request)}, timeout=30)
    r.raise_for_status()
    try:
        result = r.json()["resolvedCoordinate"][0]
    except IndexError as error:
        raise ValueError(f"Unknown object '{name}'") from error
    return result["ra"], result["decl"]
