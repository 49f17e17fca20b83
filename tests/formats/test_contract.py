"""One contract for every format: what it writes is read back equal, and it says when a result was cut."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import random
from collections.abc import Callable, Iterator

import pyarrow as pa
import pytest

from skydex.formats import Format, format_of_file, writable
from skydex.tables import Column, Datatype, Result, arrow_schema

Rows = list[list[object]]
Case = tuple[tuple[Column, ...], Rows]

CANNOT = {
    ("fits", "texts_with_control_characters"): "a FITS text is printable ASCII",
    ("html", "texts_with_control_characters"): "HTML cannot hold them",
    ("html", "no_rows"): "astropy, which reads HTML, sees no table where there are no rows",
    ("json", "infinite_numbers"): "JSON has none; they become null",
    ("votable/td", "texts_with_control_characters"): "XML 1.0 cannot hold them; U+FFFD stands for each, with a warning",
}
"""What a format cannot carry, and why."""

TEXT_ONLY = {"csv", "tsv", "text", "html"}
"""Formats that carry characters but no types: an array comes back as its text."""


def column(name: str, datatype: str, arraysize: str | None = None, **facts: str) -> Column:
    return Column(name, Datatype(datatype), arraysize=arraysize, **facts)


def every_type() -> Case:
    columns = (
        column("name", "char", "22*", ucd="meta.id;meta.main", description="Name & more"),
        column("ra", "double", unit="deg", ucd="pos.eq.ra;meta.main"),
        column("mag", "float", unit="mag"),
        column("n", "short"),
        column("count", "int"),
        column("id", "long"),
        column("flags", "unsignedByte"),
        column("is_variable", "boolean"),
    )
    return columns, [
        ["2CXO J0001", 10.5, 20.25, -7, 3, 2**53 + 1, 255, True],
        [None, None, None, None, None, None, None, None],
        ["2CXO J0003", 359.99999999999994, -1.5, 12, -(2**31) + 1, -(2**63) + 1, 0, False],
    ]


def no_rows() -> Case:
    return every_type()[0], []


def nothing_but_nulls() -> Case:
    return every_type()[0], [[None] * 8] * 3


def repeated_names() -> Case:
    columns = (column("TargetName", "char", "9*"), column("x", "int"), column("TargetName", "char", "9*"))
    return columns, [["M87", 1, "NGC 4486"], ["M31", 2, "NGC 224"]]


def texts_with_markup() -> Case:
    texts = [
        "<b>&amp;</b>",
        "]]>",
        'a "quoted" word',
        "it's",
        "a,b;c|d",
        "=1+1",
        "<script>",
        "x\ty",
        "-- x",
        "a\\nb",
        "#1",
    ]
    return (column("text", "char", "*"), column("n", "int")), [[text, i] for i, text in enumerate(texts)]


def texts_with_line_breaks() -> Case:
    return (column("text", "char", "*"), column("n", "int")), [["one\ntwo", 1], ["three", 2]]


def texts_with_control_characters() -> Case:
    return (column("text", "char", "9*"), column("n", "int")), [["a\x01b", 1], ["\x1b[31m", 2]]


def texts_beyond_ascii() -> Case:
    texts = ["Ångström", "α Cen", "naïve", "日本", "plain", None, "𝛼 beyond the first plane"]
    return (column("text", "unicodeChar", "30*"), column("n", "int")), [[text, i] for i, text in enumerate(texts)]


def char_that_is_not_ascii_after_all() -> Case:
    return (column("text", "char", "30*"), column("n", "int")), [["Ångström", 1], ["plain", 2]]


def texts_of_fixed_size() -> Case:
    columns = (column("band", "char"), column("name", "char", "5"), column("greek", "unicodeChar", "3"))
    return columns, [["g", "NGC", "αβγ"], ["r", "12345", "α"], [None, None, None]]


def seventy_columns() -> Case:
    chance = random.Random(7)
    columns = tuple(column(f"c{i}", ("double", "int", "boolean")[i % 3]) for i in range(70))
    value: dict[int, Callable[[], object]] = {
        0: chance.random,
        1: lambda: chance.randrange(-999, 999),
        2: lambda: chance.random() < 0.5,
    }
    rows: Rows = [[None if chance.random() < 0.3 else value[i % 3]() for i in range(70)] for _ in range(20)]
    return columns, [[chance.random(), 1, True, *row[3:]] for row in rows]


def extreme_numbers() -> Case:
    columns = (column("double", "double"), column("float", "float"), column("long", "long"), column("short", "short"))
    return columns, [
        [1.7976931348623157e308, 3.4028234663852886e38, 2**63 - 1, 32767],
        [5e-324, 1.401298464324817e-45, -(2**63) + 1, -32767],
        [0.1 + 0.2, -0.0, 0, 0],
        [1e16 + 2, 16777216.0, 10**18 + 1, 2],
    ]


def infinite_numbers() -> Case:
    return (column("double", "double"), column("float", "float")), [[math.inf, -math.inf], [1.0, 2.0]]


def arrays() -> Case:
    columns = (
        column("id", "int"),
        column("flux", "double", "3", unit="Jy"),
        column("all_mjd", "double", "*"),
        column("n", "int", "*"),
        column("mask", "unsignedByte", "4"),
    )
    return columns, [
        [1, [1.5, 2.5, 3.5], [0.1, 0.2], [1, -2, 3], [1, 2, 3, 4]],
        [2, [4.5, 5.5, 6.5], [55000.5], [7], [0, 0, 0, 255]],
    ]


def timestamps() -> Case:
    columns = (column("t", "char", "26*", xtype="timestamp"), column("n", "int"))
    return columns, [
        [dt.datetime(2015, 1, 1), 1],
        [None, 2],
        [dt.datetime(1858, 11, 17, 12, 30, 1, 500_000), 3],
        [dt.datetime(2099, 12, 31, 23, 59, 59), 4],
    ]


def batches_of_odd_sizes() -> Case:
    columns = (column("name", "char", "20*"), column("x", "double"), column("n", "int"))
    return columns, [[f"source {i * i}", i / 7, None if i % 5 == 0 else i] for i in range(5_000)]


CASES: dict[str, Callable[[], Case]] = {
    case.__name__: case
    for case in (
        every_type,
        no_rows,
        nothing_but_nulls,
        repeated_names,
        texts_with_markup,
        texts_with_line_breaks,
        texts_with_control_characters,
        texts_beyond_ascii,
        char_that_is_not_ascii_after_all,
        texts_of_fixed_size,
        seventy_columns,
        extreme_numbers,
        infinite_numbers,
        arrays,
        timestamps,
        batches_of_odd_sizes,
    )
}


def batches_of(columns: tuple[Column, ...], rows: Rows) -> Iterator[pa.RecordBatch]:
    """Rows in batches of odd sizes, an empty one among them."""
    schema = arrow_schema(columns)
    sizes = itertools.chain([1, 0, 2], itertools.repeat(997))
    while rows:
        size = next(sizes)
        part, rows = rows[:size], rows[size:]
        cells = list(zip(*part, strict=True)) or [()] * len(columns)
        arrays = [pa.array(list(values), kind) for values, kind in zip(cells, schema.types, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def written(kind: Format, case: Case, **facts: object) -> bytes:
    assert kind.write is not None
    return b"".join(kind.write(Result(case[0], batches_of(*case), **facts)))


def same(wrote: object, read: object, kind: str, of: Column) -> bool:
    """Whether a value came back as it went; a format without types may spell it."""
    if wrote is None or wrote == "":
        return read in (None, "") or (isinstance(read, float) and math.isnan(read)) or read == []
    if isinstance(wrote, list):
        if kind in TEXT_ONLY and isinstance(read, str):
            read = [float(word) for word in read.split()]
        return isinstance(read, list) and [float(x) for x in read] == [float(x) for x in wrote]
    if isinstance(wrote, dt.datetime):
        return read == wrote or (isinstance(read, str) and dt.datetime.fromisoformat(read) == wrote)
    if isinstance(wrote, bool) and isinstance(read, str):
        return read.lower() in (("true", "t", "1") if wrote else ("false", "f", "0"))
    if isinstance(wrote, float) and of.datatype is Datatype.FLOAT:
        return pa.scalar(float(read), pa.float32()) == pa.scalar(wrote, pa.float32())
    if isinstance(wrote, int | float) and isinstance(read, str):
        return float(read) == wrote
    return wrote == read


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("kind", writable(), ids=lambda kind: kind.name)
def test_what_is_written_is_read_back_equal(kind: Format, name: str, tmp_path):
    if (kind.name, name) in CANNOT:
        pytest.skip(CANNOT[kind.name, name])
    columns, rows = CASES[name]()
    file = tmp_path / f"result{kind.suffixes[0]}"
    file.write_bytes(written(kind, (columns, rows)))
    reader = format_of_file(file)
    if reader.read is None:
        pytest.skip(f"nothing reads {kind.name}")
    (source,) = reader.read(file, {})
    table = pa.Table.from_batches(source.open_batches(), arrow_schema(source.columns))
    read = list(zip(*(values.to_pylist() for values in table.columns), strict=True))
    assert len(source.columns) == len(columns)
    assert len(read) == len(rows)
    for i, of in enumerate(columns):
        wrote, got = [row[i] for row in rows], [row[i] for row in read]
        different = [(a, b) for a, b in zip(wrote, got, strict=True) if not same(a, b, kind.name, of)]
        assert not different, of.name


@pytest.mark.parametrize("kind", writable(), ids=lambda kind: kind.name)
def test_names_come_back(kind: Format, tmp_path):
    file = tmp_path / f"result{kind.suffixes[0]}"
    file.write_bytes(written(kind, every_type()))
    reader = format_of_file(file)
    if reader.read is None:
        pytest.skip(f"nothing reads {kind.name}")
    (source,) = reader.read(file, {})
    assert [of.name for of in source.columns] == [of.name for of in every_type()[0]]


@pytest.mark.parametrize("kind", writable(), ids=lambda kind: kind.name)
def test_whether_a_result_was_cut_is_asked_at_its_end_and_told(kind: Format):
    def result(overflow: bool) -> Result:
        columns, rows = every_type()

        def batches() -> Iterator[pa.RecordBatch]:
            yield from batches_of(columns, rows)
            cut.overflow = overflow

        cut = Result(columns, batches(), max_rows=3)
        return cut

    assert kind.write is not None
    assert b"".join(kind.write(result(True))) != b"".join(kind.write(result(False)))


@pytest.mark.parametrize("kind", writable(), ids=lambda kind: kind.name)
def test_the_first_bytes_do_not_wait_for_the_last_rows(kind: Format):
    if kind.name in ("fits", "text"):
        pytest.skip("says at its beginning what is known at its end (number of rows, widths)")
    asked = []

    def batches() -> Iterator[pa.RecordBatch]:
        columns, rows = every_type()
        for i in range(100):
            asked.append(i)
            yield from batches_of(columns, rows * 1000)

    assert kind.write is not None
    next(iter(kind.write(Result(every_type()[0], batches()))))
    assert len(asked) < 100
