"""Answers of services as results: what they hold, what they hide, and what is not taken from them."""

from __future__ import annotations

import contextlib
import gc
import gzip
import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skydex.client.answers import result_of_answer
from skydex.errors import BadAnswerError, RefusedError, UnreachableError
from skydex.formats import get_format
from skydex.tables import Column, Datatype, Result, arrow_schema, limited

COLUMNS = (
    Column("id", Datatype.LONG, ucd="meta.id"),
    Column("mag", Datatype.FLOAT, unit="mag", description="A magnitude"),
    Column("name", Datatype.CHAR, arraysize="4*"),
)
ROWS = [[1, 2, None], [20.5, None, 19.0], ["M31", "naïf", None]]


def rows() -> Result:
    batch = pa.RecordBatch.from_arrays(
        [pa.array(values, field.type) for values, field in zip(ROWS, arrow_schema(COLUMNS), strict=True)],
        schema=arrow_schema(COLUMNS),
    )
    return Result(COLUMNS, iter([batch]), infos=(("server", "skydex"),))


def written(form: str, result: Result) -> bytes:
    write = get_format(form).write
    assert write is not None
    return b"".join(write(result))


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def votable(inside: str) -> bytes:
    return (
        f'<?xml version="1.0"?><VOTABLE version="1.4"><RESOURCE type="results">{inside}</RESOURCE></VOTABLE>'.encode()
    )


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("form", ["arrow", "votable", "votable/td", "votable/b", "json", "parquet", "fits"])
def test_answer_is_the_result_that_was_written(form: str, size: int) -> None:
    answer = result_of_answer(pieces(written(form, rows()), size), host="here", media_type=get_format(form).media_type)
    values = answer.to_arrow().to_pydict()
    assert values["id"] == ROWS[0]
    assert values["mag"] == ROWS[1]
    assert [text or None for text in values["name"]] == ROWS[2] or form == "fits"
    assert answer.columns[1].unit == "mag"


@pytest.mark.parametrize("form", ["arrow", "votable", "votable/td"])
def test_answer_tells_its_infos_and_that_it_was_cut(form: str) -> None:
    answer = result_of_answer([written(form, limited(rows(), 2))], host="here")
    assert answer.to_arrow().num_rows == 2
    assert answer.overflow
    assert ("server", "skydex") in answer.infos
    whole = result_of_answer([written(form, limited(rows(), 3))], host="here")
    assert whole.to_arrow().num_rows == 3
    assert not whole.overflow


def test_arrow_is_read_as_it_arrives() -> None:
    taken = []

    def arriving() -> Iterator[bytes]:
        write = get_format("arrow").write
        assert write is not None
        for number, chunk in enumerate(write(rows())):
            taken.append(number)
            yield chunk

    answer = result_of_answer(arriving(), host="here")
    assert next(answer.batches).num_rows == 3
    assert taken == [0]


@pytest.mark.parametrize(
    "document",
    [
        votable('<INFO name="QUERY_STATUS" value="ERROR">No such table</INFO>'),
        votable('<INFO name="Error" value="No such table"/>'),
        votable('<PARAM name="Error" datatype="char" arraysize="*" value="No such table"/>'),
        b'<!DOCTYPE VOTABLE SYSTEM "http://us-vo.org/xml/VOTable.dtd">'
        b'<VOTABLE><INFO ID="Error" name="Error" value="No such table"/></VOTABLE>',
        votable(
            '<TABLE><FIELD name="a" datatype="int"/><DATA><TABLEDATA><TR><TD>1</TD></TR></TABLEDATA></DATA></TABLE>'
            '<INFO name="QUERY_STATUS" value="ERROR">No such table</INFO>'
        ),
    ],
)
def test_error_message_is_raised_in_the_words_of_the_service(document: bytes) -> None:
    with pytest.raises(RefusedError, match="there refuses: No such table"):
        result_of_answer([document], host="there")


