"""Tables and images go to a SAMP hub, if its user lets them."""

from __future__ import annotations

import html
import re
import threading

import httpx
import pytest

samp = pytest.importorskip("pyvo.samp", reason="this pyvo has no SAMP")
AT = "/images?q=KQ+UMa&radius=0.02&collection=ps1&to=2009-12-31"
HUB = "http://localhost:21012/"


class Consent(threading.Thread):
    """Says yes for the user."""

    def __init__(self):
        super().__init__(daemon=True)
        self.queue_request = self.queue_result = None
        self.origins, self.is_over = [], threading.Event()

    def run(self):
        while not self.is_over.is_set():
            if self.queue_request is not None and not self.queue_request.empty():
                self.origins.append(self.queue_request.get()[2])
                self.queue_result.put(True)
            self.is_over.wait(0.05)


@pytest.fixture
def hub(tmp_path):
    consent = Consent()
    server = samp.SAMPHubServer(
        web_profile=True, web_profile_dialog=consent, mode="multiple", addr="127.0.0.1", lockfile=str(tmp_path / "samp")
    )
    consent.start()
    server.start()
    if not server._web_profile:
        server.stop()
        pytest.skip("port 21012 is in use")
    client = samp.SAMPIntegratedClient(name="a listener", addr="127.0.0.1")
    client.connect(hub=server)
    client.consent = consent
    yield client
    client.disconnect()
    server.stop()
    consent.is_over.set()
    consent.join()


def heard(client, mtype):
    """The parameters of messages of a kind."""
    messages, has_come = [], threading.Event()

    def hear(private_key, sender_id, mtype, params, extra):
        messages.append(params)
        has_come.set()

    client.bind_receive_notification(mtype, hear)
    return messages, has_come


def test_a_table_and_an_image_arrive_with_their_addresses(hub, open_page, ready, demo):
    tables, table_came = heard(hub, "table.load.votable")
    images, image_came = heard(hub, "image.load.fits")
    page = open_page(AT)
    ready(page)
    sia = page.locator("[data-samp=table]").get_attribute("data-url")
    page.locator("[data-samp=table] button").click()
    page.get_by_text("sent to 1 program").wait_for()
    assert table_came.wait(10)
    assert [params["url"] for params in tables] == [sia]

    first = page.locator("[data-samp=image]").first
    first.locator("button").click()
    assert image_came.wait(10)
    assert images[0]["url"] == first.get_attribute("data-url")
    assert images[0]["url"].startswith(f"{demo.url}/images/ps1/")
    assert hub.consent.origins == [demo.url]  # asked once
    assert {url.partition("?")[0] for url in page.watched.elsewhere} == {HUB}
    page.watched.elsewhere.clear()  # which is what was asked for


@pytest.mark.parametrize("path", ["/t/hcv.Groups", "/query?query=SELECT+TOP+5+name+FROM+csc21.master_source&do=run"])
def test_tables_that_can_be_sent_are_votables(demo, path):
    with httpx.Client(base_url=demo.url, timeout=60, headers={"accept": "text/html"}) as web:
        page = web.get(path)
        (address,) = (html.unescape(one) for one in re.findall('data-samp="table" data-url="([^"]*)"', page.text))
        assert "http://localhost:21012" in page.headers["content-security-policy"]
        assert web.get(address).headers["content-type"].startswith("application/x-votable+xml")


def test_nothing_is_asked_of_a_hub_before_somebody_wants_it(open_page, ready):
    page = open_page(AT)
    ready(page)
    assert page.watched.elsewhere == []
    assert page.locator("[data-samp=table] button").is_enabled()


def test_pages_without_such_buttons_may_not_ask_a_hub(demo):
    plain, with_buttons = (
        httpx.get(demo.url + path, timeout=60).headers["content-security-policy"] for path in ("/", AT)
    )
    assert "localhost:21012" not in plain
    assert "connect-src 'self' blob: data: http://localhost:21012" in with_buttons
