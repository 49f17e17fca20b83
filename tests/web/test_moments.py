"""Moments are read as people and programs write them, and written as DALI does."""

from __future__ import annotations

import datetime

import pytest

from skydex.errors import BadParameterError
from skydex.web.moments import parsed_moment, written_moment


@pytest.mark.parametrize(
    "asked", ["2030-02-03T04:05:06Z", "2030-02-03T05:05:06+01:00", "2030-02-03 04:05:06.0", "2030-02-03"]
)
def test_moments_are_read_as_iso_8601_writes_them(asked):
    truth = datetime.datetime(2030, 2, 3, *(() if len(asked) == 10 else (4, 5, 6)), tzinfo=datetime.UTC)
    assert parsed_moment("DESTRUCTION", asked) == truth.timestamp()


def test_fractions_of_a_second_count():
    assert parsed_moment("AFTER", "1970-01-01T00:00:01.250") == 1.25


@pytest.mark.parametrize(
    "asked",
    ["", "noon", "2030-13-01", "2030-02-30T00:00:00", "2030-01-01T25:00", "2030-01-01T00:00:00+99:99", "٢٠٣٠-01-01"],
)
def test_what_is_no_moment_is_refused(asked):
    with pytest.raises(BadParameterError, match="AFTER"):
        parsed_moment("AFTER", asked)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1e9 + 0.0016, "2001-09-09T01:46:40.002Z"),
        (1.9996, "1970-01-01T00:00:02.000Z"),
    ],
)
def test_moments_are_written_with_milliseconds(seconds, text):
    assert written_moment(seconds) == text
