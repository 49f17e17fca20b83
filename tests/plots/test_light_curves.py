"""Light curves are drawn with bright up, each band by colour and marker."""

from __future__ import annotations

import numpy as np
import pytest

from skydex import plots
from skydex.errors import BadParameterError
from skydex.lightcurve import LightCurve


@pytest.fixture
def curve() -> LightCurve:
    rng = np.random.default_rng(2)
    time = np.sort(rng.uniform(55000, 55100, 60))
    band = np.array(["g", "r", "z"])[np.arange(60) % 3]
    mag = 15 + 0.3 * np.sin(2 * np.pi * time / 0.48636) + (band == "g") * 0.5
    return LightCurve.of_points(
        time, mag, mag_err=np.full(60, 0.02), band=band, quality=np.where(np.arange(60) == 5, 0.3, 0.99), name="KQ UMa"
    )


def test_bright_is_up_and_every_band_has_a_colour_and_a_marker_of_its_own(curve: LightCurve) -> None:
    ax = plots.light_curve(curve)
    plots.light_curve(curve, ax=ax)
    assert ax.yaxis_inverted()
    lines = [container.lines[0] for container in ax.containers[:3]]
    assert len({line.get_color() for line in lines}) == len({line.get_marker() for line in lines}) == 3
    assert [container.get_label() for container in ax.containers[:3]] == ["g", "r", "z"]


def test_the_rows_of_one_object_are_drawn_as_its_light_curve() -> None:
    rows = {"obsTime": [55634.5, 55635.5], "psfFlux": [0.008, 0.009], "psfFluxErr": [1e-5, 1e-5], "filterID": [1, 1]}
    ax = plots.light_curve(rows)
    np.testing.assert_allclose(ax.containers[0].lines[0].get_ydata(), -2.5 * np.log10([0.008, 0.009]) + 8.90)
    assert plots.folded(rows, 0.5).get_xlabel() == "Phase (P = 0.5 d)"
    assert plots.by_band(rows, plots.difference)[0].get_ylabel().startswith("g − ")


def test_errors_are_one_sigma(curve: LightCurve) -> None:
    bars = plots.light_curve(curve.in_band("g")).containers[0].lines[2][0].get_segments()
    np.testing.assert_allclose([bar[1, 1] - bar[0, 1] for bar in bars], 0.04)


def test_a_curve_without_errors_has_no_bars() -> None:
    ax = plots.light_curve(LightCurve.of_points([1.0, 2.0], [20.0, 21.0], band="g"))
    assert not ax.containers[0].has_yerr


def test_bands_can_be_set_apart_and_the_legend_says_by_how_much(curve: LightCurve) -> None:
    ax = plots.light_curve(curve, offsets={"g": -1.5})
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["g −1.5", "r", "z"]
    np.testing.assert_allclose(ax.containers[0].lines[0].get_ydata(), curve.in_band("g").mag - 1.5)


def test_days_are_written_in_full(curve: LightCurve) -> None:
    ax = plots.light_curve(curve)
    ax.figure.canvas.draw()
    assert ax.xaxis.get_offset_text().get_text() == ""
    assert ax.get_xlabel() == "Time [MJD]"


def test_the_axis_says_how_days_are_counted() -> None:
    kepler = LightCurve.of_points([55000.0], [15.0], time_format="bjd-2400000", time_scale="tdb")
    assert plots.light_curve(kepler).get_xlabel() == "Time [BJD − 2400000, TDB]"


def test_fluxes_without_magnitudes_are_drawn_as_fluxes() -> None:
    from astropy import units as u

    ax = plots.light_curve(LightCurve.of_points([1.0, 2.0], flux=[3.0, 4.0] * u.ct))
    assert ax.get_ylabel() == "Flux [ct]"
    assert not ax.yaxis_inverted()


def test_differences_are_from_the_mean_of_each_band_which_is_told(curve: LightCurve) -> None:
    axes = plots.by_band(curve, plots.difference)
    mean = curve.in_band("g").mag.mean()
    assert axes[0].get_ylabel() == f"g − {mean:.2f} [mag]"
    np.testing.assert_allclose(axes[0].containers[0].lines[0].get_ydata(), curve.in_band("g").mag - mean)


