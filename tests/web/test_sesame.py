"""Sesame: text and XML, whom it asks, and what it says of a name that nobody knows."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

J = re.compile(r"%J\s*([0-9\.]+)\s*([\+\-\.0-9]+)")  # as astropy reads it


@pytest.fixture(scope="session")
def ask(mast_web):
    def ask(path: str, status: int = 200) -> str:
        answer = mast_web.get(f"/cgi-bin/nph-sesame{path}")
        assert answer.status_code == status, answer.text
        return answer.text

    return ask


def place(text: str) -> tuple[float, float]:
    found = J.search(text)
    assert found, text
    return float(found[1]), float(found[2])


def test_text_is_what_the_cds_sends(ask):
    text = ask("/-oI/SNV?IC%201613")
    assert text.splitlines()[0] == "# IC 1613"
    assert "#=Sc=Simbad (" in text
    assert "%I.0 IC 1613\n" in text
    assert "%C.0 G\n" in text
    assert re.search(r"^%J 16\.20169620 \+2\.11949590 = 01:04:48\.41 \+02:07:10\.2$", text, re.M)
    assert re.search(r"^#====Done \(\d{4}-[A-Z][a-z]{2}-\d\d,\d\d:\d\d:\d\dz\)====\n$", text, re.M)


@pytest.mark.parametrize(
    ("resolvers", "ra"),
    [
        ("SNV", 16.2016962),
        ("S", 16.2016962),
        ("NSV", 16.19913),
        ("N", 16.19913),
        ("~SNV", 16.2016962),
        ("", 16.2016962),
    ],
)
def test_the_first_resolver_that_knows_a_name_answers(ask, resolvers, ra):
    assert place(ask(f"/{resolvers}?IC%201613"))[0] == ra


def test_all_resolvers_answer_if_all_are_asked(ask):
    text = ask("/-oI/A?IC+1613")
    assert [float(ra) for ra, _ in J.findall(text)] == [16.2016962, 16.19913, 16.199125]
    assert re.findall(r"^#=(\w)c=", text, re.M) == ["S", "N", "V"]


def test_the_mirror_has_an_address_of_its_own(mast_web):
    assert place(mast_web.get("/viz-bin/nph-sesame/SNV?NGC%201333").text) == (52.297, 31.31)


def test_all_names_of_an_object_are_told_if_they_are_wanted(ask):
    assert "%I Crab Nebula\n" in ask("/-oI/SNV?M1")
    assert "%I Crab Nebula\n" not in ask("/SNV?M1")


def test_xml_has_what_readers_look_for(mast_web):
    answer = mast_web.get("/cgi-bin/nph-sesame/-oxI/SNV?M1")
    assert answer.headers["content-type"].startswith("text/xml")
    root = etree.fromstring(answer.content)
    (resolver,) = root.findall("Target/Resolver")
    assert root.tag == "Sesame"
    assert root.findtext("Target/name") == "M1"
    assert resolver.get("name").startswith("Sc=Simbad")
    assert resolver.findtext("otype") == "SNR"
    assert resolver.findtext("oname") == "NGC 1952"
    assert "Crab Nebula" in [alias.text for alias in resolver.findall("alias")]
    here = SkyCoord(float(resolver.findtext("jradeg")), float(resolver.findtext("jdedeg")), unit="deg")
    assert here.separation(SkyCoord(resolver.findtext("jpos"), unit=("hourangle", "deg"))).arcsec < 0.1


def test_xml_may_be_sent_as_plain_text(mast_web):
    answer = mast_web.get("/cgi-bin/nph-sesame/-oxp/~SNV?M1")
    assert answer.headers["content-type"].startswith("text/plain")
    assert etree.fromstring(answer.content).tag == "Sesame"


def test_several_names_have_an_answer_each(ask):
    text = ask("/SNV?M1&NGC%201333&nosuchthing")
    assert [line for line in text.splitlines() if line.startswith("# ")] == ["# M1", "# NGC 1333", "# nosuchthing"]
    assert len(J.findall(text)) == 2


def test_an_unknown_name_is_an_answer_with_names_that_look_alike(ask):
    text = ask("/SNV?Siriuss")
    assert "#! *** Nothing found ***" in text
    assert "Did you mean Sirius?" in text
    assert not J.search(text)
    assert "*** Nothing found ***" in etree.fromstring(ask("/-oxp/SNV?nosuchthing").encode()).findtext("Target/INFO")


@pytest.mark.parametrize("name", ["MCG%2B07-02-016", "MCG+07-02-016", "Andromeda+Galaxy", "00:42:44.3+41:16:08"])
def test_a_plus_sign_is_a_blank_or_itself(ask, name):
    assert place(ask(f"/SNV?{name}"))[0] == pytest.approx(10.6847, abs=2e-3)


def test_a_name_cannot_pass_for_a_position(ask):
    assert not J.search(ask(f"/SNV?{quote('%J 10.0 +20.0')}"))
    assert not J.search(ask(f"/SNV?{quote('x' + chr(10) + '%J 10.0 +20.0')}"))


@pytest.mark.parametrize("path", ["", "?", "/SNV", "/XYZ?M31", f"/SNV?{'&'.join(['M31'] * 101)}"])
def test_what_is_no_request_is_told_so(ask, path):
    assert "UsageError" in ask(path, status=400)


def test_declinations_between_0_and_minus_1_keep_their_sign(ask):
    text = ask(f"/SNV?{quote('00:00:00 -00:30:00')}")
    assert place(text) == (0.0, -0.5)
    assert "= 00:00:00.00 -00:30:00.0" in text


@settings(max_examples=60)
@given(name=st.text(min_size=1, max_size=60), options=st.text(alphabet="-oxpISNVA~/4", max_size=12))
def test_any_request_has_an_answer(mast_web, name, options):
    answer = mast_web.get(f"/cgi-bin/nph-sesame/{options}?{quote(name.encode('utf-8', 'surrogatepass'))}")
    assert answer.status_code in (200, 400)
    if answer.content.startswith(b"<?xml"):
        etree.fromstring(answer.content)
