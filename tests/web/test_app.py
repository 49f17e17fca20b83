"""Every address leads where it should, whatever was asked before."""

from __future__ import annotations

CONE = {"RA": 10, "DEC": 5, "SR": 3}


def test_addresses_that_differ_in_a_name_are_not_taken_for_each_other(web):
    for _ in range(3):
        assert "<TABLEDATA>" in web.get("/sky/scs/stars", params=CONE).text
        assert "nowhere.stars" in web.get("/nowhere/scs/stars", params=CONE).text
        assert "sky.nothing" in web.get("/sky/scs/nothing", params=CONE).text


def test_an_address_that_leads_nowhere_does_so_again(web):
    for address in ("/nowhere", "/sky/scs", "/sky/scs/stars/and/more", "/" + "x" * 5000):
        assert [web.get(address).status_code for _ in range(2)] == [404, 404]


def test_each_method_gets_its_own_answer_at_one_address(web):
    for _ in range(2):
        assert web.options("/availability").status_code == 204
        assert web.head("/availability").content == b""
        assert web.delete("/availability").status_code == 405
        assert b"available" in web.get("/availability").content
