"""STILTS, and so TOPCAT: queries, cones and its validators."""

from __future__ import annotations

import httpx
import pytest
from astropy.table import Table
from linting import NO_PLAN, STRICT, explained, findings
from serving import N_STARS, serving

from skydex.archive import Archive
from skydex.demo import SIZES
from skydex.demo.building import build_demo

QUERY = "SELECT star_id, ra, dec, gmag, n_obs, name FROM sky.stars"


def csv(text):
    """The table in what STILTS prints, without what Java says before."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if "," in line)
    return Table.read(lines[start:], format="ascii.csv")


def test_tapquery_gives_the_rows(server, stilts):
    table = csv(stilts("tapquery", f"tapurl={server.url}/tap", f"adql={QUERY}", "sync=true", "ofmt=csv"))
    assert len(table) == N_STARS
    assert sorted(table["star_id"]) == list(range(N_STARS))


def test_cone_gives_the_rows(server, stilts):
    url = f"{server.url}/sky/scs/stars"
    table = csv(stilts("cone", f"serviceurl={url}", "lon=10", "lat=5", "radius=3", "verb=3", "ofmt=csv"))
    assert len(table) > 0
    assert set(table.colnames) == {"star_id", "ra", "dec", "gmag", "n_obs", "name"}


def test_a_cone_per_row_of_a_table_gives_matches(server, stilts, tmp_path):
    Table({"ra": [10.0, 200.0], "dec": [5.0, -40.0]}).write(tmp_path / "places.csv")
    url = f"{server.url}/sky/scs/stars"
    places = f"in={tmp_path / 'places.csv'}"
    table = csv(stilts("coneskymatch", f"serviceurl={url}", places, "ra=ra", "dec=dec", "sr=3", "ofmt=csv", "find=all"))
    assert set(table["ra_0"]) == {10.0, 200.0}
    assert max(table["Separation"]) <= 3


@pytest.mark.parametrize("base", ["/tap", "/sky/tap"])
def test_taplint_finds_nothing_but_what_is_explained(server, stilts, base):
    report = stilts("taplint", f"tapurl={server.url}{base}", *STRICT, is_fine=False)
    assert findings(report) == explained(), report
    assert "Totals: Errors: 1; Warnings: 0;" in report


@pytest.fixture
def real(shared_data, tmp_path):
    build_demo(tmp_path / "demo", shared_data, size=SIZES["tiny"])
    return tmp_path / "demo"


@pytest.mark.parametrize("sky", ["simulated", "real"])
def test_taplint_finds_nothing_in_the_demonstration(sky, request, stilts):
    with serving(request.getfixturevalue(sky)) as server:
        report = stilts("taplint", f"tapurl={server.url}/tap", *STRICT, is_fine=False)
    assert findings(report) == [], report
    assert "Totals: Errors: 0; Warnings: 0;" in report


@pytest.mark.slow
def test_taplint_finds_nothing_in_any_service_of_the_demonstration(simulated, stilts):
    archive = Archive.open(simulated)
    with serving(simulated) as server:
        for offer in archive.offers.taps:
            if len(archive.view(offer.key).schemas) > 1:
                for path in offer.paths:
                    report = stilts("taplint", f"tapurl={server.url}{path}", *STRICT, is_fine=False)
                    assert findings(report) == [NO_PLAN], report
                    assert "Totals: Errors: 0; Warnings: 0;" in report


@pytest.mark.parametrize("form", ["votable", "votable/td", "votable/b"])
@pytest.mark.parametrize("query", [QUERY, "SELECT * FROM TAP_SCHEMA.columns", "SELECT nope FROM sky.stars"])
def test_votlint_finds_nothing_in_answers_of_tap(server, stilts, tmp_path, form, query):
    answer = httpx.post(f"{server.url}/tap/sync", data={"LANG": "ADQL", "QUERY": query, "FORMAT": form})
    (tmp_path / "answer.vot").write_bytes(answer.content)
    assert stilts("votlint", tmp_path / "answer.vot") == ""


@pytest.mark.parametrize("parameters", [{"RA": 10, "DEC": 5, "SR": 3, "VERB": 3}, {"RA": 10, "DEC": 5, "SR": 0}, {}])
def test_votlint_finds_nothing_in_answers_of_a_cone_search(server, stilts, tmp_path, parameters):
    answer = httpx.get(f"{server.url}/sky/scs/stars", params=parameters)
    (tmp_path / "answer.vot").write_bytes(answer.content)
    found = [line for line in stilts("votlint", "ucd=false", tmp_path / "answer.vot").splitlines() if line.strip()]
    assert not found
