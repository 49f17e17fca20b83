"""The light curve of an object as a page has it: its measurements, the diagram of them, folded, and its periods.

The measurements are those of `/look/lightcurves`, the periods those of `/look/periodogram`: asked for here as anybody
asks. Points that the catalogue's makers advise against are shown, apart from the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skydex.archive import LightCurvesRequest, PeriodogramRequest
from skydex.errors import SkydexError
from skydex.lightcurve import phases
from skydex.lightcurve.holdings import Holding
from skydex.query import Namespace
from skydex.tables import Table
from skydex.web.asgi import Call
from skydex.web.pages.drawings import Axis, Looks, Series, chart, looks_of_bands, repeated
from skydex.web.pages.rendering import Facts, number
from skydex.web.pages.rows import rows_of

__all__ = ["Curve", "Fold", "find_holding_of", "measurements", "periods"]

_MOST_POINTS = 2000
"""Measurements that a page has; all of them are in the files that it leads to."""
_N_CYCLES = 2
_N_PEAKS = 5
_FREQUENCIES = 1500

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Fold:
    """A period, and when the phase is 0."""

    period: float
    """Days."""
    epoch: float
    """As the times of the measurements."""

    def facts(self) -> Facts:
        """For a page."""
        return {"period": self.period, "epoch": self.epoch}


@dataclass(frozen=True)
class Curve:
    """The measurements of one object."""

    holding: Holding
    """Where they are."""
    key: str
    """What names the object there."""
    points: list[Facts]
    """Each measurement, by time."""
    overflow: bool
    """Whether there are more."""

    @property
    def times(self) -> list[float]:
        return [point["time"] for point in self.points]

    @property
    def bands(self) -> list[str]:
        """Each band once, in the order of their wavelengths as far as names tell."""
        return sorted({point["band"] for point in self.points}, key=_by_wavelength)

    @property
    def quantity(self) -> str:
        """What is drawn: `mag`, or `flux` where there are no magnitudes."""
        return "mag" if any(point["mag"] is not None for point in self.points) else "flux"

    @property
    def time_label(self) -> str:
        """What an axis of times says."""
        scale = self.holding.roles.time_scale
        return f"{self.holding.roles.time_format.upper()}{f' ({scale.upper()})' if scale else ''} / d"

    @property
    def rule(self) -> str:
        """What makes a measurement a good one."""
        roles = self.holding.roles
        return f"{roles.quality} {roles.good.operator} {roles.good.value:g}" if roles.good and roles.quality else ""

    def looks(self) -> dict[str, Looks]:
        """How the points of each band look."""
        return looks_of_bands(self.bands)

    def facts(self) -> Facts:
        """For a page."""
        looks = self.looks()
        counts = [
            {
                "name": band,
                **looks[band].facts(),
                "n": sum(point["band"] == band for point in self.points),
                "n_good": sum(point["band"] == band and point["good"] for point in self.points),
            }
            for band in self.bands
        ]
        roles = self.holding.roles
        return {
            "table": self.holding.points.name,
            "object": self.key,
            "time_format": roles.time_format,
            "time_scale": roles.time_scale,
            "time_label": self.time_label,
            "quantity": self.quantity,
            "value_label": self._value_label(),
            "rule": self.rule,
            "n": len(self.points),
            "overflow": self.overflow,
            "bands": counts,
            "points": self.points,
        }

    def drawing(self) -> Facts:
        """Against time."""
        series = self._series()
        x = Axis.around(self.time_label, self.times)
        return chart(x, self._values_axis(), series)

    def folded(self, fold: Fold) -> Facts:
        """Against phase, from 0 to 2: each point twice."""
        series = [repeated(one, phases(one.x, fold.period, fold.epoch)[0], _N_CYCLES) for one in self._series()]
        label = f"Phase, period {number(fold.period)} d"
        return chart(Axis(label, 0.0, float(_N_CYCLES)), self._values_axis(), series)

    def _value_label(self) -> str:
        if self.quantity == "mag":
            return "Magnitude" if self.holding.roles.mag else "AB magnitude"
        unit = self.holding.points.get_column(self.holding.roles.flux).unit if self.holding.roles.flux else ""
        return f"Flux / {unit}" if unit else "Flux"

    def _values_axis(self) -> Axis:
        """Of the values, as far as good points and modest errors reach; others stand at the rim."""
        value, error = self._column(self.quantity), self._column(f"{self.quantity}_err")
        good = np.array([point["good"] for point in self.points], dtype=bool)
        counted = good if np.isfinite(value[good]).any() else np.ones(len(value), dtype=bool)
        bars = np.minimum(np.nan_to_num(error[counted]), np.nanstd(value[counted]) + 0.02)
        bounds = (value[counted] - bars, value[counted] + bars)
        axis = Axis.around(self._value_label(), *bounds, is_inverted=self.quantity == "mag")
        return replace(axis, keeps_all=True)

    def _series(self) -> list[Series]:
        """The points of each band."""
        time, value, error = (self._column(name) for name in ("time", self.quantity, f"{self.quantity}_err"))
        band = np.array([point["band"] for point in self.points])
        faint = ~np.array([point["good"] for point in self.points], dtype=bool)
        looks, made = self.looks(), []
        for name in self.bands:
            rows = np.flatnonzero(band == name)
            chosen = [self.points[row] for row in rows.tolist()]
            made.append(
                Series(
                    name,
                    looks[name],
                    time[rows],
                    value[rows],
                    error[rows],
                    texts=[self._told(point) for point in chosen],
                    links=[f"#image-{point['picture']}" if point["picture"] is not None else "" for point in chosen],
                    names=[f"point-{row}" for row in rows.tolist()],
                    is_faint=faint[rows],
                )
            )
        return made

    def _told(self, point: Facts) -> str:
        value, error = point[self.quantity], point[f"{self.quantity}_err"]
        words = f"{point['band']} {number(value)}" + (f" ± {number(error)}" if error is not None else "")
        return f"{words.strip()}, {point['time']:.5f}" + ("" if point["good"] else ", flagged")

    def _column(self, name: str) -> Floats:
        return np.array([np.nan if point[name] is None else point[name] for point in self.points], dtype=np.float64)


def find_holding_of(table: Table, namespace: Namespace) -> Holding | None:
    """Where the measurements of the objects of a table are; None if there are none."""
    return LightCurvesRequest(table.name).find_holding(namespace)


async def measurements(call: Call, holding: Holding, key: Any) -> Curve | None:
    """The light curve of an object, by what it is called where its measurements are; None if it has no points."""
    if key is None:
        return None
    request = LightCurvesRequest(holding.points.name, ids=(key,), is_flat=True, max_rows=_MOST_POINTS, owner=call.owner)
    try:
        found = await rows_of(call, request, is_quick=True)
    except SkydexError:  # the page is worth having without
        return None
    good = holding.roles.good
    points = []
    for row in found.dicts():
        if row["time"] is None:
            continue
        quality = row.get("quality")
        is_good = good is None or not holding.roles.quality or bool(good.holds(np.array([_or_nan(quality)]))[0])
        points.append(
            {
                "time": row["time"],
                "band": row.get("band") or "",
                "mag": row["mag"],
                "mag_err": row["mag_err"],
                "flux": row.get("flux"),
                "flux_err": row.get("flux_err"),
                "quality": quality,
                "good": is_good,
                "image": None if row.get("image") is None else str(row["image"]),
                "picture": None,
            }
        )
    return Curve(holding, str(key), points, found.overflow) if points else None


async def periods(call: Call, curve: Curve, key: Any) -> Facts:
    """The best periods of a light curve, and the diagram of all; or why there are none."""
    settings = call.site.settings
    request = PeriodogramRequest(
        LightCurvesRequest(curve.holding.points.name, ids=(key,), is_good=bool(curve.rule), owner=call.owner),
        n_frequencies=_FREQUENCIES,
        max_frequencies=settings.periodogram_frequencies,
        max_points=settings.periodogram_points,
    )
    try:
        found = await rows_of(call, request)
    except SkydexError as error:
        return {"problem": str(error), "peaks": [], "double": None, "drawing": None}
    columns = [column["name"] for column in found.columns]
    period, power = (np.array([row[columns.index(name)] for row in found.rows]) for name in ("period", "power"))
    line = Series("", Looks("blue", "o"), period, power, lines=True)
    x, y = Axis.around("Period / d", period, is_log=True), Axis("Power", 0.0, 1.0)
    return {
        "problem": "",
        "peaks": _peaks(found.infos),
        "double": _double(found.infos),
        "drawing": chart(x, y, [line], height=260.0),
    }


def _peaks(infos: dict[str, str]) -> list[Facts]:
    """The best periods, as the answer of the periodogram tells them."""
    names = ("period", "period_err", "power", "false_alarm", "relation")
    found = []
    for place in range(1, _N_PEAKS + 1):
        told = {name: infos.get(f"{name}_{place}", "") for name in names}
        if told["period"]:
            numbers = {name: float(told[name]) if told[name] else None for name in names[:-1]}
            found.append({**numbers, "relation": told["relation"]})
    return found


def _double(infos: dict[str, str]) -> Facts | None:
    """Twice the best period, where that is likely the true one, and why."""
    if infos.get("double_is_likely") != "true":
        return None
    return {"period": float(infos["double_period"]), "differs": infos["double_is_better"] == "true"}


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else float(value)


_ORDER = {letter: place for place, letter in enumerate("ugrizyYJHK")}


def _by_wavelength(band: str) -> tuple[int, str]:
    return (_ORDER.get(band, len(_ORDER)), band)
