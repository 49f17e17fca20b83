"""Whether a batch only reads is told by its statements, so that an address can be kept from changing tables."""

from __future__ import annotations

import pytest

from skydex.archive import Archive, BatchRequest
from skydex.store import ArchiveDirectory

READING = (
    "SELECT 1 AS x",
    "DECLARE @a int = 1; SET @a = 2; SELECT @a AS x",
    "IF 1 = 1 SELECT 1 AS x ELSE SELECT 2 AS x",
)
CHANGING = (
    "SELECT 1 AS x INTO mydb.t",
    "SELECT 1 AS x; DROP TABLE mydb.t",
    "CREATE TABLE #t (a int)",
    "IF 1 = 1 DROP TABLE mydb.t",
    "INSERT INTO mydb.t VALUES (1)",
    "UPDATE mydb.t SET a = 1",
    "DELETE FROM mydb.t",
    "TRUNCATE TABLE mydb.t",
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return Archive.open(ArchiveDirectory.create(tmp_path_factory.mktemp("reading") / "archive").path)


@pytest.mark.parametrize("text", READING)
def test_select_declare_and_set_only_read(archive, text):
    assert archive.foresee(BatchRequest(text))[0]


@pytest.mark.parametrize("text", CHANGING)
def test_whatever_makes_fills_or_drops_a_table_changes_something(archive, text):
    assert not archive.foresee(BatchRequest(text))[0]


def test_a_query_of_values_has_an_explanation_and_several_statements_have_none(archive):
    assert archive.foresee(BatchRequest("SELECT 1 AS x"))[1] is not None
    assert archive.foresee(BatchRequest("SELECT 1 AS x; SELECT 2 AS x"))[1] is None
