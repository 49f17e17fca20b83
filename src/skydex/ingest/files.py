"""`ingest_files`: the plain way in, with options instead of a recipe file.

This is what the command line calls. Options are the keys of a recipe, those of its position flat beside them; they go
over a recipe that is named or read from a file.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from skydex.errors import BadRecipeError, near_names
from skydex.ingest.mapping import Mapping
from skydex.ingest.pipeline import Progress, ingest, prepared
from skydex.ingest.recipe import ColumnRecipe, Finding, PositionRecipe, Recipe
from skydex.ingest.recipe_text import named_recipe, read_recipe, recipe_from_mapping, recipe_names
from skydex.ingest.report import IngestReport
from skydex.store import ArchiveDirectory

__all__ = ["inferred_recipe", "ingest_files", "make_recipe"]

_POSITION_OPTIONS = ("ra", "dec", "unit", "frame", "equinox")
_RECIPE_OPTIONS = (
    "bad_rows",
    "columns",
    "description",
    "examples",
    "foreign_keys",
    "format",
    "id",
    "layout",
    "null",
    "options",
    "position",
    "principal",
    "select",
    "sort_by",
    "utype",
)


def ingest_files(
    files: Sequence[str | Path],
    archive: ArchiveDirectory | Path | str,
    name: str,
    *,
    recipe: Recipe | str | Path | None = None,
    progress: Progress | None = None,
    notes: MappingOf[str, Any] | None = None,
    **options: Any,
) -> IngestReport:
    """Publish files as one table.

    Parameters
    ----------
    files : sequence of path
        Paths or glob patterns.
    archive : ArchiveDirectory or path
        Where; a directory that does not exist is created.
    name : str
        `schema.table`.
    recipe : Recipe, str or path, optional
        A recipe, the name of one that ships with skydex (`ps1`), or a YAML file.
    progress : Progress, optional
        Told how far it is.
    notes : mapping, optional
        What the table's keeper wants to know of it, fit for JSON.
    **options
        Keys of a recipe: `format`, `options`, `select`, `description`, `utype`, `id`, `columns`, `null`, `bad_rows`,
        `sort_by`, `principal`, `foreign_keys`, `examples`, `layout`, `position` (`"none"`); and `ra`, `dec`, `unit`,
        `frame`, `equinox` of the position.

    Returns
    -------
    report : IngestReport
        What went in and what came out.
    """
    where = archive if isinstance(archive, ArchiveDirectory) else ArchiveDirectory.create(Path(archive))
    return ingest(make_recipe(files, name, recipe=recipe, **options), where, progress=progress, notes=notes)


def make_recipe(
    files: Sequence[str | Path], name: str = "", *, recipe: Recipe | str | Path | None = None, **options: Any
) -> Recipe:
    """The recipe that files, a table name, a base recipe and options make together; see `ingest_files`."""
    base = _base(recipe)
    given = {key: value for key, value in options.items() if value is not None and value != ()}
    _check_options(given)
    position = {key: given.pop(key) for key in _POSITION_OPTIONS if key in given}
    said = recipe_from_mapping(given, where="the options")
    changes = {key: getattr(said, key) for key in given}
    changes["columns"] = _joined_columns(base.columns, said.columns)
    if position:
        changes["position"] = _position(base, position)
    if files:
        changes["files"] = tuple(str(file) for file in files)
    return replace(base, table=name or base.table, **changes)


def _base(recipe: Recipe | str | Path | None) -> Recipe:
    if recipe is None:
        return Recipe()
    if isinstance(recipe, Recipe):
        return recipe
    if str(recipe) in recipe_names() or not Path(recipe).exists():
        return named_recipe(str(recipe))
    return read_recipe(Path(recipe))


def _check_options(given: MappingOf[str, Any]) -> None:
    known = _POSITION_OPTIONS + _RECIPE_OPTIONS
    for key in given:
        if key not in known:
            near = near_names(key, known)
            raise BadRecipeError(f'There is no option "{key}". ' + (f"Did you mean {near[0]}?" if near else ""))


def _position(base: Recipe, given: dict[str, Any]) -> PositionRecipe:
    """Position options over those of the base recipe."""
    before = base.position if isinstance(base.position, PositionRecipe) else None
    if before is None and not {"ra", "dec"} <= given.keys():
        raise BadRecipeError("To say how positions are given, name their columns too: --ra and --dec.")
    said = recipe_from_mapping({"position": {"ra": "-", "dec": "-", **given}}, where="the options").position
    assert isinstance(said, PositionRecipe)
    return said if before is None else replace(before, **{key: getattr(said, key) for key in given})


def _joined_columns(base: MappingOf[str, ColumnRecipe], said: MappingOf[str, ColumnRecipe]) -> dict[str, ColumnRecipe]:
    joined = dict(base)
    for name, facts in said.items():
        joined[name] = facts.over(joined[name]) if name in joined else facts
    return joined


def inferred_recipe(recipe: Recipe) -> Recipe:
    """The recipe with everything written out that was found in the files or guessed: a start for one's own.

    What is guessed stands there as if it had been said, so it must be read before it is used.
    """
    mapping = prepared(recipe).mapping
    columns = {
        item.source: ColumnRecipe(
            rename=item.column.name if item.column.name != item.source else None,
            unit=item.column.unit,
            ucd=item.column.ucd,
            description=item.column.description or None,
            type=item.column.datatype if not item.column.is_array else None,
            null=item.null,
        )
        for item in mapping.columns
    }
    dropped = {name: facts for name, facts in recipe.columns.items() if facts.drop}
    return replace(
        recipe,
        position=mapping.position or Finding.NONE,
        id=_source_of(mapping, mapping.table.id_column),
        description=mapping.table.description or None,
        columns={**columns, **dropped},
        null=(),
        lenient=False,
    )


def _source_of(mapping: Mapping, name: str | None) -> str | None:
    return next((item.source for item in mapping.columns if item.column.name == name), None)
