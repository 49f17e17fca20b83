"""A real browser at a real server: headless Chromium, which may speak to that server and to nobody else.

Whatever a page writes to the console as an error, and every request that leaves the server, fails the test that opened
the page.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

sys.path[:0] = [str(Path(__file__).parents[1] / "web")]

_FLAGS = (
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-background-networking",
    "--disable-component-update",
)
_HARMLESS = ("GPU stall due to ReadPixels", "GL Driver Message", "Automatic fallback to software WebGL")
"""What Chromium says of drawing without a graphics card."""


@pytest.fixture(scope="module")
def chromium():
    """A browser; not for longer than a module, since nobody else can run an event loop while its driver does."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium on this machine (on Debian: apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=list(_FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def scripts():
    """Skip where the scripts of the pages were left out of the installation."""
    from skydex.web.pages import assets

    if assets.built("boot") is None:
        pytest.skip("the scripts of the pages are not bundled (`make page`)")


@pytest.fixture(scope="session")
def demo(simulated, tmp_path_factory):
    """A server over the demonstration archive at its smallest, which keeps answers as servers do."""
    from serving import Server

    server = Server(simulated, cache_mb=64, state_dir=tmp_path_factory.mktemp("state"), registration="open")
    yield server
    server.stop()


class Watched:
    """A page that is watched: what it logs, and whom it asks."""

    def __init__(self, page, origin):
        self.page, self.origin = page, origin
        self.errors, self.elsewhere = [], []
        self.allows_errors = False
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._see)

    def _hear(self, message):
        is_complaint = message.type == "error" or "Content Security Policy" in message.text
        if is_complaint and not any(text in message.text for text in _HARMLESS):
            self.errors.append(message.text)

    def _see(self, request):
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.elsewhere.append(request.url)


@pytest.fixture
def open_page(chromium, scripts, demo, request):
    """Open an address of the demonstration server in a window of its own: `open_page("/")`."""
    contexts, watched = [], []

    def open_page(path, *, width=1280, height=900, server=demo, **given):
        context = chromium.new_context(viewport={"width": width, "height": height}, **given)
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.watched = Watched(page, server.url)
        watched.append(page.watched)
        page.goto(server.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    for one in watched:
        assert one.elsewhere == [], "a page asked somebody else"
        if not one.allows_errors:
            assert one.errors == [], "a page complained"


def wait_until(page, expression, seconds=30.0):
    """Wait until an expression holds.

    It is evaluated from outside, again and again: where the policy of a page forbids `eval`, playwright's
    `wait_for_function` fails unless the expression holds at once.
    """
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"after {seconds} s it is not so that {expression}"
        page.wait_for_timeout(30)


@pytest.fixture(scope="session")
def until():
    """Wait until an expression holds: `until(page, "document.images.length > 2")`."""
    return wait_until


@pytest.fixture(scope="session")
def ready():
    """Wait until all views of a page are drawn: `ready(page)`."""
    all_ready = "[...document.querySelectorAll('[data-island]')].every(one => one.dataset.state === 'ready')"
    return lambda page: wait_until(page, all_ready)


@pytest.fixture(scope="session")
def axe():
    """What axe-core finds serious on a page: `axe(page)` gives the rules that it breaks."""
    file = Path(__file__).parents[2] / "page" / "node_modules" / "axe-core" / "axe.min.js"
    if not file.is_file():
        pytest.skip("axe-core is not here (`make page` fetches it)")
    source = file.read_text()

    def serious(page):
        page.evaluate(source)
        found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        return [
            (one["id"], one["impact"], [node["target"] for node in one["nodes"]][:3])
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        ]

    return serious
