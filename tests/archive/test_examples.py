"""Examples are those that a recipe gives, or some that a description suggests; none that cannot be asked is shown."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import Table

from skydex.archive import Archive, QueryRequest
from skydex.ingest import ingest_files

BRIGHT = {
    "name": "Bright stars",
    "query": "SELECT id FROM {table} WHERE mag < 11",
    "description": "Those of {table} that are easy to see.",
}
GONE = {"name": "Something gone", "query": "SELECT x FROM other.gone"}
ACROSS = {"name": "Both", "query": "SELECT a.id FROM {table} AS a JOIN others.notes AS b ON a.id = b.id"}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    where = tmp_path_factory.mktemp("examples")
    n = np.arange(50)
    stars = Table({"id": n, "ra": n * 7.0, "dec": n - 20.0, "mag": 10 + n / 10})
    notes = Table({"id": n % 5, "note": ["x"] * 50, "mag": n / 10})
    key = {"target_table": "own.stars", "columns": {"id": "id"}, "description": "The star of a note"}
    for name, table in (("stars", stars), ("notes", notes)):
        table.write(where / f"{name}.fits")
    home = where / "archive"
    ingest_files([where / "stars.fits"], home, "own.stars", id="id", examples=[BRIGHT, GONE, ACROSS])
    ingest_files([where / "stars.fits"], home, "plain.stars", id="id")
    ingest_files([where / "notes.fits"], home, "others.notes", position="none", foreign_keys=[key])
    ingest_files([where / "notes.fits"], home, "own.notes", position="none", foreign_keys=[key])
    return Archive.open(home)


def shown(archive, collection=None):
    return {ready.example.name: ready for ready in archive.examples(collection)}


def test_examples_of_a_recipe_come_back_with_the_name_of_the_table(archive):
    example = shown(archive, "own")["Bright stars"].example
    assert example.query == "SELECT id FROM own.stars WHERE mag < 11"
    assert example.description == "Those of own.stars that are easy to see."


def test_what_names_a_table_that_is_not_there_is_not_shown(archive):
    assert "Something gone" not in {**shown(archive), **shown(archive, "own")}


def test_what_reaches_across_collections_is_shown_for_the_whole_archive_alone(archive):
    assert "Both" not in shown(archive, "own")
    assert shown(archive)["Both"].tables == ("own.stars", "others.notes")


def test_a_table_without_examples_gets_a_cone_that_has_rows(archive):
    (ready,) = archive.examples("plain")
    assert "CIRCLE" in ready.example.query
    assert archive.query(QueryRequest(ready.example.query)).to_arrow().num_rows > 0


def test_a_table_without_positions_gets_a_count_and_joins_along_its_keys(archive):
    own = shown(archive, "own")
    assert {"Size of own.notes", "own.notes with own.stars"} <= set(own)
    assert own["own.notes with own.stars"].example.description == "The star of a note"
    assert "others.notes with own.stars" in shown(archive)


def test_every_example_runs(archive):
    for collection in (None, "own", "plain", "others"):
        for ready in archive.examples(collection):
            answer = archive.query(QueryRequest(ready.example.query, collection=collection)).to_arrow()
            assert answer.num_rows > 0, ready.example.name


def test_a_join_names_no_column_twice(archive):
    for service in ("own", None):
        for name, ready in shown(archive, service).items():
            columns = archive.plan(QueryRequest(ready.example.query, collection=service)).columns
            assert len({column.name.lower() for column in columns}) == len(columns), name
