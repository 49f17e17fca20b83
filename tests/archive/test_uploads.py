"""Uploads as relations: every format, what columns keep, limits, and files that mean harm."""

from __future__ import annotations

import base64
import bz2
import datetime
import gzip
import io
import itertools
import resource
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.io.votable import from_table, parse, writeto
from astropy.table import MaskedColumn, Table
from numpy.testing import assert_array_equal

from skydex.archive import Archive, QueryRequest, Upload
from skydex.archive.uploads import UploadLimits, read_upload
from skydex.errors import (
    LimitError,
    MemoryLimitError,
    SkydexError,
    StoreError,
    UnreadableFileError,
    UploadTooLargeError,
)
from skydex.settings import Settings
from skydex.tables import Datatype, Position

MB = 1 << 20
ALL = "SELECT * FROM TAP_UPLOAD.t"


def targets() -> Table:
    table = Table()
    table["id"] = np.array([1, 2, 3], "i8")
    table["ra"] = [10.684708, 0.0, 359.999999] * units.deg
    table["dec"] = [41.26875, -90.0, 90.0] * units.deg
    table["mag"] = np.array([3.4, np.nan, 12.5], "f4")
    table["n"] = MaskedColumn([1, 2, 3], mask=[False, True, False], dtype="i4")
    table["name"] = ["M31", "south & <pole>", "Polaris α"]
    table["good"] = [True, False, True]
    return table


@pytest.fixture
def limits(tmp_path):
    return UploadLimits(plain_mb=100, n_rows=1_000_000, memory_mb=2048, directory=tmp_path)


@pytest.fixture
def upload(tmp_path, limits):
    """Read bytes as the upload `t`; the relation."""
    numbers = itertools.count()

    def read(data: bytes, *, content_type="", suffix="", limits=limits):
        file = tmp_path / f"upload-{next(numbers)}{suffix}"
        file.write_bytes(data)
        return read_upload(Upload("t", str(file), content_type), limits)[0]

    return read


def votable(table: Table, kind: str = "tabledata") -> bytes:
    out = io.BytesIO()
    writeto(from_table(table), out, tabledata_format=kind)
    return out.getvalue()


def written(table: Table, kind: str, suffix: str, tmp_path) -> bytes:
    file = tmp_path / f"written{suffix}"
    table.write(file, format=kind)
    return file.read_bytes()


def arrow(table: pa.Table) -> bytes:
    out = io.BytesIO()
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def document(fields='<FIELD name="a" datatype="int"/>', data="<TABLEDATA><TR><TD>1</TD></TR></TABLEDATA>", before=""):
    return (
        f'<?xml version="1.0"?>{before}<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">'
        f"<RESOURCE><TABLE>{fields}<DATA>{data}</DATA></TABLE></RESOURCE></VOTABLE>"
    ).encode()


FORMATS = {
    "tabledata": lambda table, _: votable(table),
    "binary2": lambda table, _: votable(table, "binary2"),
    "gzipped votable": lambda table, _: gzip.compress(votable(table)),
    "bzipped votable": lambda table, _: bz2.compress(votable(table)),
    "utf-16 votable": lambda table, _: votable(table).decode().replace("utf-8", "utf-16").encode("utf-16"),
    "csv": lambda table, path: written(table, "ascii.csv", ".csv", path),
    "ecsv": lambda table, path: written(table, "ascii.ecsv", ".ecsv", path),
    "gzipped ecsv": lambda table, path: gzip.compress(written(table, "ascii.ecsv", ".ecsv", path)),
    "tsv": lambda table, path: written(table, "ascii.tab", ".tsv", path),
    "fits": lambda table, path: written(table, "fits", ".fits", path),
    "gzipped fits": lambda table, path: gzip.compress(written(table, "fits", ".fits", path)),
    "parquet": lambda table, path: written(table, "parquet", ".parquet", path),
    "arrow": lambda table, path: arrow(pq.read_table(io.BytesIO(written(table, "parquet", ".parquet", path)))),
}


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_told_by_its_content_and_keeps_its_values(kind, upload, tmp_path):
    table = targets()
    if "fits" in kind:
        table["name"] = ["M31", "south & <pole>", "Polaris"]
    if kind == "arrow":  # astropy's masks are its own affair
        table["n"] = [1, 2, 3]
    rows = upload(FORMATS[kind](table, tmp_path)).rows.to_pydict()
    assert rows["id"] == [1, 2, 3]
    assert rows["ra"] == list(table["ra"].value)
    assert rows["mag"][1] is None
    assert np.float32(rows["mag"][0]) == np.float32(3.4)
    assert rows["n"][1] == (2 if kind == "arrow" else None)
    assert rows["name"] == list(table["name"])
    assert [str(value) for value in rows["good"]] == ["True", "False", "True"]


