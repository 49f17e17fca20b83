"""Deciding what each column of the input is in the published table.

Recipe first, then what the file says, then what can be told from names and values; the outcome is a `Mapping`. The
position of the table becomes one pair of ICRS columns in degrees: the input's own where they are that, else two new
ones, so that every query and every cone service finds the same thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from skydex.errors import BadRecipeError, BadRowsError, near_names
from skydex.ingest.mapping import ColumnMapping, Mapping
from skydex.ingest.meaning import find_id, understood
from skydex.ingest.positions import PositionFinding, find_position, spelled, system_hints
from skydex.ingest.recipe import AngleUnit, BadRows, ColumnRecipe, Finding, Frame, PositionRecipe, Recipe
from skydex.tables import Column, Datatype, Example, ForeignKey, Position, Table

__all__ = ["MOST_PRINCIPAL", "make_mapping"]

_RA_UCD, _DEC_UCD = "pos.eq.ra;meta.main", "pos.eq.dec;meta.main"
_ID_UCD = "meta.id;meta.main"
MOST_PRINCIPAL = 50
"""Columns of a table that a cone search returns unless it asks for all (SCS 1.03, section 2.1: VERB=2)."""


def make_mapping(
    recipe: Recipe,
    columns: Sequence[Column],
    sample: pa.Table,
    *,
    description: str = "",
    facts: MappingOf[str, str] = MappingProxyType({}),
) -> Mapping:
    """Decide what each column of the input is.

    Parameters
    ----------
    recipe : Recipe
        What the user said.
    columns : sequence of Column
        The input's columns, uniquely named.
    sample : Table
        Some rows of the input, under the same names.
    description : str
        What the file says of the table.
    facts : mapping, optional
        What its header says of systems and epochs.

    Raises
    ------
    BadRowsError
        Bad rows are to be refused, and no row of what looks like a position can be one.
    BadRecipeError
        The recipe names columns that are not there, or asks for what cannot be.
    """
    _check_names(recipe, columns)
    finding = _position(recipe, columns, sample)
    kept = tuple(column for column in columns if not recipe.column(column.name).drop)
    mapped = tuple(_mapped(column, recipe, sample) for column in kept)
    _check_unique(mapped)
    table, id_note = _described(recipe, mapped, finding, sample, description)
    notes = (*_position_notes(finding), *system_hints(finding, facts), *id_note)
    return Mapping(table, _with_columns(mapped, table), finding.position, notes)


def _check_names(recipe: Recipe, columns: Sequence[Column]) -> None:
    """Names in the recipe that the files do not have, each with what it may have meant."""
    known = [column.name for column in columns]
    named = list(recipe.position.columns) if isinstance(recipe.position, PositionRecipe) else []
    named += [recipe.id] if recipe.id else []
    named += (*recipe.sort_by, *recipe.principal)
    if not recipe.lenient:
        named += [name for name in recipe.columns if not set(name) & set("*?[")]
    lower = {name.lower() for name in known}
    for name in named:
        if name.lower() not in lower and not recipe.lenient:
            near = near_names(name, known)
            hint = f"Did you mean {' or '.join(near)}?" if near else f"It has: {', '.join(known[:20])}."
            raise BadRecipeError(f'The recipe names a column "{name}" that the file does not have. {hint}')


def _position(recipe: Recipe, columns: Sequence[Column], sample: pa.Table) -> PositionFinding:
    if recipe.position is Finding.NONE:
        return PositionFinding()
    columns = [_overridden(column, recipe.column(column.name)).renamed(column.name) for column in columns]
    by_lower = {column.name.lower(): column.name for column in columns}
    given = recipe.position
    if isinstance(given, PositionRecipe) and all(name.lower() in by_lower for name in given.columns):
        ra, dec = (tuple(by_lower[name.lower()] for name in names) for names in (given.ra, given.dec))
        position = spelled(replace(given, ra=ra, dec=dec), columns, sample)
        return PositionFinding(position, 1.0, "recipe")
    found = find_position(columns, sample)
    if found.contradicted and recipe.bad_rows is BadRows.REFUSE:
        raise BadRowsError(" ".join((*found.hints, "Nothing was published. position: none takes them for numbers.")))
    return found


def _position_notes(finding: PositionFinding) -> tuple[str, ...]:
    if finding.position is None:
        return finding.hints or ("No position columns found: the table can be queried, but not by position.",)
    position = finding.position
    if finding.how == "recipe":
        return finding.hints
    spelling = f"{position.unit or AngleUnit.DEG}, {position.frame}"
    pair = f"{' '.join(position.ra)} and {' '.join(position.dec)}"
    return (f"Positions are in {pair} ({spelling}), found by {finding.how}.", *finding.hints)


def _mapped(column: Column, recipe: Recipe, sample: pa.Table) -> ColumnMapping:
    said = recipe.column(column.name)
    meant = _overridden(understood(column, sample[column.name]), said)
    spared = recipe.id is not None and column.name.lower() == recipe.id.lower()
    null = said.null if spared else tuple(dict.fromkeys((*said.null, *recipe.null)))
    return ColumnMapping(column.name, meant, null)


def _overridden(column: Column, said: ColumnRecipe) -> Column:
    """What the recipe says wins; what it says is no guess any more."""
    texts: dict[str, Any] = {
        key: value or None for key in ("unit", "ucd", "utype") if (value := getattr(said, key)) is not None
    }
    if said.description is not None:
        texts["description"] = said.description
    inferred = {key: trust for key, trust in column.inferred.items() if key not in texts}
    changed = replace(column, name=said.rename or column.name, **texts, inferred=MappingProxyType(inferred))
    return changed if said.type is None else _retyped(changed, said.type)


def _retyped(column: Column, datatype: Datatype) -> Column:
    inferred = {key: trust for key, trust in column.inferred.items() if key != "xtype"}
    arraysize = "*" if datatype.is_text else (column.arraysize if column.is_array else None)
    xtype = None if "xtype" in column.inferred else column.xtype
    return replace(column, datatype=datatype, arraysize=arraysize, xtype=xtype, inferred=MappingProxyType(inferred))


def _check_unique(mapped: Iterable[ColumnMapping]) -> None:
    seen: set[str] = set()
    for item in mapped:
        if item.column.name.lower() in seen:
            raise BadRecipeError(f'The recipe gives two columns the name "{item.column.name}".')
        seen.add(item.column.name.lower())


def _described(
    recipe: Recipe, mapped: Sequence[ColumnMapping], finding: PositionFinding, sample: pa.Table, description: str
) -> tuple[Table, tuple[str, ...]]:
    """The table that the mapped columns make: with position, id, keys and order under their new names."""
    new_names = {item.source.lower(): item.column.name for item in mapped}
    columns = tuple(item.column for item in mapped)
    columns, position = _with_position(columns, finding, mapped, recipe)
    identifier, note = _identifier(recipe, mapped, sample)
    columns = tuple(_as_identifier(column) if column.name == identifier else column for column in columns)
    needed = {identifier, *((position.ra, position.dec) if position else ())}
    columns = _with_principal(columns, needed, {new_names.get(name.lower(), name) for name in recipe.principal})
    keys = tuple(_renamed_key(key, new_names) for key in recipe.foreign_keys)
    text = recipe.description if recipe.description is not None else description
    examples = tuple(_of_table(example, recipe.table) for example in recipe.examples)
    table = Table(
        recipe.table,
        columns,
        text,
        position=position,
        id_column=identifier,
        utype=recipe.utype,
        foreign_keys=keys,
        examples=examples,
    )
    return table, note


def _of_table(example: Example, name: str) -> Example:
    """An example with the name of the table where it says `{table}`."""
    texts = (example.name, example.query, example.description)
    return Example(*(text.replace("{table}", name).strip() for text in texts))


def _with_principal(columns: tuple[Column, ...], needed: set[str | None], chosen: set[str]) -> tuple[Column, ...]:
    """The chosen columns, else the first ones of a wide table, and always the identifier and the position."""
    chosen = chosen or {column.name for column in columns[:MOST_PRINCIPAL]}
    return tuple(replace(column, principal=column.name in chosen or column.name in needed) for column in columns)


def _with_columns(mapped: Sequence[ColumnMapping], table: Table) -> tuple[ColumnMapping, ...]:
    """The mapped columns as the table finally describes them."""
    return tuple(replace(item, column=column) for item, column in zip(mapped, table.columns, strict=False))


def _with_position(
    columns: tuple[Column, ...], finding: PositionFinding, mapped: Sequence[ColumnMapping], recipe: Recipe
) -> tuple[tuple[Column, ...], Position | None]:
    """Mark the position columns, or add them if the input's are no ICRS degrees; UCDs that the recipe gives stay."""
    position = finding.position
    if position is None:
        return columns, None
    columns = tuple(_not_main(column) for column in columns)
    direct = _direct_columns(position, mapped)
    if direct is None:
        return _with_derived(columns, position)
    ra, dec = direct
    said = [recipe.column(name).ucd for name in (position.ra[0], position.dec[0])]
    marked = {ra: said[0] or _RA_UCD, dec: said[1] or _DEC_UCD}
    trust = finding.confidence
    return tuple(_as_angle(c, marked[c.name], trust) if c.name in marked else c for c in columns), Position(ra, dec)


