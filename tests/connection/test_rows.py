"""Rows of an answer as an astropy table: values, units, nulls, texts, arrays, and where they come from."""

from __future__ import annotations

import datetime
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import QTable, join, vstack
from astropy.time import Time
from astropy.units import Quantity

from skydex.connection.arrow_columns import result_of
from skydex.connection.rows import ResultTable, result_table
from skydex.errors import BadParameterError, ServiceError
from skydex.tables import Column, Datatype, Result, arrow_schema, arrow_type

pytestmark = pytest.mark.filterwarnings("error")


def result(*columns: tuple[Column, list[Any]], **facts: Any) -> Result:
    described = tuple(column for column, _ in columns)
    arrays = [pa.array(values, arrow_type(column)) for column, values in columns]
    batch = pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(described))
    return Result(described, iter([batch.slice(0, 1), batch.slice(1)]), **facts)


def table(*columns: tuple[Column, list[Any]], **provenance: Any) -> ResultTable:
    return result_table(result(*columns), **provenance)


def one(datatype: Datatype, values: list[Any], **meaning: Any) -> Any:
    return table((Column("x", datatype, **meaning), values))["x"]


def test_numbers_with_a_unit_are_quantities_in_their_own_precision() -> None:
    rows = table(
        (Column("m", Datatype.FLOAT, unit="mag"), [1.5, 2.5]),
        (Column("t", Datatype.LONG, unit="s"), [2**60 + 1, 3]),
    )
    assert isinstance(rows["m"], Quantity)
    assert rows["m"].unit == u.mag
    assert rows["m"].dtype == np.float32
    assert rows["t"][0].value == 2**60 + 1


def test_null_float_is_nan_and_no_mask() -> None:
    column = one(Datatype.DOUBLE, [1.0, None], unit="Jy")
    assert not hasattr(column, "mask")
    assert np.isnan(column[1])


def test_null_integer_and_null_text_are_masked() -> None:
    rows = table(
        (Column("n", Datatype.INT), [None, 2]),
        (Column("s", Datatype.INT, unit="s"), [1, None]),
        (Column("t", Datatype.CHAR, arraysize="*"), ["a", None]),
        (Column("b", Datatype.BOOLEAN), [True, None]),
    )
    assert [list(rows[name].mask) for name in rows.colnames] == [[True, False], *[[False, True]] * 3]
    assert rows["s"].unit == u.s
    assert rows["s"].dtype == np.int32


def test_text_is_text_of_fixed_width_beyond_ascii_too() -> None:
    texts = ["a", "naïve", "漢字 𝛼", ""]
    column = one(Datatype.UNICODE_CHAR, texts, arraysize="*")
    assert column.dtype == np.dtype("<U5")
    assert list(column) == texts
    assert one(Datatype.CHAR, [None, None], arraysize="*").dtype.kind == "U"


def test_timestamp_is_text_as_dali_has_it() -> None:
    instants = [datetime.datetime(2020, 1, 2, 3, 4, 5), None, datetime.datetime(2020, 1, 2, 3, 4, 5, 500_000)]
    column = one(Datatype.CHAR, instants, arraysize="26*", xtype="timestamp")
    assert list(column.filled("")) == ["2020-01-02T03:04:05", "", "2020-01-02T03:04:05.5"]
    assert column.info.meta == {"xtype": "timestamp"}


def test_arrays_of_one_shape_are_one_array_with_the_axes_of_votable_reversed() -> None:
    rows = table(
        (Column("p", Datatype.DOUBLE, arraysize="2", unit="deg"), [[1.0, 2.0], None, [3.0, None]]),
        (Column("im", Datatype.INT, arraysize="2x3"), [[1, 2, 3, 4, 5, 6], None, [1, None, 3, 4, 5, 6]]),
        (Column("open", Datatype.SHORT, arraysize="2x*"), [[1, 2, 3, 4]] * 3),
    )
    assert rows["p"].shape == (3, 2)
    assert rows["p"].unit == u.deg
    assert np.isnan(rows["p"][1]).all()
    assert rows["im"].shape == (3, 3, 2)
    assert rows["im"][0].tolist() == [[1, 2], [3, 4], [5, 6]]
    assert rows["im"].mask[1].all()
    assert rows["im"].mask[2].sum() == 1
    assert rows["open"].shape == (3, 2, 2)


