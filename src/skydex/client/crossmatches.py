"""Cross-matches by queries: with an archive that answers ADQL, the same rows as where they are matched as wholes.

The archive finds pairs: of two of its tables by a join, of one of its tables and one of the asker's by a join with an
upload, of which it is sent no more than positions. Whatever a server rounds, pairs are measured again here, and which
rows come out is decided by the same rules (`skydex.xmatch`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skydex.client.orders import CrossmatchOrder, Query
from skydex.errors import BadParameterError, CutShortError
from skydex.formats import format_of_file
from skydex.sky import Cone, Places, find_pairs, separation_deg
from skydex.sky.angles import Floats
from skydex.tables import (
    POSITION_NAMES,
    Column,
    Datatype,
    Result,
    Table,
    arrow_schema,
    conform,
    conformed,
    likely_position,
    spelled,
    uniquely_named,
)
from skydex.xmatch import (
    Keep,
    Partners,
    SameRows,
    degrees_of_unit,
    find_motion,
    matched,
    position_of,
    ranked,
    shaped,
)

__all__ = ["UPLOADED", "crossmatched"]

UPLOADED = "tap_upload."
"""How names of tables begin that come along."""
_ROUNDING_DEG = 1e-9
"""By so much circles are larger than asked, since servers measure otherwise; pairs are measured again."""
_MINE = "mine"


class Asked(Protocol):
    """What a cross-match needs of an archive."""

    @property
    def name(self) -> str: ...

    def table(self, name: str) -> Table: ...

    def query(self, order: Query) -> Result: ...


@dataclass(frozen=True)
class Known:
    """Rows of one table, here."""

    rows: pa.Table
    """All its columns, or those that are needed."""
    places: Places
    """Where they are at the epoch of the match."""
    ra_dec: tuple[Floats, Floats]
    """Where they are catalogued."""
    error_deg: Floats
    """Errors of positions; -1 where they are not known, or do not count."""

    def taken(self, numbers: np.ndarray, columns: Sequence[str]) -> pa.Table:
        """Columns of some rows; nulls where the number is -1."""
        return self.rows.select(list(columns)).take(pa.array(numbers, mask=numbers < 0))


def crossmatched(door: Asked, order: CrossmatchOrder) -> Result:
    """The rows of a match, in the order of the first table where it is the asker's own, else by what names its rows.

    Parameters
    ----------
    door : Asked
        The archive.
    order : CrossmatchOrder
        What is asked.

    Raises
    ------
    BadParameterError
        It cannot be said in queries, or a table has no positions, or nothing that names its rows.
    CutShortError
        The archive gives a part of the pairs only.
    """
    return _Match(door, order).result()


class _Match:
    """One match."""

    def __init__(self, door: Asked, order: CrossmatchOrder) -> None:
        self.door, self.criteria = door, order.criteria.checked(len(order.tables))
        self.names = order.tables
        given = {f"{UPLOADED}{name}".lower(): rows for name, rows in order.uploads.items()}
        own = {key: _read(name, given[key]) for name in order.tables if (key := name.lower()) in given}
        self.own = [own.get(name.lower()) for name in order.tables]
        self.tables = [mine[0] if mine else door.table(name) for name, mine in zip(order.tables, self.own, strict=True)]
        self.shape = shaped(self.tables, self.criteria)
        self._refuse_what_queries_cannot()

    def _refuse_what_queries_cannot(self) -> None:
        if self.criteria.chance:
            raise BadParameterError("chance", f"is not estimated by {self.door.name}: match in an archive directory.")
        for number, (table, mine) in enumerate(zip(self.tables, self.own, strict=True)):
            is_moving = self.criteria.epoch is not None and mine is None
            if is_moving and find_motion(table, self.criteria.epoch_of(number) or 0.0):
                raise BadParameterError(
                    "epoch", f"needs {table.name} here, whose stars move: mirror it, or a part of it, and match there."
                )
        if self.own[0] is None and self.tables[0].id_column is None:
            raise BadParameterError(
                "tables",
                f"cannot be matched by queries: no column names the rows of {self.tables[0].name} (UCD "
                "meta.id;meta.main). Put a table of yours first.",
            )

    def result(self) -> Result:
        mine = self.own[0]
        if mine is not None:
            first = self._within_region(self._known(0, mine[1]))
            found = [self._partners_of_own(number, first) for number in range(1, len(self.tables))]
        else:
            first, found = self._published_first()
        n_rows = len(first.rows)
        partners = [ranked(n_rows, left, right, apart, places=near.ra_dec) for left, right, apart, near in found]
        chosen = matched(partners, self.criteria.keep)
        parts = [first.taken(chosen.left, self.shape.carried[0])]
        if self.criteria.keep is not Keep.NONE:
            for number, (pairs, of, (*_, near)) in enumerate(zip(chosen.pairs, partners, found, strict=True), start=1):
                right = np.full(len(pairs), -1, np.int64)
                right[pairs >= 0] = of.right[pairs[pairs >= 0]]
                parts.append(near.taken(right, self.shape.carried[number]))
        rows = self.shape.assembled(parts, partners, chosen).combine_chunks()
        n_matched = int(np.count_nonzero(_has_all(partners)))
        infos = (("n_first", str(n_rows)), ("n_matched", str(n_matched)))
        return Result(self.shape.columns, iter(rows.to_batches()), "crossmatch", infos=infos, is_held=True)

    def _known(self, number: int, rows: pa.Table) -> Known:
        """Rows with where they are."""
        table, criteria = self.tables[number], self.criteria
        position = position_of(table)
        ra, dec = _floats(rows[position.ra]), _floats(rows[position.dec])
        moved = (ra, dec)
        motion = None if criteria.epoch is None else find_motion(table, criteria.epoch_of(number))
        if motion is not None and criteria.epoch is not None:
            moved = motion.moved(ra, dec, {name: _floats(rows[name]) for name in motion.columns}, criteria.epoch)
        error = self._error(number)
        errors = np.nan_to_num(_floats(rows[error[0]]) * error[1], nan=-1.0) if error else np.zeros(len(rows))
        return Known(rows, Places(*moved), (ra, dec), errors)

    def _error(self, number: int) -> tuple[str, float] | None:
        """Column of the errors of a table, and how many degrees its unit is."""
        radius = self.criteria.radius
        name = radius.own if number == 0 else radius.other
        if not name:
            return None
        return self.tables[number].get_column(name).name, degrees_of_unit(self.tables[number], name, radius.unit)

    def _within_region(self, first: Known) -> Known:
        region = self.criteria.region
        if region is None:
            return first
        return self._known(0, first.rows.filter(pa.array(region.contains(*first.ra_dec))))

    def _partners_of_own(self, number: int, first: Known) -> Found:
        """Pairs of the asker's own table with another one."""
        mine = self.own[number]
        if mine is not None:
            near = self._known(number, mine[1])
            most = float(near.error_deg.max(initial=0.0))
            pairs = find_pairs(first.places, near.places, self.criteria.radius.of_pairs(first.error_deg, most))
            return self._measured(number, first, near, pairs.left, pairs.right, is_same=self._is_same(number))
        upload = {"n": np.arange(len(first.rows)), **_numbers(first)}
        has_place = first.places.pixels >= 0
        columns, names = self._listed(number, "t", 0)
        circle = self._condition(_UPLOAD, self._place(number, "t"))
        source = f"{_spelled(self.names[number])} AS t"
        text = f"SELECT m.n AS n, {columns} FROM {source} JOIN TAP_UPLOAD.{_MINE} AS m ON {circle}"
        rows = self._asked(text, {key: values[has_place] for key, values in upload.items()})
        near = self._known(number, _renamed(rows, names, self.tables[number]))
        return self._measured(number, first, near, rows["n"].to_numpy(), np.arange(len(rows)))

    def _published_first(self) -> tuple[Known, list[Found]]:
        """Rows of a table of the archive, and their pairs with each other table."""
        key = self.tables[0].id_column
        assert key is not None, "it was looked for before"
        asked = [self._pairs_of_published(number) for number in range(1, len(self.tables))]
        every = [left for left, _, _ in asked]
        if self.criteria.keep.asks_for_the_lonely:
            columns, names = self._listed(0, "t", 0)
            text = f"SELECT {columns} FROM {_spelled(self.names[0])} AS t{self._where('t')}"
            every.append(_renamed(self._asked(text, None), names, self.tables[0]))
        rows = _once(pa.concat_tables(every), key)
        first = self._within_region(self._known(0, rows))
        found = []
        for number, (left, right, numbers) in enumerate(asked, start=1):
            place = pc.index_in(left[key].combine_chunks(), value_set=first.rows[key].combine_chunks())
            is_there = np.asarray(place.is_valid())
            lefts = np.asarray(pc.fill_null(place, 0), dtype=np.int64)[is_there]
            near = self._known(number, right)
            found.append(self._measured(number, first, near, lefts, numbers[is_there]))
        return first, found

    def _pairs_of_published(self, number: int) -> tuple[pa.Table, pa.Table, np.ndarray]:
        """Rows of the first table in pairs, rows of the other one, and which of these belongs to each of the former."""
        columns, names = self._listed(0, "t", 0)
        first, mine = self._place(0, "t"), self.own[number]
        source = f"{_spelled(self.names[0])} AS t"
        if mine is not None:
            near = self._known(number, mine[1])
            has_place = near.places.pixels >= 0
            upload = {"n": np.arange(len(near.rows)), **_numbers(near)}
            circle = self._condition(first, _UPLOAD)
            text = f"SELECT m.n AS n, {columns} FROM {source} JOIN TAP_UPLOAD.{_MINE} AS m ON {circle}"
            rows = self._asked(text + self._where("t"), {k: values[has_place] for k, values in upload.items()})
            return _renamed(rows, names, self.tables[0]), mine[1], rows["n"].to_numpy()
        more, others = self._listed(number, "o", len(names))
        circle = self._condition(first, self._place(number, "o")) + self._other_rows(number)
        text = f"SELECT {columns}, {more} FROM {source} JOIN {_spelled(self.names[number])} AS o ON {circle}"
        rows = self._asked(text + self._where("t"), None)
        left, right = _renamed(rows, names, self.tables[0]), _renamed(rows, others, self.tables[number])
        return left, right, np.arange(len(rows))

    def _other_rows(self, number: int) -> str:
        """Which row of the same table is a partner."""
        if not self._is_same(number) or self.criteria.same is SameRows.ALL:
            return ""
        key = spelled(self.tables[0].id_column or "")
        return f" AND t.{key} {'<>' if self.criteria.same is SameRows.OTHERS else '<'} o.{key}"

    def _is_same(self, number: int) -> bool:
        return self.tables[number].name.lower() == self.tables[0].name.lower()

    def _measured(
        self, number: int, first: Known, near: Known, left: np.ndarray, right: np.ndarray, *, is_same: bool = False
    ) -> Found:
        """Those of the pairs that are near enough, as measured here."""
        one, other = first.places, near.places
        apart = separation_deg(one.ra_deg[left], one.dec_deg[left], other.ra_deg[right], other.dec_deg[right])
        error = near.error_deg[right] if self.criteria.radius.other else 0.0
        is_near = apart <= self.criteria.radius.of_pairs(first.error_deg[left], error)
        if is_same and self.criteria.same is not SameRows.ALL:
            is_near &= left != right if self.criteria.same is SameRows.OTHERS else left < right
        return left[is_near], right[is_near], apart[is_near], near

    def _listed(self, number: int, alias: str, start: int) -> tuple[str, dict[str, str]]:
        """Columns of a table that are needed, as a SELECT list; and what each is called in the answer."""
        table = self.tables[number]
        position = position_of(table)
        needed = [position.ra, position.dec]
        needed += self.shape.carried[number] if number < len(self.shape.carried) else ()
        needed += [table.id_column] if number == 0 and table.id_column else []
        error = self._error(number)
        needed += [error[0]] if error else []
        names = {name: f"c{start + place}" for place, name in enumerate(dict.fromkeys(needed))}
        return ", ".join(f"{alias}.{spelled(name)} AS {called}" for name, called in names.items()), names

    def _place(self, number: int, alias: str) -> _Place:
        position = position_of(self.tables[number])
        return _Place(alias, position.ra, position.dec, self._error(number))

    def _condition(self, first: _Place, near: _Place) -> str:
        """That a place of the other table is in the circle around one of the first."""
        radius = self.criteria.radius
        size = repr(radius.most_deg + _ROUNDING_DEG) if radius.most_deg < 180.0 else "180.0"
        if radius.own:
            errors = [first.error_text, *([near.error_text] if radius.other else [])]
            root = f"SQRT({' + '.join(f'{error} * {error}' for error in errors)})"
            size = f"{radius.factor!r} * {root} + {_ROUNDING_DEG!r}"
        return f"1 = CONTAINS({near.point}, CIRCLE('ICRS', {first.pair}, {size}))"

    def _where(self, alias: str) -> str:
        """The region as far as a query can say it; it is looked at again here."""
        region = self.criteria.region
        if not isinstance(region, Cone):
            return ""
        circle = f"CIRCLE('ICRS', {region.ra_deg!r}, {region.dec_deg!r}, {region.radius_deg + _ROUNDING_DEG!r})"
        return f" WHERE 1 = CONTAINS({self._place(0, alias).point}, {circle})"

    def _asked(self, text: str, upload: Mapping[str, np.ndarray] | None) -> pa.Table:
        """All rows of an answer."""
        uploads = {_MINE: _as_result(upload)} if upload is not None else {}
        with self.door.query(Query(text, uploads=uploads, is_whole=True)) as result:
            rows = result.to_arrow()
        if result.overflow:
            raise CutShortError(self.door.name, len(rows))
        return rows


