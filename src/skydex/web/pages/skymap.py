"""The whole sky as a small drawing, which needs no script: where there are rows or images.

Hammer's projection with right ascension increasing to the left, as one sees the sky from within (Calabretta & Greisen
2002, A&A 395, 1077, section 5.4: zenithal equal-area AIT is Hammer-Aitoff).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skydex.errors import SkydexError
from skydex.query import Relation
from skydex.sky import centres_deg

__all__ = ["cells_of", "drawing"]

_ORDER = 4
"""Cells of 3.7 degrees."""
_WIDTH, _HEIGHT = 720.0, 360.0
_LARGEST, _SMALLEST, _ALONE = 6.0, 2.0, 3.4
"""Radii of the dots that stand for cells, where there are several layers or one."""
_MOST_FOOTERS = 1000
"""Files of a mounted catalogue that are looked into for the sake of a drawing."""

Floats = NDArray[np.float64]


def cells_of(relations: Iterable[Relation]) -> list[tuple[float, float]]:
    """Centres of the cells in which tables have rows, degrees; from what is known without reading rows."""
    found = [_cells(relation) for relation in relations]
    cells = np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)
    ra, dec = centres_deg(cells, _ORDER)
    return [(round(float(a), 3), round(float(d), 3)) for a, d in zip(ra, dec, strict=True)]


def drawing(layers: Mapping[str, Sequence[tuple[float, float]]]) -> dict[str, Any]:
    """What `sky.html` draws: the frame, meridians and parallels, and the cells of each layer.

    Where layers overlap, those that come later are drawn smaller, so that each is seen.
    """
    return {
        "width": _WIDTH,
        "height": _HEIGHT,
        "lines": [*map(_meridian, range(30, 360, 30)), *map(_parallel, range(-60, 90, 30))],
        "layers": [_layer(name, places, i, len(layers)) for i, (name, places) in enumerate(layers.items())],
    }


def _layer(name: str, places: Sequence[tuple[float, float]], number: int, n: int) -> dict[str, Any]:
    ra, dec = (np.array([place[i] for place in places], np.float64) for i in (0, 1))
    x, y = _hammer(ra, dec)
    return {
        "name": name,
        "radius": round(_LARGEST - (_LARGEST - _SMALLEST) * number / max(1, n - 1), 2) if n > 1 else _ALONE,
        "cells": [[round(float(a), 1), round(float(b), 1)] for a, b in zip(x, y, strict=True)],
    }


def _cells(relation: Relation) -> NDArray[np.int64]:
    """Pixels with rows: as the coverage map of the catalogue says, else as the bounds of its row groups do."""
    dataset = relation.dataset
    if relation.table.position is None or dataset is None or dataset.is_distant:
        return np.zeros(0, np.int64)
    try:
        covered = dataset.find_coverage(_ORDER)
    except SkydexError:  # a drawing may lack something
        covered = None
    if covered is not None:
        return covered
    if not dataset.knows_row_groups or (not dataset.is_own and len(dataset.partitions) > _MOST_FOOTERS):
        return np.zeros(0, np.int64)
    groups = dataset.row_groups
    is_placed = groups.index_min <= groups.index_max
    shift = 2 * (29 - _ORDER)
    first, last = groups.index_min[is_placed] >> shift, groups.index_max[is_placed] >> shift
    n = last - first + 1
    if not len(n):
        return np.zeros(0, np.int64)
    starts = np.repeat(first - np.concatenate([[0], np.cumsum(n)[:-1]]), n)
    return np.unique(starts + np.arange(int(n.sum())))


def _hammer(ra_deg: Floats, dec_deg: Floats) -> tuple[Floats, Floats]:
    """Places in the drawing; RA 180 is in the middle, so that the Galactic centre and M 31 are not at its rim."""
    lon = np.radians((180.0 - ra_deg + 180.0) % 360.0 - 180.0)
    lat = np.radians(dec_deg)
    scale = np.sqrt(1.0 + np.cos(lat) * np.cos(lon / 2.0))
    x = 2.0 * np.cos(lat) * np.sin(lon / 2.0) / scale
    y = np.sin(lat) / scale
    return _WIDTH / 2.0 * (1.0 + x / 2.0), _HEIGHT / 2.0 * (1.0 - y)


def _meridian(ra_deg: float) -> str:
    dec = np.linspace(-90.0, 90.0, 37)
    return _path(*_hammer(np.full_like(dec, ra_deg), dec))


def _parallel(dec_deg: float) -> str:
    ra = np.linspace(0.0, 359.999, 73)
    return _path(*_hammer(ra, np.full_like(ra, dec_deg)))


def _path(x: Floats, y: Floats) -> str:
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))
