"""The XML around the rows: errors, versions, names."""

from __future__ import annotations

import io
import warnings
from xml.etree import ElementTree

import pytest
from astropy.io.votable import parse
from hypothesis import given
from hypothesis import strategies as st

from skydex.formats.votable import (
    VOTABLE_1_2,
    Serialization,
    error_votable,
    footer,
    header,
    scs_error_votable,
)
from skydex.formats.votable.arraysize import Arraysize
from skydex.formats.votable.document import field_ids
from skydex.tables import Column, Datatype

NS = "{http://www.ivoa.net/xml/VOTable/v1.3}"


@given(st.text())
def test_any_message_makes_a_well_formed_error(message):
    (info,) = ElementTree.fromstring(error_votable(message)).iter(f"{NS}INFO")
    assert (info.get("name"), info.get("value")) == ("QUERY_STATUS", "ERROR")
    kept = "".join(c for c in message if c in "\t\n\r" or c >= " ")
    assert (info.text or "") == kept.replace("\ufffe", "").replace("\uffff", "")


@given(st.text())
def test_any_message_makes_a_well_formed_cone_search_error(message):
    root = ElementTree.fromstring(scs_error_votable(message))
    ((info,),) = root
    assert info.tag == f"{NS}INFO"
    assert (info.get("ID"), info.get("name")) == ("Error", "Error")


def test_pieces_make_a_document_of_an_older_version():
    columns = (Column("ra", Datatype.DOUBLE, ucd="POS_EQ_RA_MAIN"),)
    rows = b"<TR><TD>1.5</TD></TR>"
    data = header(columns, Serialization.TABLEDATA, version=VOTABLE_1_2) + rows + footer(Serialization.TABLEDATA)
    assert b'version="1.2" xmlns="http://www.ivoa.net/xml/VOTable/v1.2"' in data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = parse(io.BytesIO(data)).get_first_table()
    assert table.array["ra"].tolist() == [1.5]


@given(st.lists(st.text(), max_size=8))
def test_identifiers_are_unique_and_ascii_xml_names(names):
    ids = field_ids([Column(name, Datatype.INT) for name in names])
    assert len(set(ids)) == len(ids)
    for identifier in ids:
        ElementTree.fromstring(f"<{identifier}/>")


@pytest.mark.parametrize(
    ("text", "shape", "is_variable"),
    [
        (None, (), False),
        ("3", (3,), False),
        ("2x4", (2, 4), False),
        ("*", (), True),
        ("22*", (), True),
        ("2x*", (2,), True),
        ("2x3x5*", (2, 3), True),
    ],
)
def test_arraysizes_are_understood(text, shape, is_variable):
    assert Arraysize.parse(text) == Arraysize(shape, is_variable)


@pytest.mark.parametrize("text", ["", "x", "3x", "*x2", "-1", "2.5", "**", "1e3"])
def test_what_is_no_arraysize_is_refused(text):
    with pytest.raises(ValueError, match="arraysize"):
        Arraysize.parse(text)
