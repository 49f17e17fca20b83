"""The original way, as the tutorials show it, runs at the same server and finds the same."""

from __future__ import annotations

import notebooks
import numpy as np
import pytest

import skydex
from skydex import col, plots


@pytest.fixture
def original(demonstration, monkeypatch, tmp_path):
    """Run the block of a tutorial; give its names."""
    matplotlib = pytest.importorskip("matplotlib")
    from astropy.coordinates import name_resolve

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CASJOBS_USERID", "guest")
    monkeypatch.setenv("CASJOBS_PW", "demonstration")

    def run(name):
        code = notebooks.original_of(notebooks.read(notebooks.FOLDER / f"{name}.ipynb"))
        names = {"__name__": "original"}
        with (
            name_resolve.sesame_url.set([f"{demonstration.url}/cgi-bin/nph-sesame/"]),
            matplotlib.rc_context({"backend": "agg", "figure.max_open_warning": 0}),
        ):
            exec(compile(notebooks.moved(code, demonstration.url), name, "exec"), names)
            names["plt"].close("all")
        return names

    return run


def test_requests_find_the_stars_and_the_light_curve(original, demonstrated):
    found = original("hubble-source-catalog")
    hsc = skydex.connect("mast-hsc", at=demonstrated)
    enough = {"A_F475W_N.gte": 10, "A_F814W_N.gte": 10}
    ours = hsc.cone("summary", "IC 1613", 0.5, enough, columns=found["stars"].colnames)
    assert sorted(ours["MatchID"]) == sorted(found["stars"]["MatchID"])
    assert len(found["filters"]) == 133
    assert found["star"]["MatchID"] == 80189155
    assert (len(found["blue"]), len(found["red"])) == (12, 12)
    curve = hsc.light_curve(80189155, "detailed", bands="ACS_F475W")
    assert np.allclose(np.sort(curve.mag), np.sort(found["blue"]["MagAper2"]), rtol=1e-6)
    assert found["image"].size == (15, 15)


def test_mastcasjobs_finds_the_candidates_the_nova_and_the_fractions(original, demonstrated):
    pytest.importorskip("mastcasjobs")
    found = original("hubble-catalog-of-variables")
    hcv = skydex.connect("mast-casjobs", at=demonstrated)
    experts = hcv.sql("select count(*) as n from HCVmatch where ExpertClass > 0")
    assert len(found["objects"]) == experts["n"][0]
    assert [len(curve) for curve in found["nova"].values()] == [21, 22]
    assert (found["best"]["MatchID"][0], found["best"]["TargetName"][0], len(found["curve"])) == (5742711, "M31", 5)
    judged = found["varying"]
    ours = plots.fractions_by_bin(judged["MAD"], judged["ExpertClass"] == 4)
    assert np.array_equal(ours.n, found["n"])
    assert np.array_equal(ours.n_members, found["n_artifacts"])
    assert np.allclose(ours.center, found["center"])


@pytest.fixture
def mast(demonstration, monkeypatch, tmp_path):
    """Have astroquery ask the server; addresses that stand in its code are led there as by a proxy."""
    portal = pytest.importorskip("astroquery.mast.discovery_portal").PortalAPI
    from astropy.config import set_temp_cache

    monkeypatch.setattr(portal, "MAST_REQUEST_URL", f"{demonstration.url}/api/v0/invoke")
    monkeypatch.setattr(portal, "COLUMNS_CONFIG_URL", f"{demonstration.url}/portal/Mashup/Mashup.asmx/columnsconfig")
    monkeypatch.setattr(portal, "_column_configs", {})
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, demonstration.url)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
    (tmp_path / "cache").mkdir()
    with set_temp_cache(tmp_path / "cache"):
        yield


def test_pyvo_finds_the_light_curves_of_pan_starrs(original, mast, demonstrated):
    pytest.importorskip("pyvo")
    found = original("pan-starrs-light-curves")
    ps1 = skydex.connect("ps1-tap", at=demonstrated)
    objects = ps1.cone("MeanObjectView", (187.706, 12.391), 0.2, col.nDetections > 1)
    assert sorted(found["objects"]["objID"]) == sorted(objects["objID"])
    curve = ps1.light_curve("KQ UMa")
    detections = found["detections"]
    assert np.allclose(np.sort(detections["mag"]), np.sort(curve.mag))
    assert (len(found["bad"]), found["in_z"]["psfQfPerfect"][0] < 0.95) == (1, True)
    assert len(found["second"]) == len(ps1.light_curve("KIC 8153568", quality=">= 0.9"))


def test_functions_of_the_notebook_find_the_same_stamps(original, mast, demonstrated):
    found = original("psf-stamps")
    assert len(found["stars"]) == len(found["bundled"]) == len(found["pooled"]) == len(found["images"]) == 6
    assert found["different"] == 0
    corner = col.psf_x_center.between(100, 102) & col.psf_y_center.between(100, 102) & (col.n_sat_pixels == 0)
    stars = skydex.connect("mast-psf", at=demonstrated).stamps("UVIS", corner)
    assert list(stars.table["dataURI"]) == found["uris"]
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(stars.cube, found["images"], strict=True))


def test_pyvo_finds_the_sources_of_chandra(original, demonstrated):
    pytest.importorskip("pyvo")
    found = original("chandra-source-catalog")
    csc = skydex.connect("csc21", at=demonstrated)
    assert list(found["sources"]["name"]) == list(csc.cone("csc21.cone", "NGC 1333", "2 arcmin")["name"])
    assert found["sources"].fieldnames == tuple(csc.columns("csc21.cone"))
    names = csc.search("csc21.master_source", columns=["name"])["name"]
    assert {*found["extended"]["name"], *found["compact"]["name"]} == set(names)
