"""Verdicts of four independent ADQL suites: lyonetia (IVOA), GAVO DaCHS, CDS VOLLT and queryparser."""

from __future__ import annotations

from tests.query.languages.verdicts import TABLE, table


def test_every_query_outside_the_list_of_exceptions_gets_its_verdict(given_verdicts, exceptions):
    wrong = {(v.id, v.version): v.text for v in given_verdicts if not v.agrees}
    assert {key: text for key, text in wrong.items() if key not in exceptions} == {}


def test_the_list_of_exceptions_holds_nothing_that_agrees_and_gives_reasons(given_verdicts, exceptions):
    assert set(exceptions) == {(v.id, v.version) for v in given_verdicts if not v.agrees}
    assert all(len(reason) > 30 for reason in exceptions.values())


def test_the_shares_of_agreement_are_those_of_the_table(given_verdicts):
    assert TABLE.read_text(encoding="utf-8") == table(given_verdicts), "python -m tests.query.languages.verdicts"


def test_at_least_98_of_100_verdicts_agree_and_96_in_each_suite():
    lines = [line.split(",") for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]]
    percent = {(suite, version): float(share) for suite, version, *_, share in lines}
    assert percent.pop(("all", "")) >= 98.0
    assert min(percent.values()) >= 96.0
    assert sum(int(line[2]) for line in lines[:-1]) == int(lines[-1][2]) > 700