@pytest.mark.parametrize("kind", ["tabledata", "binary2", "fits", "ecsv"])
def test_columns_keep_their_meaning(kind, upload, tmp_path):
    table = targets()
    table["mag"].unit, table["mag"].description = "mag", "V, AB"
    table["mag"].meta["ucd"] = "phot.mag;em.opt.V"
    table["name"] = ["M31", "south & <pole>", "Polaris"]
    (mag,) = (column for column in upload(FORMATS[kind](table, tmp_path)).table.columns if column.name == "mag")
    assert (mag.unit, mag.datatype) == ("mag", Datatype.FLOAT)
    assert mag.description == ("V, AB" if kind != "fits" else "")
    if kind in ("tabledata", "binary2"):
        assert mag.ucd == "phot.mag;em.opt.V"


def test_what_the_sender_calls_it_decides_only_where_the_content_does_not(upload, tmp_path):
    assert len(upload(votable(targets()), content_type="text/csv", suffix=".fits").rows) == 3
    assert upload(b"a;b\tc\n1;2\t3\n", content_type="text/tab-separated-values").rows.column_names == ["a;b", "c"]
    assert upload(b"a;b\tc\n1;2\t3\n", suffix=".tsv").rows.column_names == ["a;b", "c"]
    assert upload(b"a,b\n1,2\n", content_type="application/x-votable+xml").rows.to_pydict() == {"a": [1], "b": [2]}


@pytest.mark.parametrize(
    ("columns", "position"),
    [
        ('"RAJ2000" datatype="double" ucd="pos.eq.ra;meta.main"|"x" datatype="double" ucd="POS.EQ.DEC;META.MAIN"', "x"),
        ('"RA" datatype="double" unit="deg"|"Dec" datatype="float"', "Dec"),
        ('"a" datatype="double" ucd="pos.eq.ra"|"b" datatype="double" ucd="pos.eq.dec"', "b"),
        ('"a" datatype="double" ucd="POS_EQ_RA_MAIN"|"b" datatype="double" ucd="POS_EQ_DEC_MAIN"', "b"),
        ('"ra" datatype="double" unit="h"|"dec" datatype="double"', None),
        ('"ra" datatype="char" arraysize="*"|"dec" datatype="char" arraysize="*"', None),
        ('"a" datatype="double" ucd="pos.eq.ra"|"b" datatype="double" ucd="pos.eq.ra"', None),
        ('"ra" datatype="double"|"b" datatype="double"', None),
    ],
)
def test_position_columns_are_found_where_there_is_no_doubt(columns, position, upload):
    relation = upload(document("".join(f"<FIELD name={words}/>" for words in columns.split("|")), "<TABLEDATA/>"))
    names = [column.name for column in relation.table.columns]
    assert relation.table.position == (Position(names[0], position) if position else None)


def test_names_that_no_identifier_has_work_in_quotes_and_alike_ones_get_a_number(archive, tmp_path):
    fields = "".join(f'<FIELD name="{name}" datatype="int"/>' for name in ("a", "A", "", "x y", "1st", "select"))
    file = tmp_path / "u"
    cells = "".join(f"<TD>{i}</TD>" for i in range(6))
    file.write_bytes(document(fields, f"<TABLEDATA><TR>{cells}</TR></TABLEDATA>"))
    text = 'SELECT "a", A_2, col3, "x y", "1st", "select" FROM TAP_UPLOAD.t'
    assert list(rows_of(archive, text, file)[0].values()) == list(range(6))


