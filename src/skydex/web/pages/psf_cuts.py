"""`Cuts`: which stars of a PSF database of Hubble somebody wants, as the form of `/psf` says it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from skydex.archive import ColumnFilter, Parameters
from skydex.archive.constraints import Constraint
from skydex.errors import BadParameterError

__all__ = ["DETECTORS", "PLACE", "RANGES", "Cuts", "Detector", "asked_of", "cuts_of", "date_of", "detector_of"]

RANGES = (
    ("qfit", "Fit (qfit)", "0 is best; saturated stars have exactly 0"),
    ("mjd", "Epoch", "a date such as 2012-06-30, or an MJD"),
    ("focus", "Focus, µm", "of the model"),
    ("psf_x_center", "x, pixels", "on the detector"),
    ("psf_y_center", "y, pixels", "on the detector"),
)
"""Columns that are cut to a range, what they are called, and what to say of them."""
PLACE = ("psf_x_center", "psf_y_center")
"""Columns that say where on the detector a star lies."""
_DAY_0 = dt.datetime(1858, 11, 17, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Detector:
    """A database."""

    name: str
    table: str
    title: str
    width: int
    height: int
    chips: tuple[str, ...]
    """Where a stamp may be; several only if there is something to choose."""
    filter: str = "filter"
    by_chip: bool = False
    """Whether places are counted on each chip anew."""
    gap: int | None = None
    """Row between two chips."""


DETECTORS = {
    one.name: one
    for one in (
        Detector("UVIS", "psf.UVIS", "WFC3 UVIS", 4096, 4102, ("1", "2"), gap=2051),
        Detector("IR", "psf.IR", "WFC3 IR", 1014, 1014, ()),
        Detector("WFPC2", "psf.WFPC2", "WFPC2", 800, 800, ("1", "2", "3", "4"), "filter_1", by_chip=True),
    )
}


@dataclass(frozen=True)
class Cuts:
    """What somebody wants."""

    values: dict[str, str]
    """Values of columns."""
    ranges: dict[str, tuple[float | None, float | None]]
    """Ranges of columns, their ends inside, where they have any."""

    def filters(self) -> tuple[ColumnFilter, ...]:
        """The same in words of MAST's services."""
        values = (ColumnFilter(name, (value,)) for name, value in self.values.items())
        ranges = (ColumnFilter(name, ranges=(_told(limits),)) for name, limits in self.ranges.items())
        return (*values, *ranges)

    def constraints(self, *, without: Sequence[str] = ()) -> tuple[Constraint, ...]:
        """The same in words of `/look`, but for some columns."""
        found = [Constraint(name, "eq", (value,)) for name, value in self.values.items() if name not in without]
        for name, limits in self.ranges.items():
            if name in without:
                continue
            words = zip(("gte", "lte"), _told(limits), strict=True)
            found += [Constraint(name, operator, (text,)) for operator, text in words if text is not None]
        return tuple(found)

    def python(self, detector: Detector, url: str, n_stars: int) -> str:
        """The same in Python."""
        terms = [_term(name, limits) for name, limits in self.ranges.items()]
        chosen = " & ".join(f"({term})" for term in terms) if len(terms) > 1 else "".join(terms)
        arguments = [repr(detector.name), *filter(None, [chosen, repr(self.values) if self.values else ""])]
        imports = "import skydex\nfrom skydex import col, plots" if terms else "import skydex\nfrom skydex import plots"
        return (
            f'{imports}\n\nhubble = skydex.connect("mast-psf", at={url!r})\n'
            f"stamps = hubble.stamps({', '.join(arguments)}, maxrec={n_stars})\n"
            "print(stamps.table)\n"
            'plots.cutouts(stamps, columns=6, stretch="log")'
        )


def detector_of(parameters: Parameters, here: Sequence[Detector]) -> Detector:
    """The one that is asked for, or the first."""
    word = (parameters.find("detector") or here[0].name).upper()
    found = next((one for one in here if one.name == word), None)
    if found is None:
        raise BadParameterError("detector", f'must be one of {", ".join(one.name for one in here)}, not "{word[:40]}".')
    return found


def asked_of(parameters: Parameters, detector: Detector) -> dict[str, str]:
    """What is asked of the stars, as an address says it."""
    names = ["filter", "chip", "saturated"]
    names += [f"{name}_{end}" for name, *_ in RANGES for end in ("from", "to")]
    return {"detector": detector.name} | {name: value for name in names if (value := parameters.find(name))}


def cuts_of(parameters: Parameters, detector: Detector) -> Cuts:
    """Read what stars are wanted.

    Raises
    ------
    BadParameterError
        It cannot be.
    """
    values, ranges = dict[str, str](), dict[str, tuple[float | None, float | None]]()
    if chosen := parameters.find("filter"):
        values[detector.filter] = chosen[:40]
    chip = parameters.find("chip")
    if chip and chip not in detector.chips:
        raise BadParameterError("chip", f'must be one of {", ".join(detector.chips) or "none"}, not "{chip[:40]}".')
    if chip:
        values["chip"] = chip
    for name, *_ in RANGES:
        limits = _number(parameters, f"{name}_from"), _number(parameters, f"{name}_to")
        if None not in limits and limits[0] > limits[1]:  # type: ignore[operator]
            raise BadParameterError(f"{name}_to", f"must not be below {name}_from.")
        if limits != (None, None):
            ranges[name] = limits
    saturated = parameters.find("saturated")
    if saturated not in (None, "yes", "no"):
        raise BadParameterError("saturated", f'must be yes or no, not "{saturated[:40]}".')
    if saturated:
        ranges["n_sat_pixels"] = (None, 0.0) if saturated == "no" else (1.0, None)
    return Cuts(values, ranges)


def _number(parameters: Parameters, name: str) -> float | None:
    text = parameters.find(name)
    if text is None:
        return None
    if name.startswith("mjd") and text.count("-") == 2:
        try:
            return (dt.datetime.fromisoformat(text.strip()).replace(tzinfo=dt.UTC) - _DAY_0) / dt.timedelta(days=1)
        except ValueError as error:
            raise BadParameterError(
                name, f'must be a date such as 2012-06-30, or an MJD, not "{text[:40]}".'
            ) from error
    return parameters.get_number(name, least=-1e15, most=1e15)


def date_of(mjd: float | None) -> str:
    """The day of a time, as people write it; nothing for none."""
    return "" if mjd is None else (_DAY_0 + dt.timedelta(days=mjd)).strftime("%Y-%m-%d")


def _told(limits: tuple[float | None, float | None]) -> tuple[str | None, str | None]:
    low, high = (None if limit is None else f"{limit:.15g}" for limit in limits)
    return low, high


def _term(name: str, limits: tuple[float | None, float | None]) -> str:
    low, high = _told(limits)
    if low is not None and high is not None:
        return f"col.{name}.between({low}, {high})"
    return f"col.{name} >= {low}" if high is None else f"col.{name} <= {high}"
