"""The catalogue REST API as it describes itself, and requests that are made from that description."""

from __future__ import annotations

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from lxml import html
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    unsupported_method,
]  # fmt: skip
DESCRIBED = "hsc/v3/summary/magaper2|hsc/v3/hcv\\.|hsc/v3/hcvsummary/metadata|panstarrs/dr2/mean"


@pytest.fixture(scope="module")
def catalogs(tmp_path_factory, shared_data):
    """A server over the printed rows."""
    import catalog_ground
    import serving

    archive = catalog_ground.build_catalogs(tmp_path_factory.mktemp("described"), shared_data)
    with serving.serving(archive) as server:
        yield server


def test_every_request_that_follows_the_description_is_answered_as_described(catalogs):
    schema = schemathesis.openapi.from_url(f"{catalogs.url}/api/v0.1/openapi.json")
    operations = [found.ok() for found in schema.include(path_regex=DESCRIBED).get_all_operations()]
    assert len(operations) >= 8

    for operation in operations:

        @settings(max_examples=5, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def check(case):
            case.validate_response(case.call(timeout=30), checks=CHECKS)

        check()


def test_the_description_holds_every_table_once(catalogs):
    document = httpx.get(f"{catalogs.url}/api/v0.1/openapi.json").json()
    assert document["servers"] == [{"url": f"{catalogs.url}/api/v0.1"}]
    assert {"/hsc/v3/summary/magaper2.{format}", "/hsc/v3/hcvsummary/metadata"} <= set(document["paths"])
    assert {"/hcv/HCVmatch.{format}", "/panstarrs/dr2/mean/crossmatch/upload.{format}"} <= set(document["paths"])
    (constraints,) = [
        parameter
        for parameter in document["paths"]["/hsc/v3/summary/magaper2.{format}"]["get"]["parameters"]
        if parameter["name"] == "constraints"
    ]
    schema = document["components"]["schemas"][constraints["schema"]["$ref"].rpartition("/")[2]]
    assert schema["properties"]["A_F475W"]["type"] == "number"
    assert not [path for path in document["paths"] if "TAP_SCHEMA" in path or "SumMag" in path]


def test_pages_lead_from_the_first_to_each_table(catalogs):
    with httpx.Client(base_url=catalogs.url) as web:
        assert f"{catalogs.url}/api/v0.1/" in html.fromstring(web.get("/api").content).xpath("//a/@href")
        first = html.fromstring(web.get("/api/v0.1/").content)
        address = f"{catalogs.url}/api/v0.1/hsc/v3/summary/magaper2/docs"
        assert address in first.xpath("//a/@href")
        page = web.get(address)
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "A_F475W_MAD" in html.fromstring(page.content).xpath("//td/code/text()")
        same = [html.fromstring(web.get(path).content).text_content() for path in ("/api/v0.1", "/api/v0.1/")]
        assert same[0] == same[1]
