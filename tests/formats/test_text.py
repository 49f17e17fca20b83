"""Plain text: columns that stand under each other."""

from __future__ import annotations

from collections.abc import Callable

from skydex.formats.text import write_text
from skydex.tables import Column, Datatype, Result


def test_columns_are_aligned_under_names_and_units(result_of: Callable[..., Result]) -> None:
    result = result_of(
        (Column("name", Datatype.CHAR, "9*"), ["M 31", None, "two\nlines α"]),
        (Column("ra", Datatype.DOUBLE, unit="deg"), [10.684708, -1.0, None]),
        max_rows=3,
        overflow=True,
    )
    assert b"".join(write_text(result)).decode() == (
        "name                ra\n"
        "                   deg\n"
        "-----------  ---------\n"
        "M 31         10.684708\n"
        "                    -1\n"
        "two lines α           \n"
        "# OVERFLOW: the result was cut at the row limit of 3; there are more rows.\n"
    )


def test_no_rows_are_a_heading(result_of: Callable[..., Result]) -> None:
    assert b"".join(write_text(result_of((Column("n", Datatype.INT), [])))) == b"n\n \n-\n"
