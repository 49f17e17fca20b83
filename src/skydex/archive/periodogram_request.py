"""`PeriodogramRequest`: at which periods the light curve of an object repeats."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import pyarrow as pa

from skydex.archive.light_curve_points import curve_of
from skydex.archive.light_curves import LightCurvesRequest
from skydex.archive.requests import ComposedRequest, Upload
from skydex.errors import BadParameterError, UnknownObjectError
from skydex.formats import Format, get_format
from skydex.lightcurve import Periodogram, periodogram
from skydex.query import Namespace, Plan
from skydex.tables import Column, Datatype, Result, arrow_schema

__all__ = ["PeriodogramRequest"]

_COLUMNS = (
    Column("frequency", Datatype.DOUBLE, unit="1/d", ucd="em.freq", description="Frequency"),
    Column("period", Datatype.DOUBLE, unit="d", ucd="time.period", description="Period"),
    Column("power", Datatype.DOUBLE, ucd="stat.fit", description="1 - chi2 / chi2 of constants: 1 is a perfect fit"),
)


@dataclass(frozen=True)
class PeriodogramRequest(ComposedRequest):
    """The periodogram of one object."""

    curve: LightCurvesRequest
    """Whose measurements count."""
    method: str = "sinusoids"
    """One of `skydex.lightcurve.METHODS`."""
    n_terms: int = 2
    """Sinusoids."""
    min_period: float | None = None
    """Days; by default 0.1, or what the limit of frequencies allows."""
    max_period: float | None = None
    """Days; by default half of the time from the first measurement to the last."""
    n_frequencies: int = 4000
    """How many are given: of each so-manieth part of all that are looked at the highest."""
    max_frequencies: int = 1_000_000
    """How many may be looked at."""
    max_points: int = 20_000
    """How many measurements may count."""

    max_rows: ClassVar[int | None] = None
    collection: ClassVar[str | None] = None
    uploads: ClassVar[tuple[Upload, ...]] = ()

    @property
    def owner(self) -> str | None:
        return self.curve.owner

    def plan(self, namespace: Namespace) -> Plan:
        """What is read of the measurements."""
        return self.curve.plan(namespace)

    def form(self, name: str, namespace: Namespace) -> Format:
        return get_format(name)

    def tables_read(self, namespace: Namespace) -> Sequence[str]:
        """The tables that the answer is made of."""
        return self.curve.tables_read(namespace)

    def composed(self, namespace: Namespace, run: Callable[[Plan], Result]) -> Result:
        """Read the measurements, and look for periods."""
        found = replace(self.curve, is_flat=True, max_rows=self.max_points).composed(namespace, run)
        name = self._name()
        curve = curve_of(found, name)
        if found.overflow:
            problem = f"has more than {self.max_points:,} measurements: choose a band."
            raise BadParameterError("light curve", problem)
        if not len(curve):
            where = self.curve.holding(namespace).points.name
            raise UnknownObjectError(name, where=where, hint="It has no measurements there, or none of that kind.")
        made = periodogram(
            curve,
            method=self.method,
            min_period=self.min_period,
            max_period=self.max_period,
            n_terms=self.n_terms,
            most_frequencies=self.max_frequencies,
        )
        infos = (*found.infos, *_infos(made))
        return Result(_COLUMNS, _batches(made, self.n_frequencies), "periodogram", infos=infos, warnings=found.warnings)

    def _name(self) -> str:
        if self.curve.ids:
            return str(self.curve.ids[0])
        return " ".join(f"{degrees:.6f}" for degrees in self.curve.places[0]) if self.curve.places else ""


def _infos(made: Periodogram) -> Iterator[tuple[str, str]]:
    yield "method", made.method
    yield "n_terms", str(made.n_terms)
    yield "n_points", str(made.n_points)
    yield "n_bands", str(made.n_bands)
    yield "n_frequencies", str(len(made))
    yield "baseline", f"{made.baseline_d:.10g}"
    for number, peak in enumerate(made.peaks, start=1):
        yield f"period_{number}", f"{peak.period_d:.12g}"
        if not math.isnan(peak.period_err_d):
            yield f"period_err_{number}", f"{peak.period_err_d:.3g}"
        yield f"power_{number}", f"{peak.power:.6f}"
        if not math.isnan(peak.false_alarm):
            yield f"false_alarm_{number}", f"{peak.false_alarm:.3g}"
        if peak.relation:
            yield f"relation_{number}", peak.relation
    if made.double is not None:
        yield "double_period", f"{made.double.period_d:.12g}"
        yield "double_delta_bic", f"{made.double.delta_bic:.1f}"
        yield "double_is_better", "true" if made.double.is_better else "false"
        yield "double_is_likely", "true" if made.double.is_likely else "false"
        yield "r21", f"{made.double.shape.r21:.4f}"
        yield "phi21", f"{made.double.shape.phi21:.4f}"


def _batches(made: Periodogram, n: int) -> Iterator[pa.RecordBatch]:
    frequency, power = made.thinned(n)
    arrays = [pa.array(frequency), pa.array(1.0 / frequency), pa.array(power)]
    yield pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(_COLUMNS))
