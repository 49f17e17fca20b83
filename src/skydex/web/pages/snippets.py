"""The same rows elsewhere: what is shown on a page as ADQL, as Python and as a command, and as files."""

from __future__ import annotations

import shlex
from urllib.parse import urlencode

from skydex.web.pages.rendering import Facts

__all__ = ["FILE_FORMATS", "curl_of", "downloads", "python_of", "pyvo_of", "snippets"]

FILE_FORMATS = (
    ("votable", "VOTable"),
    ("fits", "FITS"),
    ("csv", "CSV"),
    ("ecsv", "ECSV"),
    ("parquet", "Parquet"),
    ("arrow", "Arrow"),
    ("json", "JSON"),
)
"""Formats of downloads: what requests call them, and people."""


def snippets(adql: str, url: str) -> list[Facts]:
    """A query as it is asked with different tools.

    Parameters
    ----------
    adql : str
        The query.
    url : str
        Public address of the server.
    """
    return [
        {"label": "ADQL", "text": adql},
        {"label": "Python, with skydex", "text": python_of(adql, url)},
        {"label": "Python, with pyvo", "text": pyvo_of(adql, url)},
        {"label": "curl", "text": curl_of(adql, url)},
    ]


def downloads(adql: str, max_rows: int | None = None) -> list[Facts]:
    """Addresses, below that of the first page, of the rows of a query in each format."""
    limit = {} if max_rows is None else {"MAXREC": max_rows}
    return [
        {
            "title": title,
            "at": f"tap/sync?{urlencode({'LANG': 'ADQL', 'RESPONSEFORMAT': name, **limit, 'QUERY': adql})}",
        }
        for name, title in FILE_FORMATS
    ]


def python_of(adql: str, url: str) -> str:
    """A program that has the rows in the end, with skydex itself."""
    return f"import skydex\n\narchive = skydex.connect({url!r})\nrows = archive.query({_literal(adql)})\nprint(rows)"


def pyvo_of(adql: str, url: str) -> str:
    """The same with pyvo."""
    service = f"{url}/tap"
    asked = f"service.search({_literal(adql)})"
    return f"import pyvo\n\nservice = pyvo.dal.TAPService({service!r})\nrows = {asked}.to_table()\nprint(rows)"


def curl_of(adql: str, url: str) -> str:
    """A command that prints the rows as CSV."""
    query = shlex.quote(f"QUERY={adql}")
    return f"curl {shlex.quote(url + '/tap/sync')} -d LANG=ADQL -d RESPONSEFORMAT=csv --data-urlencode {query}"


def _literal(text: str) -> str:
    """A text in Python, on several lines where that needs no escapes."""
    is_plain = (
        '"""' not in text and "\\" not in text and not text.endswith('"') and text.replace("\n", "").isprintable()
    )
    return f'"""{text}"""' if is_plain else repr(text)
