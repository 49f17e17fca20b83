"""Names become places, and it is told who knew them."""

from __future__ import annotations

import json

import pytest
from loopback import Reply, answering

from skydex.client.far import far_door
from skydex.client.http import Web
from skydex.client.presets import get_preset
from skydex.client.resolvers import Resolvers
from skydex.connection.near import NearDoor
from skydex.errors import BadAnswerError, UnknownObjectError

SESAME = """# IC 1613\t#Q1234567
#=S=Simbad (via url):    1
%@ 9876
%I.0 IC 1613
%C.0 G
%J 16.1991300 +02.1177800 = 01:04:47.79 +02:07:04.0
%I NAME Caldwell 51
#====Done (2024-May-01,10:00:00z)====
"""
NOTHING = "# Nowhere\n#!S=Simbad: Nothing found\n#====Done====\n"
PRESET = get_preset("mast-casjobs")


def resolvers(server, preset=PRESET):
    return Resolvers(preset.moved(server.url), Web(retries=0))


def mast(*entries):
    return json.dumps({"resolvedCoordinate": list(entries), "status": ""}).encode()


def test_mast_is_asked_as_its_documents_say(shared_data):
    recorded = json.loads((shared_data / "services/mast/resolver.json").read_text())["resolvedCoordinate"]
    with answering(lambda asked: mast(recorded[0])) as server:
        place = resolvers(server).place("TIC 307210830")
    request = json.loads(server.asked[0].form["request"])
    assert request == {"service": "Mast.Name.Lookup", "params": {"input": "TIC 307210830", "format": "json"}}
    assert (place.ra_deg, place.dec_deg) == (124.531756290083, -68.3129998725044)
    assert (place.name, place.resolver) == ("TIC 307210830", "MAST (TIC)")


def test_sesame_is_asked_when_mast_does_not_know_the_name():
    def answer(asked):
        return mast() if asked.path.endswith("invoke") else SESAME.encode()

    with answering(answer) as server:
        place = resolvers(server).place("IC 1613")
    assert server.asked[1].path == "/cgi-bin/nph-sesame/-oI/SNV"
    assert (place.ra_deg, place.dec_deg) == (16.19913, 2.11778)
    assert (place.name, place.resolver) == ("IC 1613", "Sesame (Simbad)")


def test_the_order_is_that_of_the_preset():
    with answering(lambda asked: SESAME.encode()) as server:
        resolvers(server, get_preset("mast-hsc")).place("IC 1613")
    assert [asked.path for asked in server.asked] == ["/cgi-bin/nph-sesame/-oI/SNV"]


def test_a_resolver_that_is_out_of_order_is_passed_over():
    def answer(asked):
        return Reply(b"down", 503) if asked.path.endswith("invoke") else SESAME.encode()

    with answering(answer) as server:
        assert resolvers(server).place("IC 1613").resolver == "Sesame (Simbad)"


def test_names_that_a_resolver_offers_instead_are_told():
    """As the Sesame of a skydex server writes them; that of the CDS offers none."""
    offered = b"# IC1613x\n#! *** Nothing found *** Did you mean IC 1613 or IC 613?\n#====Done====\n"

    def answer(asked):
        return mast() if asked.path.endswith("invoke") else offered

    with answering(answer) as server, pytest.raises(UnknownObjectError, match='"IC 1613" or "IC 613"') as raised:
        resolvers(server).place("IC1613x")
    assert raised.value.near == ["IC 1613", "IC 613"]


def test_a_name_that_nobody_knows_is_told_as_such():
    def answer(asked):
        return mast() if asked.path.endswith("invoke") else NOTHING.encode()

    with answering(answer) as server, pytest.raises(UnknownObjectError, match="Nowhere"):
        resolvers(server).place("Nowhere")


@pytest.mark.parametrize(
    "content",
    [
        b"<html>",
        b"[]",
        b"{}x",
        mast({"ra": 1}),
        mast({"ra": 1e400, "decl": 2}),
        mast({"ra": 1, "decl": 100}),
        b"[" * 10**5,
    ],
)
def test_an_answer_that_is_no_place_is_refused(content):
    with answering(lambda asked: content) as server, pytest.raises((BadAnswerError, UnknownObjectError)):
        far_door(get_preset("mast-psf").moved(server.url), Web(retries=0)).place("M31")


def test_a_real_server_answers_both_ways(demonstration):
    for name in ("mast-casjobs", "csc21"):
        place = Resolvers(get_preset(name).moved(demonstration.url), Web()).place("IC 1613")
        assert abs(place.ra_deg - 16.2) < 0.02, "MAST and Sesame differ by some arcseconds"
        assert abs(place.dec_deg - 2.12) < 0.02
        assert place.resolver.startswith("MAST (NED" if name == "mast-casjobs" else "Sesame (Simbad")


@pytest.mark.parametrize("name", ["mast-hsc", "mast-casjobs", "csc21"])
def test_an_archive_on_this_disk_gives_the_position_that_its_services_would_give(demonstration, simulated, name):
    far = Resolvers(get_preset(name).moved(demonstration.url), Web()).place("IC 1613")
    near = NearDoor(simulated, preset=get_preset(name)).place("IC 1613")
    assert (near.ra_deg, near.dec_deg) == pytest.approx((far.ra_deg, far.dec_deg), abs=1e-8)
    published = (16.19913, 2.11778) if name == "mast-casjobs" else (16.2016962, 2.1194959)
    assert (far.ra_deg, far.dec_deg) == published, "what MAST gave in 2019, and SIMBAD in 2022"
