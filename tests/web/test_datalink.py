"""DataLink: what there is for an image, and for an object of a catalogue."""

from __future__ import annotations

import io

import httpx
import linked_ground
import pytest
import serving
from astropy.io import fits
from astropy.io.votable import parse
from linked_ground import STAR

from skydex.ingest.images import did_of

CHIP = did_of("pics", "chips", 1)
OTHER = did_of("pics", "chips", 3)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving.serving(linked_ground.build_linked(tmp_path_factory.mktemp("links"))) as server:
        yield server


@pytest.fixture(scope="module")
def web(server):
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client


def document(answer):
    assert answer.status_code == 200, answer.text
    return parse(io.BytesIO(answer.content))


def links(web, *ids, **more):
    table = document(web.get("/datalink", params={"ID": list(ids), **more})).get_first_table().to_table()
    return [{name: str(row[name]) for name in table.colnames} for row in table]


def semantics(rows):
    return [row["semantics"] for row in rows]


def test_an_image_has_its_file_a_preview_cutouts_its_header_and_what_lies_beside_it(web):
    rows = links(web, CHIP)
    assert semantics(rows) == [
        "#this", "#preview", "#cutout", "#cutout", "#auxiliary", "#error", "#auxiliary"
    ]  # fmt: skip
    for row in rows:
        assert sum(bool(row[name]) for name in ("access_url", "service_def", "error_message")) == 1
        assert row["ID"] == CHIP
        assert row["description"]


def test_the_answer_says_what_it_is(web):
    answer = web.get("/datalink", params={"ID": CHIP})
    assert answer.headers["content-type"] == "application/x-votable+xml;content=datalink"
    results = document(answer).resources[0]
    assert {info.name: info.value for info in results.infos}["standardID"] == "ivo://ivoa.net/std/DataLink#links-1.1"
    assert b"<TABLEDATA>" in web.get("/datalink", params={"ID": CHIP, "RESPONSEFORMAT": "votable"}).content


def test_each_image_has_a_descriptor_of_its_own_with_its_limits(web):
    found = document(web.get("/datalink", params={"ID": [CHIP, OTHER]}))
    described = {resource.ID: resource for resource in found.resources if resource.utype == "adhoc:service"}
    wanted = {row["service_def"]: row["ID"] for row in links(web, CHIP, OTHER) if row["service_def"]}
    assert set(described) == set(wanted)
    assert len(described) == 4
    for name, resource in described.items():
        inputs = {param.name: param for param in resource.groups[0].entries}
        assert inputs["ID"].value == wanted[name]
        assert list(inputs["CIRCLE"].values.max)[:2] == pytest.approx([150, 2.03 if wanted[name] == OTHER else 2])


def test_links_of_several_identifiers_stand_together_in_the_order_asked(web):
    ids = [row["ID"] for row in links(web, OTHER, "ivo://nowhere", CHIP)]
    assert list(dict.fromkeys(ids)) == [OTHER, "ivo://nowhere", CHIP]
    assert ids == sorted(ids, key=[OTHER, "ivo://nowhere", CHIP].index)


@pytest.mark.parametrize(
    ("identifier", "says"),
    [
        ("ivo://nowhere?x", 'NotFoundFault: No image "ivo://nowhere?x".'),
        ("nowhere", "NotFoundFault: "),
        ("sky.nothing/1", 'NotFoundFault: there is no table "sky.nothing"'),
        ("sky.visits/1", "NotFoundFault: there is no table"),
        ("sky.stars/4", 'NotFoundFault: there is no star "4" in sky.stars.'),
        ("sky.stars/x", "UsageFault: identifiers of sky.stars are whole numbers."),
        ("sky.stars/1 OR 1=1", "UsageFault: "),
        ("sky.stars/99999999999999999999", "UsageFault: "),
        ("../../etc/passwd", "NotFoundFault: "),
    ],
)
def test_an_identifier_that_leads_nowhere_has_one_row_that_says_so(web, identifier, says):
    (row,) = links(web, identifier)
    assert (row["ID"], row["semantics"]) == (identifier, "#this")
    assert row["error_message"].startswith(says)


def test_without_an_identifier_the_service_describes_itself(web):
    found = document(web.get("/datalink"))
    assert len(found.get_first_table().array) == 0
    assert [resource.utype for resource in found.resources[1:]] == ["adhoc:this"]


def test_more_identifiers_than_are_answered_are_told(web):
    ids = [f"ivo://nowhere?{n}" for n in range(201)]
    answer = web.post("/datalink", data={"ID": ids})
    assert len(document(answer).get_first_table().array) == 200
    assert b'value="OVERFLOW"' in answer.content


