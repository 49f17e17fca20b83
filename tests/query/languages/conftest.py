"""Queries of the reference suites, and how to judge a text."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from skydex.errors import LimitError, RequestError
from skydex.query.languages import parse_adql

_VERSIONS = {"adql-2.0": ("2.0",), "adql-2.1": ("2.1",), "adql-2.0|2.1": ("2.0", "2.1"), "adql": ("2.1",)}


@dataclass(frozen=True)
class Judged:
    """A query on which a reference suite has given its verdict for one version of ADQL."""

    id: str
    version: str
    text: str
    expect: str

    @property
    def suite(self) -> str:
        return f"{self.id.split('-')[0]} {self.version}"


@pytest.fixture(scope="session")
def judged_queries(shared_data) -> list[Judged]:
    """Every query of the reference suites that has a verdict, once for each version it holds for."""
    return [
        Judged(record["id"], version, record["query"], record["expect"])
        for record in _records(shared_data)
        if record["expect"] != "unknown"
        for version in _VERSIONS.get(record["dialect"], ())
    ]


@pytest.fixture(scope="session")
def sample_texts(shared_data) -> list[str]:
    """Texts of all sample queries, of whatever dialect."""
    return [record["query"] for record in _records(shared_data)]


@pytest.fixture(scope="session")
def exceptions() -> dict[tuple[str, str], str]:
    """Reasons why a verdict differs, by query and version."""
    with (Path(__file__).parent / "adql_exceptions.csv").open(encoding="utf-8", newline="") as file:
        return {(row["id"], row["version"]): row["reason"] for row in csv.DictReader(file)}


@pytest.fixture(scope="session")
def verdict():
    """Judge a text: `valid`, or `invalid` if it raises a declared error."""

    def judge(text: str, version: str) -> str:
        try:
            parse_adql(text, version=version)
        except (RequestError, LimitError):
            return "invalid"
        return "valid"

    return judge


def _records(shared_data: Path) -> list[dict[str, str]]:
    lines = (shared_data / "adql" / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]
