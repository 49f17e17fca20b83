"""Files become published tables: recipes, meaning, checks, and the pipeline that a row travels."""

from skydex.ingest.checks import Count
from skydex.ingest.files import inferred_recipe, ingest_files, make_recipe
from skydex.ingest.folder import FolderEntry, FolderReport, adql_name, ingest_folder
from skydex.ingest.nulls import Suspicion
from skydex.ingest.pipeline import Progress, ingest
from skydex.ingest.recipe import BadRows, ColumnRecipe, Frame, PositionRecipe, Recipe
from skydex.ingest.recipe_text import named_recipe, read_recipe, recipe_names, to_yaml
from skydex.ingest.report import IngestReport

__all__ = [
    "BadRows",
    "ColumnRecipe",
    "Count",
    "FolderEntry",
    "FolderReport",
    "Frame",
    "IngestReport",
    "PositionRecipe",
    "Progress",
    "Recipe",
    "Suspicion",
    "adql_name",
    "inferred_recipe",
    "ingest",
    "ingest_files",
    "ingest_folder",
    "make_recipe",
    "named_recipe",
    "read_recipe",
    "recipe_names",
    "to_yaml",
]
