"""`FIELDS`: where the simulated Hubble telescope looked, and at what; the numbers stand in `fields.csv`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from skydex.demo.columns import read_rows
from skydex.demo.publications import read_printed
from skydex.demo.size import Size

__all__ = ["FIELDS", "Field", "fields_of", "get_field", "number_of"]

_POINTING_RADIUS_DEG = 0.024
"""Printed rows within this distance of a centre lie on the same images."""
_FIRST_GROUP_OF_COPIES = 9_000_000
_GOLDEN_DEG = 137.50776405003785


@dataclass(frozen=True)
class Field:
    """One place of the sky that was observed again and again, and what is there."""

    name: str
    """Our word for it."""
    target: str
    """What its observers called it."""
    group_id: int
    """Group of the Hubble Catalog of Variables: printed, or invented where no row of it was printed."""
    subgroup_id: int
    """Part of the group whose stars are compared with each other."""
    ra: float
    """Centre, ICRS, degrees."""
    dec: float
    """Centre, ICRS, degrees."""
    pa: float
    """Position angle of the images' second axis, degrees east of north."""
    modulus: float
    """Distance modulus; where there is no galaxy, what makes the stars as bright as its objects."""
    ebv: float
    """Reddening E(B-V)."""
    n_seed: int
    """Stars at size `seed`."""
    bright: float
    """Brightest F814W magnitude."""
    faint: float
    """Faintest F814W magnitude."""
    variables: float
    """Share of stars that vary."""
    cepheids: float
    """Share of Cepheids among these."""
    pm: float
    """Dispersion of proper motions in each coordinate, mas/yr."""
    pointings: tuple[tuple[float, float], ...] = ()
    """Centres of its images, ICRS, degrees."""
    copy: int = 0
    """Beyond size `seed`, fields are copied to other places: which copy it is; 0 for the field itself."""

    @property
    def original(self) -> str:
        """Name of the field that it is a copy of, or its own."""
        return self.name.removesuffix(f"_{self.copy}") if self.copy else self.name


def _read() -> Iterator[Field]:
    for row in read_rows("hsc/fields"):
        texts = {"name": row["name"], "target": row["target"]}
        whole = {key: int(row[key]) for key in ("group_id", "subgroup_id", "n_seed")}
        numbers = {key: float(value) for key, value in row.items() if key not in {*texts, *whole}}
        field = Field(**texts, **whole, **numbers)  # type: ignore[arg-type]
        yield replace(field, pointings=_pointings(field))


def _pointings(field: Field) -> tuple[tuple[float, float], ...]:
    """Centres of images; where printed rows lie scattered, as many as they need."""
    printed = {"smc": ("hsc_smc", "MatchRA", "MatchDec"), "sweeps": ("hsc_sweeps", "RA", "Dec")}.get(field.name)
    if printed is None:
        return ((field.ra, field.dec),)
    name, ra, dec = printed
    rows = read_printed(name)
    return _covering(np.column_stack([rows[ra].to_numpy(), rows[dec].to_numpy()]))


def _covering(places: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Centres such that each place is near one: again and again the middle of those nearest to the first one left."""
    centres = []
    while len(places):
        stretch = np.array([np.cos(np.radians(places[0, 1])), 1.0])
        is_near = np.linalg.norm((places - places[0]) * stretch, axis=1) < _POINTING_RADIUS_DEG
        centre = (places[is_near].min(axis=0) + places[is_near].max(axis=0)) / 2
        is_near &= np.linalg.norm((places - centre) * stretch, axis=1) < _POINTING_RADIUS_DEG
        if not is_near[0]:
            centre, is_near = places[0], np.arange(len(places)) == 0
        centres.append((round(float(centre[0]), 6), round(float(centre[1]), 6)))
        places = places[~is_near]
    return tuple(centres)


FIELDS: tuple[Field, ...] = tuple(_read())
"""All fields, in the order in which they are made."""


def get_field(name: str) -> Field:
    """The field of a name; raises if there is none."""
    return next(field for field in FIELDS if field.name == name)


def number_of(field: Field) -> int:
    """Place of a field among all fields and their copies."""
    return field.copy * len(FIELDS) + next(n for n, one in enumerate(FIELDS) if one.name == field.original)


def fields_of(size: Size) -> tuple[Field, ...]:
    """The fields of an archive: beyond `seed`, the same again and again at other places of the sky.

    So memory does not grow with the size of the archive, and no image holds more stars than it can.
    """
    copies = int(np.ceil(size.share)) - 1
    return (*FIELDS, *(_copied(field, copy) for copy in range(1, copies + 1) for field in FIELDS))


def _copied(field: Field, copy: int) -> Field:
    """The same field elsewhere: on a spiral that spreads copies evenly over the sky (away from the poles)."""
    place = (copy * 0.61803398875 + FIELDS.index(field) / len(FIELDS)) % 1.0
    dec = float(np.degrees(np.arcsin(1.9 * place - 0.95)))
    ra = float((copy * _GOLDEN_DEG + 360.0 * FIELDS.index(field) / len(FIELDS)) % 360.0)
    return replace(
        field,
        name=f"{field.name}_{copy}",
        ra=ra,
        dec=dec,
        group_id=_FIRST_GROUP_OF_COPIES + copy * len(FIELDS) + FIELDS.index(field),
        pointings=((ra, dec),),
        copy=copy,
    )
