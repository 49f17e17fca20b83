"""The page of what varies: its numbers are those of the table, its fractions those of the figures."""

from __future__ import annotations

import httpx
import numpy as np
import pytest

import skydex
from skydex.plots import fractions_by_bin

PAGE = "/variability/hcv.HCVSummaryView"


@pytest.fixture(scope="module")
def web(demo):
    with httpx.Client(base_url=demo.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def rows(simulated):
    return skydex.connect(simulated).query("SELECT * FROM hcv.HCVSummaryView")


def test_points_and_counts_are_those_of_the_table(web, rows):
    facts = web.get(f"{PAGE}.json", params={"filter": "ACS_F814W", "mag": "MeanCorrMag"}).raise_for_status().json()
    chosen = rows[(rows["Filter"] == "ACS_F814W") & (rows["MAD"] > 0)]
    told = sorted(zip(facts["points"]["id"], facts["points"]["x"], facts["points"]["y"], strict=True))
    assert told == sorted(
        zip(
            map(str, chosen["MatchID"]), chosen["MeanCorrMag"].value.tolist(), chosen["MAD"].value.tolist(), strict=True
        )
    )
    assert facts["counts"]["classes"] == ["non-variable", "SFVC", "MFVC"]
    for band in facts["counts"]["bands"]:
        classes = rows["AutoClass"][rows["Filter"] == band["name"]]
        assert band["n"] == np.bincount(classes, minlength=3).tolist()


def test_fractions_of_artifacts_are_those_of_the_figures(web, rows):
    facts = web.get(f"{PAGE}.json", params={"filter": "all"}).json()["fractions"]
    judged = rows[(rows["ExpertClass"] > 0) & (rows["FilterDetFlag"] > 0)]
    expected = fractions_by_bin(judged["MAD"], judged["ExpertClass"] == 4)
    by_index = facts["by"][0]
    assert by_index["n"] == expected.n.tolist()
    assert by_index["n_artifacts"] == expected.n_members.tolist()
    assert by_index["fraction"] == pytest.approx(expected.fraction)
    assert facts["n"] == len(judged)
    by_magnitude = facts["by"][1]
    assert sum(by_magnitude["n"]) == len(judged)
    assert sum(by_magnitude["n_artifacts"]) == np.sum(judged["ExpertClass"] == 4)


def test_a_threshold_is_counted(web, rows):
    facts = web.get(f"{PAGE}.json", params={"filter": "all", "threshold": "0.1"}).json()
    assert facts["n_above"] == np.sum(rows["MAD"].value > 0.1)


def test_a_table_without_an_index_says_so(web):
    answer = web.get("/variability/ps1.Detection.json")
    assert answer.status_code == 404
    assert "index" in answer.json()["error"]
    assert web.get(f"{PAGE}.json", params={"filter": "ACS_F815W"}).json()["error"].count("ACS_F814W")
    assert web.get(f"{PAGE}.json", params={"index": "mdd"}).status_code == 400


def test_other_tables_with_an_index_have_the_page(web):
    for table in ("hcv.HCVfilter", "csc21.master_source"):
        facts = web.get(f"/variability/{table}.json").raise_for_status().json()
        assert facts["n"] > 100


def test_a_point_leads_to_its_object(open_page, ready):
    page = open_page(f"{PAGE}?filter=ACS_F475W")
    ready(page)
    page.locator(".lines > div").first.press("ArrowRight")
    link = page.locator('[data-told="point"] a')
    key = link.inner_text()
    link.click()
    page.wait_for_url("**/o/**")
    assert page.locator("h1").inner_text() == key
    assert page.locator(".told").count() == 0
