from __future__ import annotations

import json

import yaml

from skydex.ingest import inferred_recipe, ingest_files, make_recipe, to_yaml
from skydex.store import verify

TEXT = "name,ra,dec,gmag\na,10,20,-999\nb,11,21,-999\nc,12,91,15\nd,13,22,16\n"


def test_a_report_tells_a_person_what_to_look_at(ingest_text) -> None:
    text = str(ingest_text(TEXT, description="Stars [draft]"))
    assert "4 rows read, 3 stored with a position, 1 without" in text
    assert "Stars [draft]" in text
    assert "mag ?80%" in text
    assert "declination outside -90..90: 1 rows (row 2)" in text
    assert "columns: {gmag: {null: [-999]}}" in text
    assert "found by name" in text


def test_a_report_is_json_with_the_same_facts(ingest_text) -> None:
    facts = json.loads(json.dumps(ingest_text(TEXT).to_json()))
    assert facts["rows"] == {"read": 4, "positioned": 3, "unpositioned": 1, "dropped": 0}
    assert facts["inferred"]["gmag"] == {"unit": 0.8, "ucd": 0.8}
    assert facts["suspicions"] == [{"column": "gmag", "value": -999.0, "rows": 2}]


def test_the_report_stays_beside_the_rows(ingest_text, archive) -> None:
    told = ingest_text(TEXT)
    dataset = archive.open(told.table.name)
    assert dataset.find_ingest_report() == told.history()
    assert verify(dataset) == []


def test_the_recipe_line_of_a_suspicion_mends_it(ingest_text) -> None:
    line = ingest_text(TEXT).suspicions[0].recipe_line
    report = ingest_text(TEXT, **yaml.safe_load(line))
    assert not report.suspicions


def test_what_was_inferred_can_be_shown_as_a_recipe_that_does_the_same(archive, tmp_path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("name,ra,dec,gmag\na,05:00:00,20:00:00,15\n")
    inferred = inferred_recipe(make_recipe([file], "a.b"))
    said = yaml.safe_load(to_yaml(inferred))
    assert said["position"] == {"ra": ["ra"], "dec": ["dec"], "unit": "sexagesimal"}
    assert said["columns"]["gmag"]["unit"] == "mag"
    first = ingest_files([file], archive, "a.b")
    second = ingest_files([], archive, "a.b", recipe=inferred)
    assert [c.name for c in first.table.columns] == [c.name for c in second.table.columns]
    assert [c.ucd for c in first.table.columns] == [c.ucd for c in second.table.columns]
    assert not any(column.inferred for column in second.table.columns)