def rows_of(archive, text, file) -> list[dict]:
    return archive.query(QueryRequest(text, uploads=(Upload("t", str(file)),))).to_arrow().to_pylist()


def test_uploads_are_tables_like_all_others(archive, objects, tmp_path):
    file = tmp_path / "u"
    ids = Table({"objid": objects["objid"].to_pylist()[:5]})
    file.write_bytes(votable(ids))
    text = "SELECT o.mag FROM demo.objects AS o JOIN tap_upload.T AS u ON u.objid = o.objid ORDER BY o.objid"
    assert [row["mag"] for row in rows_of(archive, text, file)] == objects["mag"].to_pylist()[:5]
    assert rows_of(archive, "SELECT COUNT(*) AS n FROM t", file) == [{"n": 5}]
    assert rows_of(archive, "SELECT COUNT(*) AS n FROM TAP_SCHEMA.tables WHERE table_name LIKE '%UPLOAD%'", file) == [
        {"n": 0}
    ]
    with pytest.raises(SkydexError, match=r'No table "TAP_UPLOAD\.t"'):
        archive.query(QueryRequest(ALL))


KINDS = document(
    """
    <FIELD name="id" datatype="long"/>
    <FIELD name="p" datatype="double" arraysize="2" xtype="point" unit="deg"/>
    <FIELD name="c" datatype="double" arraysize="3" xtype="circle" unit="deg"/>
    <FIELD name="poly" datatype="double" arraysize="*" xtype="polygon" unit="deg"/>
    <FIELD name="s_region" datatype="char" arraysize="*" xtype="adql:REGION"/>
    <FIELD name="old_point" datatype="char" arraysize="*" xtype="adql:POINT"/>
    <FIELD name="seen" datatype="char" arraysize="*" xtype="timestamp"/>
    <FIELD name="note" datatype="unicodeChar" arraysize="*"/>
    <FIELD name="counts" datatype="int" arraysize="*"/>
    <FIELD name="span" datatype="double" arraysize="2" xtype="interval"/>
    <FIELD name="select" datatype="short"><VALUES null="-1"/></FIELD>
    <FIELD name="two words" datatype="boolean"/>
    """,
    "<TABLEDATA><TR><TD>1</TD><TD>10.5 20.5</TD><TD>10.5 20.5 0.2</TD><TD>10.2 20.2 10.8 20.2 10.8 20.8 10.2 20.8</TD>"
    "<TD>Circle ICRS 10.5 20.5 0.2</TD><TD>Position ICRS 10.5 20.5</TD><TD>2020-01-02T03:04:05.5</TD>"
    "<TD>αβγ 日本</TD><TD>1 2 3</TD><TD>1 2.5</TD><TD>-1</TD><TD>T</TD></TR>"
    f"<TR><TD>2</TD>{'<TD/>' * 9}<TD>3</TD><TD/></TR></TABLEDATA>",
)


@pytest.fixture
def kinds(tmp_path):
    file = tmp_path / "kinds"
    file.write_bytes(KINDS)
    return file


def test_every_kind_of_column_reads_as_it_was_written(archive, kinds):
    full, empty = rows_of(archive, ALL, kinds)
    assert full["p"] == [10.5, 20.5]
    assert (full["note"], full["counts"], full["span"]) == ("αβγ 日本", [1, 2, 3], [1, 2.5])
    assert full["seen"] == datetime.datetime(2020, 1, 2, 3, 4, 5, 500_000)
    assert (full["select"], full["two words"]) == (None, True)
    assert set(empty.items()) == {("id", 2), ("select", 3)} | {
        (name, None) for name in empty if name not in ("id", "select")
    }


