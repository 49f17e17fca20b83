"""A table in a notebook: what a browser would send back gives the rows that the archive gives."""

from __future__ import annotations

import sys
from pathlib import Path

import astropy.units as u
import numpy as np
import pyarrow as pa
import pytest
from astropy.table import QTable

import skydex
from skydex import col
from skydex.errors import BadParameterError, ServiceError, UnknownTableError
from skydex.notebook import opening

sys.path[:0] = [str(Path(__file__).parents[1] / "web")]

SUMMARY = "hsc.SumMagAper2CatView"
MEAN = "ps1.MeanObjectView"


@pytest.fixture(scope="module", autouse=True)
def _has_what_draws():
    pytest.importorskip("anywidget", reason="anywidget is not installed")
    if not opening._SCRIPT.is_file():
        pytest.skip("the view for notebooks is not bundled (`make page`)")


@pytest.fixture(scope="module")
def archive(simulated):
    return skydex.connect(simulated)


@pytest.fixture(scope="module")
def far(simulated, tmp_path_factory):
    from serving import Server

    server = Server(simulated, state_dir=tmp_path_factory.mktemp("state"))
    yield skydex.connect(server.url)
    server.stop()


@pytest.fixture
def view(archive):
    return archive.explore(MEAN)


def choose(view, places):
    """Say what a browser says when somebody has chosen points."""
    view.set_state({"indices": memoryview(np.array(places, "<u4").tobytes())})


def sent(stream):
    """What a browser reads of a stream."""
    return pa.ipc.open_stream(stream).read_all()


@pytest.mark.parametrize("where", ["archive", "far"])
def test_rows_that_are_chosen_are_those_of_a_query_near_and_far(where, archive, request):
    view = request.getfixturevalue(where).explore(SUMMARY, col.NumImages > 1, where="IC 1613", radius="12 arcmin")
    shown = sent(view._rows)["MatchID"].to_pylist()
    choose(view, [2, 5, 11])
    chosen = ", ".join(str(shown[place]) for place in (2, 5, 11))
    direct = archive.query(f"SELECT * FROM {SUMMARY} WHERE MatchID IN ({chosen})")
    found = view.selection
    assert isinstance(found, QTable)
    assert found.colnames == direct.colnames
    for rows in (found, direct):
        rows.sort("MatchID")
    assert found["MatchID"].tolist() == direct["MatchID"].tolist() == sorted(map(int, chosen.split(", ")))
    assert found["A_F814W"].unit == u.mag
    np.testing.assert_array_equal(found["A_F814W"].value, direct["A_F814W"].value)
    np.testing.assert_array_equal(found["MatchRA"].value, direct["MatchRA"].value)


def test_whoever_observes_is_told_of_each_choice_even_if_as_many_rows_are_chosen(view):
    told, counts = [], []
    view.observe(lambda _: told.append(view.selection["objID"].tolist()), "indices")
    view.observe(lambda change: counts.append(change.new), "selected")
    for places in ([1, 3], [2, 4], []):
        choose(view, places)
    ids = view.table["objID"].tolist()
    assert told == [[ids[1], ids[3]], [ids[2], ids[4]], []]
    assert counts == [2, 0]


def test_what_python_chooses_is_sent_and_may_be_a_mask(view):
    is_bright = view.table["rMeanPSFMag"].value < 18
    view.indices = is_bright
    assert np.array_equal(view.indices, np.flatnonzero(is_bright))
    assert view.selected == is_bright.sum() > 0
    assert view.get_state("indices")["indices"] == np.flatnonzero(is_bright).astype("<u4").tobytes()


