"""Queries of the reference suites, with the verdicts on them."""

from __future__ import annotations

import json

import pytest
from tests.query.languages.verdicts import Exceptions, Verdict, read_exceptions, verdicts


@pytest.fixture(scope="session")
def given_verdicts(shared_data) -> list[Verdict]:
    """What the suites say of their queries, and what the parser says."""
    return verdicts(shared_data / "adql" / "queries.jsonl")


@pytest.fixture(scope="session")
def exceptions() -> Exceptions:
    """Reasons why a verdict differs, by query and version."""
    return read_exceptions()


@pytest.fixture(scope="session")
def sample_texts(shared_data) -> list[str]:
    """Texts of all sample queries, of whatever dialect."""
    lines = (shared_data / "adql" / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["query"] for line in lines]