def test_arrays_of_several_lengths_are_an_array_a_row() -> None:
    column = one(Datatype.FLOAT, [[1.0], None, [], [2.0, None]], arraysize="*", unit="Jy")
    assert [part.tolist() for part in (column[0], column[2])] == [[1.0], []]
    assert np.isnan(column[3][1])
    assert list(column.mask) == [False, True, False, False]
    assert column.unit == u.Jy


def test_null_elements_of_integers_in_arrays_of_several_lengths_are_masked() -> None:
    values = [[1, None], [3], None, []]
    rows = table((Column("x", Datatype.SHORT, arraysize="*"), values))
    assert rows["x"][0].tolist() == [1, None]
    assert rows.arrow["x"].to_pylist() == values
    assert rows.arrow["x"].type == pa.list_(pa.int16())


@pytest.mark.parametrize("arraysize", ["1000000000", "99999999999x99999999999", "99999999999x*", "*", "0", "0x*"])
@pytest.mark.parametrize("values", [[], [None] * 3])
def test_sizes_that_are_only_claimed_take_no_memory(arraysize: str, values: list[None]) -> None:
    rows = table((Column("x", Datatype.DOUBLE, arraysize=arraysize), values))
    assert rows.arrow["x"].to_pylist() == values


def test_null_arrays_beside_a_long_one_take_no_memory() -> None:
    column = one(Datatype.DOUBLE, [*[None] * 100_000, [1.0] * 100_000], arraysize="*")
    assert column.mask.sum() == 100_000
    assert len(column[-1]) == 100_000


@pytest.mark.parametrize("datatype", list(Datatype))
@pytest.mark.parametrize("arraysize", [None, "3", "2x*", "*"])
def test_no_rows_are_a_table_all_the_same(datatype: Datatype, arraysize: str | None) -> None:
    rows = table((Column("x", datatype, arraysize=arraysize), []))
    assert len(rows) == 0
    assert rows.colnames == ["x"]
    assert rows.arrow.num_rows == 0


def test_unknown_unit_stays_beside_its_column_without_a_warning() -> None:
    rows = table(
        (Column("x", Datatype.DOUBLE, unit="furlong/fortnight"), [1.0, 2.0]),
        (Column("t", Datatype.CHAR, arraysize="*", unit='"h:m:s"'), ["1", "2"]),
    )
    assert str(rows["x"].unit) == "furlong/fortnight"
    assert rows["x"][1] == 2.0
    assert rows[1:]["x"].unit == rows["x"].unit
    assert rows.arrow.field("x").metadata[b"unit"] == b"furlong/fortnight"


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("mas.yr**-1", u.mas / u.yr),
        ("mas/yr", u.mas / u.yr),
        ("10**-17 erg/s/cm2", 1e-17 * u.erg / u.s / u.cm**2),
        ("Angstrom", u.AA),
        ("electron/s", u.electron / u.s),
        ("nmgy", u.nmgy),
    ],
)
def test_units_are_understood_however_they_are_written(text: str, unit: u.UnitBase) -> None:
    assert one(Datatype.DOUBLE, [1.0], unit=text).unit == unit


def test_what_columns_mean_is_told() -> None:
    info = one(Datatype.DOUBLE, [1.0], unit="deg", ucd="pos.eq.ra;meta.main", description="Right ascension").info
    assert info.description == "Right ascension"
    assert info.meta == {"ucd": "pos.eq.ra;meta.main"}


@pytest.mark.parametrize(
    ("name", "unit", "ucd", "shown"),
    [
        ("A_F475W", "mag", "phot.mag", "1.235"),
        ("A_F475W_MAD", "mag", "stat.stdev", "1.2346"),
        ("MatchRA", "deg", "pos.eq.ra", "1.234568"),
        ("RAMean", "deg", None, "1.234568"),
        ("StartMJD", "d", "time.epoch", "1.23457"),
        ("Chi2", None, None, "1.2346"),
        ("flux", "Jy", "phot.flux", "1.23456789"),
    ],
)
def test_as_many_digits_are_shown_as_mean_something(name: str, unit: str | None, ucd: str | None, shown: str) -> None:
    rows = table((Column(name, Datatype.DOUBLE, unit=unit, ucd=ucd), [1.23456789]))
    assert rows.pformat(show_unit=False)[-1].strip() == shown
    assert rows[name].value[0] == 1.23456789 if unit else rows[name][0] == 1.23456789


