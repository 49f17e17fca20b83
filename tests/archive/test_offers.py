"""`services.toml`: what an archive offers under names of its own."""

from __future__ import annotations

import pickle
import re
from importlib.resources import files
from pathlib import Path

import pytest

from skydex.archive import CatalogOffer, Offers, Place, TableFunction, read_offers
from skydex.errors import SettingsError

ENTRY = '[[catalog]]\npath = "a/b"\ntable = "a.b"\n'


def read(folder: Path, text: str) -> Offers:
    (folder / "services.toml").write_text(text, encoding="utf-8")
    return read_offers(folder)


def message(folder: Path, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(folder, text)
    return str(caught.value)


def test_an_archive_without_the_file_offers_what_follows_from_its_tables(tmp_path):
    assert read_offers(tmp_path) == Offers()


def test_an_entry_is_a_value_with_defaults(tmp_path):
    more = 'types = { double = "float" }\nmissing = -999\nplace = { table = "a.c", key = "id" }\ncolumns = ["x", "y"]'
    (offer,) = read(tmp_path, ENTRY + more).catalogs
    assert offer == CatalogOffer(
        "a/b", "a.b", columns=("x", "y"), types={"double": "float"}, missing=-999.0, place=Place("a.c", "id")
    )
    assert offer.page_rows == 50_000
    assert pickle.loads(pickle.dumps(offer)) == offer


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[catalogue]]\n", ["services.toml", "no [[catalogue]]", "catalog"]),
        ("[catalog]\n", ["services.toml", "[[catalog]]", "double brackets"]),
        ('[[catalog]]\npath = "a/b"\n', ["[[catalog]] 1 (a/b)", '"table" is missing']),
        (ENTRY + "tabel = 1\n", ["[[catalog]] 1 (a/b)", 'no key "tabel"', "table"]),
        (ENTRY + "\n" + ENTRY, ["[[catalog]] 2", 'path "a/b"', "entry 1"]),
        (ENTRY + 'columns = "x"\n', ["[[catalog]] 1 (a/b)", 'key "columns"', "a list"]),
        (ENTRY + "columns = [1]\n", ['key "columns"', "a text, not 1"]),
        (ENTRY + "page_rows = true\n", ['key "page_rows"', "a whole number, not True"]),
        (ENTRY + 'place = { table = "a.c" }\n', ['key "place"', '"key" is missing']),
        (ENTRY + "path = 3\n", ["Cannot read services.toml"]),
    ],
)
def test_a_mistake_is_told_with_its_file_entry_and_key(tmp_path, text, says):
    told = message(tmp_path, text)
    assert all(part in told for part in says), told


def test_the_file_of_the_demonstration_can_be_read(tmp_path):
    offers = read(tmp_path, (files("skydex.demo") / "services.toml").read_text(encoding="utf-8"))
    paths = {offer.path for offer in offers.catalogs}
    assert {"hsc/v3/summary/magaper2", "hsc/v2/detailed", "hsc/v3/hcvsummary", "panstarrs/dr2/detection"} <= paths


def test_a_cone_search_has_a_further_address(tmp_path):
    (tmp_path / "services.toml").write_text('[[scs]]\npath = "/csc21scs/coneSearch"\ntable = "csc21.master_source"\n')
    (offer,) = read_offers(tmp_path).cones
    assert (offer.path, offer.table) == ("/csc21scs/coneSearch", "csc21.master_source")


@pytest.mark.parametrize(
    ("path", "table", "said"),
    [("csc21scs", "a.b", "not 'csc21scs'"), ("/x y", "a.b", "not '/x y'"), ("/x", "b", "\"schema.table\", not 'b'")],
)
def test_a_cone_search_without_a_path_or_a_table_is_refused(tmp_path, path, table, said):
    (tmp_path / "services.toml").write_text(f'[[scs]]\npath = "{path}"\ntable = "{table}"\n')
    with pytest.raises(SettingsError, match=re.escape(said)):
        read_offers(tmp_path)


CONTEXT = '[[casjobs]]\ncontext = "HSCv3"\nschemas = { dbo = ["hsc", "hcv"] }\n'


def test_a_context_has_names_in_any_case_and_functions(tmp_path):
    more = """aliases = ["HSC"]
    functions = [
        { name = "SearchHCVMatchID", table = "hcv.HCVmatch", columns = ["MatchID"], unit = "arcsec" },
        { name = "fGetNearestObjEq", table = "ps1.ObjectThin", nearest = true, distance = "distance" },
    ]"""
    offers = read(tmp_path, CONTEXT + more)
    (offer,) = offers.contexts
    assert offer.key == "casjobs:hscv3"
    assert offers.find_context("hsc") is offers.find_context("HSCV3") is offer
    assert offers.find_context("SDSS") is None
    assert offer.functions[0] == TableFunction("SearchHCVMatchID", "hcv.HCVmatch", columns=("MatchID",), unit="arcsec")
    assert pickle.loads(pickle.dumps(offer)) == offer


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ('aliases = ["MyDB"]', "cannot be called MyDB"),
        ('functions = [{ name = "f" }]', "of which"),
        ('functions = [{ name = "f", table = "a.b", unit = "rad" }]', "not 'rad'"),
        ('[[casjobs]]\ncontext = "x"\naliases = ["hscv3"]\nschemas = { dbo = ["a"] }', "entry 1"),
    ],
)
def test_a_context_that_cannot_be_is_refused(tmp_path, more, says):
    assert says in message(tmp_path, CONTEXT + more)
