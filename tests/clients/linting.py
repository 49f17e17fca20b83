"""What `stilts taplint` holds against a service, and what of that is explained."""

from __future__ import annotations

from pathlib import Path

EXPLAINED = Path(__file__).with_name("explained.txt")
STRICT = ("report=EWISF", "maxrepeat=1000", "truncate=4000")
"""Every stage, table and kind of report, and nothing held back."""
NO_PLAN = "F-LOC-NOTP-0001 No table with name ivoa.obsplan"
"""The finding that stays where a service shows no plan of observations."""


def findings(report):
    """What `taplint` holds against a service."""
    return [line for line in report.splitlines() if line[:2] in ("E-", "W-", "F-")]


def explained():
    """The findings that stay."""
    lines = EXPLAINED.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", " "))]
