"""The page of promises names tests that are there, and settings that exist."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from skydex.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "explanation" / "promises.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| R\d\d ", line)
]
OF_QUERIES_AND_JOBS = {f"R{number:02}" for number in (*range(1, 11), 15, 16)}


def test_every_promise_about_queries_jobs_and_uploads_is_on_the_page():
    assert {row[0] for row in ROWS} >= OF_QUERIES_AND_JOBS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_promise_is_shown_by_tests_of_its_number(row):
    number, _, bounds, tests = row
    for file in re.findall(r"`([^`]+)`", tests):
        names = re.findall(r"def test_((?:r\d\d_)+)", (ROOT / file).read_text(encoding="utf-8"))
        assert any(number.lower() in name for name in names), f"{file} shows nothing of {number}"
    known = {setting.name for setting in fields(Settings)}
    assert set(re.findall(r"`([^`]+)`", bounds)) <= known
