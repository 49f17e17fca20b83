from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from skydex.errors import BadRecipeError
from skydex.ingest import Recipe, named_recipe, read_recipe, recipe_names, to_yaml
from skydex.ingest.recipe import AngleUnit, BadRows, Frame, PositionRecipe
from skydex.ingest.recipe_text import recipe_from_mapping
from skydex.tables import Datatype

FULL = """
files: [a.fits, 'b*.fits']
table: survey.stars
format: fits
select: 2
description: Stars
utype: stc:stars
position: {ra: L, dec: B, unit: deg, frame: galactic}
id: name
null: [-999, '-']
bad_rows: refuse
sort_by: mjd
columns:
  '*mag': {unit: mag, null: -99.99}
  flag: {type: int, rename: quality}
  junk: {drop: true}
foreign_keys:
- {target_table: survey.fields, columns: {field: id}}
layout: {rows_per_partition: 1000}
"""


def test_a_recipe_says_everything_that_ingest_can_be_told() -> None:
    recipe = recipe_from_mapping(yaml.safe_load(FULL))
    assert recipe.position == PositionRecipe(("L",), ("B",), AngleUnit.DEG, Frame.GALACTIC)
    assert recipe.utype == "stc:stars"
    assert recipe.null == (-999, "-")
    assert recipe.bad_rows is BadRows.REFUSE
    assert recipe.column("gmag").null == (-99.99,)
    assert recipe.column("flag").type is Datatype.INT
    assert recipe.column("junk").drop
    assert recipe.foreign_keys[0].columns == (("field", "id"),)


def test_a_recipe_written_as_yaml_reads_back_the_same() -> None:
    recipe = recipe_from_mapping(yaml.safe_load(FULL))
    assert recipe_from_mapping(yaml.safe_load(to_yaml(recipe))) == recipe


def test_an_empty_recipe_is_written_as_nothing() -> None:
    assert yaml.safe_load(to_yaml(Recipe())) == {}


def test_files_of_a_recipe_are_looked_for_beside_it(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("files: data/*.csv")
    assert read_recipe(tmp_path / "r.yaml").files == (str(tmp_path / "data/*.csv"),)


def test_the_exact_name_of_a_column_counts_more_than_a_pattern() -> None:
    recipe = recipe_from_mapping({"columns": {"gmag": {"unit": "Jy"}, "*mag": {"unit": "mag", "ucd": "phot.mag"}}})
    assert recipe.column("GMAG").unit == "Jy"
    assert recipe.column("gmag").ucd == "phot.mag"
    assert recipe.column("rmag").unit == "mag"


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"fils": "a"}, 'Did you mean "files"'),
        ({"bad_rows": "kep"}, 'Did you mean "keep"'),
        ({"columns": {"a": {"nul": 1}}}, 'Did you mean "null"'),
        ({"columns": {"a": {"type": "integer"}}}, "int"),
        ({"position": {"ra": "x"}}, "lacks dec"),
        ({"position": {"ra": "x", "dec": "y", "equinox": "now"}}, "J2000"),
        ({"position": "somewhere"}, "none"),
        ({"table": "no schema"}, "schema.table"),
        ({"null": [True]}, "numbers or texts"),
        ({"layout": {"rows_per_partition": 0}}, "at least 1"),
        ({"lenient": 1}, "true or false"),
        ([], "mapping"),
    ],
)
def test_what_cannot_be_a_recipe_is_refused_with_a_hint(facts: object, message: str) -> None:
    with pytest.raises(BadRecipeError, match=message):
        recipe_from_mapping(facts)


def test_every_shipped_recipe_reads() -> None:
    assert {"ps1", "hsc", "linear", "cepheids", "s82", "csc21", "gaia", "2mass"} <= set(recipe_names())
    for name in recipe_names():
        assert named_recipe(name).lenient


def test_the_shipped_recipe_for_pan_starrs_knows_its_sentinel() -> None:
    recipe = named_recipe("ps1")
    assert recipe.null == (-999,)
    assert recipe.column("gMeanPSFMag").unit == "mag"
    assert recipe.column("psfFluxErr").ucd == "stat.error;phot.flux.density"


def test_an_unknown_shipped_recipe_names_its_neighbours() -> None:
    with pytest.raises(BadRecipeError, match="gaia"):
        named_recipe("gaja")
