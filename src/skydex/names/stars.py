"""Named stars: the IAU Catalog of Star Names (Working Group on Star Names, CC BY 4.0), which comes along."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib import resources

from skydex.names.named import NamedObject

__all__ = ["iter_stars"]

SOURCE = "IAU"
_NAMES = ("name", "written", "designation", "bayer", "hip", "hd")


def iter_stars() -> Iterator[NamedObject]:
    """Each star with its names; the names best known first."""
    text = resources.files(__package__).joinpath("iau_star_names.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(line for line in text.splitlines() if not line.startswith("#")):
        names = tuple(dict.fromkeys(row[column] for column in _NAMES if row[column]))
        place = float(row["ra_deg"]), float(row["dec_deg"])
        yield NamedObject(names[0], *place, SOURCE, object_type="*", aliases=names)
