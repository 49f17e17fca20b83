"""What reference suites say of queries, what the parser says, and the table of both by suite.

`python -m tests.query.languages.verdicts` writes the table `adql_verdicts.csv` again; a test compares it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from skydex.errors import LimitError, RequestError
from skydex.query.languages import parse_adql

__all__ = ["TABLE", "Exceptions", "Verdict", "read_exceptions", "table", "verdicts"]

Exceptions = Mapping[tuple[str, str], str]

HERE = Path(__file__).parent
TABLE = HERE / "adql_verdicts.csv"
VERSIONS = {"adql-2.0": ("2.0",), "adql-2.1": ("2.1",), "adql-2.0|2.1": ("2.0", "2.1"), "adql": ("2.1",)}
"""Versions that a verdict holds for, by dialect; dialects of one service with extensions of its own are no ADQL."""
SUITES = {
    "lyo": "lyonetia (IVOA)",
    "gavo": "DaCHS (GAVO)",
    "vollt": "VOLLT (CDS)",
    "qp": "queryparser (AIP)",
    "seed": "notebooks",
}


@dataclass(frozen=True)
class Verdict:
    """What is said of one text in one version of ADQL."""

    id: str
    version: str
    text: str
    expect: str
    """`valid` or `invalid`, by the suite that it comes from."""
    found: str
    """The same by our parser."""

    @property
    def agrees(self) -> bool:
        return self.found == self.expect

    @property
    def suite(self) -> str:
        return SUITES[self.id.partition("-")[0]]


def judged(text: str, version: str) -> str:
    """`valid`, or `invalid` if parsing raises a declared error."""
    try:
        parse_adql(text, version=version)
    except (RequestError, LimitError):
        return "invalid"
    return "valid"


def verdicts(queries: Path) -> list[Verdict]:
    """Every query of the reference suites that has a verdict, once for each version it holds for."""
    records = [json.loads(line) for line in queries.read_text(encoding="utf-8").splitlines()]
    return [
        Verdict(record["id"], version, record["query"], record["expect"], judged(record["query"], version))
        for record in records
        if record["expect"] != "unknown"
        for version in VERSIONS.get(record["dialect"], ())
    ]


def read_exceptions() -> Exceptions:
    """Reasons why a verdict differs, by query and version."""
    with (HERE / "adql_exceptions.csv").open(encoding="utf-8", newline="") as file:
        return {(row["id"], row["version"]): row["reason"] for row in csv.DictReader(file)}


def table(of: Sequence[Verdict]) -> str:
    """How many verdicts agree, by suite and version, and of all."""
    groups = sorted({(verdict.suite, verdict.version) for verdict in of})
    rows = [(*group, [v.agrees for v in of if (v.suite, v.version) == group]) for group in groups]
    rows.append(("all", "", [verdict.agrees for verdict in of]))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("suite", "version", "verdicts", "agreeing", "percent"))
    for suite, version, agreeing in rows:
        writer.writerow((suite, version, len(agreeing), sum(agreeing), f"{100.0 * sum(agreeing) / len(agreeing):.1f}"))
    return text.getvalue()


if __name__ == "__main__":
    found = verdicts(HERE.parents[3] / "shared" / "data" / "adql" / "queries.jsonl")
    TABLE.write_text(table(found), encoding="utf-8")
    print(TABLE.read_text(encoding="utf-8"), end="")
