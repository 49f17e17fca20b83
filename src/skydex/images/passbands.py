"""Passbands: which wavelengths a filter lets through, so that images are found by wavelength.

Known filters stand in `passbands.csv`. Those of space telescopes that do not are told by their names, in which a
number says the wavelength and the letters behind it how wide they are; that is good to some ten per cent.
"""

from __future__ import annotations

import csv
import functools
import re
from dataclasses import dataclass
from importlib.resources import files

__all__ = ["Passband", "find_passband", "x_ray_band"]

_NAMED = re.compile(r"F[QR]?(\d{3,4})(W2|LP|[WMNX])")
_WIDTHS = {"W": 0.25, "W2": 0.55, "X": 0.4, "M": 0.1, "N": 0.012, "LP": 0.3}
"""Width of a filter of a space telescope by the letters behind its number, in parts of its wavelength."""
_IN_NM = frozenset({"ACS", "UVIS", "WFPC2"})
"""Systems whose numbers are nanometres."""
_IN_TENS = frozenset({"IR", "NICMOS", "NIRCAM", "NIRISS", "MIRI"})
"""Systems whose numbers are hundredths of a micrometre, as are small numbers elsewhere."""
_KEV_M = 1.239_841_984e-9
"""Wavelength of a photon of one keV, m."""


@dataclass(frozen=True)
class Passband:
    """What a filter lets through."""

    shortest_m: float
    """Shortest wavelength, m."""
    longest_m: float
    """Longest wavelength, m."""

    @property
    def resolving_power(self) -> float:
        """Wavelength in its middle, divided by its width."""
        return (self.shortest_m + self.longest_m) / 2 / (self.longest_m - self.shortest_m)


def find_passband(band: str, *systems: str) -> Passband | None:
    """What a filter lets through, if that is known.

    Parameters
    ----------
    band : str
        What the filter is called; what stands behind a space or a point in its name is passed over (`g.00000`).
    *systems : str
        Systems of `passbands.csv` in which it is looked for, one after the other.
    """
    word = re.split(r"[\s.]", band.strip(), maxsplit=1)[0]
    for system in systems:
        found = _table().get((system, word)) or _table().get((system, word.upper()))
        if found is not None:
            return found
    return _by_name(word.upper(), systems)


def x_ray_band(lowest_kev: float, highest_kev: float) -> Passband:
    """The wavelengths of a band of energies."""
    return Passband(_KEV_M / highest_kev, _KEV_M / lowest_kev)


def _by_name(word: str, systems: tuple[str, ...]) -> Passband | None:
    found = _NAMED.fullmatch(word)
    if found is None:
        return None
    number = float(found[1])
    is_infrared = _IN_TENS.intersection(systems) or (number < 200 and not _IN_NM.intersection(systems))
    middle = number * (10.0 if is_infrared else 1.0)
    width = middle * _WIDTHS[found[2]]
    if found[2] == "LP":
        middle += width / 2
    return _around(middle, width)


def _around(middle_nm: float, width_nm: float) -> Passband:
    return Passband(*(float(f"{(middle_nm + sign * width_nm / 2) * 1e-9:.6g}") for sign in (-1, 1)))


@functools.cache
def _table() -> dict[tuple[str, str], Passband]:
    text = (files("skydex.images") / "passbands.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {(row["system"], row["band"]): _around(float(row["middle_nm"]), float(row["width_nm"])) for row in rows}
