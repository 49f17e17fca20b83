"""What holds for every page: it is fit for everybody, light, and keeps to this server."""

from __future__ import annotations

import httpx
import pytest
from lxml import html

PAGES = (
    "/",
    "/api",
    "/cite",
    "/docs",
    "/status",
    "/o/hcv.HCVSummaryView/900000000000061?period=30",
    "/t/hsc.SumMagAper2CatView",
    "/t/hcv.HCVSummaryView?MAD.gt=0.1&sort_by=MeanMag.desc",
    "/query?query=SELECT+TOP+5+name,+ra,+de+FROM+csc21.master_source&do=run",
    "/jobs",
    "/query/plot?query=SELECT+TOP+50+name,+ra,+dec+FROM+csc21.master_source",
    "/search",
    "/search?ra=16.2&dec=2.1&radius=0.3",
    "/images",
    "/images?q=KQ+UMa&radius=0.02&collection=ps1&to=2009-12-31",
    "/psf?detector=WFPC2&psf_x_center_to=20&tick=1",
    "/account/login",
    "/account/register",
    "/variability/hcv.HCVSummaryView?filter=ACS_F814W",
)


BUDGET = 150_000
"""Bytes that a first load of a page may have, with all that its islands fetch until they are drawn, by gzip."""
_LARGER = {"/query": 170_000}
"""CodeMirror alone is 125 kB. The text area that it stands in for works before it is there."""
_WEIGHT = """() => performance.getEntries().filter((one) => one.encodedBodySize && one.initiatorType !== "img")
    .filter((one) => !/FORMAT=arrow|[.]arrow/.test(one.name))
    .map((one) => [new URL(one.name).pathname, one.encodedBodySize])"""
"""Of everything but the rows and the pictures of the archive, of which there may be any number."""


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_light_and_axe_finds_nothing_serious_and_a_narrow_screen_is_wide_enough(
    open_page, ready, until, axe, path
):
    page = open_page(path, extra_http_headers={"accept-encoding": "gzip"})
    ready(page)
    weights = page.evaluate(_WEIGHT)
    assert sum(weight for _, weight in weights) < _LARGER.get(path.partition("?")[0], BUDGET), weights
    assert not any("aladin" in name for name, _ in weights), "Aladin Lite is for those who ask for it"
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert axe(page) == [], scheme
    page.set_viewport_size({"width": 360, "height": 700})
    until(page, "document.documentElement.scrollWidth <= 360", seconds=5.0)


@pytest.mark.parametrize("path", PAGES)
def test_pages_say_what_they_have_without_scripts(demo, path):
    with httpx.Client(base_url=demo.url, timeout=60) as web:
        page = html.fromstring(web.get(path, headers={"accept": "text/html"}).content)
    assert page.xpath("//h1")[0].text_content().strip()
    assert page.xpath("//main")[0].text_content().strip()