def test_names_that_differ_in_case_alone_get_a_number() -> None:
    rows = table((Column("x", Datatype.INT), [1]), (Column("X", Datatype.INT), [2]))
    assert rows.colnames == ["x", "X_2"]


def test_slices_sorts_and_copies_keep_class_and_provenance() -> None:
    rows = table((Column("x", Datatype.INT), [3, 1]), query="SELECT x FROM t")
    for other in (rows[:1], rows[[True, False]], rows.copy(), rows[["x"]], rows.group_by("x")):
        assert type(other) is ResultTable
        assert other.provenance[0]["query"] == "SELECT x FROM t"
    assert isinstance(rows, QTable)


def test_values_may_be_changed() -> None:
    rows = table(
        (Column("x", Datatype.DOUBLE), [3.0, 1.0]),
        (Column("n", Datatype.LONG), [3, 1]),
        (Column("t", Datatype.CHAR, arraysize="*"), ["a", "b"]),
        (Column("p", Datatype.DOUBLE, arraysize="2"), [[1.0, 2.0], [3.0, 4.0]]),
    )
    rows["x"][0], rows["n"][0], rows["t"][0], rows["p"][0, 0] = 5.0, 5, "c", 5.0
    assert list(rows[0])[:3] == [5.0, 5, "c"]


def test_joined_answers_know_what_both_were_asked_without_a_warning() -> None:
    first = table((Column("id", Datatype.INT), [1, 2]), query="first", time="2020-01-01")
    second = table((Column("id", Datatype.INT), [2, 3]), query="second", time="2020-01-02")
    for rows in (join(first, second, keys="id"), vstack([first, second])):
        assert [answer["query"] for answer in rows.provenance] == ["first", "second"]


def test_truncated_answer_says_so_in_what_is_printed() -> None:
    cut = result((Column("id", Datatype.INT), [1, 2]), overflow=True, warnings=["It is old."])
    rows = result_table(cut)
    assert rows.truncated
    assert rows.warnings == ("It is old.",)
    assert "there are more rows" in repr(rows)
    assert "there are more rows" in rows._repr_html_()
    assert "more" not in repr(table((Column("id", Datatype.INT), [1])))


def test_arrow_gives_back_what_came() -> None:
    columns = [
        (Column("id", Datatype.LONG, ucd="meta.id"), [1, None, 3]),
        (Column("m", Datatype.FLOAT, unit="mag", description="A magnitude"), [1.5, None, 2.5]),
        (Column("t", Datatype.CHAR, arraysize="*"), ["é", None, ""]),
        (
            Column("when", Datatype.CHAR, arraysize="26*", xtype="timestamp"),
            [datetime.datetime(2020, 1, 1), None, None],
        ),
        (Column("p", Datatype.INT, arraysize="2"), [[1, 2], None, [3, None]]),
        (Column("v", Datatype.DOUBLE, arraysize="*"), [[1.0], None, []]),
    ]
    came = result(*columns).to_arrow()
    given = table(*columns).arrow
    assert given.schema.types == came.schema.types
    assert given.to_pylist() == came.to_pylist()
    assert given.field("m").metadata == {b"unit": b"mag", b"description": b"A magnitude"}


def test_pandas_keeps_integers_and_instants() -> None:
    pytest.importorskip("pandas")
    frame = table(
        (Column("id", Datatype.LONG), [2**60 + 1, None]),
        (Column("m", Datatype.FLOAT, unit="mag"), [1.5, None]),
        (Column("when", Datatype.CHAR, arraysize="26*", xtype="timestamp"), [datetime.datetime(2020, 1, 1), None]),
    ).to_pandas()
    assert frame["id"].dtype == "Int64"
    assert frame["id"][0] == 2**60 + 1
    assert frame["m"].dtype == "float32"
    assert frame["when"].dtype.kind == "M"
    assert frame.attrs["units"] == {"m": "mag"}


