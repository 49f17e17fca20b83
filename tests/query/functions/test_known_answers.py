"""Functions give the values that standards, other services and papers print: `known_answers.csv`."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest

KNOWN = list(csv.DictReader((Path(__file__).parent / "known_answers.csv").read_text(encoding="utf-8").splitlines()))


@pytest.mark.parametrize("case", KNOWN, ids=[case["expression"] for case in KNOWN])
def test_a_function_gives_what_is_published(case, answers):
    for table in answers(f"SELECT TOP 1 {case['expression']} AS v FROM sky.stars"):
        value = table.column(0)[0].as_py()
        expected = json.loads(case["expected"])
        if isinstance(expected, list):
            assert [None if math.isnan(item) else item for item in value] == [
                item if item is None else pytest.approx(item, rel=0, abs=float(case["tolerance"])) for item in expected
            ]
        elif isinstance(expected, float):
            assert value == pytest.approx(expected, rel=0, abs=float(case["tolerance"]))
        else:
            assert value == expected