@pytest.mark.parametrize(
    "condition",
    [
        "1 = CONTAINS(POINT(o.ra, o.dec), t.c)",
        "1 = CONTAINS(POINT(o.ra, o.dec), CIRCLE(t.p, 0.2))",
        "1 = CONTAINS(POINT(o.ra, o.dec), t.s_region)",
        "1 = CONTAINS(t.old_point, CIRCLE(o.ra, o.dec, 0.2))",
        "DISTANCE(POINT(o.ra, o.dec), t.p) < 0.2",
        "DISTANCE(o.ra, o.dec, COORD1(t.p), COORD2(t.p)) < 0.2",
        "1 = CONTAINS(POINT(o.ra, o.dec), t.c) AND 1 = CONTAINS(POINT(o.ra, o.dec), t.poly)",
    ],
)
def test_geometries_of_uploads_are_geometries(condition, archive, kinds, objects):
    places = SkyCoord(objects["ra"].to_numpy(), objects["dec"].to_numpy(), unit="deg")
    inside = places.separation(SkyCoord(10.5, 20.5, unit="deg")).deg < 0.2
    query = f"SELECT COUNT(*) AS n FROM demo.objects AS o, TAP_UPLOAD.t AS t WHERE {condition}"
    assert rows_of(archive, query, kinds) == [{"n": inside.sum()}]


FIRST = 10**18


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("SELECT id FROM TAP_UPLOAD.t WHERE seen > '2019-12-31'", [1]),
        ("SELECT id FROM TAP_UPLOAD.t WHERE seen < TIMESTAMP '2020-01-02T03:04:05.6'", [1]),
        ("SELECT id FROM TAP_UPLOAD.t WHERE note LIKE '%日%'", [1]),
        ('SELECT id FROM TAP_UPLOAD.t WHERE "select" = 3 OR "two words" IS NULL', [2]),
        ("SELECT id FROM (SELECT id FROM TAP_UPLOAD.t) AS s WHERE id > 1", [2]),
        ("WITH w AS (SELECT id + 1 AS k FROM TAP_UPLOAD.t) SELECT id FROM w JOIN TAP_UPLOAD.t ON id = k", [2]),
        ("SELECT a.id FROM TAP_UPLOAD.t AS a JOIN TAP_UPLOAD.other AS b ON a.id < b.id", [1]),
        ("SELECT a.id FROM TAP_UPLOAD.t AS a NATURAL JOIN TAP_UPLOAD.other AS b WHERE a.note IS NULL", []),
        ("SELECT id FROM TAP_UPLOAD.t UNION SELECT id FROM TAP_UPLOAD.other", [1, 2]),
        ("SELECT id FROM TAP_UPLOAD.t EXCEPT SELECT id FROM TAP_UPLOAD.other WHERE note IS NULL", [1]),
        (
            f"SELECT objid FROM demo.objects WHERE objid - {FIRST} IN (SELECT id FROM tap_upload.T)",
            [FIRST + 1, FIRST + 2],
        ),
        (
            f"SELECT objid FROM demo.objects AS o WHERE EXISTS "
            f"(SELECT 1 FROM TAP_UPLOAD.t AS t WHERE t.id = o.objid - {FIRST} AND t.note IS NULL)",
            [FIRST + 2],
        ),
        ("SELECT (SELECT MAX(objid) FROM demo.objects WHERE objid < id) AS m FROM TAP_UPLOAD.t", [None, None]),
        ('SELECT MAX(id) AS n FROM "TAP_UPLOAD"."order"', [2]),
        ("SELECT TAP_UPLOAD.t.id FROM TAP_UPLOAD.t LEFT OUTER JOIN demo.objects ON id = objid", [1, 2]),
    ],
)
def test_uploads_stand_wherever_a_table_may(query, values, archive, kinds):
    uploads = tuple(Upload(name, str(kinds)) for name in ("t", "other", "order"))
    rows = archive.query(QueryRequest(query, uploads=uploads)).to_arrow()
    assert sorted(rows.column(0).to_pylist(), key=str) == values


def test_zero_rows_and_columns_that_cannot_be_carried(archive, tmp_path):
    file = tmp_path / "u"
    file.write_bytes(
        document('<FIELD name="a" datatype="int"/><FIELD name="z" datatype="bit" arraysize="8"/>', "<TABLEDATA/>")
    )
    result = archive.query(QueryRequest(ALL, uploads=(Upload("t", str(file)),)))
    assert result.to_arrow().to_pydict() == {"a": []}
    assert 'Column "z" is left out' in result.warnings[0]


