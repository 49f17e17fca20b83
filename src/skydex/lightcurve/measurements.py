"""`Measurements`: detections of many objects in many images, as a search for variables takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skydex.errors import UnknownColumnError
from skydex.lightcurve.segments import Floats, Ints, Mask

__all__ = ["HCV_COLUMNS", "Labels", "Measurements"]

HCV_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "match_id": "MatchID",
        "filter": "Filter",
        "mjd": "MJD",
        "image": "ImageName",
        "ra_deg": "RA",
        "dec_deg": "Dec",
        "mag": "Mag",
        "mag_err": "MagErr",
        "mag_auto": "MagAuto",
        "ci": "CI",
        "d_mas": "D",
        "flags": "Flags",
        "group": "GroupID",
    }
)
"""Names of columns by what they hold: those of HCVdetailed joined with HCVmatch, as far as these have them."""
_OPTIONAL = frozenset({"mag_auto", "ci", "d_mas", "flags", "group"})
"""What a table may lack."""


@dataclass(frozen=True, eq=False)
class Labels:
    """Texts, or numbers that stand for things: each different one once, and which of them each row has."""

    values: NDArray[Any]
    """(n_different,) in the order of their first row."""
    code: Ints
    """(n,) place in `values`."""

    @classmethod
    def of(cls, values: Any) -> Labels:
        """Labels of a column of texts or integers."""
        column = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(np.asarray(values))
        whole = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) and column.chunks else column
        if isinstance(whole, pa.ChunkedArray):
            whole = pa.array([], type=whole.type)
        encoded = whole if pa.types.is_dictionary(whole.type) else whole.dictionary_encode("encode")
        return cls(np.array(encoded.dictionary.to_pylist()), np.asarray(encoded.indices, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Measurements:
    """Detections, a row each, in any order."""

    match_id: Ints
    """The object."""
    filter: Labels
    """Camera and filter, such as `ACS_F606W`."""
    image: Labels
    """The image."""
    mjd: Floats
    """When, days."""
    ra_deg: Floats
    """Where, ICRS; a place of the detection or of its object."""
    dec_deg: Floats
    mag: Floats
    """Magnitude in a small aperture."""
    mag_err: Floats
    """Its error, one sigma."""
    mag_auto: Floats
    """Magnitude in an aperture that follows the source, or NaN."""
    ci: Floats
    """Concentration index, or NaN."""
    d_mas: Floats
    """Distance from the object, milliarcseconds, or NaN."""
    flags: Ints
    """Bits of SExtractor."""
    group: Ints
    """Field to which the object belongs: objects are compared with others of their field."""

    @classmethod
    def of_table(cls, table: Any, names: Mapping[str, str] = HCV_COLUMNS) -> Measurements:
        """Take the columns of a table: of astropy, pandas, Arrow, or a mapping of arrays.

        Parameters
        ----------
        table : mapping-like
            Gives a column for `table[name]`.
        names : mapping, optional
            Names of the columns by what they hold: the fields of this class. The table may lack those of `mag_auto`,
            `ci`, `d_mas`, `flags` and `group`.

        Raises
        ------
        UnknownColumnError
            The table lacks a column that is named, or one is not named that cannot be left out.
        """
        match_id = np.asarray(_column(table, names, "match_id"), dtype=np.int64)
        n = len(match_id)
        floats = ("mjd", "ra_deg", "dec_deg", "mag", "mag_err", "mag_auto", "ci", "d_mas")
        numbers: dict[str, Any] = {key: _numbers(table, names, key, n) for key in floats}
        return cls(
            match_id=match_id,
            filter=Labels.of(_column(table, names, "filter")),
            image=Labels.of(_column(table, names, "image")),
            flags=_whole(table, names, "flags", n),
            group=_whole(table, names, "group", n),
            **numbers,
        )

    def __len__(self) -> int:
        return len(self.match_id)

    def chosen(self, rows: Mask | Ints) -> Measurements:
        """Some of the rows."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        kept: dict[str, Any] = {
            name: Labels(values.values, values.code[rows]) if isinstance(values, Labels) else values[rows]
            for name, values in columns.items()
        }
        return Measurements(**kept)


def _column(table: Any, names: Mapping[str, str], key: str) -> Any:
    """A column, or None if the table lacks it and may."""
    name = names.get(key, key)
    try:
        return table[name]
    except (KeyError, IndexError, ValueError) as error:
        if key in _OPTIONAL:
            return None
        raise UnknownColumnError(name, where="the measurements") from error


def _numbers(table: Any, names: Mapping[str, str], key: str, n: int) -> Floats:
    """A column of numbers, masked and missing ones as NaN."""
    column = _column(table, names, key)
    if column is None:
        return np.full(n, np.nan)
    if isinstance(column, np.ma.MaskedArray):
        return np.asarray(np.ma.filled(column.astype(np.float64), np.nan))
    return np.asarray(column, dtype=np.float64)


def _whole(table: Any, names: Mapping[str, str], key: str, n: int) -> Ints:
    """A column of integers, masked and missing ones as 0."""
    column = _column(table, names, key)
    if column is None:
        return np.zeros(n, dtype=np.int64)
    return np.asarray(np.ma.filled(column, 0) if isinstance(column, np.ma.MaskedArray) else column, dtype=np.int64)