Found = tuple[np.ndarray, np.ndarray, Floats, Known]
"""Rows of the first table, rows of the other one, how far apart they are, and what is known of the latter."""


@dataclass(frozen=True)
class _Place:
    """The position of a table in a query."""

    alias: str
    ra: str
    dec: str
    error: tuple[str, float] | None = None

    @property
    def pair(self) -> str:
        return f"{self.alias}.{spelled(self.ra)}, {self.alias}.{spelled(self.dec)}"

    @property
    def point(self) -> str:
        return f"POINT('ICRS', {self.pair})"

    @property
    def error_text(self) -> str:
        """The error in degrees."""
        assert self.error is not None, "it is asked for where errors count"
        return f"({self.alias}.{spelled(self.error[0])} * {self.error[1]!r})"


_UPLOAD = _Place("m", "ra", "dec", ("err", 1.0))
"""That of a table that comes along."""


def _has_all(partners: Sequence[Partners]) -> np.ndarray:
    return np.asarray(np.stack([one.n_matches > 0 for one in partners]).all(axis=0))


def _read(name: str, given: Result | Path) -> tuple[Table, pa.Table]:
    """A table of the asker's own: what it is, and its rows."""
    shown = name[len(UPLOADED) :]
    if isinstance(given, Path):
        form = format_of_file(given)
        assert form.read is not None, "format_of_file gives formats that are read"
        source = next(table for table in form.read(given, {}) if table.columns)
        result = Result(source.columns, iter(source.open_batches()), shown)
    else:
        result = given
    columns = uniquely_named(result.columns)
    with result:
        batches = list(conform(result.batches, columns))
    rows = pa.Table.from_batches(batches, arrow_schema(columns)).combine_chunks()
    return Table(f"TAP_UPLOAD.{shown}", columns, position=likely_position(columns, POSITION_NAMES)), rows