def test_points_lie_where_a_query_finds_the_colours_and_missing_values_are_nowhere(archive, view):
    keys = {key: getattr(view, key) for key in ("x", "y", "color")}
    assert keys == {"x": "gMeanPSFMag-yMeanPSFMag", "y": "yMeanPSFMag", "color": ""}  # those of the search page
    view.color = "nDetections"
    points = sent(view._points)
    assert points.schema.metadata == {b"x": keys["x"].encode(), b"y": keys["y"].encode(), b"color": b"nDetections"}
    query = f"""SELECT objID, gMeanPSFMag - yMeanPSFMag AS colour, yMeanPSFMag AS mag FROM {MEAN}
        WHERE gMeanPSFMag > -90 AND yMeanPSFMag > -90"""
    truth = {row["objID"]: (row["colour"].value, row["mag"].value) for row in archive.query(query)}
    places = zip(points["plot_x"].to_numpy(), points["plot_y"].to_numpy(), strict=True)
    by_id = dict(zip(sent(view._rows)["objID"].to_pylist(), places, strict=True))
    drawn = {key: place for key, place in by_id.items() if np.isfinite(place).all()}
    assert drawn.keys() == truth.keys()
    assert len(drawn) < len(by_id)
    np.testing.assert_allclose([drawn[key] for key in truth], list(truth.values()), atol=1e-5)


def test_a_view_says_that_there_are_more_rows_and_how_many_where_that_is_known(archive):
    whole = archive.query(f"SELECT COUNT(*) AS n FROM {MEAN}")["n"][0]
    view = archive.explore(MEAN, rows=10)
    assert len(view.table) == 10
    assert view.truncated
    assert f"the first 10 of {whole:,} rows" in repr(view)
    assert "more rows than these 10" in archive.explore(MEAN, col.nDetections > 1, rows=10)._facts["more"]
    assert not archive.explore(MEAN, rows=int(whole)).truncated


@pytest.mark.parametrize("rows", [0, -1, 10**9, 2.5, True])
def test_how_many_rows_are_shown_is_bounded(archive, rows):
    with pytest.raises(BadParameterError, match="1 to 500,000"):
        archive.explore(MEAN, rows=rows)


def test_rows_that_are_here_are_shown_without_asking_anybody(archive):
    answer = archive.cone(SUMMARY, "IC 1613", "12 arcmin", columns="MatchID, MatchRA, MatchDec, A_F475W, A_F814W")
    view = archive.explore(answer, rows=20)
    assert (view.x, view._facts["id"], view._facts["ra"]) == ("A_F475W-A_F814W", "MatchID", "MatchRA")
    assert view._facts["cone"]["radius"] == pytest.approx(0.2)
    assert view.truncated
    mine = QTable({"ra": [1.0, 2.0] * u.deg, "dec": [3.0, 4.0] * u.deg, "z": [0.1, np.nan], "name": ["a", "b"]})
    view = archive.explore(mine)
    choose(view, [1])
    assert view.selection["name"].tolist() == ["b"]
    assert sent(view._rows).column_names == ["ra", "dec", "z", "name"]
    with pytest.raises(BadParameterError, match="choose among rows of yours before"):
        archive.explore(mine, radius=1)
    with pytest.raises(BadParameterError, match="no numbers that could be drawn"):
        archive.explore(mine["name",])


def test_a_wide_table_is_sent_as_what_tells_most(archive):
    view = archive.explore(SUMMARY)
    assert len(view.table.colnames) > 400
    assert len(sent(view._rows).column_names) == 8
    assert len(view.axes) > 50
    assert "W2_F122M" not in view.axes or np.isfinite(view.table["W2_F122M"].value).any()


def test_what_cannot_be_drawn_or_chosen_is_refused_by_name(archive, view):
    with pytest.raises(UnknownTableError, match="MeanObjectView"):
        archive.explore("ps1.MeanObjectVieww")
    with pytest.raises(BadParameterError, match="rMeanPSFMag"):
        archive.explore(MEAN, x="rMeanPSFMagg")
    with pytest.raises(BadParameterError, match="Parameter y"):
        view.y = ""
    with pytest.raises(BadParameterError, match="places of rows"):
        view.indices = [len(view.table)]
    assert (view.y, view.selected) == ("yMeanPSFMag", 0)


def test_without_anywidget_or_without_scripts_the_remedy_is_named(archive, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "skydex.notebook.view", raising=False)
    with pytest.raises(ServiceError, match=r"pip install 'skydex\[notebook\]'"):
        archive.explore(MEAN, rows=5)
    monkeypatch.setattr(opening, "_SCRIPT", tmp_path / "widget.js")
    opening._script.cache_clear()
    with pytest.raises(ServiceError, match="PAGE_WITHOUT_SCRIPTS"):
        archive.explore(MEAN, rows=5)
    opening._script.cache_clear()
