"""The Pan-STARRS1 document as its user runs it: pyvo and astropy unmodified, the address of the service changed.

Mean objects about M87; the light curves of an RR Lyrae star and of two eclipsing binaries, asynchronously; magnitudes
from fluxes, a bad point told by its quality, and folded light curves.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import pyvo
import serving
from astropy.table import Table
from astropy.utils.exceptions import AstropyWarning
from linting import NO_PLAN, STRICT, findings

from skydex.demo import building
from skydex.demo.ps1 import simulate_ps1
from skydex.demo.size import SIZES

MEAN_COLUMNS = (
    "objID RAMean DecMean nDetections ng nr ni nz ny gMeanPSFMag rMeanPSFMag iMeanPSFMag zMeanPSFMag yMeanPSFMag"
)
MEANS = """
    SELECT objID, RAMean, DecMean, nDetections, ng, nr, ni, nz, ny, gMeanPSFMag, rMeanPSFMag, iMeanPSFMag, zMeanPSFMag,
        yMeanPSFMag
    FROM dbo.MeanObjectView
    WHERE
    CONTAINS(POINT('ICRS', RAMean, DecMean),CIRCLE('ICRS',{},{},{}))=1
    AND nDetections > 1
  """
DETECTION_COLUMNS = (
    "objID detectID filterID filterType obsTime ra dec psfFlux psfFluxErr psfMajorFWHM psfMinorFWHM "
    "psfQfPerfect apFlux apFluxErr infoFlag infoFlag2 infoFlag3"
)
DETECTIONS = """
    SELECT
        objID, detectID, Detection.filterID as filterID, Filter.filterType, obsTime, ra, dec,
        psfFlux, psfFluxErr, psfMajorFWHM, psfMinorFWHM, psfQfPerfect,
        apFlux, apFluxErr, infoFlag, infoFlag2, infoFlag3
    FROM Detection
    NATURAL JOIN Filter
    WHERE objID={}
    {}
    ORDER BY filterID, obsTime
  """
STARS = {
    "KQ UMa": (139.3345, 68.63509, 190361393344112894),
    "KIC 2161623": (291.7444604, 37.5910003, 153102917444859851),
    "KIC 8153568": (286.9044465, 44.0054836, 160802869044447231),
}


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """The base address of a server with Pan-STARRS1 alone, at `tiny`."""
    where = tmp_path_factory.mktemp("pan-starrs") / "archive"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "COLLECTIONS", {"ps1": simulate_ps1})
        building.build_demo(where, size=SIZES["tiny"])
    with serving.serving(where) as server:
        yield server.url


@pytest.fixture(scope="module")
def service(url):
    return pyvo.dal.TAPService(f"{url}/PS1DR2/tapservice.aspx")


@pytest.fixture(autouse=True)
def no_warnings():
    """What the document silences by hand does not come up."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", AstropyWarning)
        yield


def means(service, ra, dec, radius):
    return service.run_async(MEANS.format(ra, dec, radius)).to_table()


def detections(service, star, condition=""):
    *place, object_id = STARS[star]
    found = means(service, *place, 1.0 / 3600.0)
    assert found["objID"][0] == object_id
    return found, service.run_async(DETECTIONS.format(object_id, condition)).to_table()


def with_magnitudes(table, mean):
    """The columns that the document adds."""
    table["magmean"] = 0.0
    for band in "grizy":
        table["magmean"][table["filterType"] == band] = mean[f"{band}MeanPSFMag"][0]
    table["mag"] = -2.5 * np.log10(table["psfFlux"]) + 8.90
    table["dmag"] = table["mag"] - table["magmean"]
    return table


def test_service_describes_itself(service, capsys):
    service.describe()
    assert "Pan-STARRS1 DR2" in capsys.readouterr().out
    names = [table.name for table in service.tables if "tap_schema" not in table.name.lower()]
    assert names == [
        f"dbo.{name}"
        for name in (
            "Detection",
            "Filter",
            "ForcedMeanObjectView",
            "MeanObject",
            "MeanObjectView",
            "ObjectThin",
            "StackObjectAttributes",
            "StackObjectThin",
            "StackObjectView",
            "image_cards",
            "images",
        )
    ]


def test_tables_describe_themselves_with_their_columns(service, capsys):
    for name, n_columns in (("dbo.MeanObjectView", 124), ("dbo.Detection", 58)):
        table = service.tables[name]
        table.describe()
        assert "SIMULATED" in capsys.readouterr().out
        assert len(sorted(column.name for column in table.columns)) == n_columns


def test_mean_objects_about_m87(service, shared_data):
    table = means(service, 187.706, 12.391, 0.2)
    assert isinstance(table, Table)
    assert table.colnames == MEAN_COLUMNS.split()
    kinds = [table[name].dtype.str[1:] for name in table.colnames]
    assert kinds == ["i8", "f8", "f8", *["i2"] * 6, *["f4"] * 5]
    assert [str(table[name].unit) for name in ("RAMean", "DecMean", "gMeanPSFMag")] == ["deg", "deg", "mag"]
    assert (table["nDetections"] > 1).all()
    printed = Table.read(shared_data / "seeds/ps1_mean_m87.ecsv", format="ascii.ecsv")
    assert len(table) == len(printed) + 30
    rows = {row["objID"]: row for row in table}
    for one in printed:
        for there, here in zip(printed.colnames, table.colnames, strict=True):
            if not there.endswith("Mag"):
                assert rows[one["objID"]][here] == one[there]
            elif np.isfinite(one[there]) and one[there] != -999:
                assert rows[one["objID"]][here] == np.float32(one[there])
            else:
                assert rows[one["objID"]][here] is np.ma.masked