def test_texts_get_the_length_that_they_have(upload):
    (column,) = upload(document('<FIELD name="s" datatype="unicodeChar" arraysize="*"/>')).table.columns
    assert column.arraysize == "1*"


@pytest.mark.parametrize("name", ["AllTypes.xml", "AllTypes-NoRows.xml", "TAPUploadTest-1.xml", "binary-vot.xml"])
def test_real_uploads_read_as_astropy_reads_them(name, shared_data, upload):
    file = shared_data / "services/tap_upload" / name
    theirs = next(iter(parse(file).iter_tables())).to_table(use_names_over_ids=True)
    ours = upload(file.read_bytes())
    assert len(ours.rows) == len(theirs)
    assert [column.name for column in ours.table.columns] == theirs.colnames
    for place, column in enumerate(ours.table.columns):
        if not column.is_array and not column.is_timestamp:
            values = theirs[column.name]
            filled = [None if m or v == "" else v for v, m in zip(values, np.ma.getmaskarray(values), strict=True)]
            assert_array_equal(ours.rows.column(place).to_pylist(), filled, err_msg=column.name)


def test_a_file_that_is_no_table_is_an_error_that_names_the_upload_and_no_path(upload, tmp_path):
    for data in (
        b"",
        b"\x00\x01\x02",
        b"<html></html>",
        b"%PDF-1.4\n%\x00",
        fits.PrimaryHDU().header.tostring().encode(),
    ):
        with pytest.raises(UnreadableFileError, match="the uploaded table t") as caught:
            upload(data)
        assert str(tmp_path) not in str(caught.value)


def test_what_a_file_was_taken_for_is_said(upload):
    with pytest.raises(UnreadableFileError, match="the uploaded table t as csv: line 3 has 2 fields"):
        upload(b'[\n  1,\n  {"a": 1, "b": 2}\n]\n'.replace(b"1,\n", b"1\n"))


def test_a_line_without_end_is_an_error_that_says_so(upload):
    with pytest.raises(UnreadableFileError, match=r"t as csv: a line, or a text in quotes, is longer than 8 MB$"):
        upload(b"a\n" + b"x" * (20 * MB))


def test_a_bad_value_is_an_error_that_names_it(upload):
    with pytest.raises(UnreadableFileError, match=r'"x" in column "a" is not a value of type int$'):
        upload(document(data="<TABLEDATA><TR><TD>x</TD></TR></TABLEDATA>"))


R15 = {
    "billion laughs": document(
        before="<!DOCTYPE v ["
        + '<!ENTITY a0 "lol">'
        + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12))
        + "]>",
        data="<TABLEDATA><TR><TD>&a11;</TD></TR></TABLEDATA>",
    ),
    "doctype": document(before='<!DOCTYPE VOTABLE SYSTEM "http://us-vo.org/xml/VOTable.dtd">'),
    "a long doctype": document(before=f"<!DOCTYPE v [<!--{'x' * 100_000}-->]>"),
    "external entity": document(before='<!DOCTYPE v [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
    "stream to a file": document(data='<BINARY><STREAM href="file:///etc/passwd"/></BINARY>'),
    "stream to the web": document(data='<BINARY2><STREAM href="http://127.0.0.1:1/x"/></BINARY2>'),
    "fits inside": document(data="<FITS><STREAM encoding='base64'>U0lNUExF</STREAM></FITS>"),
    "fits elsewhere": document(data='<FITS><STREAM href="file:///etc/passwd"/></FITS>'),
    "parquet elsewhere": document(data='<PARQUET><STREAM href="file:x.parquet"/></PARQUET>'),
    "deep": document(before="", data="<GROUP>" * 200_000),
    "a million columns": document('<FIELD name="x" datatype="int"/>' * 1_000_000),
    "a huge arraysize": document(
        '<FIELD name="x" datatype="double" arraysize="999999999999x9999999"/>',
        '<BINARY><STREAM encoding="base64">AAAAAAAA</STREAM></BINARY>',
    ),
    "a count beyond the end": document(
        '<FIELD name="x" datatype="double" arraysize="*"/>',
        '<BINARY><STREAM encoding="base64">/////w==</STREAM></BINARY>',
    ),
    "a csv of a million columns": b",".join([b"a"] * 1_000_000) + b"\n",
    "an ecsv of a million columns": b"# %ECSV 1.0\n# ---\n# datatype:\n"
    + b"# - {name: a, datatype: int64}\n" * 100_000
    + b"a\n1\n",
    "gzip in gzip": gzip.compress(gzip.compress(document())),
}