def test_means_of_a_catalogue_can_be_taken_instead(curve: LightCurve) -> None:
    ax = plots.difference(curve.in_band("z"), center={"z": 14.5})
    assert ax.get_ylabel() == "z − 14.50 [mag]"


def test_a_folded_curve_is_shown_over_as_many_periods_as_asked(curve: LightCurve) -> None:
    ax = plots.folded(curve.in_band("g"), 0.48636, n_periods=2)
    phase = ax.containers[0].lines[0].get_xdata()
    assert len(phase) == 40
    np.testing.assert_allclose(np.sort(phase)[20:] - 1.0, np.sort(phase)[:20])
    assert ax.get_xlim() == (0.0, 2.0)
    assert ax.get_xlabel() == "Phase (P = 0.48636 d)"


def test_what_is_folded_already_is_drawn_and_a_curve_needs_a_period(curve: LightCurve) -> None:
    once = plots.folded(curve.fold(0.48636)).containers[0].lines[0].get_xydata()
    again = plots.folded(curve, 0.48636).containers[0].lines[0].get_xydata()
    np.testing.assert_array_equal(once, again)
    combined = plots.folded(curve.combined(0.48636))
    assert combined.get_ylabel() == "Difference [mag]"
    with pytest.raises(BadParameterError, match="period"):
        plots.folded(curve)


def test_panels_share_their_times_and_may_span_as_many_magnitudes(curve: LightCurve) -> None:
    axes = plots.by_band(curve, same_span=True)
    assert [ax.get_ylabel() for ax in axes] == ["g [mag]", "r [mag]", "z [mag]"]
    assert len({ax.get_xlim() for ax in axes}) == 1
    spans = [abs(np.diff(ax.get_ylim())[0]) for ax in axes]
    np.testing.assert_allclose(spans, spans[0])
    assert all(ax.yaxis_inverted() for ax in axes)
    assert [ax.get_title() for ax in axes] == ["KQ UMa", "", ""]


def test_points_that_stand_out_get_a_ring_in_their_panel(curve: LightCurve) -> None:
    axes = plots.by_band(curve, highlight=curve.quality < 0.9)
    rings = [len(ax.lines[-1].get_xdata()) if ax.lines[-1].get_markersize() > 10 else 0 for ax in axes]
    assert sorted(rings) == [0, 0, 1]
    with pytest.raises(BadParameterError, match="60 times"):
        plots.light_curve(curve, highlight=[True])


def test_a_mask_with_nulls_rings_what_is_true(curve: LightCurve) -> None:
    chosen = np.ma.array(np.arange(60) < 2, mask=np.arange(60) == 0)
    ax = plots.folded(curve, 0.48636, n_periods=2, highlight=chosen)
    assert len(ax.lines[-1].get_xdata()) == 2
    axes = plots.by_band(curve.fold(0.48636), plots.folded, highlight=chosen)
    assert sum(len(ax.lines[-1].get_xdata()) for ax in axes if ax.lines[-1].get_markersize() > 10) == 1


def test_panels_that_are_brought_are_used(curve: LightCurve) -> None:
    from matplotlib import pyplot

    _, mine = pyplot.subplots(3, 1)
    assert plots.by_band(curve, plots.folded, 0.48636, axes=mine)[2] is mine[2]
    with pytest.raises(BadParameterError, match="3 bands"):
        plots.by_band(curve, axes=mine[:2])


def test_a_curve_without_points_is_drawn_empty() -> None:
    empty = LightCurve.of_points([], [])
    assert plots.light_curve(empty).get_xlabel() == "Time [MJD]"
    assert len(plots.by_band(empty)) == 1


def test_a_long_curve_is_drawn_as_its_density() -> None:
    rng = np.random.default_rng(7)
    curve = LightCurve.of_points(rng.uniform(0, 80, 120_000), rng.normal(12, 0.01, 120_000), name="TESS")
    ax = plots.light_curve(curve)
    assert ax.images[0].get_array().sum() == 120_000
