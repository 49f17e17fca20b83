"""A form that says something that cannot be comes back as it was filled in, with the error beside its field."""

from __future__ import annotations

import httpx
import pytest
from lxml import html

TABLE = "/t/hsc.SumMagAper2CatView"
KQ_UMA = "/o/ps1.MeanObjectView/190361393344112894"


@pytest.fixture(scope="module")
def web(demo):
    with httpx.Client(base_url=demo.url, timeout=60) as client:
        yield client


def refused(web, path):
    """The page of an answer that says what was wrong, and shows the rest."""
    answer = web.get(path, headers={"accept": "text/html"})
    assert answer.status_code == 400
    page = html.fromstring(answer.content)
    assert page.xpath("//*[@role='alert']")
    return page


@pytest.mark.parametrize(
    ("path", "name", "others"),
    [
        ("/images?q=139.33+68.63&radius=wide&collection=ps1", "radius", {"q": "139.33 68.63"}),
        ("/images?from=once&to=2012-01-01", "from", {"to": "2012-01-01"}),
        ("/psf?detector=IR&qfit_from=good&qfit_to=0.2", "qfit_from", {"qfit_to": "0.2"}),
        ("/search?ra=here&dec=2.1&radius=0.3", "ra", {"dec": "2.1", "radius": "0.3"}),
        ("/variability/hcv.HCVSummaryView?threshold=high", "threshold", {}),
        (f"{TABLE}?ra=16.2&dec=north&radius=0.1", "dec", {"ra": "16.2", "radius": "0.1"}),
        (f"{KQ_UMA}?period=short&epoch=55000", "period", {"epoch": "55000"}),
        ("/query?query=SELECT+1&maxrec=few", "maxrec", {}),
    ],
)
def test_a_wrong_value_stands_in_its_field_with_the_error_beside_it(web, path, name, others):
    page = refused(web, path)
    (field,) = page.xpath(f"//main//input[@name='{name}']")
    assert field.get("value") == httpx.URL(path).params[name]
    assert field.get("aria-invalid") == "true"
    (why,) = page.xpath(f"//*[@id='{field.get('aria-describedby')}']")
    assert field.get("value") in why.text_content() or "number" in why.text_content()
    for other, value in others.items():
        assert page.xpath(f"//main//input[@name='{other}']/@value")[0] == value
    answer = web.get(path.replace("?", ".json?", 1))
    assert (answer.status_code, answer.json()["parameter"]) == (400, name)


def test_what_is_wrong_with_several_fields_is_told_beside_each(web):
    page = refused(web, "/psf?detector=UVIS&qfit_from=good&focus_to=sharp&mjd_from=2012-13-45")
    assert {one.get("name") for one in page.xpath("//input[@aria-invalid]")} == {"qfit_from", "focus_to", "mjd_from"}


@pytest.mark.parametrize(
    ("column", "operator", "value", "word"),
    [
        ("MatchRA", "gt", "<b>east</b>", "number"),
        ("MatchRA", "gt", "", "no value"),
        ("MatchRo", "lt", "2", "MatchRA"),
        ("MatchRA", "between", "5", "two values"),
    ],
)
def test_a_filter_that_cannot_be_stays_in_the_form(web, column, operator, value, word):
    asked = {"filter.column": column, "filter.operator": operator, "filter.value": value, "NumImages.gt": "3"}
    answer = web.get(TABLE, params=asked, headers={"accept": "text/html"}, follow_redirects=True)
    assert answer.status_code == 400
    page = html.fromstring(answer.content)
    first, second = page.xpath("//div[@class='filter'][input[@name='filter.value'][@value!='' or @aria-invalid]]")
    written = [row.xpath("input/@value | select/option[@selected]/@value") for row in (first, second)]
    assert written == [["NumImages", "gt", "3"], [column, operator, value]]
    assert word in second.xpath("small")[0].text_content()


def test_an_error_about_nothing_in_the_address_has_a_page_of_its_own(web):
    for path, status in (("/t/hsc.nothing?page=x", 404), ("/images?image=nothing", 404)):
        answer = web.get(path, headers={"accept": "text/html"})
        assert answer.status_code == status
        assert '<form class="form"' not in answer.text
