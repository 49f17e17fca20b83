"""Property files: what we write, jproperties (which hats uses) reads, and the other way round."""

from __future__ import annotations

import pytest

from skydex.store.properties import format_properties, parse_properties

VALUES = {
    "obs_collection": "small_sky",
    "obs_description": r"C:\path = 50% of the sky: α and ω #1",
    "hats_nrows": "131",
    "url": "s3://bucket/a=b",
}


def test_what_we_write_others_read():
    jproperties = pytest.importorskip("jproperties")
    theirs = jproperties.Properties()
    theirs.load(format_properties(VALUES, title="HATS catalog").encode(), "utf-8")
    assert dict(theirs.properties) == VALUES


def test_what_others_write_we_read():
    jproperties = pytest.importorskip("jproperties")
    theirs = jproperties.Properties()
    theirs.properties = VALUES
    import io

    sink = io.BytesIO()
    theirs.store(sink, encoding="utf-8", initial_comments="HATS catalog")
    assert parse_properties(sink.getvalue().decode()) == VALUES


def test_the_forms_that_java_allows_are_read():
    text = "! note\n# note\na = 1\nb:2\nc 3\nd=x \\\n   y\ne=\\u00e9\\n\nempty=\n"
    assert parse_properties(text) == {"a": "1", "b": "2", "c": "3", "d": "x y", "e": "é\n", "empty": ""}