def _numbers(known: Known) -> dict[str, np.ndarray]:
    """What a server needs of the asker's own rows."""
    return {"ra": known.places.ra_deg, "dec": known.places.dec_deg, "err": known.error_deg}


def _as_result(values: Mapping[str, np.ndarray]) -> Result:
    columns = tuple(
        Column(name, Datatype.LONG if name == "n" else Datatype.DOUBLE, unit=None if name == "n" else "deg")
        for name in values
    )
    rows = pa.table(list(values.values()), schema=arrow_schema(columns))
    return Result(columns, iter(rows.to_batches()), is_held=True)


def _renamed(rows: pa.Table, names: Mapping[str, str], table: Table) -> pa.Table:
    """Columns of an answer under their own names, in the types of their table."""
    kinds = tuple(table.get_column(name) for name in names)
    arrays = [
        conformed(rows[called].combine_chunks(), kind) for called, kind in zip(names.values(), kinds, strict=True)
    ]
    return pa.table(arrays, schema=arrow_schema(kinds))


def _once(rows: pa.Table, key: str) -> pa.Table:
    """Each row once, by what names it, in its order."""
    order = pc.sort_indices(rows[key])
    rows = rows.take(order).combine_chunks()
    if len(rows) < 2:
        return rows
    values = rows[key].combine_chunks()
    is_new = pc.fill_null(pc.not_equal(values[1:], values[:-1]), True)
    return rows.filter(pa.concat_arrays([pa.array([True]), is_new]))


def _floats(values: pa.ChunkedArray) -> Floats:
    return np.asarray(pc.cast(values, pa.float64(), safe=False).to_numpy(), dtype=np.float64)


def _spelled(name: str) -> str:
    return name if '"' in name else ".".join(map(spelled, name.split(".")))
