"""Phases against hand-computed ones (python's Decimal), and light curves that are known to repeat."""

import warnings
from decimal import Decimal

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from astropy import units as u
from astropy.table import Table
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st

from skydex.errors import BadParameterError
from skydex.lightcurve import LightCurve, phases


def _by_hand(time, period, t0):
    since = Decimal(time) - Decimal(t0)
    cycle = (since / Decimal(period)).to_integral_value(rounding="ROUND_FLOOR")
    return float(since / Decimal(period) - cycle), int(cycle)


@pytest.mark.parametrize(
    ("time", "period", "t0"),
    [
        ("55000", "0.48636", "0"),
        ("55000", "2.2834698", "54999.599837"),
        ("54999.0", "2.2834698", "54999.599837"),
        ("55500.25", "3.6071431", "54999.289794"),
    ],
)
def test_phases_are_those_computed_by_hand(time, period, t0):
    phase, cycle = phases(np.array([float(time)]), float(period), float(t0))
    expected, turns = _by_hand(time, period, t0)
    assert phase[0] == pytest.approx(expected, abs=1e-9)
    assert cycle[0] == turns


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e3), st.floats(-1e5, 1e5))
def test_a_phase_is_never_1_and_phase_and_cycle_give_the_time_back(time, period, t0):
    phase, cycle = phases(np.array([time]), period, t0)
    assert 0.0 <= phase[0] < 1.0
    assert (cycle[0] + phase[0]) * period + t0 == pytest.approx(time, abs=1e-9 * (1.0 + abs(time) + abs(t0)))


def test_a_hair_before_the_zero_is_phase_0_and_not_1():
    phase, cycle = phases(np.array([-1e-20]), 0.5)
    assert (phase[0], cycle[0]) == (0.0, 0)


def test_a_period_must_be_one():
    for period in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(BadParameterError, match="above 0"):
            phases(np.array([1.0]), period)


@pytest.mark.parametrize(
    ("period", "t0", "shift"), [(2.2834698, 54999.599837, 0.21897), (3.6071431, 54999.289794, 0.13861)]
)
def test_an_epoch_that_is_counted_otherwise_shifts_the_phase(period, t0, shift):
    curve = LightCurve.of_points([55100.0], [14.0])
    moved = curve.fold(period, t0, t0_format="bjd-2400000").phase - curve.fold(period, t0).phase
    assert np.mod(moved, 1.0) == pytest.approx([shift], abs=1e-5)


def test_epochs_as_times_and_periods_as_quantities_are_the_same():
    curve = LightCurve.of_points([55634.477414, 55933.5264577], [14.1, 14.2], time_scale="tai")
    epoch = Time(54999.599837, format="mjd", scale="tai")
    plain = curve.fold(0.48636, 54999.599837).phase
    assert curve.fold(0.48636 * u.day, epoch).phase == pytest.approx(plain, abs=1e-9)
    assert curve.fold(11.67264 * u.hour, epoch.tdb).phase == pytest.approx(plain, abs=1e-6)
    assert curve.fold("11.67264 h", epoch.utc.isot).phase == pytest.approx(plain, abs=1e-6)
    with pytest.raises(BadParameterError, match="no number with a unit"):
        curve.fold("half a day")
    with pytest.raises(BadParameterError, match="no date"):
        curve.fold(0.5, "yesterday")
    with pytest.raises(BadParameterError, match="one number, not 2"):
        curve.fold([0.5, 0.6])
    with pytest.raises(BadParameterError, match="no way of counting days"):
        curve.fold(0.5, 0.0, t0_format="mjy")


def test_two_periods_show_each_point_twice_with_its_row():
    curve = LightCurve.of_points([0.1, 0.7, 1.2], [1.0, 2.0, 3.0], rows=Table({"id": [1, 2, 3]}))
    twice = curve.fold(0.5).over(2).sorted()
    assert twice.phase == pytest.approx([0.2, 0.4, 0.4, 1.2, 1.4, 1.4])
    assert twice.curve.rows["id"].tolist() == [1, 2, 3, 1, 2, 3]
    assert len(twice.in_band("")) == 6


def test_real_rr_lyrae_stars_repeat_at_their_published_periods(shared_data):
    """Stars of Sesar et al. 2010, ApJ 708, 717: magnitudes next in phase differ much less than those next in time."""
    published = Table.read(shared_data / "lightcurves/s82_rrlyrae/table2.dat", format="ascii")
    folder = shared_data / "lightcurves/s82_rrlyrae/lc"
    ratios = []
    for star in published[:40]:
        points = np.loadtxt(folder / f"{star[0]}.dat")
        good = points[:, 6] > 0  # the band g; -99.99 means that there is none
        curve = LightCurve.of_points(points[good, 5], points[good, 6], mag_err=points[good, 7], band="g")
        in_phase = curve.fold(star[2]).sorted().curve.mag
        ratios.append(np.var(np.diff(in_phase)) / np.var(np.diff(curve.mag)))
    assert len(ratios) >= 30
    assert np.median(ratios) < 0.2
    assert np.mean(np.array(ratios) < 0.5) > 0.9


def test_real_eclipsing_binaries_repeat_at_their_published_periods(shared_data):
    """Stars of ASAS with classes by eye: points next in phase differ less than points next in time."""
    truth = Table.read(shared_data / "lightcurves/asas/asas_truth.csv", format="csv")
    contact = truth[(truth["class_human"] == "Contact Systems") & ~np.ma.getmaskarray(truth["period"])]
    points = pq.read_table(shared_data / "lightcurves/asas/asas_lightcurves.parquet")
    ratios = []
    for star in contact[:20]:
        rows = points.filter(pc.equal(points["asas_id"], star["asas_id"]))
        curve = LightCurve.of_table(rows.filter(pc.equal(rows["band"], "V")))
        folded = curve.fold(star["period"]).sorted()
        ratios.append(np.var(np.diff(folded.curve.mag)) / np.var(np.diff(curve.mag)))
    assert len(ratios) >= 15
    assert np.median(ratios) < 0.5


def test_a_planet_stands_before_its_star_once_a_period(shared_data):
    """WASP-46 b in TESS: period and depth (2 per cent) as published; one part of the orbit is darker."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # units that FITS does not know
        rows = Table.read(shared_data / "lightcurves/tess" / _WASP_46, hdu=1)
    curve = LightCurve.of_table(rows)
    curve = curve.cut(curve.quality == 0)
    folded = curve.fold(1.43037)
    level = np.array([np.nanmedian(curve.flux[(folded.phase * 100).astype(int) == one]) for one in range(100)])
    dip = np.flatnonzero(level / np.median(level) < 0.99)
    assert 1.0 - level.min() / np.median(level) == pytest.approx(0.02, abs=0.006)
    assert 2 <= len(dip) <= 8
    assert np.ptp(np.mod(dip - dip[0] + 50, 100)) == len(dip) - 1


_WASP_46 = "tess2018206045859-s0001-0000000231663901-0120-s_lc.fits"
