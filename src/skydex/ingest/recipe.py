"""`Recipe`: everything that decides how files become a published table.

A recipe is made from YAML (`recipe_text`) or from a caller's options (`ingest_files`), and is never changed: what
ingest infers goes into a new one, so that `skydex ingest --show-recipe` can print what would be done. Values are
checked here, where they enter; whether they fit the files is checked by `mapping`.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, TypeVar

from skydex.errors import BadRecipeError, near_names
from skydex.tables import Datatype, Example, ForeignKey

__all__ = [
    "AngleUnit",
    "BadRows",
    "ColumnRecipe",
    "Finding",
    "Frame",
    "LayoutRecipe",
    "PositionRecipe",
    "Recipe",
    "Sentinel",
    "member_of",
]

Sentinel = float | int | str
"""A value that stands for "no value"."""

Kind = TypeVar("Kind", bound=enum.StrEnum)

_QUALIFIED = re.compile(r"[A-Za-z]\w*\.[A-Za-z]\w*", re.ASCII)
_ATTRIBUTES = ("rename", "unit", "ucd", "utype", "description", "type")
_EQUINOX = re.compile(r"[JB]?\d{4}(\.\d+)?")


class BadRows(enum.StrEnum):
    """What happens to rows whose position is missing or impossible."""

    REFUSE = "refuse"
    """The whole ingest stops; nothing is published."""
    KEEP = "keep"
    """They are stored without a position: queries find them, cones do not."""
    DROP = "drop"
    """They are left out, and counted."""


class Frame(enum.StrEnum):
    """Frames in which a file may give positions; anything but ICRS is converted."""

    ICRS = "icrs"
    FK5 = "fk5"
    FK4 = "fk4"
    GALACTIC = "galactic"
    ECLIPTIC = "ecliptic"
    """Barycentric mean ecliptic of the equinox (J2000 unless said)."""


class AngleUnit(enum.StrEnum):
    """How a file spells angles."""

    DEG = "deg"
    HOURANGLE = "hourangle"
    """Longitude in hours, latitude in degrees."""
    RAD = "rad"
    ARCSEC = "arcsec"
    SEXAGESIMAL = "sexagesimal"
    """Text: hours, minutes, seconds and degrees, arcminutes, arcseconds (equatorial frames)."""
    PARTS = "parts"
    """Separate numeric columns: h, m, s and sign, d, m, s, as in machine-readable tables."""


class Finding(enum.StrEnum):
    """Where positions come from when no columns are named."""

    INFER = "infer"
    """Look for them, by UCD, name and unit."""
    NONE = "none"
    """The table has none."""


@dataclass(frozen=True)
class PositionRecipe:
    """Which columns hold positions, and how they spell them."""

    ra: tuple[str, ...]
    """Longitude column; three (h, m, s) for `PARTS`."""
    dec: tuple[str, ...]
    """Latitude column; three or four (sign, d, m, s) for `PARTS`."""
    unit: AngleUnit | None = None
    """How angles are spelled; None: as the columns' units or values tell."""
    frame: Frame = Frame.ICRS
    """Frame of the columns."""
    equinox: str | None = None
    """Equinox of FK4, FK5 and ecliptic positions, `B1950` or `J2000` if not said."""

    def __post_init__(self) -> None:
        if not self.ra or not self.dec:
            raise BadRecipeError("A position needs a longitude and a latitude column: give both ra and dec.")
        if self.equinox is not None and not _EQUINOX.fullmatch(self.equinox):
            raise BadRecipeError(f'The equinox "{self.equinox}" is not of the form J2000 or B1950.')

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.ra, *self.dec)


@dataclass(frozen=True)
class ColumnRecipe:
    """What to change about one column, or about all columns whose names match a pattern; None leaves as it is."""

    rename: str | None = None
    """Name in the published table."""
    unit: str | None = None
    """Unit of the stored values; an empty text says that there is none."""
    ucd: str | None = None
    """UCD1+."""
    utype: str | None = None
    """Pointer into a data model."""
    description: str | None = None
    """One line for people."""
    type: Datatype | None = None
    """VOTable datatype to store; a value that does not fit is an error."""
    null: tuple[Sentinel, ...] = ()
    """Values that mean "no value" here."""
    drop: bool = False
    """Leave the column out."""

    def over(self, other: ColumnRecipe) -> ColumnRecipe:
        """The same, with what it leaves open taken from `other`."""
        own = {name: getattr(self, name) for name in _ATTRIBUTES if getattr(self, name) is not None}
        null = tuple(dict.fromkeys(self.null + other.null))
        return replace(other, **own, null=null, drop=self.drop or other.drop)