def test_polars_keeps_nulls() -> None:
    pytest.importorskip("polars")
    frame = table((Column("id", Datatype.LONG), [1, None]), (Column("t", Datatype.CHAR, arraysize="*"), ["a", None]))
    assert frame.to_polars().rows() == [(1, "a"), (None, None)]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_library_that_is_not_there_is_named_with_how_to_get_it(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    rows = table((Column("id", Datatype.INT), [1]))
    with pytest.raises(ServiceError, match=rf"{library}: pip install 'skydex\[frames\]'"):
        getattr(rows, f"to_{library}")()


def test_no_unit_is_looked_up_twice_with_a_warning() -> None:
    with warnings.catch_warnings(action="error"):
        assert one(Datatype.DOUBLE, [1.0], unit="erg/s/cm/cm").unit == u.erg / u.s / u.cm**2


def written(**facts: Any) -> ResultTable:
    return result_table(
        result(
            (Column("id", Datatype.LONG, ucd="meta.id"), [1, 2]),
            (Column("n", Datatype.INT, unit="s"), [1, None]),
            (Column("mag", Datatype.FLOAT, unit="mag", ucd="phot.mag", description="A magnitude"), [20.5, None]),
            (Column("t", Datatype.CHAR, arraysize="*"), ["Å naïf", None]),
            (Column("b", Datatype.BOOLEAN), [True, None]),
            (Column("p", Datatype.DOUBLE, arraysize="2", unit="deg"), [[1.0, 2.0], [3.0, 4.0]]),
            infos=(("server", "here"),),
            **facts,
        ),
        query="SELECT *\nFROM t",
        versions={"skydex": "1", "astropy": "8"},
    )


@pytest.mark.parametrize("form", ["fits", "votable", "ascii.ecsv", "parquet"])
def test_writing_works_without_a_warning_and_astropy_reads_the_same(form: str, tmp_path: Path) -> None:
    rows = written()
    rows.write(tmp_path / "rows", format=form)
    with warnings.catch_warnings(action="ignore" if form == "fits" else "error"):  # astropy warns of null Booleans
        read = QTable.read(tmp_path / "rows", format=form)
    assert read.colnames == rows.colnames
    assert list(read["id"]) == [1, 2]
    assert read["n"].unit == u.s
    assert [bool(missing) for missing in read["n"].mask] == [False, True]
    assert read["mag"].unit == u.mag
    assert np.isnan(np.ma.filled(read["mag"].value, np.nan)[1]) or read["mag"].mask[1]
    assert read["t"][0] in ("Å naïf", "A naif")
    assert read["p"].shape == (2, 2)


@pytest.mark.parametrize("form", ["fits", "votable"])
def test_odd_units_and_arrays_of_several_lengths_are_written_without_a_warning(form: str, tmp_path: Path) -> None:
    rows = table(
        (Column("x", Datatype.DOUBLE, unit="furlong/fortnight"), [1.0]),
        (Column("v", Datatype.FLOAT, arraysize="*", unit="Jy"), [[1.0, 2.0, 3.0]]),
        (Column("w", Datatype.FLOAT, unit="electron/s"), [1.0]),
    )
    rows = vstack([rows, rows])
    rows["v"] = np.array([np.array([1.0]), np.array([1.0, 2.0])], dtype=object)
    rows.write(tmp_path / "rows", format=form)
    with warnings.catch_warnings(action="ignore"):
        read = QTable.read(tmp_path / "rows", format=form)
    assert [len(np.ravel(value)) for value in read["v"]] == [1, 2]


@pytest.mark.parametrize("form", ["fits", "votable"])
@pytest.mark.parametrize("unit", ["10**20.cm**-2", "10**-17.W.m**-2", "0.001s", "100km", "1.5m", "Jy"])
def test_units_with_a_factor_come_back_from_files_without_a_warning(unit: str, form: str, tmp_path: Path) -> None:
    if form == "fits" and unit == "1.5m":
        pytest.skip("FITS has no factors but powers of ten (FITS 4.0, section 4.3.1)")
    rows = table((Column("x", Datatype.DOUBLE, unit=unit), [2.0]))
    rows.write(tmp_path / "rows", format=form)
    with warnings.catch_warnings(action="error"):
        read = QTable.read(tmp_path / "rows", format=form)
    assert u.allclose(read["x"], rows["x"], rtol=1e-12)


@pytest.mark.parametrize("form", ["fits", "votable"])
def test_file_says_where_its_rows_come_from(form: str, tmp_path: Path) -> None:
    written(overflow=True).write(tmp_path / "rows", format=form)
    content = (tmp_path / "rows").read_bytes()
    assert b"SELECT *" in content
    assert b"OVERFLOW" in content
    assert b"server" in content


@pytest.mark.parametrize("form", ["fits", "votable"])
def test_columns_that_only_astropy_knows_are_written_by_astropy(form: str, tmp_path: Path) -> None:
    rows = table((Column("x", Datatype.DOUBLE), [1.0, 2.0]), query="SELECT *\nFROM t")
    rows["when"] = Time([50000.0, 50001.0], format="mjd")
    rows.write(tmp_path / "rows", format=form)
    rows.write(tmp_path / "rows", format=form, overwrite=True)
    assert len(QTable.read(tmp_path / "rows", format=form)) == 2


def test_file_that_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    written().write(tmp_path / "rows.fits")
    with pytest.raises(OSError, match="overwrite=True"):
        written().write(tmp_path / "rows.fits")
    written().write(tmp_path / "rows.fits", overwrite=True)


@pytest.mark.parametrize("serialization", ["tabledata", "binary", "binary2"])
def test_votable_is_written_in_the_serialization_that_is_asked(serialization: str, tmp_path: Path) -> None:
    written().write(tmp_path / "rows.vot", format="votable", tabledata_format=serialization)
    assert f"<{serialization.upper()}>".encode() in (tmp_path / "rows.vot").read_bytes()


def test_ecsv_brings_provenance_and_what_columns_mean_back(tmp_path: Path) -> None:
    written().write(tmp_path / "rows.ecsv")
    read = ResultTable.read(tmp_path / "rows.ecsv")
    assert type(read) is ResultTable
    assert read.provenance[0]["query"].split() == ["SELECT", "*", "FROM", "t"]
    assert read["mag"].info.meta == {"ucd": "phot.mag"}


def test_tables_of_users_become_results() -> None:
    pandas = pytest.importorskip("pandas")
    sky = SkyCoord([10.0, 20.0], [1.0, -1.0], unit="deg")
    own = QTable({"c": sky, "t": Time([50000.0, 50001.0], format="mjd"), "f": [1.0, np.nan] * u.Jy, "s": [b"a", b"b"]})
    given = result_of(own)
    assert [column.name for column in given.columns] == ["c_ra", "c_dec", "t", "f", "s"]
    assert [column.unit for column in given.columns] == ["deg", "deg", None, "Jy", None]
    values = given.to_arrow().to_pydict()
    assert np.allclose(values["c_ra"], [10.0, 20.0], rtol=0, atol=1e-12)
    assert values["t"][0] == datetime.datetime(1995, 10, 10)
    assert values["f"] == [1.0, None]
    assert values["s"] == ["a", "b"]
    frame = pandas.DataFrame({"id": [1, 2], "name": ["a", None]}, index=[5, 6])
    assert result_of(frame).to_arrow().to_pydict() == {"id": [1, 2], "name": ["a", None]}
    assert result_of({"id": [1, 2]}).to_arrow().to_pydict() == {"id": [1, 2]}


@pytest.mark.parametrize(
    "rows", [{"o": np.array([np.array([1]), "text"], dtype=object)}, {"z": [1 + 2j]}, {"o": [object()]}, 5, {}]
)
def test_what_is_no_table_is_told_so(rows: object) -> None:
    with pytest.raises(BadParameterError, match=r"table|cannot be carried"):
        result_of(rows)


def test_tables_are_made_without_the_coordinates_of_astropy_and_without_pandas() -> None:
    script = "import sys, skydex.connection.rows; print(sorted({'astropy.coordinates', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout.strip() == b"[]"


def test_one_long_text_among_many_rows_does_not_fill_the_memory(tmp_path: Path) -> None:
    texts = ["x" * 30_000_000, None, *["name"] * 30]
    rows = table((Column("t", Datatype.CHAR, arraysize="*"), texts))
    assert rows["t"].dtype == object
    assert [len(text) for text in rows["t"].filled("")[:3]] == [30_000_000, 0, 4]
    rows[1:].write(tmp_path / "rows.fits")
    assert list(QTable.read(tmp_path / "rows.fits")["t"][1:3]) == ["name", "name"]
