"""Recipes as YAML: reading, writing, and those that ship with skydex.

Keys are the fields of `Recipe` and its parts; one that does not exist is an error with near names, because a mistyped
`nul:` that is silently ignored would publish -999 as a magnitude. `position` may also be the word `none` or `infer`,
and `ra`, `dec`, `null` and `files` may be one value instead of a list.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from skydex.errors import BadRecipeError, near_names
from skydex.ingest.recipe import (
    AngleUnit,
    BadRows,
    ColumnRecipe,
    Finding,
    Frame,
    LayoutRecipe,
    PositionRecipe,
    Recipe,
    Sentinel,
    member_of,
)
from skydex.tables import Datatype, Example, ForeignKey

__all__ = ["named_recipe", "read_recipe", "recipe_from_mapping", "recipe_names", "to_yaml"]


def read_recipe(path: Path) -> Recipe:
    """Read a recipe file; relative paths in `files` are taken from the recipe's own folder."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRecipeError(f"The recipe {path.name} cannot be read: {error}") from error
    recipe = _parse(text, path.name)
    files = tuple(str(path.parent / pattern) for pattern in recipe.files)
    return dataclasses.replace(recipe, files=files)


def named_recipe(name: str) -> Recipe:
    """A recipe that ships with skydex, such as `ps1`; `files` and mostly `table` are left to the caller."""
    if name not in recipe_names():
        near = near_names(name, recipe_names()) or recipe_names()
        raise BadRecipeError(f'No recipe "{name}" ships with skydex. Known: {", ".join(near)}.')
    return _parse((_shipped() / f"{name}.yaml").read_text(encoding="utf-8"), f"{name}.yaml")


def recipe_names() -> list[str]:
    """Names of the recipes that ship with skydex."""
    return sorted(entry.name.removesuffix(".yaml") for entry in _shipped().iterdir() if entry.name.endswith(".yaml"))


def _shipped() -> Any:
    return resources.files("skydex.ingest") / "recipes"


def _parse(text: str, where: str) -> Recipe:
    try:
        facts = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadRecipeError(f"{where} is not YAML: {error}") from error
    return recipe_from_mapping({} if facts is None else facts, where=where)


def recipe_from_mapping(facts: object, *, where: str = "the recipe") -> Recipe:
    """Make a recipe from nested mappings, as YAML or a caller's options give them."""
    made: Recipe = _made(Recipe, facts, _RECIPE, where)
    return made


def _made(kind: type, facts: object, readers: Mapping[str, Callable[[Any, str], Any]], where: str) -> Any:
    """Build a dataclass from a mapping, each value read by the reader of its key."""
    if not isinstance(facts, Mapping):
        raise BadRecipeError(f"{where} must be a mapping of names to values, not {facts!r}.")
    facts = {"null" if key is None else key: value for key, value in facts.items()}  # YAML reads a bare null as None
    for key in facts:
        if key not in readers:
            near = near_names(str(key), readers)
            hint = f'Did you mean "{near[0]}"?' if near else f"Known: {', '.join(readers)}."
            raise BadRecipeError(f'{where} has no key "{key}". {hint}')
    given = {key: value for key, value in facts.items() if value is not None}
    values = {key: readers[key](value, f"{key} in {where}") for key, value in given.items()}
    required = [f.name for f in dataclasses.fields(kind) if _has_no_default(f) and f.name not in values]
    if required:
        raise BadRecipeError(f"{where} lacks {', '.join(required)}.")
    return kind(**values)


def _has_no_default(item: dataclasses.Field[Any]) -> bool:
    return item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING


def _text(value: object, where: str) -> str:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise BadRecipeError(f"{where} must be a text, not {value!r}.")
    return str(value)


