"""What holds for every page: it is fit for everybody, light, and keeps to this server."""

from __future__ import annotations

import re

import httpx
import pytest

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


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_page, axe, path, scheme):
    page = open_page(path, color_scheme=scheme)
    assert axe(page) == []


@pytest.mark.parametrize("path", PAGES)
def test_a_narrow_screen_need_not_be_scrolled_sideways(open_page, path):
    page = open_page(path, width=360, height=700)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("path", PAGES)
def test_pages_say_the_same_without_scripts(open_page, demo, path):
    page = open_page(path, java_script_enabled=False)
    assert page.locator("h1").inner_text()
    assert page.locator("main").inner_text().strip()


@pytest.mark.parametrize("path", PAGES)
def test_the_first_load_is_below_150_kb(demo, scripts, path):
    with httpx.Client(base_url=demo.url, headers={"accept-encoding": "gzip"}) as web:
        page = web.get(path, headers={"accept": "text/html"})
        files = re.findall(r'(?:src|href)="((?:\.\./|\./)*assets/[^"]+)"', page.text)
        assert files
        replies = [page, *(web.get(str(page.url.join(file))) for file in files)]
    assert sum(reply.num_bytes_downloaded for reply in replies) < 150_000
