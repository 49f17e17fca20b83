"""ECSV: what astropy writes is read, and what skydex writes astropy reads, with units, descriptions and nulls."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import astropy.units as u
import numpy as np
import pyarrow as pa
import pytest
from astropy.table import MaskedColumn, QTable, Table

from skydex.errors import UnreadableFileError
from skydex.formats.ecsv import read_ecsv, write_ecsv
from skydex.formats.format import Source
from skydex.tables import Column, Datatype, Result, arrow_schema


def table_of(source: Source) -> pa.Table:
    return pa.Table.from_batches(source.open_batches(), arrow_schema(source.columns))


def test_astropy_reads_units_descriptions_nulls_and_arrays(result_of: Callable[..., Result]) -> None:
    raw = b"".join(
        write_ecsv(
            result_of(
                (
                    Column("ra", Datatype.DOUBLE, unit="deg", ucd="pos.eq.ra", description="Right: ascension"),
                    [1.5, None],
                ),
                (Column("name", Datatype.CHAR, "22*"), ['M "31"', None]),
                (Column("ok", Datatype.BOOLEAN), [True, None]),
                (Column("id", Datatype.LONG), [2**62 + 1, None]),
                (Column("xyz", Datatype.FLOAT, "3"), [[1.0, 2.5, 3.0], [4.0, 5.0, 6.0]]),
                (Column("mjd", Datatype.DOUBLE, "*"), [[1.5], []]),
                description="A table",
                overflow=True,
            )
        )
    )
    table = Table.read(raw.decode().splitlines(), format="ascii.ecsv")
    assert table["ra"].unit == u.deg
    assert table["ra"].description == "Right: ascension"
    assert table["ra"].meta == {"ucd": "pos.eq.ra"}
    assert [row["ra"] is np.ma.masked for row in table] == [False, True]
    assert (table["name"][0], bool(table["ok"][0]), int(table["id"][0])) == ('M "31"', True, 2**62 + 1)
    assert all(table[name].mask[1] for name in ("name", "ok", "id"))
    assert table["xyz"].tolist() == [[1.0, 2.5, 3.0], [4.0, 5.0, 6.0]]
    assert [list(value) for value in table["mjd"]] == [[1.5], []]
    assert table.meta["description"] == "A table"
    assert raw.splitlines()[-1].startswith(b"# OVERFLOW: ")


@pytest.mark.parametrize("delimiter", [",", " "])
def test_what_astropy_writes_is_read(delimiter: str, tmp_path: Path) -> None:
    table = QTable(
        {
            "name": ["a b", "c  d", "é"],
            "flux": [1.5, np.nan, 3.0] * u.mJy,
            "n": MaskedColumn([1, 2, 3], mask=[False, True, False], dtype="i2", description="count"),
            "xy": np.arange(6, dtype="f4").reshape(3, 2),
            "ok": [True, False, True],
        }
    )
    file = tmp_path / "t.ecsv"
    table.write(file, format="ascii.ecsv", delimiter=delimiter)
    (source,) = read_ecsv(file, {})
    assert table_of(source).to_pydict() == {
        "name": ["a b", "c  d", "é"],
        "flux": [1.5, None, 3.0],
        "n": [1, None, 3],
        "xy": [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]],
        "ok": [True, False, True],
    }
    assert [(column.unit, column.description) for column in source.columns[1:3]] == [("mJy", ""), (None, "count")]
    assert source.n_rows == 3
    assert source.columns[0].datatype is Datatype.UNICODE_CHAR


def test_gaias_truth_values_written_as_texts_are_not_all_true(shared_data: Path) -> None:
    file = shared_data / "hats/import_formats/gaia_epoch.ecsv"
    lines = file.read_text().splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    (source,) = read_ecsv(file, {})
    table = table_of(source)
    flags = [column.name for column in source.columns if "_flag_" in column.name]
    assert len(flags) == 28
    for name in flags:
        assert table[name].to_pylist() == [[text == "True" for text in json.loads(row[name])] for row in rows]


@pytest.mark.parametrize(
    ("header", "rows", "words"),
    [
        ("datatype: [", "a\n1\n", "not YAML"),
        ("delimiter: ','", "a\n1\n", "describes no columns"),
        ("datatype: [{name: a, datatype: int64}]", "a\nx\n", "not what its header says"),
        ("datatype: [{name: a, datatype: bool}, {name: b, datatype: bool}]", "a b\nTrue maybe\n", "maybe"),
        ("datatype: [{name: a, datatype: int64}, {name: b, datatype: int64}]", "a b\n1\n", "do not fit|has 1 field"),
    ],
)
def test_files_that_contradict_themselves_are_clean_errors(header: str, rows: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "t.ecsv"
    file.write_text(f"# %ECSV 1.0\n# ---\n# {header}\n{rows}")
    with pytest.raises(UnreadableFileError, match=words):
        table_of(read_ecsv(file, {})[0])


def test_python_objects_in_the_header_are_not_made(tmp_path: Path) -> None:
    file = tmp_path / "t.ecsv"
    canary = tmp_path / "canary"
    file.write_text(
        f"# %ECSV 1.0\n# ---\n# meta: !!python/object/apply:os.system ['touch {canary}']\n"
        "# datatype: [{name: a, datatype: int64}]\na\n1\n"
    )
    assert table_of(read_ecsv(file, {})[0]).to_pydict() == {"a": [1]}
    assert not canary.exists()
