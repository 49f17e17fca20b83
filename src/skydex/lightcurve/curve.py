"""`LightCurve`: the measurements of one object over time, in one or several bands, and the rows that they come from.

It is what a user holds. The kernels that take a million curves at once work on `LightCurves`; `by_band` leads there.
No picture is drawn here: `skydex.plots` takes light curves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skydex.errors import BadParameterError, UnknownBandError, near_names
from skydex.lightcurve import conversions
from skydex.lightcurve.combining import CombinedLightCurve, combine
from skydex.lightcurve.curves import LightCurves
from skydex.lightcurve.folding import FoldedLightCurve, phases
from skydex.lightcurve.periods import Periodogram, periodogram
from skydex.lightcurve.photometry import ab_mag, ab_mag_err
from skydex.lightcurve.plain import days, floats, is_time, jd_of_zero, number, taken, texts, unit_of
from skydex.lightcurve.roles import Good, Roles, roles_of
from skydex.lightcurve.segments import Floats, Ints, Mask

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord
    from astropy.time import Time

__all__ = ["LightCurve"]

Center = Literal["mean", "median"]
_CENTERS: Mapping[str, Callable[[Floats], Any]] = {"mean": np.mean, "median": np.median}
_BY_WAVELENGTH = "ugrizy"


@dataclass(frozen=True, eq=False, repr=False)
class LightCurve:
    """Measurements of one object, ascending in time; made by `of_points` or `of_table`."""

    time: Floats
    """(n,) days, ascending, counted as `time_format` says."""
    mag: Floats
    """(n,) magnitudes; NaN where a flux is not positive."""
    mag_err: Floats
    """(n,) their errors, one sigma; NaN where none is known."""
    band: NDArray[np.str_]
    """(n,) labels such as `g` or `ACS_F606W`."""
    quality: Floats
    """(n,) what the catalogue says about each point, in its own measure; NaN where it says nothing."""
    flux: Floats | None = None
    """(n,) fluxes in `flux_unit`, if fluxes were measured."""
    flux_err: Floats | None = None
    """(n,) their errors, one sigma."""
    rows: Any = None
    """The n rows of the table from which the points come, in the order of the points."""
    name: str = ""
    """The object."""
    time_format: str = "mjd"
    """How days are counted: `mjd`, `jd`, `bjd-2400000` and others."""
    time_scale: str = ""
    """Time scale as astropy names it: `utc`, `tai`, `tdb`; empty if it is not known."""
    flux_unit: str = "Jy"
    """Unit of the fluxes, if they are no flux densities: then they have no magnitudes by themselves."""
    good: Good | None = None
    """What the makers of the catalogue recommend to keep, by the quality; see `good_points`."""
    ra_deg: float = np.nan
    """Where the object is, ICRS, if that is known."""
    dec_deg: float = np.nan

    @classmethod
    def of_points(
        cls,
        time: Any,
        mag: Any = None,
        *,
        mag_err: Any = None,
        flux: Any = None,
        flux_err: Any = None,
        band: Any = "",
        quality: Any = None,
        rows: Any = None,
        name: str = "",
        time_format: str = "mjd",
        time_scale: str = "",
        good: Good | None = None,
    ) -> LightCurve:
        """Light curve of points in any order.

        Points without a time, and points that have neither magnitude nor flux, are left out with their rows.

        Parameters
        ----------
        time : (n,) array_like, Quantity or Time
            Days counted as `time_format` says, if they are bare numbers.
        mag, mag_err : (n,) array_like or Quantity, optional
            Magnitudes and their errors. Either follows from the fluxes where it is not given, as AB magnitudes.
        flux, flux_err : (n,) array_like or Quantity, optional
            Flux densities and their errors, in Jy if they are bare numbers. Fluxes in a unit that is none of flux
            density, such as counts, are kept in it and have no magnitude.
        band : (n,) array_like of str or bytes, or str, optional
            Band of each point, or of all.
        quality : (n,) array_like, optional
            A number that says how good each point is.
        rows : table, optional
            n rows, which stay with the points.
        good : Good, optional
            What is recommended to keep, by the quality.

        Raises
        ------
        BadParameterError
            Neither magnitudes nor fluxes are given, or arrays differ in length.

        Examples
        --------
        >>> curve = LightCurve.of_points([3.0, 1.0, 2.0], flux=[1e-4, 2e-4, -1e-6], band=["g", "r", "g"], name="star")
        >>> curve
        LightCurve of star: 3 points in g (2), r (1), mjd 1.00000 to 3.00000
        >>> curve.mag.round(3).tolist()
        [18.147, nan, 18.9]
        """
        whole = cls.in_given_order(
            time,
            mag,
            mag_err=mag_err,
            flux=flux,
            flux_err=flux_err,
            band=band,
            quality=quality,
            rows=rows,
            name=name,
            time_format=time_format,
            time_scale=time_scale,
            good=good,
        )
        order = np.argsort(whole.time, kind="stable")
        return whole.chosen(order[whole.is_measured[order]])

    @classmethod
    def in_given_order(
        cls,
        time: Any,
        mag: Any = None,
        *,
        mag_err: Any = None,
        flux: Any = None,
        flux_err: Any = None,
        band: Any = "",
        quality: Any = None,
        rows: Any = None,
        name: str = "",
        time_format: str = "mjd",
        time_scale: str = "",
        good: Good | None = None,
    ) -> LightCurve:
        """Like `of_points`, with all points in the order in which they come: not yet a light curve, but its arrays."""
        if mag is None and flux is None:
            raise BadParameterError("mag", "a light curve needs magnitudes or fluxes.")
        if is_time(time) and not time_scale:
            time_scale = str(time.scale)
        at = days(time, time_format, time_scale)
        n = at.size
        unit = "Jy" if flux is None else _flux_unit(flux)
        jansky = None if flux is None else floats(flux, unit)
        jansky_err = None if jansky is None else _or_nan(flux_err, unit, n)
        of_flux = None if jansky is None else ab_mag_err(jansky, jansky_err)  # a ratio, whatever the unit
        whole = cls(
            at,
            _of_flux(jansky, unit) if mag is None else floats(mag, "mag"),
            _or_nan(of_flux if mag_err is None else mag_err, "mag", n),
            texts(band, n),
            _or_nan(quality, None, n),
            jansky,
            jansky_err,
            rows,
            name,
            time_format,
            time_scale,
            unit,
            good,
        )
        whole._require_one_length()
        return whole

    @property
    def is_measured(self) -> Mask:
        """(n,) whether a point has a time, and a magnitude or a flux."""
        has_value = np.isfinite(self.mag) | (np.isfinite(self.flux) if self.flux is not None else False)
        return np.asarray(np.isfinite(self.time) & has_value)

    @classmethod
    def of_table(cls, table: Any, roles: Roles | None = None, *, name: str = "") -> LightCurve:
        """Light curve of the rows of a table, which are those of one object.

        Parameters
        ----------
        table : table of astropy, pandas or Arrow, or mapping of arrays
            One row for each measurement. The rows stay with the points.
        roles : Roles, optional
            What its columns hold, by default as far as `roles_of` can tell.
        name : str, optional
            The object.

        Examples
        --------
        >>> table = {"obsTime": [55634.477414], "psfFlux": [0.00826192], "psfFluxErr": [1.14074e-05], "filterID": [1]}
        >>> curve = LightCurve.of_table(table, name="KQ UMa")
        >>> curve.bands, curve.mag.round(4).tolist(), curve.time_scale
        (('g',), [14.1073], 'tai')
        """
        rows = None if isinstance(table, Mapping) else table
        return cls.of_points(**(roles or roles_of(table)).points(table), rows=rows, name=name)

    @classmethod
    def by_object(cls, table: Any, roles: Roles | None = None) -> dict[str, LightCurve]:
        """Light curves of all objects of a table, by what its column of objects calls them.

        For numbers about many thousands, `LightCurves.of_points` and `features` are much faster.
        """
        told = roles or roles_of(table)
        if not told.object:
            return {"": cls.of_table(table, told)}
        owner = table[told.object]
        names, code, counts = np.unique(texts(owner, len(owner)), return_inverse=True, return_counts=True)
        rows = np.split(np.argsort(code, kind="stable"), np.cumsum(counts))
        parts = {str(name): taken(table, index) for name, index in zip(names, rows[: len(names)], strict=True)}
        return {name: cls.of_table(part, told, name=name) for name, part in parts.items()}

    def __len__(self) -> int:
        return len(self.time)

    def __repr__(self) -> str:
        whose = f" of {self.name}" if self.name else ""
        if not len(self):
            return f"LightCurve{whose}: no points"
        counts = ", ".join(f"{band or 'no band'} ({np.sum(self.band == band)})" for band in self.bands)
        span = f"{self.time_format} {self.time[0]:.5f} to {self.time[-1]:.5f}"
        cut = ", cut at a row limit: there are more" if getattr(self.rows, "truncated", False) else ""
        return f"LightCurve{whose}: {len(self)} {'point' if len(self) == 1 else 'points'} in {counts}, {span}{cut}"

    @cached_property
    def bands(self) -> tuple[str, ...]:
        """Its bands, each once: u g r i z y in this order, others by name."""
        return tuple(sorted((str(band) for band in np.unique(self.band)), key=_by_wavelength))

    @property
    def place(self) -> SkyCoord | None:
        """Where the object is, if that is known."""
        from astropy.coordinates import SkyCoord

        return None if np.isnan(self.ra_deg) else SkyCoord(self.ra_deg, self.dec_deg, unit="deg", frame="icrs")

    @property
    def times(self) -> Time:
        """Its times as an astropy `Time`; in TDB if their scale is not known but they are barycentric, else in UTC."""
        from astropy.time import Time

        zero = jd_of_zero(self.time_format)
        is_barycentric = self.time_format.startswith("b")
        scale = self.time_scale or ("tdb" if is_barycentric else "utc")
        return Time(zero, self.time, format="jd", scale=scale)

    def in_band(self, *bands: str) -> LightCurve:
        """The points in some bands; `F606W` stands for `ACS_F606W` too, if only one camera has it.

        Raises
        ------
        UnknownBandError
            There is no point in a band that is named.
        """
        chosen = [self._band_named(band) for band in bands]
        return self.chosen(np.isin(self.band, chosen))

    def cut(self, is_kept: ArrayLike) -> LightCurve:
        """The points for which something holds, with their rows.

        Parameters
        ----------
        is_kept : (n,) array_like of bool
            For example `curve.quality > 0.9`, `curve.mag_err < 0.2` or `curve.rows["Flags"] < 5`; what is masked is
            not kept.

        Examples
        --------
        >>> curve = LightCurve.of_points([1.0, 2.0, 3.0], [18.1, 18.2, 20.3], quality=[0.99, 0.98, 0.32])
        >>> len(curve.cut(curve.quality > 0.9))
        2
        """
        mask: Mask = np.ma.filled(np.ma.asarray(getattr(is_kept, "value", is_kept)), False)
        if mask.dtype != np.bool_ or mask.shape != self.time.shape:
            raise BadParameterError("is_kept", f"must be {len(self)} times true or false, one for each point.")
        return self.chosen(mask)

    def good_points(self) -> LightCurve:
        """The points that the makers of the catalogue recommend to keep; all, if they recommend nothing."""
        return self if self.good is None else self.cut(self.good.holds(self.quality))

    def centers(self, center: Center | Mapping[str, Any] = "mean") -> dict[str, float]:
        """Mean or median magnitude of each band, NaN where it has none; or given ones, as plain numbers."""
        if not isinstance(center, str):
            return {str(band): number(value, "mag") for band, value in center.items()}
        return {band: _center(self.mag[self.band == band], center) for band in self.bands}

    def fold(self, period: Any, t0: Any = 0.0, *, t0_format: str | None = None) -> FoldedLightCurve:
        """Phases of the points for a period.

        Parameters
        ----------
        period : float, Quantity or str
            In days, if it is a bare number; `"11.7 h"` does as well.
        t0 : float, Quantity, Time or str, optional
            When the phase is 0; a bare number is counted in days as `t0_format` says, a text is a date, UTC.
        t0_format : str, optional
            How the days of `t0` are counted, by default as the times of this light curve: `mjd`, `jd`,
            `bjd-2400000` (as the Kepler catalogue of eclipsing binaries gives its `bjd0`), `bkjd`, `btjd`. Times are
            not moved to the barycentre by it; `to_bjd_tdb` does that.

        Returns
        -------
        folded : FoldedLightCurve
            Phases from 0 to below 1, and numbers of cycles since `t0`.

        Examples
        --------
        >>> curve = LightCurve.of_points([55000.0], [14.6], name="KIC 2161623")
        >>> curve.fold(2.2834698, 54999.599837).phase.round(6).tolist()
        [0.175243]
        >>> curve.fold(2.2834698, 54999.599837, t0_format="bjd-2400000").phase.round(6).tolist()
        [0.394208]
        """
        length = number(period, "d")
        zero = self._day(t0, t0_format)
        phase, cycle = phases(self.time, length, zero)
        return FoldedLightCurve(phase, cycle, self, length, zero)

    def periodogram(
        self,
        *,
        method: str = "sinusoids",
        bands: str | Sequence[str] | None = None,
        min_period: object = None,
        max_period: object = None,
        n_terms: int = 2,
        **more: Any,
    ) -> Periodogram:
        """Look for the period; see `skydex.lightcurve.periodogram`, which takes the same and `more`.

        Examples
        --------
        >>> time = 55000.0 + np.cumsum(np.random.default_rng(3).uniform(0.5, 9.0, 60))
        >>> star = LightCurve.of_points(time, 18.0 + 0.3 * np.sin(2 * np.pi * time / 0.7), name="star")
        >>> star.periodogram(min_period=0.2, max_period=1.0).best.relation, len(star.fold(0.7))
        ('', 60)
        """
        return periodogram(
            self,
            method=method,
            bands=bands,
            min_period=min_period,
            max_period=max_period,
            n_terms=n_terms,
            **more,
        )

    def combined(
        self,
        period: Any,
        t0: Any = 0.0,
        *,
        t0_format: str | None = None,
        eclipses: Sequence[float] = (0.0, 0.5),
        half_width: float = 0.1,
    ) -> CombinedLightCurve:
        """All bands of an eclipsing binary as one series: differences from the light outside of its eclipses.

        Parameters
        ----------
        period, t0, t0_format
            As `fold` takes them; the eclipses must be where `eclipses` says, so `t0_format` matters.
        eclipses : sequence of float, optional
            Phases of their middles, that of the primary eclipse first.
        half_width : float, optional
            Within this of a middle, in phase, a point does not count for the light outside.

        Returns
        -------
        combined : CombinedLightCurve
            With the light curve as differences, folded too, and by band the magnitude that was subtracted and by how
            much the primary eclipse is deeper than in the other bands.
        """
        return combine(self.fold(period, t0, t0_format=t0_format), eclipses=eclipses, half_width=half_width)

    def minus_mean(self, center: Center | Mapping[str, Any] = "mean") -> LightCurve:
        """The light curve less a magnitude of its own in each band.

        Parameters
        ----------
        center : {"mean", "median"} or mapping, optional
            What is subtracted: of the points, or by band (numbers or quantities), for example the mean magnitudes of a
            catalogue. A band that a mapping leaves out is NaN.

        Returns
        -------
        curve : LightCurve
            With differences as magnitudes, and without fluxes.
        """
        of_band = self.centers(center)
        level = np.array([of_band.get(str(band), np.nan) for band in self.band], dtype=np.float64)
        return replace(self, mag=self.mag - level, flux=None, flux_err=None)

    def by_band(self, *, mag_err: float = np.nan) -> LightCurves:
        """One curve for each of `bands`, in this order, as `features` takes them.

        Points without a magnitude are left out, and so are points without an error, unless one is given for them.

        Parameters
        ----------
        mag_err : float, optional
            Error of points of which none is known, mag; without it they are left out.
        """
        labels, code = np.unique(self.band, return_inverse=True)
        place = np.array([self.bands.index(label) for label in labels], dtype=np.int64)[code]
        error = np.where(np.isfinite(self.mag_err), self.mag_err, mag_err)
        return LightCurves.of_points(place, self.time, self.mag, error, n_curves=len(self.bands))

    def to_timeseries(self) -> Any:
        """The points as `astropy.timeseries.TimeSeries`, with columns mag, mag_err, band, quality, flux, flux_err."""
        return conversions.to_timeseries(self)

    def to_lightkurve(self) -> Any:
        """One band as `lightkurve.LightCurve`; magnitudes without fluxes become Jy, as AB magnitudes do."""
        return conversions.to_lightkurve(self)

    def to_bjd_tdb(self, position: SkyCoord | None = None) -> LightCurve:
        """The same with times at the barycentre, in TDB, good to 0.02 s; see `conversions.to_bjd_tdb`."""
        return conversions.to_bjd_tdb(self, position)

    def _day(self, moment: Any, format: str | None) -> float:
        """A moment in the days of this light curve."""
        if isinstance(moment, str):
            moment = _time_of(moment)
        if is_time(moment):
            return float(days(moment, self.time_format, self.time_scale))
        shift = jd_of_zero(format) - jd_of_zero(self.time_format) if format else 0.0
        return number(moment, "d") + shift

    def _band_named(self, band: str) -> str:
        alike = [known for known in self.bands if known.lower() == band.lower()]
        of_filter = [known for known in self.bands if known.lower().rpartition("_")[2] == band.lower()]
        for found in (([band] if band in self.bands else []), alike, of_filter):
            if len(found) == 1:
                return found[0]
        raise UnknownBandError(band, where=self.name, near=of_filter or near_names(band, self.bands) or self.bands)

    def chosen(self, index: Mask | Ints) -> LightCurve:
        """Some points, with their rows: by their numbers, in that order, or those for which a mask is true."""
        return replace(
            self,
            time=self.time[index],
            mag=self.mag[index],
            mag_err=self.mag_err[index],
            band=self.band[index],
            quality=self.quality[index],
            flux=None if self.flux is None else self.flux[index],
            flux_err=None if self.flux_err is None else self.flux_err[index],
            rows=None if self.rows is None else taken(self.rows, index),
        )

    def _require_one_length(self) -> None:
        for name in ("mag", "mag_err", "band", "quality", "flux", "flux_err", "rows"):
            values = getattr(self, name)
            if values is not None and len(values) != len(self):
                raise BadParameterError(name, f"has {len(values)} rows, but there are {len(self)} times.")


def _time_of(text: str) -> Time:
    from astropy.time import Time

    try:
        return Time(text)
    except ValueError as error:
        raise BadParameterError("t0", f'"{text[:40]}" is no date such as 2006-02-01T10:04.') from error


def _or_nan(values: Any, unit: str | None, n: int) -> Floats:
    return np.full(n, np.nan) if values is None else floats(values, unit)


def _flux_unit(flux: Any) -> str:
    """Jy for whatever can be converted to it, and for bare numbers."""
    known = unit_of(flux)
    is_jansky = known.is_equivalent("Jy") if known is not None else not getattr(flux, "unit", None)
    return "Jy" if is_jansky else str(flux.unit)


def _of_flux(flux: Floats | None, unit: str) -> Floats:
    """Magnitudes of fluxes, if these are flux densities; else nothing is known about them."""
    assert flux is not None, "there are magnitudes or fluxes"
    return ab_mag(flux) if unit == "Jy" else np.full(len(flux), np.nan)


def _by_wavelength(band: str) -> tuple[int, str]:
    place = _BY_WAVELENGTH.find(band) if len(band) == 1 else -1
    return (place if place >= 0 else len(_BY_WAVELENGTH), band)


def _center(mag: Floats, center: Center) -> float:
    known = mag[np.isfinite(mag)]
    return float(_CENTERS[center](known)) if len(known) else np.nan
