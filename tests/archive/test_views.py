"""What a service shows of an archive: the names of `services.toml`, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import Table

from skydex.archive import Archive, QueryRequest, read_offers
from skydex.errors import SettingsError, UnknownTableError
from skydex.ingest import ingest_files

OFFERS = """
[[tap]]
name = "survey"
title = "A survey, as its users know it"
paths = ["/Survey/tapservice.aspx"]
schemas = { dbo = ["own", "others"] }

[[tap]]
name = "chosen"

[tap.tables]
"ivoa.Places" = "own.stars"
"dbo.Notes" = "others.notes"
"dbo.Other" = "others.notes"
"dbo.Gone" = "a.b"
"dbo.Again" = "own.stars"
"""
BRIGHT = {
    "name": "Bright ones of {table}",
    "query": "SELECT {table}.id FROM {table} JOIN others.notes AS n ON n.id = {table}.id WHERE mag < 11",
    "description": "Those of {table} that are easy to see.",
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    where = tmp_path_factory.mktemp("views")
    n = np.arange(50)
    Table({"id": n, "ra": n * 7.0, "dec": n - 20.0, "mag": 10 + n / 10}).write(where / "stars.fits")
    Table({"id": n % 5, "note": ["x"] * 50}).write(where / "notes.fits")
    key = {"target_table": "own.stars", "columns": {"id": "id"}, "description": "The row of own.stars"}
    home = where / "archive"
    ingest_files([where / "stars.fits"], home, "own.stars", id="id", examples=[BRIGHT])
    ingest_files([where / "notes.fits"], home, "others.notes", position="none", foreign_keys=[key])
    (home / "services.toml").write_text(OFFERS, encoding="utf-8")
    return Archive.open(home)


def rows(archive, query, service):
    return archive.query(QueryRequest(query, collection=service)).to_arrow().to_pylist()


def names(archive, service):
    return [table.name for schema in archive.view(service).schemas[1:] for table in schema.tables]


def test_tables_are_called_as_the_service_calls_them(archive):
    assert names(archive, "survey") == ["dbo.stars", "dbo.notes"]
    for name in ("dbo.stars", "stars", "DBO.STARS"):
        assert rows(archive, f"SELECT COUNT(*) AS n FROM {name}", "survey") == [{"n": 50}]
    with pytest.raises(UnknownTableError, match=r"dbo\.stars"):
        rows(archive, "SELECT * FROM own.stars", "survey")


def test_a_list_of_tables_chooses_them_and_gives_their_order(archive):
    assert names(archive, "chosen") == ["ivoa.Places", "dbo.Notes", "dbo.Other", "dbo.Again"]
    assert rows(archive, "SELECT COUNT(*) AS n FROM Other NATURAL JOIN ivoa.Places", "chosen") == [{"n": 50}]


def test_tap_schema_describes_what_the_service_shows(archive):
    found = rows(archive, "SELECT table_name FROM TAP_SCHEMA.tables WHERE schema_name NOT LIKE 'TAP%'", "survey")
    assert [row["table_name"] for row in found] == ["dbo.stars", "dbo.notes"]
    (schema,) = rows(archive, "SELECT * FROM TAP_SCHEMA.schemas WHERE schema_name = 'dbo'", "survey")
    assert schema["description"] == "A survey, as its users know it"


def test_keys_point_at_tables_as_they_are_shown(archive):
    keys = "SELECT from_table, target_table, description FROM TAP_SCHEMA.keys WHERE from_table NOT LIKE 'TAP%'"
    assert rows(archive, keys, "survey") == [
        {"from_table": "dbo.notes", "target_table": "dbo.stars", "description": "The row of dbo.stars"}
    ]
    assert [row["target_table"] for row in rows(archive, keys, "chosen")] == ["ivoa.Places", "ivoa.Places"]


def test_examples_name_tables_as_they_are_shown(archive):
    shown = {ready.example.name: ready for ready in archive.examples("survey")}
    bright = shown["Bright ones of dbo.stars"]
    assert bright.example.query.startswith("SELECT dbo.stars.id FROM dbo.stars JOIN dbo.notes AS n")
    assert bright.example.description == "Those of dbo.stars that are easy to see."
    assert set(bright.tables) == {"dbo.stars", "dbo.notes"}
    assert rows(archive, bright.example.query, "survey")


def test_examples_of_a_table_with_two_names_come_once(archive):
    found = [ready.example.name for ready in archive.examples("chosen")]
    assert found.count("Bright ones of ivoa.Places") == 1
    assert len(set(found)) == len(found)


def test_rows_are_read_where_they_are(archive):
    shown = archive.namespace("survey").get("dbo.stars").rows
    assert shown is archive.namespace().get("own.stars").rows


def test_a_collection_keeps_its_own_service(archive):
    assert names(archive, "own") == ["own.stars"]
    assert names(archive, None) == ["others.notes", "own.stars"]


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ('name = "two words"\nschemas = { a = ["b"] }', "one word"),
        ('name = "x"', "which schemas or tables"),
        ('name = "x"\nschemas = { a = ["b"] }\npaths = ["tap/"]', "'tap/'"),
        ('name = "x"\ntables = { "a" = "b.c" }', '"schema.table"'),
        ('name = "x"\nschemas = { a = "b" }', "a list"),
        ('name = "x"\ntables = { "a.Second" = "b.c" }', '"Second" in quotes'),
    ],
)
def test_a_mistake_in_an_offer_is_told(tmp_path, entry, says):
    (tmp_path / "services.toml").write_text(f"[[tap]]\n{entry}\n", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        read_offers(tmp_path)
    assert "[[tap]]" in str(caught.value)
    assert says in str(caught.value)
