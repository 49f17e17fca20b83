"""Light curves as others have them: astropy's `TimeSeries` and lightkurve; and times at the barycentre.

Both libraries are loaded when they are asked for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from skydex.errors import BadParameterError, ServiceError
from skydex.lightcurve.photometry import flux_jy, flux_jy_err
from skydex.lightcurve.plain import days

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord

    from skydex.lightcurve.curve import LightCurve

__all__ = ["to_bjd_tdb", "to_lightkurve", "to_timeseries"]

_BARYCENTRIC = "bjd-2400000"


def to_timeseries(curve: LightCurve) -> Any:
    """The points as `astropy.timeseries.TimeSeries`: mag, mag_err, band, quality, and fluxes if there are any."""
    from astropy import units as u
    from astropy.timeseries import TimeSeries

    series = TimeSeries(time=curve.times)
    series["mag"], series["mag_err"] = curve.mag * u.mag, curve.mag_err * u.mag
    series["band"], series["quality"] = curve.band, curve.quality
    if curve.flux is not None:
        unit = u.Unit(curve.flux_unit, parse_strict="silent")
        series["flux"], series["flux_err"] = curve.flux * unit, curve.flux_err * unit
    series.meta["name"] = curve.name
    return series


def to_lightkurve(curve: LightCurve) -> Any:
    """One band as `lightkurve.LightCurve`.

    Magnitudes without fluxes become flux densities as AB magnitudes do.

    Raises
    ------
    BadParameterError
        The light curve has several bands: lightkurve knows one only.
    """
    from astropy import units as u

    if len(curve.bands) > 1:
        problem = f"has {len(curve.bands)} bands, and lightkurve has one: choose it by in_band."
        raise BadParameterError("light curve", problem)
    try:
        import lightkurve
    except ImportError as missing:
        raise ServiceError("This needs lightkurve: pip install 'skydex[lightkurve]'") from missing
    unit = u.Unit(curve.flux_unit, parse_strict="silent")
    flux = curve.flux if curve.flux is not None else flux_jy(curve.mag)
    error = curve.flux_err if curve.flux is not None else flux_jy_err(flux, curve.mag_err)
    meta = {"LABEL": curve.name, "BAND": "".join(curve.bands)}
    return lightkurve.LightCurve(time=curve.times, flux=flux * unit, flux_err=error * unit, meta=meta)


def to_bjd_tdb(curve: LightCurve, position: SkyCoord | None = None) -> LightCurve:
    """The light curve with times at the barycentre of the solar system, in TDB.

    The observer is taken to be at the centre of the Earth, which is wrong by 0.02 s at most; the Earth is where
    astropy's built-in ephemeris has it. Nothing is fetched.

    Parameters
    ----------
    position : SkyCoord, optional
        Of the object; by default where the light curve says that it is.

    Returns
    -------
    curve : LightCurve
        With `time_format` "bjd-2400000" and `time_scale` "tdb"; one that is barycentric already stays as it is.

    Raises
    ------
    BadParameterError
        The times are heliocentric, or the place is not known.

    References
    ----------
    .. [1] Eastman, Siverd & Gaudi 2010, PASP 122, 935
    """
    from astropy import constants
    from astropy.coordinates import get_body_barycentric
    from astropy.time import TimeDelta

    if curve.time_format.startswith("b"):
        return curve
    if curve.time_format.startswith("h"):
        raise BadParameterError("time_format", "heliocentric times cannot be made barycentric: the Sun moves.")
    towards = position if position is not None else curve.place
    if towards is None:
        raise BadParameterError("position", "is missing: the light curve does not know where its object is.")
    when = curve.times.tdb
    earth = get_body_barycentric("earth", when, ephemeris="builtin")
    delay = earth.xyz.T @ towards.icrs.cartesian.xyz.value / constants.c
    return replace(curve, time=days(when + TimeDelta(delay), _BARYCENTRIC), time_format=_BARYCENTRIC, time_scale="tdb")
