"""The columns of proper motions and of the source positions behind them.

Names and order of the proper motions are those of the Hubble Source Catalog, version 3; of its source positions objID,
dT, dLon and dLat are known. Units as published rows show them; descriptions ours.
"""

from __future__ import annotations

from functools import cache

from skydex.tables import Column, Datatype

__all__ = ["motion_columns", "position_columns"]

_AXES = {
    "RA": ("right ascension", "pos.eq.ra"),
    "Dec": ("declination", "pos.eq.dec"),
    "Lon": ("Galactic longitude", "pos.galactic.lon"),
    "Lat": ("Galactic latitude", "pos.galactic.lat"),
}
_LONGITUDES = ("RA", "Lon")


@cache
def motion_columns() -> tuple[Column, ...]:
    """The 37 columns of proper motions, in order."""
    return (
        Column("objID", Datatype.LONG, ucd="meta.id;meta.main", description="identifier for the match"),
        _count("numSources", "sources in the match"),
        *(_mean(axis) for axis in _AXES),
        *(_mean_error(axis) for axis in _AXES),
        *(_motion(axis) for axis in _AXES),
        *(_motion_error(axis) for axis in _AXES),
        *(_deviation(axis) for axis in _AXES),
        _time("epochStart", "time.start;obs", "time of the first source"),
        _time("epochEnd", "time.end;obs", "time of the last source"),
        _time("epochMean", "time.epoch", "time of the mean position: weighted mean of the sources' times"),
        _number("DSigma", "mas", "stat.stdev;pos", "standard deviation of source positions in match"),
        _count("NumFilters", "filters in the match"),
        _count("NumVisits", "visits in the match"),
        _count("NumImages", "single filter, visit-combined images in the match"),
        _number("CI", None, "stat.mean", "average normalized concentration index"),
        _number("CI_Sigma", None, "stat.stdev", "standard deviation of normalized concentration index values"),
        _number("KronRadius", "arcsec", "phys.angSize;stat.mean", "average Kron radius"),
        _number("KronRadius_Sigma", "arcsec", "stat.stdev;phys.angSize", "standard deviation of Kron radius values"),
        Column("HTMID", Datatype.LONG, ucd="pos.HTM", description="cell of the hierarchical triangular mesh"),
        *(
            _number(name, None, f"pos.cartesian.{name.lower()}", f"{name} of the mean position as a unit vector")
            for name in "XYZ"
        ),
    )


@cache
def position_columns() -> tuple[Column, ...]:
    """The columns of source positions, in order."""
    return (
        Column("objID", Datatype.LONG, ucd="meta.id", description="identifier for the match"),
        Column("SourceID", Datatype.LONG, ucd="meta.id;meta.main", description="identifier for the source"),
        _number("SourceRA", "deg", "pos.eq.ra;meta.main", "right ascension of the source"),
        _number("SourceDec", "deg", "pos.eq.dec;meta.main", "declination of the source"),
        _time("MJD", "time.epoch", "middle of the exposures in which the source was found"),
        _number("dT", "yr", "time.duration", "time since the mean time of the match"),
        *(_offset(axis) for axis in _AXES),
    )


def _mean(axis: str) -> Column:
    words, ucd = _AXES[axis]
    main = ";meta.main" if ucd.startswith("pos.eq") else ""
    return _number(f"{axis.lower()}Mean", "deg", ucd + main, f"{words} of the mean position")


def _mean_error(axis: str) -> Column:
    words, ucd = _AXES[axis]
    return _number(f"{axis.lower()}MeanErr", "mas", f"stat.error;{ucd}", f"error of the mean {words}{_cosine(axis)}")


def _motion(axis: str) -> Column:
    words, ucd = _AXES[axis]
    return _number(f"pm{axis}", "mas/yr", f"pos.pm;{ucd}", f"proper motion in {words}{_cosine(axis)}")


def _motion_error(axis: str) -> Column:
    words, ucd = _AXES[axis]
    return _number(f"pm{axis}Err", "mas/yr", f"stat.error;pos.pm;{ucd}", f"error of the proper motion in {words}")


def _deviation(axis: str) -> Column:
    words, ucd = _AXES[axis]
    description = f"median distance, not scaled, of the sources from the motion in {words}"
    return _number(f"pm{axis}Dev", "mas", f"stat.error;{ucd}", description)


def _offset(axis: str) -> Column:
    words, ucd = _AXES[axis]
    return _number(f"d{axis}", "mas", f"{ucd};arith.diff", f"distance from the mean position in {words}{_cosine(axis)}")


def _cosine(axis: str) -> str:
    latitude = "declination" if axis == "RA" else "latitude"
    return f", times the cosine of the {latitude}" if axis in _LONGITUDES else ""


def _number(name: str, unit: str | None, ucd: str, description: str) -> Column:
    return Column(name, Datatype.DOUBLE, unit=unit, ucd=ucd, description=description)


def _time(name: str, ucd: str, description: str) -> Column:
    return _number(name, "d", ucd, f"{description}, as modified Julian date")


def _count(name: str, what: str) -> Column:
    return Column(name, Datatype.INT, ucd="meta.number", description=f"number of {what}")
