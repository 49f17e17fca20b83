"""Pages in a browser: headless Chromium that draws without a graphics card, which is the worst that one meets.

From an address to the moment when all views of the page say that they are drawn; and from the end of a brush to the
rows in the table. There is nobody beside us: what a page may take is the budget.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from benchmarks.finding import Budget, Finding
from benchmarks.holdings import Holdings, Setup
from benchmarks.sample import Sample, Unit
from benchmarks.serving import serving
from benchmarks.timing import Work, timed
from skydex.demo import SIZES
from skydex.demo.building import build_demo

__all__ = ["TITLE", "measure"]

TITLE = "Pages in a browser"
_FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
_N_DIAGRAM, _N_MANY = 18_666, 1_000_000
_OBJECTS = {
    "/o/ps1.MeanObjectView/190361393344112894": "KQ UMa, 66 points in 5 bands",
    "/o/hsc.SumMagAper2CatView/80189155": "a variable of Hubble, 12 points a filter",
}
_DRAWN = "() => [...document.querySelectorAll('[data-island]')].every(one => one.dataset.state === 'ready')"
_CHOSEN = "() => Number(document.querySelector('[data-rows]').dataset.chosen) > 0"
_WATCH = """() => {
  let released = 0;
  addEventListener("mouseup", () => { released = performance.now(); }, { capture: true, once: true });
  const rows = document.querySelector("[data-rows]");
  globalThis.shown = new Promise((told) => new MutationObserver((_, watch) => {
    watch.disconnect();
    requestAnimationFrame(() => told(performance.now() - released));
  }).observe(rows, { attributeFilter: ["data-chosen"] }));
}"""
_N_BRUSHES = 5
_DIAGRAM = Budget("home to a diagram of 18,666 points < 2 s", 2.0)
_BRUSH = Budget("selection to table < 200 ms", 0.2)
_OBJECT = Budget("object page with light curve and cutouts < 1 s", 1.0)


def measure(setup: Setup) -> Iterator[Finding]:
    """A diagram, a brush, many points, a raster, and an object."""
    holdings = Holdings(setup)
    few, many = holdings.sky(_N_DIAGRAM), holdings.sky(_N_MANY)
    with serving(holdings.directory, page_points=2 * _N_MANY) as server, _page() as page:
        diagram = f"/search?table={few}"
        (timing,) = timed(Work(partial(_from_home, page, server.url, diagram)), n_runs=5)
        yield Finding(f"From home to a colour-magnitude diagram of {_N_DIAGRAM:,} rows", timing.wall, budget=_DIAGRAM)
        brushes = Sample.of([_brush(page) for _ in range(_N_BRUSHES)], Unit.SECONDS)
        yield Finding(f"From the end of a brush over {_N_DIAGRAM:,} points to its rows", brushes, budget=_BRUSH)
        (timing,) = timed(Work(partial(_open, page, f"{server.url}/search?table={many}")), n_runs=3)
        yield Finding(f"{_N_MANY:,} points", timing.wall)
    with serving(holdings.directory) as server, _page() as page:
        (timing,) = timed(Work(partial(_open, page, f"{server.url}/search?table={many}")), n_runs=3)
        yield Finding(f"Density of {_N_MANY:,} rows", timing.wall)
    demo = setup.cache / "pages-demo"
    build_demo(demo, size=SIZES["tiny"])
    with serving(demo) as server, _page() as page:
        for path, what in _OBJECTS.items():
            (timing,) = timed(Work(partial(_open, page, f"{server.url}{path}")), n_runs=5)
            yield Finding(f"Page of {what}, with cutouts", timing.wall, budget=_OBJECT)


@contextmanager
def _page() -> Iterator[Any]:
    """A window of a browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS)
        yield browser.new_page(viewport={"width": 1280, "height": 900})
        browser.close()


def _await(page: Any, condition: str) -> None:
    """Wait until something holds, asked from outside: policies of pages forbid what `wait_for_function` does."""
    while not page.evaluate(condition):
        page.wait_for_timeout(5)


def _open(page: Any, url: str) -> None:
    page.goto(url)
    _await(page, _DRAWN)


def _from_home(page: Any, url: str, diagram: str) -> None:
    page.goto(f"{url}/")
    _open(page, url + diagram)


def _brush(page: Any) -> float:
    """Drag around the middle of the diagram; seconds from letting go to the rows, by the clock of the page."""
    nothing = page.get_by_role("button", name="Choose nothing")
    if nothing.count():
        nothing.click()
    page.get_by_role("button", name="Choose", exact=True).click()
    box = page.locator(".points").first.bounding_box()
    places = [(0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7), (0.3, 0.32)]
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=3)
    page.evaluate(_WATCH)
    page.mouse.up()
    _await(page, _CHOSEN)
    return float(page.evaluate("shown")) / 1000.0
