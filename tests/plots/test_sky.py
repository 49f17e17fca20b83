"""Positions on the sky are drawn as astronomers look at it."""

from __future__ import annotations

import warnings

import numpy as np
import polars
import pyarrow as pa
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from skydex import plots
from skydex.errors import BadParameterError, UnknownColumnError


def stars(ra: float, dec: float, n: int = 500, size: float = 0.05) -> QTable:
    rng = np.random.default_rng(1)
    east, north = rng.uniform(-size, size, (2, n))
    at = np.column_stack([ra + east / np.cos(np.radians(dec)), dec + north])
    return QTable({"MatchRA": at[:, 0] % 360.0, "MatchDec": at[:, 1]}, units={"MatchRA": "deg", "MatchDec": "deg"})


def test_right_ascension_increases_to_the_left_however_often_one_draws() -> None:
    ax = plots.sky(stars(16.2, 2.1))
    plots.sky(stars(16.2, 2.1), ax=ax)
    assert ax.xaxis_inverted()
    assert not ax.yaxis_inverted()


@pytest.mark.parametrize("dec", [0.0, 31.0, -60.0])
def test_a_field_has_the_proportions_that_it_has_on_the_sky(dec: float) -> None:
    ax = plots.sky(stars(52.3, dec))
    ax.figure.canvas.draw()
    corners = ax.transData.transform([(52.3, dec), (52.3 - 0.01, dec), (52.3, dec + 0.01)])
    east = SkyCoord(52.3, dec, unit="deg").separation(SkyCoord(52.3 - 0.01, dec, unit="deg")).deg
    lengths = np.hypot(*(corners[1:] - corners[0]).T)
    per_degree = lengths / [east, 0.01]
    assert per_degree[0] == pytest.approx(per_degree[1], rel=1e-3)


def test_a_field_across_right_ascension_0_is_in_one_piece() -> None:
    ax = plots.sky(stars(0.0, 10.0))
    low, high = sorted(ax.get_xlim())
    assert high - low < 0.2
    ax.figure.canvas.draw()
    shown = [float(text.get_text()) for text in ax.get_xticklabels() if text.get_text()]
    assert all(0.0 <= value < 360.0 for value in shown)
    assert max(shown) > 359.0


def test_the_place_that_was_asked_for_is_marked_with_its_name_and_all_are_counted() -> None:
    place = SkyCoord(16.2, 2.1, unit="deg")
    place.info.meta = {"name": "IC 1613"}
    ax = plots.sky(stars(16.2, 2.1, n=1234), centre=place, label="stars")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["stars (1,234)", "IC 1613"]


def test_a_circle_is_as_far_from_the_centre_everywhere() -> None:
    ax = plots.sky(stars(359.99, 60.0), centre=(359.99, 60.0), radius=2 * u.arcmin)
    circle = SkyCoord(*ax.lines[-1].get_xydata().T, unit="deg")
    np.testing.assert_allclose(circle.separation(SkyCoord(359.99, 60.0, unit="deg")).arcmin, 2.0)


def test_places_come_as_a_table_a_skycoord_arrays_or_columns_of_any_name() -> None:
    table = stars(16.2, 2.1)
    ra, dec = table["MatchRA"], table["MatchDec"]
    renamed = QTable({"alpha": ra.to("rad"), "delta": dec.to("arcmin")})
    frame = table.to_pandas()
    arrow = pa.Table.from_pandas(frame)
    forms = [table, SkyCoord(ra, dec), (ra, dec), (ra.value, dec.value), frame, arrow, polars.from_arrow(arrow)]
    drawn = [plots.sky(form).lines[0].get_xydata() for form in forms]
    drawn.append(plots.sky(renamed, ra="alpha", dec="delta").lines[0].get_xydata())
    for points in drawn:
        np.testing.assert_allclose(points, np.column_stack([ra.value, dec.value]))


def test_a_table_without_a_position_is_told_and_so_is_a_column_that_is_mistyped() -> None:
    with pytest.raises(BadParameterError, match="ra= and dec="):
        plots.sky({"x": [1.0], "y": [2.0]})
    with pytest.raises(UnknownColumnError, match='Did you mean "MatchRA"'):
        plots.sky(stars(16.2, 2.1), ra="MachRA", dec="MatchDec")


def test_what_stands_out_may_be_a_mask_or_a_table_or_row_numbers() -> None:
    table = stars(16.2, 2.1)
    mask = np.arange(len(table)) < 3
    for highlight in (mask, table[mask], np.flatnonzero(mask), np.ma.array(mask, mask=~mask)):
        ax = plots.sky(table, highlight=highlight, highlight_label="three")
        assert "three (3)" in [text.get_text() for text in ax.get_legend().get_texts()]
    with pytest.raises(BadParameterError, match="500 times"):
        plots.sky(table, highlight=mask[:10])


def test_an_empty_field_is_drawn_empty() -> None:
    ax = plots.sky(stars(16.2, 2.1)[:0], centre=(16.2, 2.1))
    assert ax.get_xlabel() == "RA [deg]"


def test_a_field_at_a_pole_comes_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="near a pole"):
        plots.sky(stars(10.0, 89.5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.sky(stars(10.0, 60.0))


@pytest.mark.parametrize("projection", ["mollweide", "aitoff", "rectangular"])
def test_the_whole_sky_has_east_to_the_left(projection: str) -> None:
    ax = plots.all_sky((np.array([90.0, 180.0, 270.0]), np.zeros(3)), projection=projection)  # type: ignore[arg-type]
    at = ax.transData.transform(ax.lines[0].get_xydata())
    assert at[0, 0] > at[1, 0] > at[2, 0]
    assert at[1, 0] == pytest.approx(np.mean(ax.bbox.intervalx), abs=1.0)