def _direct_columns(position: PositionRecipe, mapped: Sequence[ColumnMapping]) -> tuple[str, str] | None:
    by_source = {item.source: item.column for item in mapped}
    pair = [by_source.get(name) for name in (position.ra[0], position.dec[0])]
    if position.frame is not Frame.ICRS or position.unit is not AngleUnit.DEG:
        return None
    if pair[0] is None or pair[1] is None or not all(column and column.datatype.is_numeric for column in pair):
        return None
    return pair[0].name, pair[1].name


def _with_derived(columns: tuple[Column, ...], position: PositionRecipe) -> tuple[tuple[Column, ...], Position]:
    taken = {column.name.lower() for column in columns}
    suffix = next(text for text in ("", "_deg", *(f"_{n}" for n in range(2, 1000))) if f"ra_icrs{text}" not in taken)
    origin = f"from {', '.join(position.columns)} ({position.frame}, {position.unit})"
    ra = Column(f"ra_icrs{suffix}", Datatype.DOUBLE, unit="deg", ucd=_RA_UCD, indexed=True)
    dec = Column(f"dec_icrs{suffix}", Datatype.DOUBLE, unit="deg", ucd=_DEC_UCD, indexed=True)
    added = (
        replace(ra, description=f"Right ascension, ICRS, computed at ingest {origin}"),
        replace(dec, description=f"Declination, ICRS, computed at ingest {origin}"),
    )
    return (*columns, *added), Position(ra.name, dec.name)