@pytest.mark.parametrize("attack", R15)
def test_r15_a_file_that_means_harm_is_refused_at_once(attack, upload):
    start = time.monotonic()
    with pytest.raises((UnreadableFileError, LimitError)):
        upload(R15[attack])
    assert time.monotonic() - start < 5


def test_r15_aliases_in_yaml_are_not_multiplied(upload):
    data = (
        b"# %ECSV 1.0\n# ---\n# a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        + b"".join(b"# a%d: &a%d [%s]\n" % (i, i, b", ".join([b"*a%d" % (i - 1)] * 9)) for i in range(1, 12))
        + b"# datatype:\n# - {name: *a11, datatype: int64}\na\n1\n"
    )
    start = time.monotonic()
    assert upload(data).rows.num_rows == 1
    assert time.monotonic() - start < 5


def test_r15_nrows_is_ignored(upload):
    data = document().replace(b"<TABLE>", b'<TABLE nrows="999999999999">')
    assert upload(data).rows.to_pydict() == {"a": [1]}


@pytest.mark.parametrize("packer", [gzip.compress, bz2.compress], ids=["gzip", "bzip2"])
def test_r15_r17_what_unpacks_to_more_than_the_limit_is_refused(packer, upload, limits):
    small = UploadLimits(1, limits.n_rows, limits.memory_mb, limits.directory)
    with pytest.raises(UploadTooLargeError, match="unpacked, is over the limit of 1 MB"):
        upload(packer(bytes(20 * MB)), limits=small)
    assert not list(limits.directory.glob("upload-*/"))


def test_r14_a_disk_that_takes_no_more_is_an_error_that_says_so(upload, limits):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    data = gzip.compress(b"a\n" + b"1\n" * MB)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MB, hard))
    try:
        with pytest.raises(StoreError, match=r"^An unpacked upload could not be written: File too large\.$"):
            upload(data)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(limits.directory.glob("upload-*/"))


@pytest.mark.parametrize("kind", ["tabledata", "csv", "fits", "parquet"])
def test_r15_rows_are_limited(kind, upload, limits, tmp_path):
    small = UploadLimits(limits.plain_mb, 2, limits.memory_mb, limits.directory)
    with pytest.raises(UploadTooLargeError, match=r"TAP_UPLOAD\.t is over the limit of 2 rows"):
        upload(FORMATS[kind](targets()["id", "ra"], tmp_path), limits=small)


def test_r15_memory_is_limited_whatever_the_file_weighs(upload, limits):
    out = io.BytesIO()
    pq.write_table(pa.table({"x": np.zeros(900_000)}), out, compression="zstd")
    assert len(out.getvalue()) < MB
    small = UploadLimits(limits.plain_mb, limits.n_rows, 8, limits.directory)
    with pytest.raises(MemoryLimitError):
        upload(out.getvalue(), limits=small)


def header(**cards) -> bytes:
    return fits.Header(cards.items()).tostring().encode()


def bintable(**cards) -> bytes:
    primary = header(SIMPLE=True, BITPIX=8, NAXIS=0)
    known = {"XTENSION": "BINTABLE", "BITPIX": 8, "NAXIS": 2, "NAXIS1": 8, "NAXIS2": 1, "PCOUNT": 0, "GCOUNT": 1}
    return primary + header(**known | {"TFIELDS": 1, "TTYPE1": "a", "TFORM1": "D"} | cards)


