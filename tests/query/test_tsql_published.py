"""Published queries of SkyServer and CasJobs: which are understood, and why the others are not."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

from sqlglot import exp

from skydex.errors import RequestError
from skydex.query import TSQL_RULES
from skydex.query.languages import parse_tsql, translate

OF_SKYQUERY_ALONE = re.compile(r"XMATCH|REGION|\w:\w|\[\$|HTMID|PARTITION")
"""Words and signs that SkyQuery added to T-SQL, and placeholders."""
REFUSED = Path(__file__).parent / "tsql_refused.csv"


def complaints(text: str) -> Iterator[str]:
    """What is not understood in the queries of a batch: constructs, and functions that are not offered."""
    try:
        trees = parse_tsql(text)
    except RequestError:
        yield "syntax"
        return
    for tree in trees:
        if not isinstance(tree, exp.Query):
            continue
        whole = exp.Subquery(this=tree)
        for variable in list(whole.find_all(exp.Parameter)):
            variable.replace(exp.Literal.number(1))
        try:
            query = translate(whole.this)
        except RequestError as error:
            yield str(error)
            continue
        calls = [call for call in query.find_all(exp.Anonymous) if not isinstance(call.parent, exp.Table | exp.Lateral)]
        known = TSQL_RULES.scalars.keys() | TSQL_RULES.calls.keys()
        yield from (call.name for call in calls if call.name.upper() not in known)


def test_published_queries_are_understood_but_for_those_listed_with_their_reason(shared_data):
    lines = (shared_data / "adql" / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    records = [record for record in map(json.loads, lines) if record["dialect"].startswith("tsql")]
    judged = [r for r in records if not r["template"] and not OF_SKYQUERY_ALONE.search(r["query"])]
    refused = {record["id"] for record in judged if any(complaints(record["query"]))}
    with REFUSED.open(encoding="utf-8", newline="") as file:
        assert refused == {row["id"] for row in csv.DictReader(file)}
    assert len(judged) == 90
