"""Light curves of many objects are those that one call for each would give, near and far."""

import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table

import skydex
from skydex.errors import BadParameterError, NotOfferedError
from skydex.lightcurve import Roles, features

sys.path.insert(0, str(Path(__file__).parents[1] / "web"))
import serving

_NOVA, _VARIABLE, _KQ_UMA = 1905457, 80189155, 190361393344112894


@pytest.fixture(scope="module")
def archive(simulated):
    with skydex.connect(simulated) as archive:
        yield archive


@pytest.fixture(scope="module")
def server(simulated):
    with serving.serving(simulated) as server:
        yield server


def _is_the_same(curve, other):
    np.testing.assert_allclose(curve.time, other.time)
    np.testing.assert_allclose(curve.mag, other.mag, rtol=1e-6)
    assert (curve.band == other.band).all()
    assert (curve.ra_deg, curve.dec_deg) == pytest.approx((other.ra_deg, other.dec_deg), nan_ok=True)


def test_many_curves_are_what_each_alone_is(archive):
    curves = archive.light_curves([_NOVA, 5, _VARIABLE], "hcv.HCVdetailed")
    assert set(curves) >= {_NOVA}
    assert 5 in curves.unknown
    for key, curve in curves.items():
        _is_the_same(curve, archive.light_curve(key, "hcv.HCVdetailed"))
    single = archive.light_curves(_KQ_UMA, bands=["g", "z"], quality="good")
    _is_the_same(single[_KQ_UMA], archive.light_curve(_KQ_UMA, "ps1.Detection", ["g", "z"], quality="good"))


def test_a_server_gives_the_same_in_one_answer(archive, server):
    with skydex.connect(server.url) as far:
        table = Table({"MatchID": [_NOVA, _VARIABLE]})
        found = far.light_curves(table, "hcv.HCVmatch")
        for key, curve in archive.light_curves(table, "hcv.HCVmatch").items():
            _is_the_same(found[key], curve)
        assert found.points.good is None
        assert far.light_curves([_KQ_UMA], "ps1.MeanObjectView").points.good.value == 0.9


def test_positions_lead_to_the_nearest_objects(archive):
    star = archive.light_curve("KQ UMa")
    places = SkyCoord([star.ra_deg, 10.0, star.ra_deg], [star.dec_deg, 10.0, star.dec_deg + 1e-4], unit="deg")
    curves = archive.light_curves(places, "ps1.Detection")
    assert curves.nearest == (_KQ_UMA, None, _KQ_UMA)
    assert curves.unknown == ((10.0, 10.0),)
    assert len(curves) == 1
    assert len(curves[_KQ_UMA]) == len(star)


def test_archives_of_others_are_asked_by_lists_of_numbers(simulated, archive):
    ps1 = skydex.connect("ps1-tap", at=simulated)
    table = ps1.search("MeanObjectView", columns="objID", sort_by="-nDetections", maxrec=5)
    curves = ps1.light_curves(table)
    assert len(curves) == 5
    for key in curves:
        np.testing.assert_array_equal(curves[key].time, archive.light_curve(key, "ps1.Detection").time)
    with pytest.raises(NotOfferedError, match="numbers of the objects"):
        ps1.light_curves(SkyCoord([1.0], [2.0], unit="deg"))
    hsc = skydex.connect("mast-hsc", at=simulated)
    assert hsc.light_curves([_NOVA])[_NOVA].bands == archive.light_curve(_NOVA, "hcv.HCVdetailed").bands


def test_all_measurements_are_there_at_once_for_statistics(archive):
    rows = archive.query("SELECT TOP 200 MatchID FROM hsc.SumMagAper2CatView ORDER BY MatchID")
    curves = archive.light_curves(rows, "hsc.SumMagAper2CatView")
    some = curves.in_band(curves.points.bands[0])
    found = features(some.curves(mag_err=0.02))["mad"]
    key = max(some, key=lambda one: len(some[one]))
    own = some[key].mag
    assert found[list(some).index(key)] == pytest.approx(np.median(np.abs(own - np.median(own))))


def test_roles_are_asked_row_by_row_and_nothing_is_refused(archive):
    roles = Roles(time="obsTime", flux="apFlux", object="objID", band="filterID")
    assert archive.light_curves([_KQ_UMA], "ps1.Detection", roles=roles)[_KQ_UMA].bands == ("1", "2", "3", "4", "5")
    with pytest.raises(BadParameterError, match="are none"):
        archive.light_curves([])
    with pytest.raises(BadParameterError, match="neither a column"):
        archive.light_curves(Table({"x": [1]}), "ps1.Detection")