def test_an_object_has_its_row_a_light_curve_a_preview_and_cutouts(web):
    rows = links(web, "sky.stars/1")
    assert semantics(rows) == ["#this", "#progenitor", "#preview-image", "#progenitor", "#progenitor"]
    by_local = {row["local_semantics"]: row for row in rows}
    assert set(by_local) == {"row", "lightcurve", "preview", "cutout", "images"}
    curve = document(httpx.get(by_local["lightcurve"]["access_url"])).get_first_table().to_table()
    assert list(curve["mjd"]) == [55000, 55001, 55002, 55003]
    assert len(document(httpx.get(by_local["images"]["access_url"])).get_first_table().array) == 1
    cutout = fits.open(io.BytesIO(httpx.get(by_local["cutout"]["access_url"]).content))[0]
    assert cutout.data[cutout.shape[0] // 2, cutout.shape[1] // 2] == pytest.approx(99.5 * 1000 + 149.5, abs=1501)
    assert httpx.get(by_local["preview"]["access_url"]).content[:2] == b"\xff\xd8"


def test_a_large_identifier_is_not_rounded(web):
    (this, curve, *_) = links(web, f"sky.stars/{STAR}")
    assert document(httpx.get(this["access_url"])).get_first_table().array["star"].tolist() == [STAR]
    assert document(httpx.get(curve["access_url"])).get_first_table().array["star"].tolist() == [STAR] * 4


def test_an_object_in_no_image_has_no_cutouts(web):
    assert semantics(links(web, "sky.stars/2")) == ["#this", "#progenitor"]


def test_the_header_of_an_image_is_a_table(web):
    row = next(row for row in links(web, CHIP) if row["local_semantics"] == "header")
    cards = document(httpx.get(row["access_url"])).get_first_table().to_table()
    assert "CRVAL1" in {str(keyword) for keyword in cards["keyword"]}


def test_an_error_of_the_request_is_a_votable(web):
    answer = web.get("/datalink", params={"ID": "x" * 1001})
    assert answer.status_code == 400
    assert b'value="ERROR">UsageFault: Parameter ID' in answer.content


@pytest.mark.parametrize("path", ["/tap/sync", "/pics/tap/sync"])
def test_a_table_that_names_images_tells_what_can_be_done_with_them(web, server, path):
    table = "ivoa.obscore" if path == "/tap/sync" else "images"
    found = document(web.get(path, params={"LANG": "ADQL", "QUERY": f"SELECT s_ra, obs_publisher_did FROM {table}"}))
    services = [resource for resource in found.resources if resource.utype == "adhoc:service"]
    urls = [param.value for resource in services for param in resource.params if param.name == "accessURL"]
    assert urls == [f"{server.url}/datalink", f"{server.url}/soda/sync", f"{server.url}/soda/async"]
    field = found.get_first_table().get_field_by_id_or_name("obs_publisher_did")
    for resource in services:
        (identifier,) = [param for param in resource.groups[0].entries if param.name == "ID"]
        assert identifier.ref == field.ID


@pytest.mark.parametrize(
    "path", ["/tap/sync?LANG=ADQL&QUERY=SELECT+*+FROM+sky.stars", "/sky/scs/stars?RA=150&DEC=2&SR=1"]
)
def test_a_table_of_objects_tells_where_their_links_are(web, server, path):
    (found,) = [one for one in document(web.get(path)).resources if one.utype == "adhoc:service"]
    inputs = {param.name: (param.value, param.ref) for param in found.groups[0].entries}
    assert inputs == {"ID": ("", "star"), "TABLE": ("sky.stars", None)}
    assert {param.name: param.value for param in found.params}["accessURL"] == f"{server.url}/datalink"


def test_identifiers_may_be_those_of_a_table(web):
    rows = links(web, "1", "99", TABLE="sky.stars")
    assert [row["ID"] for row in rows] == ["1"] * (len(rows) - 1) + ["99"]
    assert semantics(rows)[:2] == ["#this", "#progenitor"]
    assert rows[-1]["error_message"].startswith("NotFoundFault")


@pytest.mark.parametrize(
    "query", ["SELECT ra FROM sky.stars", "SELECT * FROM sky.visits", "SELECT * FROM TAP_SCHEMA.tables"]
)
def test_a_table_that_leads_nowhere_says_nothing(web, query):
    found = document(web.get("/tap/sync", params={"LANG": "ADQL", "QUERY": query}))
    assert len(found.resources) == 1


def test_links_to_an_image_and_its_preview_lead_there(web):
    this, preview = links(web, CHIP)[:2]
    assert fits.open(io.BytesIO(httpx.get(this["access_url"]).content))[0].data.shape == linked_ground.SHAPE
    assert httpx.get(preview["access_url"]).content[:2] == b"\xff\xd8"
