"""STILTS reads what skydex writes as CSV and ECSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from skydex.formats import get_format
from skydex.tables import Column, Datatype, Result


@pytest.mark.parametrize("name", ["csv", "ecsv"])
def test_values_and_nulls_are_the_same(
    name: str, result_of: Callable[..., Result], stilts: Callable[..., str], tmp_path: Path
) -> None:
    result = result_of(
        (Column("name", Datatype.CHAR, "*"), ["M 31", None, 'the "Toe", or NGC 1333']),
        (Column("ra", Datatype.DOUBLE, unit="deg"), [10.684708, None, 0.1]),
        (Column("id", Datatype.LONG), [2**53 + 1, None, -1]),
        (Column("ok", Datatype.BOOLEAN), [True, None, False]),
    )
    kind = get_format(name)
    assert kind.write is not None
    file = tmp_path / f"t.{name}"
    file.write_bytes(b"".join(kind.write(result)))
    rows = list(csv.reader(io.StringIO(stilts("tpipe", f"in={file}", f"ifmt={name}", "ofmt=csv", "out=-"))))
    assert rows == [
        ["name", "ra", "id", "ok"],
        ["M 31", "10.684708", "9007199254740993", "true"],
        ["", "", "", ""],
        ['the "Toe", or NGC 1333', "0.1", "-1", "false"],
    ]