FIELDS = '<TABLE><FIELD name="a" datatype="int"/><DATA>'


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "neither its suffix"),
        (b"\x00\x01\x02" * 50, "neither its suffix"),
        (votable(""), "holds no table"),
        (votable(FIELDS + '<BINARY2><STREAM href="http://127.0.0.1:9/x"/></BINARY2></DATA></TABLE>'), "not followed"),
        (votable(FIELDS + '<PARQUET><STREAM href="file:///etc/passwd"/></PARQUET></DATA></TABLE>'), "not followed"),
        (votable(FIELDS + "<FITS><STREAM encoding='base64'>AA==</STREAM></FITS></DATA></TABLE>"), "FITS"),
        (b'<!DOCTYPE v [<!ENTITY a "b">]><VOTABLE>&a;</VOTABLE>', "DOCTYPE"),
        (votable(FIELDS + "<TABLEDATA><TR><TD>1</TD></TR>")[:120], "cut short|ends in the middle"),
        (written("arrow", rows())[:200], "Arrow"),
    ],
)
def test_what_is_no_table_or_asks_for_more_is_not_taken(document: bytes, reason: str) -> None:
    with pytest.raises(BadAnswerError, match=reason):
        result_of_answer([document], host="there").to_arrow()


def test_answer_that_breaks_off_among_its_rows_is_an_error() -> None:
    data = written("arrow", rows())
    answer = result_of_answer([data[: len(data) - 700]], host="there")
    with pytest.raises(BadAnswerError, match="cut short"):
        answer.to_arrow()


def test_small_answer_that_unpacks_to_a_large_one_is_not_taken() -> None:
    packed = gzip.compress(votable(FIELDS + "<TABLEDATA>" + "<TR><TD>1</TD></TR>" * 100_000))
    with pytest.raises(BadAnswerError, match="more bytes than are accepted"):
        result_of_answer([packed], host="there", max_plain_bytes=100_000)


@pytest.mark.parametrize("end", ["taken", "closed", "forgotten", "refused"])
def test_nothing_is_left_on_the_disk(end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    if end == "refused":
        with pytest.raises(RefusedError):
            result_of_answer([votable('<INFO name="QUERY_STATUS" value="ERROR">x</INFO>')], host="there")
    else:
        answer = result_of_answer([written("votable", rows())], host="there")
        assert list(tmp_path.iterdir())
        if end == "taken":
            answer.to_arrow()
        elif end == "closed":
            answer.close()
        del answer
    gc.collect()
    assert not list(tmp_path.iterdir())


def test_connection_that_breaks_is_told_as_it_is() -> None:
    def breaking() -> Iterator[bytes]:
        yield written("arrow", rows())[:1200]
        raise UnreachableError("there", "the connection broke")

    with pytest.raises(UnreachableError, match="the connection broke"):
        result_of_answer(breaking(), host="there").to_arrow()


ANSWERS = {form: written(form, rows()) for form in ("arrow", "votable", "votable/td")}


@pytest.mark.parametrize("form", ANSWERS)
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_answer_is_an_answer_or_a_bad_one_and_nothing_else(form: str, data: st.DataObject) -> None:
    content = bytearray(ANSWERS[form])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    with contextlib.suppress(BadAnswerError, RefusedError):
        result_of_answer([bytes(content)], host="there").to_arrow()


def test_columns_of_an_arrow_stream_may_not_declare_entities() -> None:
    declared = b'<!DOCTYPE v [<!ENTITY a "aaaa">]><VOTABLE><TABLE><FIELD name="id" unit="&a;"/></TABLE></VOTABLE>'
    schema = pa.schema([pa.field("id", pa.int64())], {b"IVOA.VOTable-Parquet.content": declared})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, schema):
        pass
    with pytest.raises(BadAnswerError, match="document type"):
        result_of_answer([sink.getvalue()], host="there")


def attacks(shared_data: Path) -> list[bytes]:
    """Tables with which somebody might attack a server; a server may attack a client with them."""
    records = map(json.loads, (shared_data / "attacks.jsonl").read_text("utf-8").splitlines())
    files = [file for record in records for file in record["request"].get("files", [])]
    return [file["body"].encode() for file in files if isinstance(file.get("body"), str)]


def test_attacks_by_upload_are_refused_as_answers_too(shared_data: Path) -> None:
    documents = [document for document in attacks(shared_data) if b"VOTABLE" in document]
    assert documents
    for document in documents:
        with pytest.raises(BadAnswerError):
            result_of_answer([document], host="there").to_arrow()
