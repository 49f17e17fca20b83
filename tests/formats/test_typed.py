"""Text with typed headers, read by the client that it is for (`mastcasjobs`)."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
import xmlschema
from astropy.io import ascii as astropy_ascii
from lxml import etree
from mastcasjobs import MastCasJobs

from skydex.errors import ResultTooLongError, UnsupportedFormatError
from skydex.formats import get_format, writable
from skydex.tables import BIT, Column, Datatype, Result, arrow_schema

COLUMNS = (
    Column("MatchID", Datatype.LONG),
    Column("Filter", Datatype.CHAR, arraysize="11*"),
    Column("MJD", Datatype.DOUBLE, unit="d"),
    Column("Mag", Datatype.FLOAT),
    Column("FilterDetFlag", Datatype.UNSIGNED_BYTE, xtype=BIT),
    Column("obsTime", Datatype.CHAR, arraysize="26*", xtype="timestamp"),
    Column("is_good", Datatype.BOOLEAN),
)
ROWS = [
    [1905457, "ACS_F606W", 53767.4197952871, 25.327, 1, dt.datetime(2006, 2, 1, 10), True],
    [None, None, None, None, None, None, None],
    [-5, 'a "b", null\nc & <d>', 1e-300, 2.0, 0, None, False],
    [2**63 - 1, "null", 0.0, -0.5, 1, None, None],
]


def result(columns=COLUMNS, rows=ROWS, **facts) -> Result:
    schema = arrow_schema(columns)
    cells = list(zip(*rows, strict=True)) or [()] * len(columns)
    arrays = [pa.array(list(values), kind) for values, kind in zip(cells, schema.types, strict=True)]
    return Result(columns, iter([pa.RecordBatch.from_arrays(arrays, schema=schema)]), **facts)


def written(name: str, *given, **facts) -> str:
    return b"".join(get_format(name).write(result(*given, **facts))).decode()


def quick(text: str):
    return MastCasJobs.convert_quick_table(text)


def fast(text: str):
    """As `MastCasJobs.fast_table` reads what it has fetched."""
    names, converters = MastCasJobs.get_converters(text.split("\n", 1)[0], delimiter="\t")
    return astropy_ascii.read(text, fast_reader=False, guess=False, format="tab", names=names, converters=converters)


def test_a_quick_answer_is_spelt_as_the_service_at_mast_spells_it():
    first, second, third, *_ = written("casjobs").splitlines()
    assert first == (
        "[MatchID]:Integer,[Filter]:String,[MJD]:Float,[Mag]:Float,[FilterDetFlag]:Boolean,"
        "[obsTime]:DateTime,[is_good]:Boolean"
    )
    assert second == '1905457,"ACS_F606W",53767.4197952871,25.327,True,2006-02-01T10:00:00,True'
    assert third == "null,null,null,null,null,null,null"


def test_the_client_reads_a_quick_answer():
    table = quick(written("casjobs"))
    assert table["MatchID"].filled(-1).tolist() == [1905457, -1, -5, 2**63 - 1]
    assert [str(table[name].dtype) for name in ("MatchID", "MJD", "Mag")] == ["int64", "float64", "float64"]
    assert table["Filter"].tolist() == ["ACS_F606W", None, 'a "b", null\nc & <d>', "null"]
    assert table["FilterDetFlag"].tolist() == ["True", None, "False", "True"]


def test_the_client_reads_a_fast_download():
    text = written("casjobs-tab")
    assert text.split("\n")[0].split("\t")[4] == "[FilterDetFlag]:Integer"
    assert text.split("\n")[2] == '""' + "\t" * 6
    table = fast(text)
    assert table["FilterDetFlag"].tolist() == [1, None, 0, 1]
    assert table["FilterDetFlag"].dtype == "int64"
    assert table["Filter"].tolist() == ["ACS_F606W", None, 'a "b", null\nc & <d>', "null"]
    assert table["MJD"].tolist() == [row[2] for row in ROWS]


@pytest.mark.parametrize("name", ["casjobs", "casjobs-tab"])
def test_no_rows_are_a_table_without_rows(name):
    text = written(name, COLUMNS, [])
    assert text.endswith("\n")
    table = quick(text) if name == "casjobs" else fast(text)
    assert len(table) == 0
    assert table.colnames == [column.name for column in COLUMNS]


def test_names_that_come_twice_or_cannot_be_written_are_made_so_that_they_can():
    columns = tuple(Column(name, Datatype.INT) for name in ("MatchID", "matchid", "a[1], b", "", ""))
    table = quick(written("casjobs", columns, [[1, 2, 3, 4, 5]]))
    assert table.colnames == ["MatchID", "matchid1", "a_1__ b", "Column1", "Column2"]


@pytest.mark.parametrize("name", ["casjobs", "casjobs-tab"])
def test_a_result_that_was_cut_ends_in_an_error_since_no_remark_has_a_place(name):
    with pytest.raises(ResultTooLongError, match=r"4 rows.*INTO mydb"):
        written(name, overflow=True, max_rows=4)


def test_other_services_do_not_offer_them():
    assert not {kind.name for kind in writable()} & {"casjobs", "casjobs-tab"}
    with pytest.raises(UnsupportedFormatError) as refused:
        get_format("nonsense")
    assert "casjobs" not in str(refused.value)
    assert get_format("text/plain").name == "text"


def test_the_client_reads_the_file_of_an_output_job():
    text = written("casjobs-csv")
    assert text.splitlines()[:2] == [
        "MatchID,Filter,MJD,Mag,FilterDetFlag,obsTime,is_good",
        "1905457,ACS_F606W,53767.4197952871,25.327,1,2006-02-01T10:00:00,1",
    ]
    table = astropy_ascii.read(MastCasJobs.replacenull(text), format="csv", fast_reader=False)
    assert table["MatchID"].tolist() == [1905457, None, -5, 2**63 - 1]
    assert table["Filter"].tolist() == ["ACS_F606W", None, 'a "b", null\nc & <d>', "null"]
    assert table["FilterDetFlag"].tolist() == [1, None, 0, 1]


def test_a_dataset_is_read_by_its_own_schema():
    xml = written("casjobs-dataset", (*COLUMNS, Column("a b", Datatype.DOUBLE)), [[*row, 1e300] for row in ROWS])
    root = etree.fromstring(xml.encode())
    schema, diffgram = root
    rows = diffgram[0]
    assert [etree.QName(row).localname for row in rows] == ["Table1"] * 4
    first, second, third, _ = rows
    assert [(cell.tag, cell.text) for cell in first][:3] == [
        ("MatchID", "1905457"),
        ("Filter", "ACS_F606W"),
        ("MJD", "53767.4197952871"),
    ]
    assert [(cell.tag, cell.text) for cell in second] == [("a_x0020_b", "1e+300")]
    assert third.findtext("Filter") == 'a "b", null\nc & <d>'
    assert third.findtext("FilterDetFlag") == "false"
    declared = xmlschema.XMLSchema(etree.tostring(schema).decode())
    for row in rows:
        row.attrib.clear()
    declared.validate(etree.tostring(rows).decode().replace(' xmlns="http://Services.Cas.jhu.edu"', ""))


def test_the_document_of_a_quick_answer_holds_the_text_as_far_as_xml_can():
    columns = (Column("text", Datatype.CHAR, arraysize="*"),)
    xml = written("casjobs-xml", columns, [["<b>&amp; ]]>"], ["a\rb"], ["\x00x\x1b\ufffey"], ["Ångström"]])
    root = etree.fromstring(xml.encode())
    assert root.tag == "{http://Services.Cas.jhu.edu}string"
    assert root.text == '[text]:String\n"<b>&amp; ]]>"\n"a\rb"\n"x\ufffdy"\n"Ångström"\n'
