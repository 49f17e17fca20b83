"""Named stars: the IAU Catalog of Star Names (Working Group on Star Names, CC BY 4.0), which comes along."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib import resources

__all__ = ["iter_stars"]

_NAMES = ("name", "written", "designation", "bayer", "hip", "hd")


def iter_stars() -> Iterator[tuple[str, float, float]]:
    """Each name of each star with its position, ICRS J2000, degrees; the names best known first."""
    text = resources.files(__package__).joinpath("iau_star_names.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(line for line in text.splitlines() if not line.startswith("#")):
        for column in _NAMES:
            if row[column]:
                yield row[column], float(row["ra_deg"]), float(row["dec_deg"])
