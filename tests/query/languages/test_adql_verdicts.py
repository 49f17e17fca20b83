"""Verdicts of four independent ADQL suites: lyonetia (IVOA), GAVO DaCHS, CDS VOLLT and queryparser."""

from __future__ import annotations

from collections import Counter


def test_every_query_outside_the_list_of_exceptions_gets_its_verdict(judged_queries, exceptions, verdict):
    wrong = {(q.id, q.version): q.text for q in judged_queries if verdict(q.text, q.version) != q.expect}
    assert {key: text for key, text in wrong.items() if key not in exceptions} == {}


def test_the_list_of_exceptions_holds_nothing_that_agrees(judged_queries, exceptions, verdict):
    wrong = {(q.id, q.version) for q in judged_queries if verdict(q.text, q.version) != q.expect}
    assert set(exceptions) == wrong


def test_at_least_98_of_100_verdicts_agree_and_96_in_each_suite(judged_queries, exceptions):
    number = Counter(query.suite for query in judged_queries)
    differing = Counter(query.suite for query in judged_queries if (query.id, query.version) in exceptions)
    assert len(judged_queries) > 700
    assert sum(differing.values()) <= 0.02 * len(judged_queries)
    assert all(differing[suite] <= 0.04 * number[suite] for suite in number)
