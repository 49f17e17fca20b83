"""CSV and TSV: types that hold for the whole file, nulls that stay apart from empty texts."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from skydex.errors import BadRecipeError, UnreadableFileError
from skydex.formats.delimited import read_csv, read_tsv, write_csv, write_tsv
from skydex.formats.format import Source
from skydex.tables import Column, Datatype, Result, arrow_schema


def source_of(tmp_path: Path, text: str | bytes, name: str = "t.csv", **options: Any) -> Source:
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    (source,) = (read_tsv if name.endswith(".tsv") else read_csv)(file, options)
    return source


def rows_of(source: Source) -> dict[str, list[Any]]:
    table = pa.Table.from_batches(source.open_batches(), arrow_schema(source.columns))
    assert table.num_rows == source.n_rows
    columns: dict[str, list[Any]] = table.to_pydict()
    return columns


def test_written_values_are_read_by_pythons_csv(result_of: Callable[..., Result]) -> None:
    raw = b"".join(
        write_csv(
            result_of(
                (Column("na,me", Datatype.CHAR, "*"), ["plain", 'a "b"', "c,d", "two\nlines", "", None]),
                (Column("x", Datatype.DOUBLE), [0.1, 1e22, float("inf"), -0.0, None, 1 / 3]),
                (Column("ok", Datatype.BOOLEAN), [True, False, None, None, None, None]),
            )
        )
    )
    assert raw.endswith(b"\r\n")
    assert list(csv.reader(io.StringIO(raw.decode(), newline=""))) == [
        ["na,me", "x", "ok"],
        ["plain", "0.1", "true"],
        ['a "b"', "1e+22", "false"],
        ["c,d", "Inf", ""],
        ["two\nlines", "-0", ""],
        ["", "", ""],
        ["", "0.3333333333333333", ""],
    ]


@pytest.mark.parametrize(("write", "name"), [(write_csv, "t.csv"), (write_tsv, "t.tsv")])
def test_nulls_and_empty_texts_and_words_for_null_stay_apart(
    write: Any, name: str, result_of: Callable[..., Result], tmp_path: Path
) -> None:
    values = ["", None, "NULL", "nan", "--", "\\N", "# no comment", "a\tb", "=1+1", "α"]
    raw = b"".join(write(result_of((Column("t", Datatype.CHAR, "*"), values), (Column("n", Datatype.INT), [1] * 10))))
    assert rows_of(source_of(tmp_path, raw, name))["t"] == values


def test_first_chunk_is_the_header_and_asks_for_no_row() -> None:
    def never() -> Any:
        raise AssertionError("a row was asked for")
        yield

    assert next(iter(write_csv(Result((Column("n", Datatype.INT),), never())))) == b"n\r\n"


@pytest.mark.parametrize("n_columns", [1, 2])
def test_overflow_is_a_last_comment_that_reading_skips(
    n_columns: int, result_of: Callable[..., Result], tmp_path: Path
) -> None:
    columns = [(Column(f"t{i}", Datatype.CHAR, "3*"), ["a", "b"]) for i in range(n_columns)]
    raw = b"".join(write_csv(result_of(*columns, max_rows=2, overflow=True)))
    assert raw.splitlines()[-1].startswith(b"# OVERFLOW: ")
    assert rows_of(source_of(tmp_path, raw))["t0"] == ["a", "b"]


def test_a_type_is_settled_by_the_last_row_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("skydex.formats.delimited.reader._BLOCK", 4096)
    lines = ["a,b,c,d", *["1,2,true,"] * 5000, "1.5,x,maybe,7"]
    source = source_of(tmp_path, "\n".join(lines))
    assert len(list(source.open_batches())) > 1
    assert [column.datatype.value for column in source.columns] == ["double", "char", "char", "long"]
    assert rows_of(source)["b"][-1] == "x"


def test_long_integers_are_exact_and_longer_ones_stay_texts(tmp_path: Path) -> None:
    source = source_of(tmp_path, "id,big\n1237668296598749280,99999999999999999999\n-9223372036854775808,1\n")
    assert rows_of(source) == {
        "id": [1237668296598749280, -(2**63)],
        "big": ["99999999999999999999", "1"],
    }


def test_labels_keep_their_leading_zeros_but_minutes_are_numbers(tmp_path: Path) -> None:
    assert rows_of(source_of(tmp_path, "flag,minute,mag\n000,05,0.5\n012,59,00.25\n")) == {
        "flag": ["000", "012"],
        "minute": [5, 59],
        "mag": [0.5, 0.25],
    }


@pytest.mark.parametrize("word", ["", "nan", "NaN", "NULL", "null", "--", "\\N", " "])
def test_words_for_null_are_null_in_numbers(word: str, tmp_path: Path) -> None:
    assert rows_of(source_of(tmp_path, f"a,b,c\n1,1.5,true\n{word},{word},{word}\n")) == {
        "a": [1, None],
        "b": [1.5, None],
        "c": [True, None],
    }


@pytest.mark.parametrize("number", ["+5", "5.0", "0.5e1", "5D0", " 5 ", '"5"'])
def test_numbers_may_be_spelt_in_many_ways(number: str, tmp_path: Path) -> None:
    assert rows_of(source_of(tmp_path, f"a,b\n{number},x\n4.5,y\n"))["a"] == [5, 4.5]


def test_what_arrow_alone_takes_for_a_number_is_a_text(tmp_path: Path) -> None:
    assert rows_of(source_of(tmp_path, "a,b\n0x1F,1\n0x20,2\n"))["a"] == ["0x1F", "0x20"]


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
def test_delimiter_is_found(delimiter: str, tmp_path: Path) -> None:
    text = delimiter.join(["name", "ra"]) + "\n" + delimiter.join(["M 31", "10.68"]) + "\n"
    assert rows_of(source_of(tmp_path, text)) == {"name": ["M 31"], "ra": [10.68]}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("# made by X\n# on Monday\nid,ra\n1,2\n", ["id", "ra"]),
        ("# id,ra\n1,2\n", ["id", "ra"]),
        ("1,2\n3,4\n", ["col1", "col2"]),
        ("\ufeffid,ra\n1,2\n", ["id", "ra"]),
        (",ra,RA,x\n1,2,3,4\n", ["col1", "ra", "RA_2", "x"]),
    ],
)
def test_names_are_found_where_they_stand(text: str, names: list[str], tmp_path: Path) -> None:
    assert [column.name for column in source_of(tmp_path, text).columns] == names


def test_caller_may_name_the_columns(tmp_path: Path) -> None:
    assert rows_of(source_of(tmp_path, "1,2\n", names=["id", "n"])) == {"id": [1], "n": [2]}
    with pytest.raises(BadRecipeError, match="3 names"):
        source_of(tmp_path, "1,2\n", names=["a", "b", "c"])


@pytest.mark.parametrize(("pack", "name"), [(gzip.compress, "t.csv.gz"), (bz2.compress, "t.csv.bz2"), (None, "t.zip")])
def test_compressed_files_are_read(pack: Any, name: str, tmp_path: Path) -> None:
    content = b"id,t\n1,a\n"
    if pack is None:
        with zipfile.ZipFile(tmp_path / "made.zip", "w") as archive:
            archive.writestr("inside.csv", content)
        pack = lambda _: (tmp_path / "made.zip").read_bytes()  # noqa: E731
    assert rows_of(source_of(tmp_path, pack(content), name)) == {"id": [1], "t": ["a"]}


def test_old_encodings_and_wide_texts_are_told_apart(tmp_path: Path) -> None:
    source = source_of(tmp_path, "n,t\n1,Bételgeuse\n".encode("latin-1"))
    assert rows_of(source) == {"n": [1], "t": ["Bételgeuse"]}
    assert (source.columns[1].datatype, source.columns[1].arraysize) == (Datatype.UNICODE_CHAR, "10*")


def test_an_old_encoding_may_show_only_late(tmp_path: Path) -> None:
    text = "n,t\n" + "1,plain\n" * 100_000 + "2,Bételgeuse\n"
    assert rows_of(source_of(tmp_path, text.encode("latin-1")))["t"][-1] == "Bételgeuse"


def test_short_rows_are_filled_up_and_long_ones_refused_by_line(tmp_path: Path) -> None:
    assert rows_of(source_of(tmp_path, "a,b,c\n1\n4,5,6\n")) == {"a": [1, 4], "b": [None, 5], "c": [None, 6]}
    with pytest.raises(UnreadableFileError, match="line 3 has 4 fields"):
        source_of(tmp_path, "a,b,c\n1,2,3\n4,5,6,7\n")


def test_mysql_dumps_keep_their_escapes(tmp_path: Path) -> None:
    assert rows_of(source_of(tmp_path, '1\t\\N\ta\\\tb"\n2\t3\tc\\nd\n', "t.tsv")) == {
        "col1": [1, 2],
        "col2": [None, 3],
        "col3": ['a\\tb"', "c\\nd"],
    }


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"# only\n", b"a\0b\n", gzip.compress(b"a,b\n1,2\n" * 9999, mtime=0)[:50]],
    ids=["empty", "blank lines", "comment", "zero byte", "torn gzip"],
)
def test_files_without_a_table_are_clean_errors(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError):
        source_of(tmp_path, content)


def test_a_bomb_is_stopped_at_its_limit(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="more bytes than are accepted"):
        source_of(tmp_path, gzip.compress(b"a,b\n" + b"1,2\n" * 1_000_000), "t.csv.gz", max_bytes=1 << 20)
