"""What a file is, by its first bytes."""

from __future__ import annotations

import pyarrow as pa

from skydex.formats import get_format
from skydex.tables import Column, Datatype, Result, arrow_schema


def test_an_arrow_stream_that_carries_a_votable_of_its_columns_is_an_arrow_stream():
    columns = (Column("ra", Datatype.DOUBLE, unit="deg"),)
    batch = pa.RecordBatch.from_arrays([pa.array([1.0])], schema=arrow_schema(columns))
    written = b"".join(get_format("arrow").write(Result(columns, iter([batch]))))
    assert b"<VOTABLE" in written
    assert get_format("arrow").sniff(written)
    assert not get_format("votable").sniff(written)


def test_a_votable_is_known_behind_a_byte_order_mark_and_in_utf16():
    text = '<?xml version="1.0"?>\n<!-- -->\n<VOTABLE version="1.4">'
    sniff = get_format("votable").sniff
    assert all(
        sniff(head) for head in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16"), b"\n" + text.encode())
    )
