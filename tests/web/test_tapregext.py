"""What a TAP service says it can is valid, true, and in the words that clients look for."""

from __future__ import annotations

import pytest
import schemas
from lxml import etree

REGISTRY = "ivo://ivoa.net/std/TAPRegExt"


@pytest.fixture(scope="module", params=["/tap", "/sky/tap"])
def tap(request, web, tmp_path_factory):
    """The TAP capability of a valid document."""
    root = etree.fromstring(web.get(f"{request.param}/capabilities").content)
    schemas.vo_schema(tmp_path_factory.mktemp("xsd")).assertValid(root)
    (found,) = (cap for cap in root if cap.get("standardID") == "ivo://ivoa.net/std/TAP")
    return found


def forms(tap, kind):
    return [form.text for form in tap.findall(f"language/languageFeatures[@type='{REGISTRY}#{kind}']/feature/form")]


def test_the_standard_interface_is_of_version_1_1(tap):
    (interface,) = tap.findall("interface")
    assert (interface.get("role"), interface.get("version")) == ("std", "1.1")
    assert interface.find("accessURL").get("use") == "base"


def test_languages_have_versions_with_identifiers(tap):
    versions = {version.text: version.get("ivo-id") for version in tap.findall("language[name='ADQL']/version")}
    assert versions == {f"2.{n}": f"ivo://ivoa.net/std/ADQL#v2.{n}" for n in (0, 1)}


def test_what_adql_leaves_to_services_is_declared(tap):
    assert {"POINT", "CIRCLE", "POLYGON", "CONTAINS", "INTERSECTS", "DISTANCE"} <= set(forms(tap, "features-adqlgeo"))
    assert set(forms(tap, "features-adql-sets")) == {"UNION", "EXCEPT", "INTERSECT"}
    assert forms(tap, "features-adql-common-table") == ["WITH"]
    assert forms(tap, "features-adql-offset") == ["OFFSET"]


def test_votable_comes_under_its_media_types_with_identifiers(tap):
    formats = {kind.get("ivo-id"): kind.find("mime").text for kind in tap.findall("outputFormat[@ivo-id]")}
    assert formats[f"{REGISTRY}#output-votable-binary2"] == "application/x-votable+xml"
    assert set(formats) == {f"{REGISTRY}#output-votable-{kind}" for kind in ("td", "binary", "binary2")}


def test_every_declared_name_of_a_format_is_accepted(tap, web):
    for name in tap.findall("outputFormat/*"):
        fields = {"QUERY": "SELECT TOP 1 ra FROM sky.stars", "LANG": "ADQL", "FORMAT": name.text}
        assert web.post("/tap/sync", data=fields).status_code == 200, name.text


def test_limits_have_units_and_a_default_below_the_hard_one(tap):
    default, hard = tap.find("outputLimit")
    assert (default.tag, default.text, default.get("unit")) == ("default", "1000", "row")
    assert (hard.tag, hard.text, hard.get("unit")) == ("hard", "2000", "row")
    assert [limit.text for limit in tap.find("executionDuration")] == ["3600", "14400"]
