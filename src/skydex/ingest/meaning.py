"""What columns mean: units and UCDs in today's spelling, and guesses, marked as such, where a file says nothing.

What a file says is never overridden, only respelled (`units`, UCD1 to UCD1+). A guess comes from the column's name,
then from its description, and goes into `Column.inferred` with its confidence, so that every page that shows a unit
can show that it was guessed.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from skydex.ingest.units import is_unit, normalised_unit
from skydex.ingest.vocabulary import DESCRIPTIONS, ERROR_NAME, ID_NAMES, MEANINGS, UCD1, Meaning, plain_name
from skydex.tables import Column

__all__ = ["find_id", "understood"]

_UNIT_IN_NAME = re.compile(r"[\[(]\s*([A-Za-z][^\])]*?)\s*[\])]\s*$")
_ISO_TIME = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?$"
_BY_DESCRIPTION = 0.6
"""How much less a description's words are believed than a name."""


def understood(column: Column, sample: pa.ChunkedArray) -> Column:
    """A column with unit and UCD respelled, and guessed where the file leaves them open.

    Parameters
    ----------
    column : Column
        As the file describes it.
    sample : (n,) chunked array
        Some of its values; times are recognised by them.
    """
    plain = replace(column, unit=normalised_unit(column.unit), ucd=_plus(column.ucd))
    return _with_time(_with_guesses(_with_unit_of_name(plain)), sample)


def find_id(columns: Sequence[Column], sample: pa.Table) -> str | None:
    """The column that names a row: by UCD `meta.id;meta.main`, or by name if the sample has no value twice."""
    main = [column for column in columns if column.ucd and column.ucd.lower() == "meta.id;meta.main"]
    if len(main) == 1:
        return main[0].name
    by_name = {plain_name(column.name): column for column in columns}
    known = (by_name[name] for name in ID_NAMES if name in by_name)
    return next((column.name for column in known if _is_unique(column, sample)), None)


def _is_unique(column: Column, sample: pa.Table) -> bool:
    if column.is_array or column.datatype.is_floating:
        return False
    values = sample[column.name]
    return len(values) > 1 and values.null_count == 0 and pc.count_distinct(values).as_py() == len(values)


def _plus(ucd: str | None) -> str | None:
    text = (ucd or "").strip()
    return UCD1.get(text.upper(), text) or None


def _with_unit_of_name(column: Column) -> Column:
    """Units that headers carry along: `P_F[day]`, `Flux (mJy)`."""
    found = _UNIT_IN_NAME.search(column.name)
    if column.unit or found is None or not column.datatype.is_numeric or not is_unit(found[1]):
        return column
    return _marked(column, {"unit": 0.9}, unit=normalised_unit(found[1]))


def _with_guesses(column: Column) -> Column:
    if column.ucd and column.unit:
        return column
    quantity, n_errors = ERROR_NAME.subn("", column.name)
    meaning, trust = _meaning_of(quantity if n_errors and quantity else column.name, column)
    if meaning is None or not _agrees(meaning, column):
        return column
    guesses: dict[str, float] = {}
    attributes: dict[str, str] = {}
    if not column.ucd:
        guesses["ucd"] = round(trust * meaning.ucd_confidence, 2)
        attributes["ucd"] = f"stat.error;{meaning.ucd}" if n_errors and quantity else meaning.ucd
    if not column.unit and meaning.unit and column.datatype.is_numeric:
        guesses["unit"] = round(trust * meaning.unit_confidence, 2)
        attributes["unit"] = meaning.unit
    return _marked(column, guesses, **attributes)


def _meaning_of(name: str, column: Column) -> tuple[Meaning | None, float]:
    by_name = next((meaning for meaning in MEANINGS if _fits(meaning, name, column)), None)
    if by_name is not None:
        return by_name, 1.0
    words = column.description
    return next((meaning for meaning in DESCRIPTIONS if words and _fits(meaning, words, column)), None), _BY_DESCRIPTION


def _fits(meaning: Meaning, text: str, column: Column) -> bool:
    return meaning.is_number == column.datatype.is_numeric and meaning.pattern.search(text) is not None


def _agrees(meaning: Meaning, column: Column) -> bool:
    """Whether a guess goes with what the file does say: a "period" in mag is no period."""
    if column.ucd and not column.ucd.lower().startswith(meaning.ucd.split(";")[0].lower()):
        return False
    return column.unit is None or meaning.unit is None or _same_kind(column.unit, meaning.unit)


@lru_cache(maxsize=1024)
def _same_kind(unit: str, other: str) -> bool:
    from astropy import units as u

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return bool(u.Unit(unit).is_equivalent(u.Unit(other)))
        except (ValueError, TypeError):
            return False


def _with_time(column: Column, sample: pa.ChunkedArray) -> Column:
    """Mark text of the form `2015-06-01T12:34:56.789` as a timestamp; bare dates and all else stay text."""
    if not column.datatype.is_text or column.xtype:
        return column
    present = sample.drop_null()
    if len(present) == 0 or not pa.types.is_string(present.type):
        return column
    if not pc.all(pc.match_substring_regex(present, _ISO_TIME)).as_py():
        return column
    ucd = {} if column.ucd else {"ucd": "time.epoch"}
    return _marked(column, {"xtype": 0.95, **dict.fromkeys(ucd, 0.8)}, xtype="timestamp", **ucd)


def _marked(column: Column, guesses: Mapping[str, float], **attributes: str | None) -> Column:
    return replace(column, **attributes, inferred=MappingProxyType({**column.inferred, **guesses}))  # type: ignore[arg-type]
