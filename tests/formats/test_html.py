"""HTML: whatever the values are, the page holds nothing but a table."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

from skydex.formats.html import write_html
from skydex.tables import Column, Datatype, Result

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&lt;\x00\x1b"
OURS = {"html", "head", "meta", "title", "style", "body", "h1", "p", "table", "thead", "tbody", "tr", "th", "td"}


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.cells: list[str] = []
        self._in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "td":
            self.cells.append("")
        self._in_cell = tag == "td"

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.cells[-1] += data


def page_of(result: Result) -> Page:
    page = Page()
    page.feed(b"".join(write_html(result)).decode())
    return page


def test_values_names_and_messages_are_inert_and_unchanged(result_of: Callable[..., Result]) -> None:
    column = Column(HOSTILE, Datatype.CHAR, "*", unit=HOSTILE, ucd=HOSTILE, description=HOSTILE)
    facts = {"name": HOSTILE, "description": HOSTILE, "infos": ((HOSTILE, HOSTILE),), "overflow": True}
    page = page_of(result_of((column, [HOSTILE, "plain", None]), **facts))
    assert page.tags <= OURS
    assert page.attributes <= {"lang", "charset", "title"}
    assert page.cells == [HOSTILE.replace("\x00", "").replace("\x1b", ""), "plain", ""]


def test_rows_and_overflow_are_shown(result_of: Callable[..., Result]) -> None:
    result = result_of((Column("n", Datatype.INT), [1, None, 3]), max_rows=3, overflow=True)
    raw = b"".join(write_html(result)).decode()
    assert raw.count("<tr>") == 2 + 3
    assert "row limit of 3" in raw
