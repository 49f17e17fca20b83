"""Errors are messages to a person."""

from __future__ import annotations

import pickle

from skydex.errors import NoOverlapError, UnreadableFileError, one_line


def test_the_reason_why_a_file_is_unreadable_is_one_short_line() -> None:
    trace = "Message: no such table\n\tat cds.xmatch.Main.run(Main.java:1)\n" * 50
    error = UnreadableFileError("answer.vot", f"it holds only an error message: {trace}")
    assert "\n" not in str(error)
    assert len(error.reason) == 200
    assert error.reason.startswith("it holds only an error message: Message: no such table at cds.xmatch")
    assert error.reason.endswith(" …")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_a_line_that_is_short_stays_as_it_is() -> None:
    assert one_line("no table") == "no table"
    assert one_line("x" * 200) == "x" * 200
    assert one_line("x" * 201) == "x" * 198 + " …"
    assert one_line(" two\r\n lines ", most=9) == "two lines"


def test_how_far_an_image_is_from_a_place_is_told_in_a_unit_that_suits() -> None:
    assert "nearest edge is 12.5 arcsec away" in str(NoOverlapError("m87", 12.5))
    assert "nearest edge is 72.36 deg away" in str(NoOverlapError("m87", 260_500))
