"""The columns of a summary: 19 of the object, then three for each camera and filter.

Names, order and descriptions are those of the Hubble Source Catalog, version 3 (`MAD` in the middle of each three) and
version 2 (`Sigma`), as its metadata print them; units as its values show them.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

from skydex.objects.filters import FILTERS, HubbleFilter
from skydex.tables import Column, Datatype

__all__ = ["Statistic", "summary_columns"]

Statistic = Literal["median", "mean"]
"""Median and median absolute deviation, as version 3; mean and standard deviation, as version 2."""

_MATCH = "sources detected in the aper2 aperture"
_OBJECT_COLUMNS = (
    Column("MatchID", Datatype.LONG, ucd="meta.id;meta.main", description="identifier for the match"),
    Column(
        "MatchRA",
        Datatype.DOUBLE,
        unit="deg",
        ucd="pos.eq.ra;meta.main",
        description="right ascension coordinate of the match position",
    ),
    Column(
        "MatchDec",
        Datatype.DOUBLE,
        unit="deg",
        ucd="pos.eq.dec;meta.main",
        description="declination coordinate of the match position",
    ),
    Column(
        "DSigma",
        Datatype.DOUBLE,
        unit="mas",
        ucd="stat.stdev;pos",
        description="standard deviation of source positions in match",
    ),
    Column(
        "AbsCorr",
        Datatype.CHAR,
        "1*",
        ucd="meta.code",
        description="indicator of whether the match contains sources that are aligned to a standard catalog",
    ),
    Column("NumFilters", Datatype.INT, ucd="meta.number", description=f"number of filters in match with {_MATCH}"),
    Column("NumVisits", Datatype.INT, ucd="meta.number", description=f"number of visits in match with {_MATCH}"),
    Column(
        "NumImages",
        Datatype.INT,
        ucd="meta.number;obs.image",
        description="number of Hubble Legacy Archive single filter, visit-combined (level 2) images in match "
        f"with {_MATCH}",
    ),
    Column(
        "StartTime",
        Datatype.CHAR,
        "*",
        ucd="time.start;obs.exposure",
        description=f"earliest start time of exposures in match with {_MATCH}",
    ),
    Column(
        "StopTime",
        Datatype.CHAR,
        "*",
        ucd="time.end;obs.exposure",
        description=f"latest stop time of exposures in match with {_MATCH}",
    ),
    Column(
        "StartMJD",
        Datatype.DOUBLE,
        unit="d",
        ucd="time.start;obs.exposure",
        description=f"modified Julian date (MJD) for earliest start time of exposures in match with {_MATCH}",
    ),
    Column(
        "StopMJD",
        Datatype.DOUBLE,
        unit="d",
        ucd="time.end;obs.exposure",
        description=f"modified Julian date (MJD) for latest stop time of exposures in match with {_MATCH}",
    ),
    Column("TargetName", Datatype.CHAR, "*", ucd="meta.id", description="name of a target for an exposure in match"),
    Column(
        "CI",
        Datatype.DOUBLE,
        ucd="stat.mean",
        description=f"average normalized concentration index for {_MATCH} within the match",
    ),
    Column(
        "CI_Sigma",
        Datatype.DOUBLE,
        ucd="stat.stdev",
        description=f"standard deviation of normalized concentration index values for {_MATCH} within the match",
    ),
    Column(
        "KronRadius",
        Datatype.DOUBLE,
        unit="arcsec",
        ucd="phys.angSize;stat.mean",
        description=f"average Kron radius for {_MATCH} within the match",
    ),
    Column(
        "KronRadius_Sigma",
        Datatype.DOUBLE,
        unit="arcsec",
        ucd="stat.stdev;phys.angSize",
        description=f"standard deviation of Kron radius values for {_MATCH} within the match",
    ),
    Column(
        "Extinction",
        Datatype.DOUBLE,
        unit="mag",
        ucd="phys.absorption",
        description="extinction, obtained from the NASA/IPAC Extragalactic Database (NED), along the line of sight to "
        "the match position",
    ),
    Column(
        "SpectrumFlag",
        Datatype.CHAR,
        "1*",
        ucd="meta.code",
        description="Y/N indicator of whether there is a spectrum in the Hubble Legacy Archive for this match. If the "
        "value is Y, then there is an entry in table SpecCat for the match.",
    ),
)


@cache
def summary_columns(statistic: Statistic = "median") -> tuple[Column, ...]:
    """The 418 columns of a summary, in order.

    Parameters
    ----------
    statistic : {"median", "mean"}
        Whether magnitudes are medians, and the column behind each is `X_MAD`, or means, with `X_Sigma`.
    """
    triplets = (column for one in FILTERS for column in _filter_columns(one, statistic))
    return (*_OBJECT_COLUMNS, *triplets)


def _filter_columns(one: HubbleFilter, statistic: Statistic) -> tuple[Column, Column, Column]:
    name, where = one.summary_name, f"{one.detector} {one.filter}"
    if statistic == "median":
        spread = ("MAD", "stat.error;phot.mag", "median absolute deviation, not scaled, of the")
    else:
        spread = ("Sigma", "stat.stdev;phot.mag", "standard deviation of the")
    return (
        Column(
            name,
            Datatype.DOUBLE,
            unit="mag",
            ucd=f"phot.mag;stat.{statistic}",
            description=f"{statistic} AB magnitude, {where}",
        ),
        Column(
            f"{name}_{spread[0]}",
            Datatype.DOUBLE,
            unit="mag",
            ucd=spread[1],
            description=f"{spread[2]} magnitudes, {where}",
        ),
        Column(f"{name}_N", Datatype.INT, ucd="meta.number", description=f"number of magnitudes, {where}"),
    )
