"""Decoded rows are kept within bounds, and what is kept is what was read."""

from __future__ import annotations

import pyarrow as pa

from skydex.store.warm import WarmRows


def _table(n_rows: int) -> pa.Table:
    return pa.table({"x": pa.array(range(n_rows), pa.int64())})


def _never() -> pa.Table:
    raise AssertionError("It is kept, and need not be read.")


def test_a_table_is_read_once() -> None:
    warm, table = WarmRows(100_000), _table(100)
    assert warm.get("a", lambda: table) is table
    assert warm.get("a", _never) is table


def test_the_one_longest_unused_goes_first() -> None:
    warm = WarmRows(4 * 8_000)
    tables = {key: _table(1_000) for key in "abcde"}
    for key in "abcd":
        warm.get(key, lambda key=key: tables[key])
    warm.get("a", _never)
    warm.get("e", lambda: tables["e"])
    assert len(warm) == 4
    assert warm.get("a", _never) is tables["a"]
    fresh = _table(1_000)
    assert warm.get("b", lambda: fresh) is fresh


def test_a_large_table_is_given_but_not_kept() -> None:
    warm, large = WarmRows(10_000), _table(1_000)
    assert warm.get("large", lambda: large) is large
    assert len(warm) == 0
