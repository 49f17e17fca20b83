"""The site of the documentation is built without a warning."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"

pytest.importorskip("sphinx")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site without what its notebooks print; they are run by tests of their own."""
    where = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-D", "nb_execution_mode=off"]
    built = subprocess.run(
        [*command, "-b", "html", "-d", str(where / "doctrees"), str(DOCS), str(where / "html")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert built.returncode == 0, built.stderr
    return where / "html"


def test_the_site_is_built_without_a_warning(site):
    assert (site / "README.html").exists()


def test_every_page_stands_in_the_table_of_contents(site):
    contents = (site / "README.html").read_text(encoding="utf-8")
    pages = [page.relative_to(DOCS).with_suffix(".html").as_posix() for page in DOCS.glob("*/*.md")]
    assert len(pages) > 40
    assert [page for page in pages if f'class="reference internal" href="{page}"' not in contents] == []


def test_what_users_call_is_described_with_its_parameters(site):
    page = (site / "api" / "connection.html").read_text(encoding="utf-8")
    for name in ("connect", "Connection", "ResultTable"):
        assert re.search(rf'id="skydex\.connection\.[\w.]*{name}"', page), name
