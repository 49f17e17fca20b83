import pytest

from skydex.cli.remote import scs_address, tap_address


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("http://127.0.0.1:8642", "http://127.0.0.1:8642/tap/sync"),
        ("http://127.0.0.1:8642/", "http://127.0.0.1:8642/tap/sync"),
        ("http://127.0.0.1:8642/tap", "http://127.0.0.1:8642/tap/sync"),
        ("http://127.0.0.1:8642/gaia/tap/", "http://127.0.0.1:8642/gaia/tap/sync"),
        ("https://example.org/tap/sync", "https://example.org/tap/sync"),
        ("https://example.org/csc21tap", "https://example.org/csc21tap/sync"),
        ("https://example.org/tap-server", "https://example.org/tap-server/sync"),
    ],
)
def test_any_address_of_a_service_leads_to_its_sync_resource(target, address):
    assert tap_address(target) == address


def test_cone_search_of_a_table_lies_below_its_schema():
    assert scs_address("http://h:1/", "gaia.dr3") == "http://h:1/gaia/scs/dr3"
    assert scs_address("http://h:1/tap", "gaia.dr3") == "http://h:1/gaia/scs/dr3"