def _not_main(column: Column) -> Column:
    """One position is the main one (SCS 1.03, section 2.2): others lose the word."""
    words = (column.ucd or "").split(";")
    if words[0].lower() in ("pos.eq.ra", "pos.eq.dec") and words[-1].lower() == "meta.main":
        return replace(column, ucd=";".join(words[:-1]))
    return column


def _as_angle(column: Column, ucd: str, trust: float) -> Column:
    """A position column: the UCD becomes the main one, a missing unit is degrees, whole numbers become floats."""
    inferred = dict(column.inferred)
    if column.ucd not in (ucd, ucd.split(";")[0]) and trust < 1.0:
        inferred["ucd"] = trust
    elif trust >= 1.0:
        inferred.pop("ucd", None)
    if not column.unit and trust < 1.0:
        inferred["unit"] = trust
    datatype = column.datatype if column.datatype.is_floating else Datatype.DOUBLE
    inferred_now = MappingProxyType(inferred)
    return replace(column, datatype=datatype, ucd=ucd, unit="deg", indexed=True, inferred=inferred_now)


def _identifier(
    recipe: Recipe, mapped: Sequence[ColumnMapping], sample: pa.Table
) -> tuple[str | None, tuple[str, ...]]:
    if recipe.id:
        given = next((item.column.name for item in mapped if item.source.lower() == recipe.id.lower()), None)
        if given is not None or recipe.lenient:
            return given, ()
        raise BadRecipeError(f'The id column "{recipe.id}" is dropped by the same recipe.')
    renamed = sample.select([item.source for item in mapped]).rename_columns([item.column.name for item in mapped])
    found = find_id([item.column for item in mapped], renamed)
    return found, (f"Rows are named by {found}.",) if found else ()


def _as_identifier(column: Column) -> Column:
    if column.ucd is not None and "ucd" not in column.inferred:
        return column
    return replace(column, ucd=_ID_UCD, inferred=MappingProxyType({**column.inferred, "ucd": 0.7}))


def _renamed_key(key: ForeignKey, new_names: MappingOf[str, str]) -> ForeignKey:
    """A foreign key under the new names of its columns."""
    for here, _ in key.columns:
        if here.lower() not in new_names:
            raise BadRecipeError(
                f'The foreign key to {key.target_table} names "{here}", which the table does not have.'
            )
    return replace(key, columns=tuple((new_names[here.lower()], there) for here, there in key.columns))
