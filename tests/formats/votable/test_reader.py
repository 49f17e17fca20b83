"""VOTables that others wrote, with the values that astropy reads; and those that nobody should read."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import gzip
import io
import math
import struct
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io.votable import parse
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st

from skydex.errors import UnreadableFileError
from skydex.formats.compressed import first_bytes
from skydex.formats.votable import Serialization, read_votable, reader, write_votable
from skydex.formats.votable.reader import read, sniff
from skydex.formats.votable.utf16 import text_of_utf16, utf16_of
from skydex.tables import Column, Datatype, Result, arrow_schema

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
TRUSTING = {"allow_doctype": True, "allow_siblings": True}

NO_TABLE = {
    "services/dal/dal/tests/data/query/missingtable.xml",
    "services/irsa_ned/error.xml",
    "services/vizier_xmatch/conesearch_error1.xml",
    "services/vizier_xmatch/conesearch_error2.xml",
    "services/vizier_xmatch/conesearch_error3.xml",
    "services/vizier_xmatch/conesearch_error4.xml",
    "votable/astropy/irsa-nph-error.xml",
    "votable/astropy/resource_groups.xml",
    "votable/carta/no_table.xml",
    "votable/julia/xmatch_error.gz",
    "votable/mivot/snippets/test_votable_1_ko.xml",
    "votable/mivot/snippets/test_votable_1_ok.xml",
}
REFUSED = {
    "services/hubble_esa/J6FL25S4Q.vot.test": "XML is broken",
    "services/hubble_esa/X0MC5101T.vot.test": "XML is broken",
    "votable/astropy/custom_datatype.xml": 'datatype "bar" is not carried',
    "votable/astropy/regression.xml": "a cell is encoded",
    "votable/cds_rust/vot_utf8_array_dt.xml": "arrays of texts are not carried",
    "votable/julia/ned_sed.gz": '"1110.000E-" in column "DataFluxPublishedValue" is not a value of type double',
    "votable/mivot/snippets/test_rich_instance_ko_1_votable.xml": "a row has 2 cells where there are 1 fields",
}
"""Files with tables that are refused, and the reason that the error gives."""
ASTROPY_FAILS = {
    "votable/astropy/parquet_binary.xml": "a Parquet file beside the document",
    "votable/carta/array_types.xml": "arrays of texts",
    "votable/cds_rust/stilts_all_but_k_test.expect.2.vot": "arrays of texts",
    "votable/cds_rust/stilts_all_but_k_test.expect.3.vot": "arrays of texts",
    "votable/cds_rust/stilts_all_but_k_test.expect.vot": "arrays of texts",
    "votable/cds_rust/stilts_all_but_k_test.vot": "arrays of texts",
    "votable/cds_rust/vot_with_empty_prec.vot": 'precision=""',
}
"""Files that we read and astropy does not, and what it stumbles over."""


def votables() -> list[str]:
    files = (file for room in ("votable", "services", "catalogues") for file in (DATA / room).rglob("*"))
    return sorted(str(file.relative_to(DATA)) for file in files if file.is_file() and sniff(first_bytes(file)))


def rows_of(source) -> list[list[object]]:
    table = pa.Table.from_batches(source.open_batches(), arrow_schema(source.columns))
    return [values.to_pylist() for values in table.columns]


def astropy_tables(file: Path):
    data = gzip.decompress(file.read_bytes()) if file.read_bytes().startswith(b"\x1f\x8b") else file.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        document = parse(io.BytesIO(data), verify="ignore", invalid="mask")
        return document.version, list(document.iter_tables())


def plain(value):
    """A value of astropy's in Python's own types; masked, NaN and empty text as None."""
    if value is None or value is np.ma.masked:
        return None
    if isinstance(value, np.ndarray):
        return [plain(element) for element in np.ma.asarray(value).ravel()]
    value = value.item() if isinstance(value, np.generic) else value
    return None if value == "" or (isinstance(value, float) and math.isnan(value)) else value


def same(ours, theirs, column: Column, version: str) -> bool:
    if ours is None and theirs == 0 and version < "1.3":
        return True  # astropy reads an empty cell of an integer as 0 there; no service means that
    if column.is_timestamp and ours is not None:
        return np.datetime64(ours) == np.datetime64(theirs.rstrip("Z"))
    if isinstance(theirs, list):
        ours = [plain(element) for element in (ours if isinstance(ours, list) else [] if ours is None else [ours])]
        single = column.datatype is Datatype.FLOAT
        theirs = [float(np.float32(x)) if single and x is not None else x for x in theirs]
        return ours == theirs or (not ours and not any(x is not None for x in theirs))
    return (ours or None) == (theirs or None) if isinstance(ours, str) else ours == theirs


@pytest.mark.parametrize("name", votables())
def test_real_files_read_as_astropy_reads_them(name):
    if name in NO_TABLE or name in REFUSED:
        with (
            pytest.raises(UnreadableFileError, match=r"holds no table")
            if name in NO_TABLE
            else pytest.raises(UnreadableFileError) as caught
        ):
            for source in read(DATA / name, TRUSTING):
                rows_of(source)
        assert name in NO_TABLE or REFUSED[name] in str(caught.value)
        return
    sources = read(DATA / name, TRUSTING)
    if name in ASTROPY_FAILS:
        assert sum(len(column) for source in sources for column in rows_of(source))
        return
    version, tables = astropy_tables(DATA / name)
    assert len(sources) == len(tables)
    for source, table in zip(sources, tables, strict=True):
        left_out = sum(warning.startswith("Column") for warning in source.warnings)
        assert len(source.columns) + left_out == len(table.fields)
        fields = [(field, key) for field, key in zip(table.fields, table.array.dtype.names or (), strict=False)]
        fields = [(field, key) for field, key in fields if "Complex" not in field.datatype]
        fields = [(field, key) for field, key in fields if field.datatype != "bit" or field.arraysize in (None, "1")]
        columns = rows_of(source)
        for column, values, (field, key) in zip(source.columns, columns, fields, strict=len(table.array) > 0):
            theirs = [plain(value) for value in table.array[key]]
            pairs = zip(values, theirs, strict=True)
            assert [pair for pair in pairs if not same(*pair, column, version)] == [], field.name
            assert bool(column.unit) == bool(str(field.unit or ""))
            assert (column.ucd or None) == (field.ucd or None)


FIELDS = '<FIELD name="a" datatype="int"/><FIELD name="t" datatype="char" arraysize="*"/>'
ROWS = "<TR><TD>1</TD><TD>x</TD></TR><TR><TD>2</TD><TD>y</TD></TR>"


def document(rows: str = ROWS, *, fields: str = FIELDS, before: str = "", after: str = "", kind: str = "") -> bytes:
    data = kind or f"<TABLEDATA>{rows}</TABLEDATA>"
    table = f"<TABLE>{fields}<DATA>{data}</DATA></TABLE>"
    return f'{before}<VOTABLE version="1.4"><RESOURCE>{table}</RESOURCE>{after}</VOTABLE>'.encode()


def values_of(data: bytes) -> list[list[object]]:
    return [column.to_pylist() for column in read_votable(data)[1].columns]


@pytest.mark.parametrize(
    "rows",
    [
        ROWS,
        ROWS.replace("><", ">\r\n  <"),
        ROWS.replace("<TD>1", '<TD class="x">1'),
        ROWS.replace("<TR>", '<TR ID="r">', 1),
        ROWS.replace("x", "<![CDATA[x]]>"),
        ROWS.replace("<TR>", "<!-- <TR> --><TR>", 1),
        ROWS.replace("x", "&#120;").replace("y", "&#x79;"),
        ROWS.replace("TD>", "TD >").replace("TR>", "TR\n>"),
    ],
)
def test_rows_are_read_however_they_are_spelt(rows):
    assert values_of(document(rows)) == [[1, 2], ["x", "y"]]


def test_prefixed_names_are_read():
    prefixed = document().decode().replace("</", "</v:").replace("<", "<v:").replace("<v:/v:", "</v:")
    assert values_of(prefixed.replace("<v:VOTABLE", '<v:VOTABLE xmlns:v="v"').encode()) == [[1, 2], ["x", "y"]]


def test_entities_are_resolved_once():
    rows = "<TR><TD>1</TD><TD>&amp;lt;&lt;&gt;&quot;&apos;</TD></TR>"
    assert values_of(document(rows)) == [[1], ["&lt;<>\"'"]]


def test_empty_cells_are_nulls():
    assert values_of(document("<TR><TD/><TD></TD></TR><TR><TD> </TD><TD/></TR>")) == [[None, None], [None, None]]


def test_words_that_arrow_does_not_know_are_numbers_all_the_same():
    fields = '<FIELD name="a" datatype="int"/><FIELD name="x" datatype="double"/>'
    rows = "<TR><TD>+1</TD><TD> 1.5 </TD></TR><TR><TD>0x1F</TD><TD>null</TD></TR><TR><TD>NaN</TD><TD>-Inf</TD></TR>"
    assert values_of(document(rows, fields=fields)) == [[1, 31, None], [1.5, None, -math.inf]]


@pytest.mark.parametrize("rows", ["<TR><TD>1</TD></TR>", "<TR><TD>1</TD><TD>x</TD><TD>3</TD></TR>"])
def test_rows_with_a_wrong_number_of_cells_are_refused(rows):
    with pytest.raises(UnreadableFileError, match="cells where there are 2 fields"):
        values_of(document(ROWS + rows))


def test_a_word_that_is_no_number_is_refused_or_null_by_choice(tmp_path):
    file = tmp_path / "x.vot"
    file.write_bytes(document("<TR><TD>one</TD><TD>x</TD></TR>"))
    with pytest.raises(UnreadableFileError, match='"one" in column "a" is not a value of type int'):
        rows_of(read(file, {})[0])
    assert rows_of(read(file, {"bad_are_null": True})[0]) == [[None], ["x"]]


@pytest.mark.parametrize(
    ("datatype", "word"), [("unsignedByte", "-1"), ("int", "4294967295"), ("long", "9223372036854775808")]
)
def test_a_number_beyond_its_datatype_is_refused_unless_it_is_the_null(datatype, word):
    rows = f"<TR><TD>{word}</TD></TR><TR><TD>5</TD></TR>"
    field = f'<FIELD name="a" datatype="{datatype}"><VALUES null="{{}}"/></FIELD>'
    with pytest.raises(UnreadableFileError, match=f'"{word}" in column "a" is not a value of type {datatype}'):
        values_of(document(rows, fields=field.format(7)))
    assert values_of(document(rows, fields=field.format(word))) == [[None, 5]]


@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "iso-8859-1"])
def test_other_encodings_are_read(codec):
    text = document("<TR><TD>1</TD><TD>Ångström</TD></TR>").decode()
    data = f'<?xml version="1.0" encoding="{codec}"?>{text}'.encode(codec)
    assert values_of(data) == [[1], ["Ångström"]]


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_compressed_files_are_read_under_any_name(tmp_path, compress):
    file = tmp_path / "table.xml"
    file.write_bytes(compress(document()))
    assert rows_of(read(file, {})[0]) == [[1, 2], ["x", "y"]]


def test_every_table_of_a_document_is_a_source(tmp_path):
    file = tmp_path / "two.vot"
    table = '<TABLE ID="t1" name="first"><DESCRIPTION>one</DESCRIPTION>' + FIELDS + "</TABLE>"
    other = f'<TABLE ref="t1"><DATA><TABLEDATA>{ROWS}</TABLEDATA></DATA></TABLE>'
    coosys = '<COOSYS ID="c" system="eq_FK5" equinox="J2000"/>'
    file.write_text(f"<VOTABLE><RESOURCE>{coosys}{table}</RESOURCE><RESOURCE>{other}</RESOURCE></VOTABLE>")
    first, second = read(file, {})
    assert (first.name, first.description, first.n_rows) == ("first", "one", 0)
    assert rows_of(first) == [[], []]
    assert second.name == "two_2"
    assert rows_of(second) == [[1, 2], ["x", "y"]]
    assert second.facts == {"COOSYS.system": "eq_FK5", "COOSYS.equinox": "J2000"}


def test_one_unreadable_table_does_not_hide_the_others(tmp_path):
    file = tmp_path / "two.vot"
    bad = f'<TABLE>{FIELDS}<DATA><BINARY><STREAM href="http://x/"/></BINARY></DATA></TABLE>'
    good = f"<TABLE>{FIELDS}<DATA><TABLEDATA>{ROWS}</TABLEDATA></DATA></TABLE>"
    file.write_text(f"<VOTABLE><RESOURCE>{bad}{good}</RESOURCE></VOTABLE>")
    first, second = read(file, {})
    assert "references are not followed" in first.warnings[0]
    with pytest.raises(UnreadableFileError, match="not followed"):
        list(first.open_batches())
    assert rows_of(second) == [[1, 2], ["x", "y"]]


def test_timestamps_become_instants_and_bad_ones_stay_text():
    fields = '<FIELD name="t" datatype="char" arraysize="*" xtype="timestamp"/>'
    good = document("<TR><TD>2015-01-01T00:00:00Z</TD></TR><TR><TD/></TR>", fields=fields)
    assert values_of(good) == [[dt.datetime(2015, 1, 1), None]]
    assert values_of(document("<TR><TD>yesterday</TD></TR>", fields=fields)) == [["yesterday"]]


def test_columns_that_cannot_be_carried_are_named_and_the_others_read(tmp_path):
    fields = (
        '<FIELD name="a" datatype="short"/><FIELD name="b" datatype="bit" arraysize="11"/>'
        '<FIELD name="c" datatype="floatComplex"/><FIELD name="d" datatype="bit" arraysize="*"/>'
        '<FIELD name="e" datatype="int"/>'
    )
    row = struct.pack(">h2sffI1si", 7, b"\xff\xe0", 1.0, 2.0, 3, b"\xe0", 9)
    stream = base64.b64encode(row * 2).decode()
    file = tmp_path / "bits.vot"
    file.write_bytes(document(fields=fields, kind=f'<BINARY><STREAM encoding="base64">{stream}</STREAM></BINARY>'))
    (source,) = read(file, {})
    assert [column.name for column in source.columns] == ["a", "e"]
    assert ['"b"' in source.warnings[0], '"c"' in source.warnings[1], '"d"' in source.warnings[2]] == [True] * 3
    assert rows_of(source) == [[7, 7], [9, 9]]


def test_rows_in_a_fits_file_inside_are_read_if_allowed(tmp_path):
    inside = io.BytesIO()
    Table({"a": np.array([1, 2], "i4"), "t": ["x", "y"]}).write(inside, format="fits")
    stream = base64.b64encode(inside.getvalue()).decode()
    file = tmp_path / "fits.vot"
    file.write_bytes(document(kind=f'<FITS extnum="1"><STREAM encoding="base64">{stream}</STREAM></FITS>'))
    with pytest.raises(UnreadableFileError, match="not accepted inside"):
        read(file, {})
    assert rows_of(read(file, {"allow_fits": True})[0]) == [[1, 2], ["x", "y"]]


def test_rows_in_a_parquet_file_beside_it_are_read_if_allowed(tmp_path):
    pq.write_table(pa.table({"a": pa.array([1, 2], pa.int32()), "t": ["x", "y"]}), tmp_path / "rows.parquet")
    file = tmp_path / "pq.vot"
    file.write_bytes(document(kind='<PARQUET><STREAM href="file:rows.parquet"/></PARQUET>'))
    with pytest.raises(UnreadableFileError, match="references are not followed"):
        read(file, {})
    assert rows_of(read(file, {"allow_siblings": True})[0]) == [[1, 2], ["x", "y"]]


@pytest.mark.parametrize(
    "href",
    ["file:../rows.parquet", "file:///etc/passwd", "http://example.org/x", "rows.parquet", "file:link.parquet", ""],
)
def test_a_reference_never_leaves_the_documents_own_directory(tmp_path, href):
    inside = tmp_path / "inside"
    inside.mkdir()
    pq.write_table(pa.table({"a": [1]}), tmp_path / "rows.parquet")
    (inside / "link.parquet").symlink_to(tmp_path / "rows.parquet")
    file = inside / "pq.vot"
    file.write_bytes(document(kind=f'<PARQUET><STREAM href="{href}"/></PARQUET>'))
    with pytest.raises(UnreadableFileError, match="not a file beside it"):
        read(file, {"allow_siblings": True})


HOSTILE = {
    "entity bomb": document(
        before='<!DOCTYPE v [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>',
        rows="<TR><TD>1</TD><TD>&b;</TD></TR>",
    ),
    "external entity": document(before='<!DOCTYPE v [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
    "file reference": document(kind='<BINARY><STREAM href="file:///etc/passwd"/></BINARY>'),
    "web reference": document(kind='<BINARY2><STREAM href="http://127.0.0.1/"/></BINARY2>'),
    "gzip stream": document(kind='<BINARY><STREAM encoding="gzip">AAAA</STREAM></BINARY>'),
    "no base64": document(kind='<BINARY><STREAM encoding="base64">A</STREAM></BINARY>'),
    "a count beyond the end": document(
        kind=f'<BINARY><STREAM encoding="base64">{base64.b64encode(struct.pack(">iI", 1, 2**32 - 1)).decode()}'
        "</STREAM></BINARY>"
    ),
    "half a row": document(kind='<BINARY2><STREAM encoding="base64">AAAA</STREAM></BINARY2>'),
    "a huge arraysize": document(
        fields='<FIELD name="x" datatype="double" arraysize="99999999999"/>',
        kind='<BINARY><STREAM encoding="base64">AAAAAAAA</STREAM></BINARY>',
    ),
    "unclosed rows": document()[:-60],
    "an unknown entity": document(rows="<TR><TD>1</TD><TD>&eacute;</TD></TR>"),
    "nested cells": document(rows="<TR><TD>1<TD>x</TD></TD></TR>"),
    "a bad arraysize": document(fields='<FIELD name="x" datatype="int" arraysize="-1"/>', rows=""),
    "not a votable": b"<html><TABLEDATA></TABLEDATA></html>",
    "nothing": b"",
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_hostile_documents_are_refused(tmp_path, attack):
    file = tmp_path / "hostile.vot"
    file.write_bytes(HOSTILE[attack])
    with pytest.raises(UnreadableFileError):
        [rows_of(source) for source in read(file, {})]


def test_a_doctype_is_refused_unless_it_is_allowed_and_declares_nothing(tmp_path):
    file = tmp_path / "old.vot"
    file.write_bytes(document(before='<!DOCTYPE VOTABLE SYSTEM "http://us-vo.org/xml/VOTable.dtd">'))
    with pytest.raises(UnreadableFileError, match="DOCTYPE"):
        read(file, {})
    assert rows_of(read(file, {"allow_doctype": True})[0]) == [[1, 2], ["x", "y"]]
    file.write_bytes(HOSTILE["entity bomb"])
    with pytest.raises(UnreadableFileError, match="DOCTYPE"):
        read(file, {"allow_doctype": True})


def test_sizes_are_limited(tmp_path):
    file = tmp_path / "bomb.vot.gz"
    file.write_bytes(gzip.compress(document(ROWS + " " * 10_000_000)))
    with pytest.raises(UnreadableFileError, match="more bytes"):
        read(file, {"max_bytes": 1_000_000})
    file.write_bytes(document(fields=FIELDS * 6))
    with pytest.raises(UnreadableFileError, match="more than 10 columns"):
        read(file, {"max_columns": 10})


def test_claimed_numbers_of_rows_are_not_believed():
    data = document().replace(b"<TABLE>", b'<TABLE nrows="999999999999">')
    assert values_of(data) == [[1, 2], ["x", "y"]]


def test_an_error_document_says_its_error():
    data = b'<VOTABLE><RESOURCE><INFO name="QUERY_STATUS" value="ERROR">No such column</INFO></RESOURCE></VOTABLE>'
    with pytest.raises(UnreadableFileError, match="No such column"):
        read_votable(data)


def test_overflow_and_late_errors_are_warnings(tmp_path):
    file = tmp_path / "cut.vot"
    after = '<INFO name="QUERY_STATUS" value="OVERFLOW"/><INFO name="QUERY_STATUS" value="ERROR">time is up</INFO>'
    file.write_bytes(document(after=after))
    (source,) = read(file, {})
    assert "OVERFLOW" in source.warnings[0]
    assert "time is up" in source.warnings[1]


@pytest.mark.parametrize("serialization", list(Serialization))
@pytest.mark.parametrize("chunk", [13, 100, 1000])
def test_rows_cut_at_any_byte_are_put_together_again(make_result, monkeypatch, serialization, chunk):
    data = b"".join(write_votable(make_result(n_rows=60), serialization))
    expected = read_votable(data)[1].to_pydict()
    monkeypatch.setattr(reader, "_CHUNK", chunk)
    assert read_votable(data)[1].to_pydict() == expected


@pytest.mark.parametrize("serialization", list(Serialization))
def test_the_same_file_is_always_cut_at_the_same_rows(make_result, tmp_path, monkeypatch, serialization):
    file = tmp_path / "table.vot"
    file.write_bytes(b"".join(write_votable(make_result(n_rows=600), serialization)))
    monkeypatch.setattr(reader, "_CHUNK", 5_000)
    (source,) = read(file, {})
    lengths = [[batch.num_rows for batch in source.open_batches()] for _ in range(2)]
    assert lengths[0] == lengths[1]
    assert len(lengths[0]) > 3


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.text() | st.none(), st.text(st.characters(max_codepoint=127)) | st.none(), st.integers(0, 9))
    ),
    st.sampled_from([Serialization.BINARY2]),
)
def test_any_text_goes_through_binary2_unchanged(rows, serialization):
    columns = (
        Column("u", Datatype.UNICODE_CHAR, arraysize="*"),
        Column("c", Datatype.CHAR, arraysize="*"),
        Column("n", Datatype.INT),
    )
    schema = arrow_schema(columns)
    arrays = [pa.array([row[i] for row in rows], kind) for i, kind in enumerate(schema.types)]
    batches = [pa.RecordBatch.from_arrays(arrays, schema=schema)]
    _, table, _ = read_votable(b"".join(write_votable(Result(columns, iter(batches)), serialization)))
    assert list(zip(*(column.to_pylist() for column in table.columns), strict=True)) == rows


@given(st.lists(st.text() | st.none()))
def test_utf16_is_what_python_makes_of_it(texts):
    units, n_units = utf16_of(pa.array(texts, pa.string()))
    assert units.tobytes() == "".join(text or "" for text in texts).encode("utf-16-be")
    offsets = np.concatenate([[0], np.cumsum(n_units)]).astype(np.int64)
    assert text_of_utf16(units, offsets).to_pylist() == [text or "" for text in texts]


def test_half_a_surrogate_pair_is_marked():
    units = np.array([0x41, 0xD835, 0x42, 0xDEFC], ">u2")
    assert text_of_utf16(units, np.array([0, 2, 4])).to_pylist() == ["A\ufffd", "B\ufffd"]


@settings(max_examples=200)
@given(st.binary(max_size=200), st.integers(0, 400))
def test_damaged_documents_are_refused_or_read_but_never_crash(noise, place):
    data = document()
    damaged = data[: place % len(data)] + noise + data[place % len(data) + len(noise) // 2 :]
    with contextlib.suppress(UnreadableFileError):
        read_votable(damaged)