def _texts(value: object, where: str) -> tuple[str, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(_text(item, where) for item in values)


def _number(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadRecipeError(f"{where} must be a whole number, not {value!r}.")
    return value


def _flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise BadRecipeError(f"{where} must be true or false, not {value!r}.")
    return value


def _selection(value: object, where: str) -> str | int:
    return value if isinstance(value, int) and not isinstance(value, bool) else _text(value, where)


def _sentinels(value: object, where: str) -> tuple[Sentinel, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    for item in values:
        if not isinstance(item, str | int | float) or isinstance(item, bool):
            raise BadRecipeError(f"{where} must be numbers or texts, not {item!r}.")
    return tuple(values)


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadRecipeError(f"{where} must be a mapping, not {value!r}.")
    return dict(value)


def _position(value: object, where: str) -> PositionRecipe | Finding:
    if isinstance(value, str):
        return member_of(Finding, value, where)
    made: PositionRecipe = _made(PositionRecipe, value, _POSITION, where)
    return made


def _columns(value: object, where: str) -> dict[str, ColumnRecipe]:
    given = _mapping(value, where)
    return {str(name): _made(ColumnRecipe, facts or {}, _COLUMN, f'column "{name}"') for name, facts in given.items()}


def _pairs(value: object, where: str) -> tuple[tuple[str, str], ...]:
    return tuple((str(here), _text(there, where)) for here, there in _mapping(value, where).items())


def _foreign_keys(value: object, where: str) -> tuple[ForeignKey, ...]:
    if not isinstance(value, list | tuple):
        raise BadRecipeError(f"{where} must be a list.")
    return tuple(_made(ForeignKey, item, _FOREIGN_KEY, where) for item in value)


def _examples(value: object, where: str) -> tuple[Example, ...]:
    if not isinstance(value, list | tuple):
        raise BadRecipeError(f"{where} must be a list.")
    return tuple(_made(Example, item, _EXAMPLE, where) for item in value)


def _layout(value: object, where: str) -> LayoutRecipe:
    made: LayoutRecipe = _made(LayoutRecipe, value, _LAYOUT, where)
    return made


def _one_of(kind: type[enum.StrEnum]) -> Callable[[object, str], Any]:
    return lambda value, where: member_of(kind, value, where)


_LAYOUT = {"rows_per_partition": _number, "rows_per_group": _number, "look_up": _texts}
_FOREIGN_KEY = {"target_table": _text, "columns": _pairs, "description": _text}
_EXAMPLE = {"name": _text, "query": _text, "description": _text}
_POSITION = {
    "ra": _texts,
    "dec": _texts,
    "unit": _one_of(AngleUnit),
    "frame": _one_of(Frame),
    "equinox": _text,
}
_COLUMN = {
    "rename": _text,
    "unit": _text,
    "ucd": _text,
    "utype": _text,
    "description": _text,
    "type": _one_of(Datatype),
    "null": _sentinels,
    "drop": _flag,
}
_RECIPE: dict[str, Callable[[Any, str], Any]] = {
    "files": _texts,
    "table": _text,
    "format": _text,
    "options": _mapping,
    "select": _selection,
    "description": _text,
    "utype": _text,
    "position": _position,
    "id": _text,
    "columns": _columns,
    "principal": _texts,
    "null": _sentinels,
    "bad_rows": _one_of(BadRows),
    "sort_by": _texts,
    "foreign_keys": _foreign_keys,
    "examples": _examples,
    "layout": _layout,
    "lenient": _flag,
}


def to_yaml(recipe: Recipe) -> str:
    """Write a recipe as the YAML from which `read_recipe` makes it again; what is left open is left out."""
    text: str = yaml.safe_dump(_plain(recipe), sort_keys=False, allow_unicode=True, width=100, default_flow_style=None)
    return text


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, ForeignKey):
        return {"target_table": value.target_table, "columns": dict(value.columns), "description": value.description}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value) if not _is_open(value, f)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _is_open(owner: Any, item: dataclasses.Field[Any]) -> bool:
    value = getattr(owner, item.name)
    default = item.default_factory() if item.default_factory is not dataclasses.MISSING else item.default
    return bool(value == default) or (value == () and default is dataclasses.MISSING)