@dataclass(frozen=True)
class LayoutRecipe:
    """How the table is cut on disk; None leaves the store's default."""

    rows_per_partition: int | None = None
    """Greatest number of rows of one partition."""
    rows_per_group: int | None = None
    """Rows of one Parquet row group."""
    look_up: tuple[str, ...] = ()
    """Columns of numbers or names by which rows are found fast, beside the id and those of foreign keys."""

    def __post_init__(self) -> None:
        for name in ("rows_per_partition", "rows_per_group"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise BadRecipeError(f"layout.{name} must be at least 1, not {value}.")


@dataclass(frozen=True)
class Recipe:
    """Which files become which table, and how."""

    files: tuple[str, ...] = ()
    """Paths or glob patterns."""
    table: str = ""
    """Name of the published table: `schema.table`."""
    format: str | None = None
    """Name of the file format; None: told from name and content."""
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Options of the format's reader."""
    select: str | int | None = None
    """Which table of files that hold several: its name, or its number from 0."""
    description: str | None = None
    """What to say of the table; None: what the file says."""
    utype: str | None = None
    """Data model that the table follows."""
    position: PositionRecipe | Finding = Finding.INFER
    """Where positions are."""
    id: str | None = None
    """Column that names a row; None: found by UCD or name, if there is one."""
    columns: Mapping[str, ColumnRecipe] = field(default_factory=lambda: MappingProxyType({}))
    """Changes by column name, or by pattern with `*`, `?` and `[abc]`."""
    principal: tuple[str, ...] = ()
    """Columns of a short selection, such as a cone search gives unless it asks for all; id and position are always
    among them. None named: the first fifty."""
    null: tuple[Sentinel, ...] = ()
    """Values that mean "no value" in every column but the id and text columns (texts: only texts given here)."""
    bad_rows: BadRows = BadRows.KEEP
    """What happens to rows without a possible position."""
    sort_by: tuple[str, ...] = ()
    """Columns that order rows of equal position, such as the time of a detection."""
    foreign_keys: tuple[ForeignKey, ...] = ()
    """References to other tables."""
    examples: tuple[Example, ...] = ()
    """Queries that show what the table is good for; `{table}` in them stands for its name."""
    layout: LayoutRecipe = LayoutRecipe()
    """How the table is cut on disk."""
    lenient: bool = False
    """Whether columns named here may be absent from the files, as in a recipe for several tables of a survey."""

    def __post_init__(self) -> None:
        if self.table and not _QUALIFIED.fullmatch(self.table):
            raise BadRecipeError(
                f'The table name "{self.table}" is not of the form schema.table, '
                'of letters, digits and "_", each beginning with a letter.'
            )

    def column(self, name: str) -> ColumnRecipe:
        """Everything said about one column: its exact name counts most, then patterns, the last one first."""
        found = ColumnRecipe()
        for pattern in _most_exact_first(name, self.columns):
            found = found.over(self.columns[pattern])
        return found


def _most_exact_first(name: str, patterns: Mapping[str, ColumnRecipe]) -> list[str]:
    lower = name.lower()
    exact = [pattern for pattern in patterns if pattern.lower() == lower]
    globs = [pattern for pattern in patterns if pattern not in exact and fnmatchcase(lower, pattern.lower())]
    return exact + globs[::-1]


def member_of(kind: type[Kind], text: object, where: str) -> Kind:
    """The member of a closed set that a text names, or an error that lists the set."""
    try:
        return kind(str(text))
    except ValueError:
        known = [member.value for member in kind]
        near = near_names(str(text), known)
        hint = f' Did you mean "{near[0]}"?' if near else ""
        raise BadRecipeError(f'{where} cannot be "{text}"; it is one of {", ".join(known)}.{hint}') from None
