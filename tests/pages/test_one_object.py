"""The page of an object: what it says is what the archive says, with scripts and without."""

from __future__ import annotations

import io
import re
import shlex
import subprocess
import sys
from urllib.parse import unquote

import httpx
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits

import skydex

KQ_UMA = "190361393344112894"
KQ_UMA_PAGE = f"/o/ps1.MeanObjectView/{KQ_UMA}"
PERIOD = 0.48636  # published, days


@pytest.fixture(scope="module")
def web(demo):
    with httpx.Client(base_url=demo.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def kq_uma(web):
    return web.get(f"{KQ_UMA_PAGE}.json").raise_for_status().json()


@pytest.fixture(scope="module")
def archive(simulated):
    return skydex.connect(simulated)


def test_measurements_are_those_of_the_light_curve(kq_uma, archive):
    curve = archive.light_curve(int(KQ_UMA))
    points = kq_uma["curve"]["points"]
    assert [point["time"] for point in points] == curve.time.tolist()
    assert [point["band"] for point in points] == curve.band.tolist()
    np.testing.assert_array_equal([point["mag"] for point in points], curve.mag)
    np.testing.assert_array_equal([point["mag_err"] for point in points], curve.mag_err)
    assert [point["good"] for point in points] == (curve.quality > 0.9).tolist()


def test_numbers_of_64_bits_are_texts(kq_uma):
    assert kq_uma["id"] == KQ_UMA
    values = {column["name"]: column["value"] for column in kq_uma["columns"]}
    assert values["objID"] == KQ_UMA


def test_the_position_in_hours_and_degrees_is_that_of_astropy(kq_uma):
    place = kq_uma["position"]
    hours, degrees = place["sexagesimal"].split()
    told = SkyCoord(hours, degrees, unit=("hourangle", "deg"))
    assert told.separation(SkyCoord(place["ra"], place["dec"], unit="deg")).arcsec < 0.01


def test_a_measurement_has_the_image_of_its_time_and_band(kq_uma):
    with_image = [point for point in kq_uma["curve"]["points"] if point["picture"] is not None]
    assert len(with_image) > 60
    for point in with_image:
        image = kq_uma["images"][point["picture"]]
        assert abs(image["mjd"] - point["time"]) < 0.002
        assert f".wrp.{point['band']}." in image["name"]


def test_every_cutout_of_a_page_can_be_had(kq_uma, web):
    image = kq_uma["images"][0]
    assert web.get("/" + image["picture"]).raise_for_status().content[:3] == b"\xff\xd8\xff"
    assert web.get("/" + image["fits"]).raise_for_status().content[:9] == b"SIMPLE  ="


def test_cutouts_of_a_band_have_the_levels_of_one_of_the_brightest(kq_uma, web):
    points = kq_uma["curve"]["points"]
    leaders = {}
    for image in (one for one in kq_uma["images"] if one["points"]):
        (like,) = re.findall("&LIKE=(.*)", image["picture"])
        leaders.setdefault(points[image["points"][0]]["band"], set()).add(unquote(like))
    assert set(leaders) == {band["name"] for band in kq_uma["curve"]["bands"]}
    for band, (leader,) in leaders.items():
        mag = next(points[one["points"][0]]["mag"] for one in kq_uma["images"] if one["did"] == leader)
        others = [point["mag"] for point in points if point["band"] == band and point["picture"] is not None]
        assert np.mean(np.array(others) < mag) <= 0.1
    each = web.get(f"{KQ_UMA_PAGE}.json", params={"scale": "each"}).json()
    assert not any("LIKE" in image["picture"] for image in each["images"])
    assert web.get(f"{KQ_UMA_PAGE}.json", params={"scale": "both"}).status_code == 400


def test_the_folded_drawing_has_each_point_twice(web, kq_uma):
    n = kq_uma["curve"]["n"]
    facts = web.get(f"{KQ_UMA_PAGE}.json", params={"period": PERIOD}).json()
    drawn = [len(one["points"]) for one in facts["fold"]["diagram"]["series"]]
    assert sum(drawn) == 2 * n
    assert sum(len(one["points"]) for one in facts["diagram"]["series"]) == n
    page = web.get(KQ_UMA_PAGE, params={"period": PERIOD, "double": "1"}, headers={"accept": "text/html"}).text
    assert page.count('<path class="point') == 3 * n
    assert "Folded by 0.97272 d" in page


def test_the_best_period_is_the_published_one(web):
    facts = web.get(f"{KQ_UMA_PAGE}.json", params={"periods": "1"}).json()
    assert facts["periods"]["peaks"][0]["period"] == pytest.approx(PERIOD, rel=2e-5)


def test_an_object_that_is_unknown_is_told_as_such(web):
    for key in ("190361393344112895", "99999999999999999999", "kq-uma"):
        answer = web.get(f"/o/ps1.MeanObjectView/{key}", headers={"accept": "text/html"})
        assert answer.status_code == 404
        assert key in answer.text
        assert "objID" in answer.text
    assert web.get("/o/ps1.NoSuchTable/1.json").status_code == 404
    assert web.get("/o/ps1.MeanObjectView/1.json").json()["error"].count("ps1.MeanObjectView")


def test_a_source_without_a_light_curve_has_no_empty_boxes(web, archive):
    name = str(archive.query("SELECT TOP 1 name FROM csc21.master_source ORDER BY name")["name"][0])
    answer = web.get(f"/o/csc21.master_source/{name}", headers={"accept": "text/html"}).raise_for_status()
    assert "Light curve" not in answer.text
    assert "Period" not in answer.text
    assert web.get(f"/o/csc21.master_source/{name}.json").json()["curve"] is None


def test_a_star_with_several_rows_has_them_all_and_the_names_of_its_images(web, archive):
    candidates = "FROM hcv.HCVSummaryView WHERE NumFilters = 2 AND AutoClass = 2"
    row = archive.query(f"SELECT TOP 1 MatchID {candidates} ORDER BY MatchID")
    star = int(row["MatchID"][0])
    facts = web.get(f"/o/hcv.HCVSummaryView/{star}.json").raise_for_status().json()
    assert len(facts["rows"]["rows"]) == 2
    curve = archive.light_curve(star, table="hcv.HCVdetailed")
    assert [point["mag"] for point in facts["curve"]["points"]] == curve.mag.tolist()
    assert {band["name"] for band in facts["curve"]["bands"]} == set(curve.bands)
    for point in facts["curve"]["points"]:
        assert facts["images"][point["picture"]]["name"] == point["image"]


def test_neighbours_are_those_of_astropy(web, archive):
    rows = archive.query("SELECT MatchID, MatchRA, MatchDec FROM hsc.SumMagAper2CatView")
    places = SkyCoord(rows["MatchRA"], rows["MatchDec"], unit="deg")
    star = int(np.argmin(places.separation(places[0]).arcsec))
    away = places[star].separation(places).arcsec
    expected = [str(rows["MatchID"][i]) for i in np.argsort(away) if 0 < away[i] <= 30][:40]
    facts = web.get(f"/o/hsc.SumMagAper2CatView/{rows['MatchID'][star]}.json").json()
    assert [one["id"] for one in facts["neighbours"]["rows"]] == expected


def test_a_star_of_the_psf_databases_has_its_stamps(web, archive):
    star = archive.query("SELECT TOP 1 id FROM psf.UVIS ORDER BY id")["id"][0]
    stamps = web.get(f"/o/psf.UVIS/{star}.json").raise_for_status().json()["stamps"]
    assert [stamp["suffix"] for stamp in stamps] == ["flt", "flc", "raw"]
    for stamp in stamps:
        assert web.get("/" + stamp["picture"]).raise_for_status().content[:4] == b"\x89PNG"
        assert fits.getdata(io.BytesIO(web.get("/" + stamp["fits"]).raise_for_status().content)).shape == (51, 51)


def test_what_is_to_be_copied_runs(kq_uma):
    texts = {one["label"]: one["text"] for one in kq_uma["snippets"]}
    command = [sys.executable, "-c", texts["Python"]]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert f"Length = {kq_uma['curve']['n']} rows" in told.stdout
    with httpx.Client(timeout=60) as web:
        words = shlex.split(texts["curl"])
        assert words[:2] == ["curl", "-sSf"]
        assert len(web.get(words[2]).raise_for_status().text.splitlines()) == 1 + kq_uma["curve"]["n"]


def _click_brightest(page, points):
    """Click on the brightest point, which stands alone, and see its cutout marked; which one it is."""
    first = min(range(len(points)), key=lambda i: points[i]["mag"])
    over = page.locator(".lines .u-over").first
    box = over.bounding_box()
    good = [point for point in points if point["good"]]
    time, mag = [point["time"] for point in points], [point["mag"] for point in good]
    errors = [min(point["mag_err"], (max(mag) - min(mag)) * 0.27) for point in good]
    low, high = min(np.subtract(mag, errors)), max(np.add(mag, errors))
    across = (points[first]["time"] - min(time)) / (max(time) - min(time))
    down = (points[first]["mag"] - low) / (high - low)
    place = [box["width"] * (0.04 + across) / 1.08, box["height"] * (0.04 + down) / 1.08]
    over.click(position={"x": place[0], "y": place[1]})
    page.wait_for_selector(f"#image-{points[first]['picture']}[aria-current]")
    return first


def test_a_light_curve_is_folded_and_a_point_leads_to_its_cutout(open_page, ready, kq_uma):
    page = open_page(KQ_UMA_PAGE)
    ready(page)
    assert page.locator(".lines").count() == 1
    points = kq_uma["curve"]["points"]
    brightest = _click_brightest(page, points)
    page.fill('input[name="period"]', str(PERIOD))
    page.press('input[name="period"]', "Enter")
    page.locator(".lines").nth(1).wait_for()
    page.get_by_role("button", name="Double the period").click()
    assert float(page.input_value('input[name="period"]')) == pytest.approx(2 * PERIOD)
    page.wait_for_url(f"**/*period={2 * PERIOD}*")

    page.locator(".lines > div").first.press("ArrowRight")
    following = points[brightest + 1]
    page.wait_for_selector(f"#image-{following['picture']}[aria-current]")
    assert f"{following['time']:.5f}" in page.locator('[data-told="point"]').inner_text()

    last = len(points) - 1
    page.locator(f'.strip a[href="#point-{last}"]').click()
    page.wait_for_selector(f"#image-{points[last]['picture']}[aria-current]")
    assert f"{points[last]['time']:.5f}" in page.locator('[data-told="point"]').inner_text()
    assert page.locator(".strip li[aria-current]").count() == 1

    page.get_by_role("button", name="Look for periods").click()
    page.locator(".peaks button").first.click()
    page.wait_for_selector('.peaks button[aria-pressed="true"]')
    assert float(page.input_value('input[name="period"]')) == pytest.approx(PERIOD, rel=2e-5)


def test_a_point_of_the_drawing_leads_to_its_cutout_without_scripts(open_page, web):
    path = "/o/hcv.HCVSummaryView/900000000000061"
    points = web.get(f"{path}.json").raise_for_status().json()["curve"]["points"]
    page = open_page(f"{path}?period=30", java_script_enabled=False)
    assert page.locator("svg.chart").nth(1).locator("path.point").count() == 2 * len(points)
    name = f"image-{points[0]['picture']}"
    page.locator(f'svg.chart a[href="#{name}"]').first.click()
    assert page.url.endswith(f"#{name}")
    assert page.locator(".strip li:target").get_attribute("id") == name