def test_detections_of_kq_uma_come_by_band_and_time(service, shared_data):
    mean, table = detections(service, "KQ UMa")
    assert len(mean) == 1
    assert table.colnames == DETECTION_COLUMNS.split()
    assert len(table) == mean["nDetections"][0] == 66
    assert [np.sum(table["filterType"] == band) for band in "grizy"] == [8, 10, 21, 13, 14]
    order = np.lexsort((table["obsTime"], table["filterID"]))
    assert (order == np.arange(len(table))).all()
    assert table["filterType"].dtype.kind == "U"
    assert (table["objID"].dtype, table["detectID"].dtype, table["obsTime"].dtype) == ("i8", "i8", "f8")
    assert str(table["psfFlux"].unit) == "Jy"
    printed = Table.read(shared_data / "seeds/ps1_detections_kq_uma.ecsv", format="ascii.ecsv")
    assert set(printed["detectID"]) <= set(table["detectID"])


def test_bad_z_point_is_told_by_its_quality(service, shared_data):
    mean, table = detections(service, "KQ UMa")
    table = with_magnitudes(table, mean)
    bad = table[(table["filterType"] == "z") & (np.abs(table["mag"] - mean["zMeanPSFMag"][0]) > 2)]
    assert len(bad) == 1
    in_z = table[table["filterType"] == "z"]
    in_z = in_z[np.argsort(-np.abs(in_z["dmag"]))]
    printed = Table.read(shared_data / "seeds/ps1_kq_uma_zband_check.ecsv", format="ascii.ecsv")
    np.testing.assert_array_equal(in_z["obsTime"], printed["obsTime"])
    np.testing.assert_allclose(in_z["mag"], printed["mag"], atol=2e-6)
    np.testing.assert_allclose(in_z["dmag"], printed["dmag"], atol=2e-5)
    np.testing.assert_allclose(in_z["psfQfPerfect"], printed["psfQfPerfect"], atol=1e-6)
    assert (in_z["psfQfPerfect"] < 0.95).tolist() == [True] + [False] * 12


def test_rr_lyrae_star_folds_into_one_curve(service):
    mean, table = detections(service, "KQ UMa")
    table = with_magnitudes(table[table["psfQfPerfect"] > 0.9], mean)
    phase = (table["obsTime"] % 0.48636) / 0.48636
    assert ((phase >= 0) & (phase < 1)).all()
    for band in "grizy":
        of_band = table["filterType"] == band
        order = np.argsort(np.asarray(phase[of_band]))
        steps = np.abs(np.diff(np.asarray(table["dmag"][of_band])[order]))
        by_time = np.abs(np.diff(np.asarray(table["dmag"][of_band])))
        assert np.median(steps) < max(0.35, np.median(by_time))


@pytest.mark.parametrize(
    ("star", "period", "bjd0", "n", "eclipse"),
    [("KIC 2161623", 2.2834698, 54999.599837, 67, 0.1), ("KIC 8153568", 3.6071431, 54999.289794, 88, 1.2)],
)
def test_eclipsing_binaries_with_the_condition_in_the_query(service, star, period, bjd0, n, eclipse):
    mean, table = detections(service, star, "AND psfQfPerfect >= 0.9")
    assert mean["nDetections"][0] == n
    assert 0.7 * n < len(table) <= n
    assert table["psfQfPerfect"].min() >= 0.9
    table = with_magnitudes(table, mean)
    phase = np.asarray((table["obsTime"] - bjd0) % period / period)
    two = np.concatenate((phase, phase + 1.0))
    assert len(two) == 2 * len(table)
    dmag = np.asarray(table["dmag"])
    assert abs(np.median(dmag)) < 0.05
    assert dmag.max() > eclipse
    of_eclipse = 1.0 - 0.5 / period  # times are MJD, the epoch is BJD - 2400000
    deepest = phase[dmag > 0.7 * dmag.max()]
    apart = np.abs((deepest - of_eclipse + 0.25) % 0.5 - 0.25)
    assert apart.max() < 0.12


@pytest.mark.parametrize("base", ["/vo-tap/api/v0.1/ps1dr2", "/ps1dr2/tap", "/ps1dr2/TAPSERVICE.aspx"])
def test_service_has_other_addresses(url, base):
    service = pyvo.dal.TAPService(f"{url}{base}")
    assert len(service.run_async(DETECTIONS.format(STARS["KQ UMa"][2], ""))) == 66
    assert service.search("SELECT COUNT(*) AS n FROM Filter")["n"][0] == 5


def test_taplint_finds_no_fault(url, stilts):
    report = stilts("taplint", f"tapurl={url}/PS1DR2/tapservice.aspx", *STRICT, is_fine=False)
    assert findings(report) == [NO_PLAN], report
    assert "Totals: Errors: 0; Warnings: 0;" in report
