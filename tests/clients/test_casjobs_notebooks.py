"""Queries of public notebooks for MAST's CasJobs, beside those of document 001, against the demonstration."""

from __future__ import annotations

import numpy as np
import pytest
from casjobs_ground import casjobs_server, client


@pytest.fixture(scope="module")
def url(simulated, tmp_path_factory):
    with casjobs_server(simulated, tmp_path_factory.mktemp("state")) as (server, _):
        yield server.url


@pytest.fixture(scope="module")
def hsc(url):
    return client(url, context="HSCv3", base="hcasjobs")


@pytest.fixture(scope="module")
def ps1(url):
    return client(url, context="PanSTARRS_DR2")


@pytest.fixture(scope="module")
def star(hsc):
    """A star with a proper motion."""
    return hsc.quick("select top 1 ObjID from AstromProperMotions order by pmLonErr")["ObjID"][0]


def test_proper_motions_and_the_positions_behind_them(hsc, star):
    pm = hsc.quick(f"SELECT pmlon, pmlonerr, pmlat, pmlaterr\n from AstromProperMotions where ObjID={star}")
    assert pm.colnames == ["pmlon", "pmlonerr", "pmlat", "pmlaterr"]
    points = hsc.quick(f"SELECT dT, dLon, dLat\n from AstromSourcePositions where ObjID={star}\n order by dT\n")
    assert len(points) > 2
    assert (np.diff(points["dT"]) >= 0).all()
    slope = np.polyfit(points["dT"], points["dLon"], 1)[0]
    assert slope == pytest.approx(pm["pmlon"][0], abs=5 * pm["pmlonerr"][0] + 0.1)


def test_a_fit_of_motions_is_written_as_in_the_notebook(hsc):
    rows = hsc.quick(
        """SELECT TOP 5 RA=a.raMean, dec=a.decMean, yr = (a.epochMean - 47892)/365.25+1990,
        pmdev=sqrt(pmLonDev*pmLonDev+pmLatDev*pmLatDev)  -- scatter
        from AstromProperMotions a /* all of them */ where a.pmLon is not null order by a.objID"""
    )
    assert rows.colnames == ["RA", "dec", "yr", "pmdev"]
    assert ((rows["yr"] > 1990) & (rows["yr"] < 2030)).all()


def test_a_cone_of_the_summary_in_both_magnitudes(hsc):
    centre = hsc.quick("select top 1 MatchRA, MatchDec from SumMagAper2CatView order by MatchID")[0]
    for kind in (1, 2):
        found = hsc.quick(f"select * from SearchSumCatalog({centre['MatchRA']}, {centre['MatchDec']}, 30, {kind})")
        assert len(found)
        assert found["Distance"].max() <= 30


def test_objects_near_a_position_are_joined_with_their_magnitudes(ps1):
    found = ps1.quick(
        """select o.objID, o.raMean, o.decMean,
        o.nDetections, o.ng, o.nr, o.ni, o.nz, o.ny,
        m.gMeanPSFMag, m.rMeanPSFMag, m.iMeanPSFMag, m.zMeanPSFMag, m.yMeanPSFMag
        from fGetNearbyObjEq(187.706,12.391,50.0/60.0) nb
        inner join ObjectThin o on o.objid=nb.objid and o.nDetections>1
        inner join MeanObject m on o.objid=m.objid and o.uniquePspsOBid=m.uniquePspsOBid"""
    )
    assert found.colnames[:3] == ["objID", "raMean", "decMean"]
    assert len(found)
    away = np.hypot((found["raMean"] - 187.706) * np.cos(np.radians(12.391)), found["decMean"] - 12.391)
    assert away.max() <= 50 / 3600
    nearest = ps1.quick("select objID, distance from fGetNearestObjEq(187.706,12.391,1.0)")
    assert len(nearest) == 1


def test_each_context_lists_its_tables(url, hsc, ps1):
    assert {"HCVmatch", "Groups", "AstromProperMotions"} <= set(hsc.list_tables(context="HSCv3"))
    assert {"ObjectThin", "Detection"} <= set(ps1.list_tables(context="panstarrs_dr1"))
    assert hsc.quick("select count(*) as n from PanSTARRS_DR2.dbo.ObjectThin")["n"][0] > 0
