"""FITS out: what astropy and STILTS find in a table that skydex wrote."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from astropy.io import fits
from astropy.table import Table

from skydex.errors import BadParameterError
from skydex.formats.fits import write_fits
from skydex.tables import Column, Datatype, Result, arrow_schema


def written(result: Result) -> bytes:
    return b"".join(write_fits(result))


@pytest.fixture(autouse=True)
def _warnings_are_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_astropy_verifies_and_reads_units_and_nulls(result_of: Callable[..., Result]) -> None:
    raw = written(
        result_of(
            (Column("name", Datatype.CHAR, "22*", description="Source & name"), ["2CXO J1", None, "M 31"]),
            (Column("ra", Datatype.DOUBLE, unit="deg", ucd="pos.eq.ra"), [1.5, None, 2.5]),
            (Column("n", Datatype.SHORT), [1, None, -32768]),
        )
    )
    with fits.open(io.BytesIO(raw)) as hdus:
        hdus.verify("exception")
        assert hdus[1].header["TUCD2"] == "pos.eq.ra"
        assert hdus[1].header["TCOMM1"] == "Source & name"
        assert hdus[1].header["TNULL3"] == 32767  # -32768 occurs
    table = Table.read(io.BytesIO(raw))
    assert table["name"].dtype.itemsize == 22 * table["name"].dtype.alignment
    assert table["ra"].unit == "deg"
    assert table["ra"].filled(-1).tolist() == [1.5, -1, 2.5]
    assert table["n"].mask.tolist() == [False, True, False]


@pytest.mark.parametrize(("values", "null"), [([1, None], 999_999), ([10**6, None, 1], -(2**31))])
def test_a_missing_integer_is_the_one_that_astropy_writes_unless_it_may_occur(result_of, values, null) -> None:
    raw = written(result_of((Column("n", Datatype.INT), values)))
    with fits.open(io.BytesIO(raw)) as hdus:
        assert hdus[1].header["TNULL1"] == null
    assert Table.read(io.BytesIO(raw))["n"].tolist() == values


def test_a_missing_truth_value_is_a_zero_byte(result_of: Callable[..., Result]) -> None:
    raw = written(result_of((Column("ok", Datatype.BOOLEAN), [True, None, False])))
    with fits.open(io.BytesIO(raw), logical_as_bytes=True) as hdus:
        assert hdus[1].data.field("ok").tolist() == [b"T", b"", b"F"]


def test_file_is_whole_blocks_and_empty_primary_comes_first(result_of: Callable[..., Result]) -> None:
    raw = written(result_of((Column("n", Datatype.INT), list(range(1000)))))
    assert len(raw) % 2880 == 0
    assert raw[:80] == b"SIMPLE  =                    T / conforms to FITS standard                      "


@pytest.mark.parametrize("overflow", [True, False])
def test_overflow_is_a_card(overflow: bool, result_of: Callable[..., Result]) -> None:
    result = result_of((Column("n", Datatype.INT), [1]), max_rows=1, overflow=overflow)
    assert fits.getheader(io.BytesIO(written(result)), 1)["OVERFLOW"] is overflow


def test_null_is_an_integer_that_does_not_occur_even_where_all_bytes_do(result_of: Callable[..., Result]) -> None:
    table = Table.read(io.BytesIO(written(result_of((Column("b", Datatype.UNSIGNED_BYTE), [*range(256), None])))))
    assert table["b"].mask.tolist() == [False] * 256 + [True]
    assert table["b"][:256].tolist() == list(range(256))


def test_null_is_found_where_both_ends_of_64_bits_occur(result_of: Callable[..., Result]) -> None:
    values = [-(2**63), 2**63 - 1, -(2**63) + 1, None]
    table = Table.read(io.BytesIO(written(result_of((Column("k", Datatype.LONG), values)))))
    assert table["k"].tolist() == values


def test_unbounded_text_is_as_wide_as_its_longest_value(result_of: Callable[..., Result]) -> None:
    raw = written(result_of((Column("t", Datatype.CHAR, "*"), ["a", "abcdefg", None])))
    assert fits.getheader(io.BytesIO(raw), 1)["TFORM1"] == "7A"


def test_one_long_text_among_many_rows_goes_to_the_heap(result_of: Callable[..., Result]) -> None:
    texts = ["x" * 3_000, *["y"] * 25_000]
    raw = written(result_of((Column("t", Datatype.CHAR, "*"), texts)))
    assert len(raw) < 1_000_000
    with fits.open(io.BytesIO(raw)) as hdus:
        assert ["".join(text) for text in hdus[1].data.field("t")[:2]] == ["x" * 3_000, "y"]


def test_arrays_are_fixed_where_promised_and_variable_elsewhere(result_of: Callable[..., Result]) -> None:
    raw = written(
        result_of(
            (Column("xyz", Datatype.DOUBLE, "3"), [[1, 2, 3], None, [7, 8, 9]]),
            (Column("image", Datatype.SHORT, "2x3"), [[1, 2, 3, 4, 5, 6]] * 3),
            (Column("mjd", Datatype.FLOAT, "*"), [[1.5], [], [2.5, 3.5]]),
            (Column("flags", Datatype.INT, "*"), [None, [4], [5, None]]),
        )
    )
    with fits.open(io.BytesIO(raw)) as hdus:
        data, header = hdus[1].data, hdus[1].header
        assert [header[f"TFORM{n}"] for n in (1, 2, 3, 4)] == ["3D", "6I", "PE(2)", "PJ(2)"]
        assert np.isnan(data["xyz"][1]).all()
        assert data["image"][0].tolist() == [[1, 2], [3, 4], [5, 6]]
        assert [row.tolist() for row in data["mjd"]] == [[1.5], [], [2.5, 3.5]]
        assert [row.tolist() for row in data["flags"]] == [[], [4], [5, header["TNULL4"]]]


def test_names_become_unique_short_and_plain(result_of: Callable[..., Result]) -> None:
    names = ["mag", "MAG", "", "Ångström", "x" * 100, "x" * 100]
    header = fits.getheader(io.BytesIO(written(result_of(*[(Column(n, Datatype.INT), [1]) for n in names]))), 1)
    found = [header[f"TTYPE{n}"] for n in range(1, 7)]
    assert found[:4] == ["mag", "MAG_2", "col3", "Angstrom"]
    assert len({name.lower() for name in found}) == 6
    assert max(map(len, found)) <= 68


def test_more_columns_than_fits_can_have_are_refused(result_of: Callable[..., Result]) -> None:
    columns = [(Column(f"c{n}", Datatype.INT), [1]) for n in range(1000)]
    with pytest.raises(BadParameterError, match="at most 999"):
        written(result_of(*columns))


def test_999_columns_are_written(result_of: Callable[..., Result]) -> None:
    raw = written(result_of(*[(Column(f"c{n}", Datatype.INT), [n]) for n in range(999)]))
    assert fits.getdata(io.BytesIO(raw), 1)[0][998] == 998


def test_no_rows_are_a_valid_table(result_of: Callable[..., Result]) -> None:
    raw = written(result_of((Column("n", Datatype.INT), []), (Column("t", Datatype.CHAR, "*"), [])))
    with fits.open(io.BytesIO(raw)) as hdus:
        hdus.verify("exception")
        assert len(hdus[1].data) == 0


def test_rows_beyond_memory_go_to_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skydex.formats.spool._IN_MEMORY", 1 << 10)
    columns = (Column("n", Datatype.LONG), Column("t", Datatype.CHAR, "*"))
    schema = arrow_schema(columns)
    batches = [
        pa.RecordBatch.from_arrays([pa.array([i] * 500), pa.array([f"text {i}"] * 500)], schema=schema)
        for i in range(20)
    ]
    table = Table.read(io.BytesIO(written(Result(columns, iter(batches)))))
    assert table["n"].tolist() == [i for i in range(20) for _ in range(500)]


def test_stilts_reads_the_same_values_and_metadata(
    result_of: Callable[..., Result], stilts: Callable[..., str], tmp_path: Path
) -> None:
    file = tmp_path / "t.fits"
    pairs: list[tuple[Column, list[Any]]] = [
        (Column("name", Datatype.CHAR, "8*", description="The name"), ["M 31", None, "NGC 1333"]),
        (Column("ra", Datatype.DOUBLE, unit="deg", ucd="pos.eq.ra;meta.main"), [10.684708, None, 52.2970996]),
        (Column("id", Datatype.LONG), [2**53 + 1, None, -1]),
        (Column("ok", Datatype.BOOLEAN), [True, None, False]),
    ]
    file.write_bytes(written(result_of(*pairs)))
    rows = list(csv.reader(io.StringIO(stilts("tpipe", f"in={file}", "ifmt=fits", "ofmt=csv", "out=-"))))
    assert rows[0] == ["name", "ra", "id", "ok"]
    assert rows[1:] == [
        ["M 31", "10.684708", "9007199254740993", "true"],
        ["", "", "", ""],
        ["NGC 1333", "52.2970996", "-1", "false"],
    ]
    described = stilts("tpipe", f"in={file}", "ifmt=fits", "cmd=meta Name Units UCD Description", "ofmt=csv", "out=-")
    assert "ra,deg,pos.eq.ra;meta.main," in described
    assert "name,,,The name" in described
