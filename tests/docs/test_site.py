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


def test_the_site_is_built_without_a_warning_and_has_all_pages_and_all_that_users_call(tmp_path):
    """One test, since building takes half a minute; what the notebooks print is left out, and has tests of its own."""
    site = built_site(tmp_path)
    contents = (site / "README.html").read_text(encoding="utf-8")
    pages = [page.relative_to(DOCS).with_suffix(".html").as_posix() for page in DOCS.glob("*/*.md")]
    assert len(pages) > 40
    assert [page for page in pages if f'class="reference internal" href="{page}"' not in contents] == []
    described = (site / "api" / "connection.html").read_text(encoding="utf-8")
    for name in ("connect", "Connection", "ResultTable"):
        assert re.search(rf'id="skydex\.connection\.[\w.]*{name}"', described), name


def built_site(where: Path) -> Path:
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-D", "nb_execution_mode=off"]
    built = subprocess.run(
        [*command, "-b", "html", "-d", str(where / "doctrees"), str(DOCS), str(where / "html")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert built.returncode == 0, built.stderr
    return where / "html"
