"""JSON: standard JSON whatever the values are, and read back as it was."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from skydex.errors import UnreadableFileError
from skydex.formats.jsontable import read_json, write_json
from skydex.tables import Column, Datatype, Result, arrow_schema


def refuse(word: str) -> Any:
    raise AssertionError(f"{word} is not JSON")


def written(result: Result) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(b"".join(write_json(result)), parse_constant=refuse)
    return content


def test_values_are_what_pythons_json_reads(result_of: Callable[..., Result]) -> None:
    every_character = "".join(map(chr, range(1, 128))) + "\x00 é 𝛼 \u2028"
    content = written(
        result_of(
            (Column("t", Datatype.CHAR, "*"), [every_character, None, ""]),
            (Column("x", Datatype.DOUBLE, unit="deg", ucd="pos"), [0.1, math.nan, -math.inf]),
            (Column("id", Datatype.LONG), [2**63 - 1, None, -(2**63)]),
            (Column("ok", Datatype.BOOLEAN), [True, False, None]),
            (Column("a", Datatype.DOUBLE, "*"), [[1.5, None, math.nan], [], None]),
            (Column("when", Datatype.CHAR, "26*", xtype="timestamp"), [dt.datetime(2015, 1, 1), None, None]),
        )
    )
    assert content["data"] == [
        [every_character, 0.1, 2**63 - 1, True, [1.5, None, None], "2015-01-01T00:00:00"],
        [None, None, None, False, [], None],
        ["", None, -(2**63), None, None, None],
    ]
    assert content["columns"][1] == {"name": "x", "datatype": "double", "unit": "deg", "ucd": "pos"}


@pytest.mark.parametrize("overflow", [True, False])
def test_overflow_is_said_after_the_rows(overflow: bool, result_of: Callable[..., Result]) -> None:
    content = written(result_of((Column("n", Datatype.INT), [1]), overflow=overflow))
    assert list(content)[-1] == "overflow"
    assert content["overflow"] is overflow


def test_no_rows_are_an_empty_array(result_of: Callable[..., Result]) -> None:
    assert written(result_of((Column("n", Datatype.INT), [])))["data"] == []


def test_written_form_is_read_back(result_of: Callable[..., Result], tmp_path: Path) -> None:
    columns = (Column("t", Datatype.CHAR, "9*"), Column("x", Datatype.FLOAT, unit="mag", description="magnitude"))
    file = tmp_path / "t.json"
    file.write_bytes(b"".join(write_json(result_of((columns[0], ["a", None]), (columns[1], [1.5, None])))))
    (source,) = read_json(file, {})
    assert source.columns == columns
    table = pa.Table.from_batches(source.open_batches(), arrow_schema(columns))
    assert table.to_pydict() == {"t": ["a", None], "x": [1.5, None]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1, 2]",
        "{}",
        '{"columns": [{"datatype": "int"}], "data": []}',
        '{"columns": [{"name": "n", "datatype": "int"}], "data": [["x"]]}',
        '{"columns": [{"name": "n", "datatype": "int"}], "data": [[1, 2]]}',
        "[" * 100_000,
    ],
)
def test_other_json_is_a_clean_error(text: str, tmp_path: Path) -> None:
    file = tmp_path / "t.json"
    file.write_text(text)
    with pytest.raises(UnreadableFileError):
        [list(source.open_batches()) for source in read_json(file, {})]
