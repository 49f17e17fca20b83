"""`PicturedRows`: which images the rows of a table name, and where on the sky the rows are.

Tables, light curves and plain lists of names are taken alike; what a table calls its columns differs from catalogue to
catalogue, and is found without regard to case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skydex.connection.rows import ResultTable
from skydex.errors import BadParameterError

__all__ = ["Facts", "PicturedRows", "pictured_rows", "plain_columns"]

_PRODUCTS = ("mast:", "http://", "https://")
_IMAGE_NAMES = ("imagename", "image_name", "image", "filename", "file_name")
"""Columns that name the image of a row, in small letters."""
_PLACE_NAMES = (
    ("matchra", "matchdec"),
    ("ra", "dec"),
    ("ra_deg", "dec_deg"),
    ("ramean", "decmean"),
    ("sourcera", "sourcedec"),
    ("s_ra", "s_dec"),
)
"""Columns that place the object of a row, in small letters; that of the object before that of one measurement."""


@dataclass(frozen=True)
class PicturedRows:
    """Rows with an image each."""

    images: tuple[tuple[str, ...], ...]
    """For each row the name of its image, or three for a colour picture."""
    table: ResultTable
    """The rows."""
    place: tuple[float, float] | None = None
    """Where the object of all of them is, ICRS, in degrees, if that is known apart from them."""

    @property
    def is_products(self) -> bool:
        """Whether these are no names of images, but data URIs or addresses."""
        return bool(self.images) and all(len(names) == 1 and names[0].startswith(_PRODUCTS) for names in self.images)

    def places(self) -> list[tuple[float, float]]:
        """Right ascension and declination of each row, ICRS, in degrees, as its own columns say.

        Raises
        ------
        BadParameterError
            There are no such columns.
        """
        spelled = {name.lower(): name for name in self.table.colnames}
        pair = next((pair for pair in _PLACE_NAMES if set(pair) <= set(spelled)), None)
        if pair is None and self.place is not None:
            return [self.place] * len(self.images)
        if pair is None:
            raise BadParameterError(
                "where",
                "is missing: nothing says where the object is. Give a place, as in cutouts(..., where=(ra, dec)).",
            )
        ra, dec = (_degrees(self.table[spelled[name]]) for name in pair)
        return list(zip(ra.tolist(), dec.tolist(), strict=True))


class Facts(Mapping[str, Any]):
    """What is known of one cutout; and what its row says, by the names of columns, looked up when it is asked.

    Parameters
    ----------
    known : mapping
        What is known; it comes before what the row says.
    table : ResultTable, optional
        Rows of which one is of the cutout.
    number : int, optional
        Which.
    """

    def __init__(self, known: Mapping[str, Any], table: ResultTable | None = None, number: int = 0) -> None:
        self._known, self._table, self._number = known, table, number

    def __getitem__(self, name: str) -> Any:
        if name in self._known or self._table is None:
            return self._known[name]
        return self._table[name][self._number]

    def __iter__(self) -> Iterator[str]:
        yield from self._known
        columns = [] if self._table is None else self._table.colnames
        yield from (name for name in columns if name not in self._known)

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __repr__(self) -> str:
        return repr(dict(self))

    def knowing(self, **more: Any) -> Facts:
        """The same, knowing more."""
        return Facts({**self._known, **more}, self._table, self._number)


def pictured_rows(things: Any, image: str = "") -> PicturedRows:
    """Read what cutouts are wanted of.

    Parameters
    ----------
    things : LightCurve, table, or sequence of str
        Rows with a column of names of images, or the names; three in a tuple make a colour picture.
    image : str, optional
        The column; by default the first of those that are usual.

    Raises
    ------
    BadParameterError
        It has no such column, or is nothing of the kind.
    """
    rows = getattr(things, "rows", things)
    if hasattr(rows, "colnames") or hasattr(rows, "columns"):
        table = rows if isinstance(rows, ResultTable) else _as_table(rows)
        names = [(str(name),) for name in np.ma.filled(np.ma.asarray(table[_image_column(table, image)]), "")]
        return PicturedRows(tuple(names), table, _place_of(things))
    if isinstance(rows, str) or not hasattr(rows, "__iter__"):
        raise BadParameterError("things", "are rows or names of images; for one image there is cutout.")
    images = tuple((name,) if isinstance(name, str) else tuple(map(str, name)) for name in rows)
    return PicturedRows(
        images, ResultTable({"image": [", ".join(names) for names in images]}) if images else ResultTable()
    )


def plain_columns(table: ResultTable, names: Sequence[str]) -> list[dict[str, Any]]:
    """Some columns of each row as plain values, without units: numbers are written as the database has them."""
    columns = [np.asarray(getattr(table[name], "value", table[name])).tolist() for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _place_of(things: Any) -> tuple[float, float] | None:
    """Where a light curve says that its object is."""
    ra, dec = (float(getattr(things, name, np.nan)) for name in ("ra_deg", "dec_deg"))
    return (ra, dec) if np.isfinite(ra) and np.isfinite(dec) else None


def _as_table(rows: Any) -> ResultTable:
    """A table of astropy, pandas or polars as ours."""
    from astropy.table import Table

    if hasattr(rows, "colnames"):
        return ResultTable(rows)
    if hasattr(rows, "to_pandas"):
        rows = rows.to_pandas()
    return ResultTable(Table.from_pandas(rows))


def _image_column(table: ResultTable, image: str) -> str:
    spelled = {name.lower(): name for name in table.colnames}
    wanted = (image.lower(),) if image else _IMAGE_NAMES
    found = next((spelled[name] for name in wanted if name in spelled), None)
    if found is None:
        missing = (
            f"names no column of these rows: {image}" if image else "is missing: no column of these rows has names"
        )
        raise BadParameterError("image", f"{missing}. There are {', '.join(table.colnames[:20])}.")
    return str(found)


def _degrees(column: Any) -> NDArray[np.float64]:
    values = column.to_value("deg") if hasattr(column, "to_value") else column
    return np.asarray(np.ma.filled(np.ma.asarray(values, np.float64), np.nan))
