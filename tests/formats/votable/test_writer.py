"""VOTables that we write, as astropy, STILTS and the schema's own rules read them."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import warnings
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pytest
from astropy.io.votable import parse

from skydex.errors import EngineError
from skydex.formats.votable import Serialization, read_votable, write_votable
from skydex.tables import Column, Datatype, Result, arrow_schema

ALL = list(Serialization)
NS = "{http://www.ivoa.net/xml/VOTable/v1.3}"


def document(result, serialization=Serialization.BINARY2) -> bytes:
    return b"".join(write_votable(result, serialization))


def one_column(column, values, **facts) -> Result:
    schema = arrow_schema((column,))
    batches = [pa.RecordBatch.from_arrays([pa.array(part, schema.types[0])], schema=schema) for part in values]
    return Result((column,), iter(batches), **facts)


def astropy_table(data: bytes):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return parse(io.BytesIO(data)).get_first_table()


def stilts(*arguments: str, data: bytes) -> str:
    command = shutil.which("stilts")
    if command is None:
        pytest.skip("STILTS is not installed")
    run = subprocess.run([command, *arguments], input=data, capture_output=True, timeout=120, check=False)
    return (run.stdout + run.stderr).decode()


@pytest.mark.parametrize("serialization", ALL)
@pytest.mark.parametrize("batch_rows", [1, 2, 3, 1000])
def test_astropy_reads_what_went_in(make_result, nasty_rows, serialization, batch_rows):
    table = astropy_table(document(make_result(n_rows=100, batch_rows=batch_rows), serialization))
    assert [field.name for field in table.fields][:5] == ["2nd name", "E(B-V)", "ra", "dec", "ra"]
    assert len(table.array) == 100
    for i in range(13):
        theirs = table.array[table.array.dtype.names[i]]
        for row, value in enumerate(theirs):
            ours = nasty_rows[row % 3][i]
            if ours is None or ours == "":
                assert value is np.ma.masked or value == "" or np.isnan(value)
            elif i == 12:
                assert np.datetime64(value) == np.datetime64(ours)
            else:
                assert value == ours
    fluxes = table.array[table.array.dtype.names[13]]
    assert fluxes[0].tolist() == [1.0, 2.0, 3.0]
    assert np.isnan(np.ma.asarray(fluxes[1]).filled(np.nan)).all()
    assert [list(table.array[table.array.dtype.names[14]][i]) for i in (0, 1, 2)] == [[0.5, 0.25], [], [0.5, 0.25]]


@pytest.mark.parametrize("serialization", ALL)
def test_stilts_finds_no_fault(make_result, serialization):
    said = stilts("votlint", "votable=-", data=document(make_result(n_rows=50, overflow=True), serialization))
    assert [line for line in said.splitlines() if not line.startswith(("WARNING", "INFO"))] == []


@pytest.mark.parametrize("serialization", ALL)
def test_stilts_reads_what_went_in(make_result, nasty_rows, serialization):
    data = document(make_result(n_rows=30), serialization)
    rows = list(csv.reader(io.StringIO(stilts("tpipe", "in=-", "ifmt=votable", "ofmt=csv", data=data))))[1:]
    assert len(rows) == 30
    for i, row in enumerate(rows):
        ours = nasty_rows[i % 3]
        assert row[0] == (ours[0] or "")
        assert [float(word) if word else None for word in row[1:4]] == ours[1:4]
        assert [int(word) if word else None for word in row[5:9]] == ours[5:9]
        assert row[9] == {True: "true", False: "false", None: ""}[ours[9]]
        assert row[10] == (ours[10] or "")


@pytest.mark.parametrize("serialization", ALL)
def test_an_empty_result_is_a_table_without_rows(make_result, serialization):
    table = astropy_table(document(make_result(n_rows=0), serialization))
    assert len(table.fields) == 16
    assert len(table.array) == 0


@pytest.mark.parametrize("serialization", ALL)
@pytest.mark.parametrize("n_columns", [1, 8, 9, 70])
def test_null_masks_of_any_width_read_back(serialization, n_columns):
    columns = tuple(Column(f"c{i}", Datatype.INT) for i in range(n_columns))
    chance = np.random.default_rng(n_columns)
    rows = [[None if chance.random() < 0.4 else int(chance.integers(99)) for _ in columns] for _ in range(50)]
    arrays = [pa.array([row[i] for row in rows], pa.int32()) for i in range(n_columns)]
    batch = pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(columns))
    table = astropy_table(document(Result(columns, iter([batch])), serialization))
    assert [list(row) for row in table.array.tolist()] == rows


def test_the_status_stands_before_and_after_the_table(make_result):
    infos = (("citation", "Smith & Jones <2020>"),)
    root = ElementTree.fromstring(document(make_result(overflow=True, infos=infos, max_rows=3, warnings=["odd"])))
    resource = root.find(f"{NS}RESOURCE")
    assert resource is not None
    assert resource.get("type") == "results"
    tags = [child.tag.removeprefix(NS) for child in resource]
    said = [(child.get("name"), child.get("value")) for child in resource if child.tag == f"{NS}INFO"]
    assert said == [
        ("QUERY_STATUS", "OK"),
        ("citation", "Smith & Jones <2020>"),
        ("warning", "odd"),
        ("QUERY_STATUS", "OVERFLOW"),
    ]
    assert tags.index("TABLE") > tags.index("INFO")
    assert tags[-1] == "INFO"


def test_no_overflow_no_word_of_it(make_result):
    assert b"OVERFLOW" not in document(make_result())


def test_a_warning_that_comes_late_stands_after_the_table(make_result):
    result = make_result()
    chunks = write_votable(result)
    first = next(chunks)
    result.warnings.append("late")
    assert b"late" not in first
    assert b'value="late"' in b"".join(chunks).partition(b"</TABLE>")[2]


def test_an_error_half_way_ends_the_document_and_is_raised(make_result):
    def broken():
        yield from make_result().batches
        raise EngineError("the disk <burned>")

    result = make_result()
    result.batches = broken()
    sent: list[bytes] = []
    with pytest.raises(EngineError, match="burned"):
        sent.extend(write_votable(result))
    infos = [(e.get("value"), e.text) for e in ElementTree.fromstring(b"".join(sent)).iter(f"{NS}INFO")]
    assert infos[-1] == ("ERROR", "the disk <burned>")


def test_an_error_before_the_first_row_comes_before_the_first_byte(make_result):
    def broken():
        raise EngineError("no")
        yield

    result = make_result()
    result.batches = broken()
    with pytest.raises(EngineError):
        next(write_votable(result))


def test_identifiers_are_unique_xml_names(make_result):
    root = ElementTree.fromstring(document(make_result()))
    ids = [field.get("ID") for field in root.iter(f"{NS}FIELD")]
    assert len(set(ids)) == len(ids)
    assert ids[:2] == ["_2nd_name", "E_B-V_"]
    assert [ids[2], ids[4]] == ["ra", "ra_2"]


def test_only_main_positions_claim_to_be_icrs(make_result):
    root = ElementTree.fromstring(document(make_result()))
    assert [system.get("system") for system in root.iter(f"{NS}COOSYS")] == ["ICRS"]
    referring = [field.get("name") for field in root.iter(f"{NS}FIELD") if field.get("ref")]
    assert referring == ["ra", "dec"]


@pytest.mark.parametrize("serialization", ALL)
def test_char_with_more_than_ascii_is_declared_unicode(serialization):
    column = Column("name", Datatype.CHAR, arraysize="22*")
    data = document(one_column(column, [["Ångström", None], ["plain"]]), serialization)
    table = astropy_table(data)
    assert table.fields[0].datatype == "unicodeChar"
    assert list(table.array["name"]) == ["Ångström", "", "plain"]


@pytest.mark.parametrize("serialization", [Serialization.BINARY2, Serialization.BINARY])
def test_ascii_that_turns_unicode_later_is_escaped_and_told(serialization):
    result = one_column(Column("name", Datatype.CHAR, arraysize="22*"), [["plain"], ["Ångström", "x"]])
    data = document(result, serialization)
    assert list(astropy_table(data).array["name"]) == ["plain", "\\xc5ngstr\\xf6m", "x"]
    assert "escaped" in result.warnings[0]
    assert b'<INFO name="warning"' in data


def test_ascii_that_turns_unicode_later_is_plain_xml_in_tabledata():
    result = one_column(Column("name", Datatype.CHAR, arraysize="22*"), [["plain"], ["Ångström"]])
    assert list(astropy_table(document(result, Serialization.TABLEDATA)).array["name"]) == ["plain", "Ångström"]


@pytest.mark.parametrize("serialization", [Serialization.BINARY2, Serialization.BINARY])
def test_texts_longer_than_their_fixed_size_are_cut_and_told(serialization):
    result = one_column(Column("band", Datatype.CHAR, arraysize="2"), [["g", "ri", "zYJ"]])
    assert list(astropy_table(document(result, serialization)).array["band"]) == ["g", "ri", "zY"]
    assert result.warnings


def test_control_characters_survive_binary2_and_are_marked_in_tabledata():
    column = Column("name", Datatype.CHAR, arraysize="*")
    values = [["a\x00b\x1fc", "\x0b", "tab\tnew\nline"]]
    _, rows, _ = read_votable(document(one_column(column, values)))
    assert rows["name"].to_pylist() == values[0]
    marked = one_column(column, values)
    table = astropy_table(document(marked, Serialization.TABLEDATA))
    assert list(table.array["name"]) == ["a\ufffdb\ufffdc", "\ufffd", "tab\tnew\nline"]
    assert "U+FFFD" in marked.warnings[0]


def test_unsigned_bytes_with_nulls_lose_none_of_their_values_in_binary():
    column = Column("flags", Datatype.UNSIGNED_BYTE)
    table = astropy_table(document(one_column(column, [[*range(256), None]]), Serialization.BINARY))
    assert table.array["flags"].tolist() == [*range(256), None]


def test_an_integer_that_equals_its_null_is_told_in_binary():
    result = one_column(Column("n", Datatype.LONG), [[-(2**63), None, 1]])
    document(result, Serialization.BINARY)
    assert '"n"' in result.warnings[0]
    exact = one_column(Column("n", Datatype.LONG), [[-(2**63), None, 1]])
    assert read_votable(document(exact))[1]["n"].to_pylist() == [-(2**63), None, 1]
    assert not exact.warnings


@pytest.mark.parametrize("serialization", ALL)
def test_null_elements_of_integer_arrays_come_back_masked(serialization):
    result = one_column(Column("n", Datatype.INT, arraysize="*"), [[[1, None, 3], [], None]])
    _, rows, _ = read_votable(document(result, serialization))
    assert rows["n"].to_pylist()[0] == [1, None, 3]
    cells = astropy_table(document(one_column(result.columns[0], [[[1, None, 3]]]), serialization)).array["n"]
    assert cells[0].tolist() == [1, None, 3]


def test_arrays_that_vary_in_their_last_dimension_are_read_by_stilts_and_astropy_alike():
    column = Column("pairs", Datatype.INT, arraysize="2x*")
    data = document(one_column(column, [[[1, 2, 3, 4], [5, 6]]]))
    assert [list(cell) for cell in astropy_table(data).array["pairs"]] == [[1, 2, 3, 4], [5, 6]]
    assert "(1, 2, 3, 4)" in stilts("tpipe", "in=-", "ifmt=votable", "ofmt=csv", data=data)


def test_an_array_longer_than_its_arraysize_is_an_error():
    with pytest.raises(EngineError, match="flux"):
        document(one_column(Column("flux", Datatype.DOUBLE, arraysize="2"), [[[1.0, 2.0, 3.0]]]))


def test_arrays_shorter_than_their_arraysize_are_filled_up():
    column = Column("flux", Datatype.DOUBLE, arraysize="3")
    table = astropy_table(document(one_column(column, [[[1.0], [1.0, 2.0, 3.0]]])))
    assert np.isnan(table.array["flux"][0].filled(np.nan)).tolist() == [False, True, True]
    assert table.array["flux"][1].tolist() == [1.0, 2.0, 3.0]


def test_blocks_keep_their_order():
    column = Column("n", Datatype.INT)
    parts = [list(range(start, start + 40_000)) for start in range(0, 400_000, 40_000)]
    _, rows, _ = read_votable(document(one_column(column, parts)))
    assert rows["n"].to_pylist() == list(range(400_000))
