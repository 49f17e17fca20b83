"""The original way, as the tutorials show it, runs at the same server and finds the same."""

from __future__ import annotations

import notebooks
import numpy as np
import pytest

import skydex
from skydex import plots


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