R17 = {
    "huge NAXIS1": bintable(NAXIS1=2**60),
    "huge NAXIS2": bintable(NAXIS2=2**60),
    "both huge": bintable(NAXIS1=2**40, NAXIS2=2**40),
    "negative NAXIS2": bintable(NAXIS2=-5),
    "negative PCOUNT": bintable(PCOUNT=-5),
    "many axes": bintable(NAXIS=999),
    "a text for a size": bintable(NAXIS2="many"),
    "no END": bintable()[:2880] + b"XTENSION= 'BINTABLE'".ljust(80) * 400,
    "endless header": b"SIMPLE  =                    T".ljust(80) + b"COMMENT x".ljust(80) * 500_000,
    "no data": bintable(NAXIS2=100),
    "wide fields": bintable(TFORM1="999999999D"),
    "heap outside": bintable(NAXIS1=8, TFORM1="PD(5)", PCOUNT=8, THEAP=2**50) + bytes(2880),
    "truncated gzip": gzip.compress(bintable() + bytes(2880))[:-20],
    "one-tile image": header(SIMPLE=True, BITPIX=8, NAXIS=0)
    + header(
        XTENSION="BINTABLE", BITPIX=8, NAXIS=2, NAXIS1=8, NAXIS2=1, PCOUNT=0, GCOUNT=1, TFIELDS=1, TFORM1="1PB(1)",
        ZIMAGE=True, ZBITPIX=-64, ZNAXIS=2, ZNAXIS1=10**9, ZNAXIS2=10**9, ZTILE1=10**9, ZTILE2=10**9, ZCMPTYPE="GZIP_1",
    )
    + bytes(2880),
    "one-tile table": bintable(ZTABLE=True, ZNAXIS1=2**40, ZNAXIS2=2**40, ZTILELEN=2**40) + bytes(2880),
}  # fmt: skip


@pytest.mark.parametrize("attack", R17)
def test_r17_a_fits_file_that_means_harm_is_refused_at_once(attack, upload):
    start = time.monotonic()
    with pytest.raises((UnreadableFileError, LimitError)):
        upload(R17[attack])
    assert time.monotonic() - start < 5


def test_r17_a_heap_that_all_rows_point_to_counts_for_each_of_them(upload, limits):
    n_rows, n_elements = 20_000, 10_000
    pointers = np.array([[n_elements, 0]] * n_rows, ">i4").tobytes()
    data = bintable(NAXIS2=n_rows, TFORM1="PD(10000)", PCOUNT=8 * n_elements) + pointers + bytes(8 * n_elements)
    small = UploadLimits(limits.plain_mb, limits.n_rows, 64, limits.directory)
    with pytest.raises(MemoryLimitError):
        upload(data + bytes(-len(data) % 2880), limits=small)


def test_r15_arrow_offsets_that_lead_elsewhere_are_refused(upload):
    data = bytearray(arrow(pa.table({"l": pa.array([[1], [2, 3]])})))
    offsets = np.array([0, 1, 3], "<i4").tobytes()
    place = data.index(offsets)
    data[place : place + 12] = np.array([0, 2**30, 2**30 + 5], "<i4").tobytes()
    with pytest.raises(UnreadableFileError):
        upload(bytes(data))


def test_limits_come_from_the_settings():
    settings = Settings(upload_mb=7, upload_rows=8, query_memory_mb=9)
    limits = UploadLimits.of(settings)
    assert (limits.plain_mb, limits.n_rows, limits.memory_mb) == (7, 8, 9)


def test_an_upload_may_be_a_table_of_base64_in_lines(upload):
    rows = base64.encodebytes(np.arange(100, dtype=">i4").tobytes()).decode()
    data = document(data=f'<BINARY><STREAM encoding="base64">\n{rows}</STREAM></BINARY>')
    assert upload(data).rows.to_pydict() == {"a": list(range(100))}


def test_an_archive_opened_for_asking_reads_uploads_itself(directory, tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("a,b\n1,x\n2,y\n")
    archive = Archive.open(directory.path)
    assert rows_of(archive, "SELECT b FROM TAP_UPLOAD.t WHERE a = 2", file) == [{"b": "y"}]
