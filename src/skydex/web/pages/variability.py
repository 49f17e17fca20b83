"""How many vary: an index of variability against magnitude, the classes of the objects, and how many are artifacts.

For every table that has a magnitude and an index, told by UCDs (`src.var`) and names. The threshold is that of the
Hubble Catalog of Variables (Bonanos et al. 2019, A&A 630, A92, section 4): so many sigma above the median of the stars
as bright; fractions of artifacts are those of `skydex.plots`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skydex.archive import QueryRequest
from skydex.archive.links import adql_name, adql_value
from skydex.errors import BadParameterError, UnknownColumnError, UnknownResourceError, UnknownTableError, near_names
from skydex.lightcurve.trends import running_trend
from skydex.plots.data import classes_of
from skydex.plots.fractions import Fractions, fractions_by_bin
from skydex.query.languages.words import spelled
from skydex.tables import Column, Table
from skydex.web import dali
from skydex.web.asgi import Call
from skydex.web.door import way_up
from skydex.web.pages.around import exact
from skydex.web.pages.definition import Page
from skydex.web.pages.drawings import Axis, Looks, Series, chart, looks_of_classes
from skydex.web.pages.rendering import Facts, number, path_part
from skydex.web.pages.rows import rows_of

__all__ = ["PAGE"]

_INDEX_NAME = re.compile(
    r"(^|_)(mad|chi2|rchi2|iqr|stetson|von_?neumann|neumann_ratio|var_\w*index\w*)(_|$)", re.IGNORECASE
)
_MOST_POINTS = 20_000
_MOST_JUDGED = 100_000
_MOST_COUNTS = 2000
_MOST_LINKED = 1500
"""Points of the drawing that lead to their objects; of a class that has more, none does."""
_N_SIGMA = 5.0
_LEAST_IN_A_BIN = 1
_MAGNITUDE_STEP = 1.0
_ARTIFACT = "artifact"
_ALL = "all"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Roles:
    """The columns of a table that are looked at."""

    indices: tuple[Column, ...]
    brightnesses: tuple[Column, ...]
    classes: tuple[Column, ...]
    band: Column | None
    flag: Column | None
    """Which objects vary in the band of the row."""

    @property
    def is_magnitude(self) -> bool:
        return (self.brightnesses[0].ucd or "").startswith("phot.mag")


@dataclass(frozen=True)
class _View:
    """What is asked for."""

    table: Table
    index: Column
    brightness: Column
    classes: Column | None
    band: str
    """One, or empty for all."""


@dataclass(frozen=True)
class _Points:
    """Objects in a band: (n,) each."""

    keys: list[Any]
    x: Floats
    y: Floats
    of_class: list[Any]
    overflow: bool


async def gather(call: Call) -> Facts:
    """The objects of a table by how much they vary."""
    table = _table(call)
    roles = _roles(table)
    given = dali.Parameters(call.query_pairs())
    counts = await _counts(call, table, roles)
    view = _view(table, roles, given, counts)
    points = await _points(call, view, roles)
    threshold = _threshold(points, roles)
    given_line = given.get_number("threshold", least=1e-9, most=1e9) if given.find("threshold") else None
    names, of_row = _classes(view, points)
    judged = await _judged(call, view, roles)
    return {
        "table": table.name,
        "about": table.description,
        "id_column": table.id_column,
        "index": view.index.name,
        "mag": view.brightness.name,
        "class_column": view.classes.name if view.classes else "",
        "band": view.band,
        "bands": _bands(counts),
        "choices": {
            "index": [column.name for column in roles.indices],
            "mag": [column.name for column in roles.brightnesses],
            "class": [column.name for column in roles.classes],
        },
        "threshold": given_line,
        "n_sigma": _N_SIGMA,
        "n": len(points.y),
        "overflow": points.overflow,
        "n_above": int(np.sum(points.y > (given_line if given_line is not None else threshold[2]))),
        "axes": {"x": _label(view.brightness), "y": _label(view.index), "is_magnitude": roles.is_magnitude},
        "classes": _class_facts(names, of_row),
        "points": _point_facts(points, of_row),
        "line": {"x": threshold[0].tolist(), "y": threshold[1].tolist()},
        "diagram": _drawing(call, view, roles, points, names, of_row, threshold, given_line),
        "counts": _count_table(counts, view),
        "fractions": judged,
    }


def _table(call: Call) -> Table:
    name = call.part("table") or ""
    try:
        return call.site.archive.namespace(owner=call.owner).get(name).table
    except UnknownTableError as error:
        raise UnknownResourceError("table", name[:80], near=error.near) from None


def _roles(table: Table) -> _Roles:
    """Which columns are indices, magnitudes and classes.

    Raises
    ------
    UnknownResourceError
        The table has no index, or nothing to compare it with.
    """
    numbers = [column for column in table.columns if column.datatype.is_numeric and not column.is_array]
    indices = tuple(column for column in numbers if _is_index(column))
    magnitudes = tuple(column for column in numbers if _is_brightness(column, "phot.mag"))
    fluxes = tuple(column for column in numbers if _is_brightness(column, "phot.flux"))
    if not indices or not (magnitudes or fluxes):
        lacking = "variability index" if not indices else "magnitude or flux"
        raise UnknownResourceError(f"{lacking} in table", table.name)
    words = ("instr.filter", "instr.bandpass")
    bands = (c for c in table.columns if c.datatype.is_text and any(word in (c.ucd or "") for word in words))
    flags = (c for c in numbers if (c.ucd or "") == "meta.code;src.var" and c.datatype.is_integer)
    classes = tuple(c for c in table.columns if "meta.code.class" in (c.ucd or "") and not c.datatype.is_floating)
    return _Roles(indices, magnitudes or fluxes, classes, next(bands, None), next(flags, None))


def _is_index(column: Column) -> bool:
    ucd = column.ucd or ""
    if "src.var" in ucd:
        return column.datatype.is_floating and not ucd.startswith("meta.")
    return bool(_INDEX_NAME.search(column.name)) and "phot.mag" not in ucd.split(";")[0]


def _is_brightness(column: Column, word: str) -> bool:
    ucd = column.ucd or ""
    return ucd.startswith(word) and not any(bad in ucd for bad in ("src.var", "stat.error", "stat.stdev", "arith"))


def _view(table: Table, roles: _Roles, given: dali.Parameters, counts: Sequence[Sequence[Any]]) -> _View:
    classes = _chosen(given.find("class"), roles.classes, table) if roles.classes else None
    bands = _bands(counts)
    band = given.find("filter") or (max(bands, key=lambda one: one["n"])["name"] if bands else _ALL)
    if band != _ALL and band not in [one["name"] for one in bands]:
        near = near_names(band, [one["name"] for one in bands])
        hint = (
            f"Did you mean {' or '.join(near)}?" if near else f"Known are {', '.join(b['name'] for b in bands[:20])}."
        )
        raise BadParameterError("filter", f'is "{band[:60]}", of which {table.name} has no rows. {hint}')
    return _View(
        table,
        _chosen(given.find("index"), roles.indices, table),
        _chosen(given.find("mag"), roles.brightnesses, table),
        classes,
        "" if band == _ALL else band,
    )


def _chosen(name: str | None, columns: Sequence[Column], table: Table) -> Column:
    """The column that is asked for, or else the first."""
    if not name:
        return columns[0]
    found = next((column for column in columns if column.name.lower() == name.lower()), None)
    if found is None:
        known = [column.name for column in columns]
        raise UnknownColumnError(
            name[:80], where=f"{table.name}, among {', '.join(known[:10])}", near=near_names(name, known)
        )
    return found


async def _counts(call: Call, table: Table, roles: _Roles) -> list[list[Any]]:
    """Rows by band and by each column of classes: band, classes, number."""
    columns = [column for column in (roles.band, *roles.classes) if column is not None]
    if not columns:
        return []
    names = ", ".join(spelled(column.name) for column in columns)
    text = f"SELECT {names}, COUNT(*) AS n FROM {adql_name(table.name)} GROUP BY {names} ORDER BY {names}"
    found = await rows_of(call, QueryRequest(text, max_rows=_MOST_COUNTS, owner=call.owner))
    return [
        [row[0] if roles.band is not None else "", *row[1 if roles.band is not None else 0 :]] for row in found.rows
    ]


def _bands(counts: Sequence[Sequence[Any]]) -> list[Facts]:
    found: dict[str, int] = {}
    for row in counts:
        if row[0]:
            found[row[0]] = found.get(row[0], 0) + row[-1]
    return [{"name": name, "n": n} for name, n in found.items()]


def _count_table(counts: Sequence[Sequence[Any]], view: _View) -> Facts | None:
    """How many objects of each class there are in each band."""
    if view.classes is None or not counts:
        return None
    place = 1 + [c.name for c in _roles(view.table).classes].index(view.classes.name)
    values = sorted({row[place] for row in counts}, key=lambda one: (one is None, one))
    names = _names_of(values, view.classes)
    bands: dict[str, list[int]] = {}
    for row in counts:
        bands.setdefault(row[0] or "", [0] * len(values))[values.index(row[place])] += row[-1]
    return {"classes": names, "bands": [{"name": band, "n": n, "total": sum(n)} for band, n in bands.items()]}


def _names_of(values: Sequence[Any], column: Column) -> list[str]:
    """What classes are called, by their values."""
    found = classes_of({column.name: _masked(values)}, column.name)
    return [found.names[place] for place in found.of_row.tolist()]


def _masked(values: Sequence[Any]) -> Any:
    is_missing = [value is None for value in values]
    present = next((value for value in values if value is not None), 0)
    filler: Any = "" if isinstance(present, str) else 0
    return np.ma.array([filler if value is None else value for value in values], mask=is_missing)


async def _points(call: Call, view: _View, roles: _Roles) -> _Points:
    key = view.table.id_column
    columns = [view.brightness.name, view.index.name]
    columns += [view.classes.name] if view.classes else []
    columns += [key] if key else []
    conditions = [f"{spelled(view.index.name)} > 0", f"{spelled(view.brightness.name)} > -90"]
    conditions += _in_band(view, roles)
    text = (
        f"SELECT {', '.join(map(spelled, columns))} FROM {adql_name(view.table.name)} WHERE {' AND '.join(conditions)}"
    )
    found = await rows_of(call, QueryRequest(text, max_rows=_MOST_POINTS, owner=call.owner))
    rows = [row for row in found.rows if row[0] is not None and row[1] is not None]
    return _Points(
        [row[-1] if key else None for row in rows],
        np.array([row[0] for row in rows], dtype=np.float64),
        np.array([row[1] for row in rows], dtype=np.float64),
        [row[2] if view.classes else None for row in rows],
        found.overflow,
    )


def _in_band(view: _View, roles: _Roles) -> list[str]:
    return [f"{spelled(roles.band.name)} = {adql_value(view.band)}"] if view.band and roles.band else []


def _threshold(points: _Points, roles: _Roles) -> tuple[Floats, Floats, Floats]:
    """Nodes of the line, and its value for each object; infinite where there are too few objects to say."""
    x = points.x if roles.is_magnitude else -2.5 * np.log10(np.where(points.x > 0.0, points.x, np.nan))
    if np.isfinite(x).sum() < 2:
        return np.zeros(0), np.zeros(0), np.full(len(x), np.inf)
    trend = running_trend(x, points.y).never_falling()
    value = trend.above(_N_SIGMA, x)
    nodes = trend.mag if roles.is_magnitude else 10.0 ** (-0.4 * trend.mag)
    return nodes, np.asarray(trend.centre + _N_SIGMA * trend.sigma), value


def _classes(view: _View, points: _Points) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """What classes are called, and the number of the class of each object."""
    if view.classes is None or not points.of_class:
        return ("",), np.zeros(len(points.y), dtype=np.int64)
    found = classes_of({view.classes.name: _masked(points.of_class)}, view.classes.name)
    return found.names, found.of_row


def _class_facts(names: Sequence[str], of_row: NDArray[np.int64]) -> list[Facts]:
    counts = np.bincount(of_row, minlength=len(names)).tolist()
    looks = looks_of_classes(names)
    return [{"name": name, "n": n, **looks[name].facts()} for name, n in zip(names, counts, strict=True)]


def _point_facts(points: _Points, of_row: NDArray[np.int64]) -> Facts:
    """Columns, since there are many."""
    keys = [exact(key) for key in points.keys]
    return {"id": keys, "x": points.x.tolist(), "y": points.y.tolist(), "class": of_row.tolist()}


def _drawing(
    call: Call,
    view: _View,
    roles: _Roles,
    points: _Points,
    names: Sequence[str],
    of_row: NDArray[np.int64],
    threshold: tuple[Floats, Floats, Floats],
    given_line: float | None,
) -> Facts:
    """The index against brightness, bright at the left, each class with its own mark."""
    looks = looks_of_classes(names)
    base = f"{way_up(call.scope['path'])}o/{path_part(view.table.name)}/"
    series = []
    for place, name in enumerate(names):
        rows = np.flatnonzero(of_row == place)
        has_links = len(rows) <= _MOST_LINKED and view.table.id_column is not None
        chosen = rows.tolist() if has_links else []
        series.append(
            Series(
                f"{name} ({len(rows):,})" if name else "",
                looks[name],
                points.x[rows],
                points.y[rows],
                texts=[f"{points.keys[row]}: {number(float(points.y[row]))}" for row in chosen],
                links=[base + path_part(points.keys[row]) for row in chosen],
            )
        )
    lines = _lines(points, threshold, given_line)
    x = Axis.around(_label(view.brightness), points.x, is_log=not roles.is_magnitude)
    y = Axis.around(_label(view.index), points.y, *(one.y for one in lines), is_log=True)
    return chart(x, y, [*series, *lines], height=440.0)


def _lines(points: _Points, threshold: tuple[Floats, Floats, Floats], given_line: float | None) -> list[Series]:
    if given_line is not None and len(points.x):
        ends = np.array([points.x.min(), points.x.max()])
        return [Series("threshold", Looks("ink", "-"), ends, np.full(2, given_line), lines=True)]
    if not len(threshold[0]):
        return []
    return [Series(f"median + {_N_SIGMA:g} σ", Looks("ink", "-"), threshold[0], threshold[1], lines=True)]


async def _judged(call: Call, view: _View, roles: _Roles) -> Facts | None:
    """Which part of the objects is an artifact, against the index and against brightness, as experts say."""
    expert = next((c for c in roles.classes if _ARTIFACT in _names_of(range(8), c)), None)
    if expert is None:
        return None
    columns = ", ".join(spelled(column.name) for column in (view.index, view.brightness, expert))
    conditions = [f"{spelled(expert.name)} > 0", *_in_band(view, roles)]
    conditions += [f"{spelled(roles.flag.name)} > 0"] if roles.flag is not None else []
    where = " AND ".join(conditions)
    text = f"SELECT {columns} FROM {adql_name(view.table.name)} WHERE {where}"
    found = await rows_of(call, QueryRequest(text, max_rows=_MOST_JUDGED, owner=call.owner))
    if not found.rows:
        return None
    index, brightness = (np.array([_or_nan(row[place]) for row in found.rows]) for place in (0, 1))
    value = next(one for one in range(8) if _names_of([one], expert) == [_ARTIFACT])
    is_artifact = np.array([row[2] == value for row in found.rows])
    facts: Facts = {"column": expert.name, "where": where, "n": len(found.rows), "overflow": found.overflow, "by": []}
    for column, values, edges in (
        (view.index, index, _edges_of_index(view.index, index)),
        (view.brightness, brightness, _edges_of_magnitude(brightness) if roles.is_magnitude else None),
    ):
        bins = fractions_by_bin(values, is_artifact, edges=edges)
        if len(bins.n):
            facts["by"].append(_fraction_facts(column, bins, is_log=column is view.index or not roles.is_magnitude))
    return facts


def _edges_of_index(column: Column, values: Floats) -> Floats | None:
    """None, which means those of document and figures, for an index in magnitudes; else decades of what there is."""
    if (column.unit or "") == "mag":
        return None
    known = values[np.isfinite(values) & (values > 0.0)]
    return np.geomspace(known.min(), known.max() * (1.0 + 1e-9), 30) if len(known) > 1 else np.array([0.5, 2.0])


def _edges_of_magnitude(values: Floats) -> Floats:
    known = values[np.isfinite(values)]
    low, high = (np.floor(known.min()), np.ceil(known.max())) if len(known) else (0.0, 1.0)
    return np.arange(low, max(high, low + 1.0) + _MAGNITUDE_STEP / 2.0, _MAGNITUDE_STEP)


def _fraction_facts(column: Column, bins: Fractions, *, is_log: bool) -> Facts:
    _, high = bins.limits()
    center = bins.center if is_log else (bins.low + bins.high) / 2.0
    error = np.maximum(high - bins.fraction, 0.0)
    label = _label(column)
    series = Series(
        "",
        Looks("vermillion", "o"),
        center,
        bins.fraction,
        error=error,
        width=(bins.low, bins.high),
        texts=[f"{m} of {n}" for m, n in zip(bins.n_members.tolist(), bins.n.tolist(), strict=True)],
    )
    x = Axis.around(label, bins.low, bins.high, is_log=is_log)
    return {
        "column": column.name,
        "low": bins.low.tolist(),
        "high": bins.high.tolist(),
        "n": bins.n.tolist(),
        "n_artifacts": bins.n_members.tolist(),
        "fraction": bins.fraction.tolist(),
        "error": error.tolist(),
        "diagram": chart(x, Axis("Fraction of artifacts", 0.0, 1.0), [series], height=300.0),
    }


def _label(column: Column) -> str:
    return f"{column.name} / {column.unit}" if column.unit else column.name


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else float(value)


PAGE = Page("/variability/{table}", "variability.html", gather)
