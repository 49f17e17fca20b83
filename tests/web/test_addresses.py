"""Which machines are public: truth from the IANA registries of special-purpose addresses (2026)."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skydex.web.addresses import addresses_of, is_public

SPECIAL = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.1.2.3 169.254.169.254 172.16.0.1
172.31.255.255 192.0.0.8 192.0.0.170 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.1
203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:10.0.0.1 64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::1
100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:20::1 2001:db8::1 2002:7f00:1::1 2002:808:808::1
3fff::1 5f00::1 fc00::1 fd12:3456:789a::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1 ff0e::1 2001:4860::5efe:7f00:1
2a00:1450::200:5efe:a00:1 2606:4700::1%eth0
"""
PUBLIC = """
1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.1 172.15.255.255 172.32.0.1 192.0.1.1 192.169.0.1 198.17.255.255 198.20.0.1
223.255.255.254 2001:4860:4860::8888 2606:4700:4700::1111 2a00:1450:4001:81b::200e 2400:cb00::1
"""


@pytest.mark.parametrize("address", SPECIAL.split())
def test_r16_special_addresses_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC.split())
def test_r16_addresses_of_the_internet_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize("text", ["", "localhost", "2130706433", "0x7f.1", "127.1", "8.8.8.8 ", "[::1]", "8.8.8.8/0"])
def test_r16_what_is_no_numeric_address_is_not_public(text):
    assert not is_public(text)


@given(st.ip_addresses(v=4))
def test_r16_ipv4_in_the_dress_of_ipv6_is_never_public(number):
    for prefix in ("::", "::ffff:0:0", "64:ff9b::", "64:ff9b:1::", "2002::"):
        shift = 80 if prefix == "2002::" else 0
        assert not is_public(str(ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | int(number) << shift)))


@given(st.ip_addresses())
def test_r16_what_python_knows_as_special_is_not_public(number):
    special = number.is_private or number.is_loopback or number.is_link_local or number.is_multicast
    if special or number.is_reserved or number.is_unspecified:
        assert not is_public(str(number))


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
def test_r16_every_spelling_of_loopback_becomes_its_number(host, run):
    assert run(addresses_of(host, 80)) == ["127.0.0.1"]
