"""CSV whose columns are known."""

from __future__ import annotations

import pytest
from mastcasjobs import MastCasJobs

from skydex.errors import UnreadableFileError
from skydex.formats.knowncsv import TAB, read_known_csv, read_typed
from skydex.formats.typed import write_typed_csv, write_typed_tab
from skydex.tables import Column, Datatype

COLUMNS = {
    "matchid": Column("MatchID", Datatype.LONG, ucd="meta.id"),
    "mag": Column("Mag", Datatype.FLOAT, unit="mag"),
    "ra": Column("RA", Datatype.DOUBLE, unit="deg"),
    "filter": Column("Filter", Datatype.CHAR, arraysize="9*"),
    "n": Column("n", Datatype.INT),
    "ok": Column("ok", Datatype.BOOLEAN),
}


def find(name):
    return COLUMNS.get(name.lower())


def rows(content, **given):
    result = read_known_csv(content, find, **given)
    return result, result.to_arrow().to_pydict()


def test_values_have_the_types_that_they_are_known_to_have():
    result, found = rows(b"MatchID,mag,RA,Filter,n,ok\n9007199254740993,21.5,10.123456789012345,F475W,3,True\n")
    assert found["MatchID"] == [9007199254740993], "beyond 53 bits"
    assert found["RA"] == [10.123456789012345]
    assert found["Mag"] == [21.5]
    assert found["ok"] == [True]
    assert [column.name for column in result.columns] == ["MatchID", "Mag", "RA", "Filter", "n", "ok"]
    assert result.columns[1].unit == "mag"
    assert not result.warnings


def test_nothing_between_delimiters_is_no_value_whatever_the_type():
    _, found = rows(b"MatchID,mag,Filter,n\n,,,\n1,,F606W,\n")
    assert found == {"MatchID": [None, 1], "Mag": [None, None], "Filter": [None, "F606W"], "n": [None, None]}


def test_not_a_number_is_no_value():
    _, found = rows(b"mag,RA,Filter\nNaN,nan,nan\n")
    assert found == {"Mag": [None], "RA": [None], "Filter": ["nan"]}, "a text is a text"


def test_a_text_in_quotes_may_hold_anything():
    _, found = rows(b'Filter,n\n"a,""b""\nc",1\n"",2\n"null",3\n')
    assert found["Filter"] == ['a,"b"\nc', "", "null"]


def test_a_column_that_nobody_knows_is_read_as_what_it_looks_like():
    result, found = rows(b"MatchID,distance,word\n1,0.25,x\n")
    assert found["distance"] == [0.25]
    assert result.columns[1].datatype is Datatype.DOUBLE
    assert result.columns[2].max_length == 1


def test_a_value_that_its_description_does_not_allow_is_kept_with_a_warning():
    result, found = rows(b"MatchID,n,mag\n12,2.5,faint\n9007199254740993,3,1\n")
    assert found == {"MatchID": [12, 9007199254740993], "n": [2.5, 3.0], "Mag": ["faint", "1"]}
    assert len(result.warnings) == 2
    assert result.columns[1].datatype is Datatype.DOUBLE


def test_a_first_line_alone_is_a_table_without_rows():
    for content in (b"MatchID,Filter\n", b"MatchID,Filter", b"\xef\xbb\xbfMatchID,Filter\r\n"):
        result, found = rows(content)
        assert found == {"MatchID": [], "Filter": []}
        assert result.columns[0].datatype is Datatype.LONG


@pytest.mark.parametrize("content", [b"", b"\n", b"MatchID,n\n1\n", b"MatchID,n\n1,2,3\n"])
def test_what_is_no_table_is_refused(content):
    with pytest.raises(UnreadableFileError):
        rows(content)


TYPED = b"""[MatchID]:Integer,[Filter]:String,[MJD]:Float,[Flag]:Boolean
1905457,"ACS_F606W",53767.4197952871,True
null,"a,""b\"\"",NULL,null
"""


def test_typed_text_is_read_as_the_client_of_mast_reads_it():
    theirs = MastCasJobs.__new__(MastCasJobs).convert_quick_table(TYPED.decode())
    ours = read_typed(TYPED).to_arrow()
    assert ours.column_names == theirs.colnames
    assert ours["MatchID"][0].as_py() == theirs["MatchID"][0]
    assert ours["MJD"][0].as_py() == theirs["MJD"][0]
    assert ours["Filter"].to_pylist() == list(theirs["Filter"])
    assert ours["MatchID"][1].as_py() is None
    assert theirs["MatchID"].mask[1]
    assert ours["Flag"].to_pylist() == [True, None], "there it is text"


@pytest.mark.parametrize(("write", "layout"), [(write_typed_csv, None), (write_typed_tab, TAB)])
def test_what_the_service_writes_is_read_back(write, layout):
    content = b'MatchID,RA,Filter,n,ok\n9007199254740993,1e-300,"a\tb",,True\n-5,,"x y",7,False\n'
    written = b"".join(write(read_known_csv(content, find)))
    assert read_typed(written, layout=layout).to_arrow().to_pydict() == rows(content)[1]


def test_a_first_line_without_types_is_no_typed_text():
    with pytest.raises(UnreadableFileError, match="type"):
        read_typed(b"<html>no\n")
