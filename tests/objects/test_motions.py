"""Proper motions: those of stars that astropy moves come out again, and errors say how far off they are."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astropy.time import Time
from hypothesis import given, settings
from hypothesis import strategies as st

from skydex.errors import UnknownColumnError
from skydex.objects import motion_columns, proper_motions, source_positions
from skydex.tables import columns_from_metadata

NAMES = """
objID numSources raMean decMean lonMean latMean raMeanErr decMeanErr lonMeanErr latMeanErr pmRA pmDec pmLon pmLat
pmRAErr pmDecErr pmLonErr pmLatErr pmRADev pmDecDev pmLonDev pmLatDev epochStart epochEnd epochMean DSigma NumFilters
NumVisits NumImages CI CI_Sigma KronRadius KronRadius_Sigma HTMID X Y Z
"""
"""As an executed notebook page of the SWEEPS field printed them."""


def column(table: pa.Table, name: str) -> np.ndarray:
    return table[name].to_numpy()


def stars_of_astropy(ra, dec, pm_ra, pm_dec, years, parsec=8000.0) -> tuple[pa.Table, SkyCoord]:
    """Stars that astropy moves, seen without error in some years; and where and how they are at the mean of these."""
    sky = SkyCoord(
        ra * u.deg,
        dec * u.deg,
        distance=np.full(len(ra), parsec) * u.pc,
        pm_ra_cosdec=pm_ra * u.mas / u.yr,
        pm_dec=pm_dec * u.mas / u.yr,
        radial_velocity=np.zeros(len(ra)) * u.km / u.s,
        obstime=Time(2010.0, format="jyear"),
    )
    seen = [sky.apply_space_motion(new_obstime=Time(2010.0 + dt, format="jyear")) for dt in years]
    mjd = Time(2010.0 + np.asarray(years), format="jyear").mjd
    table = pa.table(
        {
            "MatchID": np.tile(np.arange(len(ra)), len(years)),
            "SourceRA": np.concatenate([one.ra.deg for one in seen]),
            "SourceDec": np.concatenate([one.dec.deg for one in seen]),
            "StartMJD": np.repeat(mjd - 0.01, len(ra)),
            "StopMJD": np.repeat(mjd + 0.01, len(ra)),
        }
    )
    return table, sky.apply_space_motion(new_obstime=Time(2010.0 + np.mean(years), format="jyear"))


def test_motions_are_those_that_astropy_gave_in_both_frames_and_everywhere():
    rng = np.random.default_rng(1)
    n = 60
    ra, dec = rng.random(n) * 360.0, np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    dec[:4] = [89.9999, -89.9999, 89.0, 0.0]
    ra[4:8] = [0.0, 359.9999999, 1e-7, 180.0]
    pm_ra, pm_dec = rng.normal(0.0, 8.0, (2, n))
    table, truth = stars_of_astropy(ra, dec, pm_ra, pm_dec, [-6.0, -2.5, 0.0, 3.0, 5.5])
    motions = proper_motions(table)
    galactic = truth.galactic
    for name, expected, tolerance in (
        ("pmRA", truth.pm_ra_cosdec, 1e-5),
        ("pmDec", truth.pm_dec, 1e-5),
        ("pmLon", galactic.pm_l_cosb, 1e-5),
        ("pmLat", galactic.pm_b, 1e-5),
    ):
        assert column(motions, name) == pytest.approx(expected.to_value("mas/yr"), abs=tolerance), name
    for name, expected in (
        ("raMean", truth.ra),
        ("decMean", truth.dec),
        ("lonMean", galactic.l),
        ("latMean", galactic.b),
    ):
        shrink = np.cos(truth.dec.rad) if name == "raMean" else 1.0
        off = (column(motions, name) - expected.deg + 180.0) % 360.0 - 180.0
        assert np.abs(off * shrink).max() < 1e-10, name
    assert column(motions, "epochMean") == pytest.approx(truth.obstime.mjd, abs=1e-6)
    assert np.nanmax(column(motions, "pmLatErr")) < 1e-5


def test_a_star_as_fast_as_barnards_moves_on_a_great_circle():
    table, truth = stars_of_astropy(
        np.array([269.452]), np.array([4.693]), np.array([-802.8]), np.array([10362.5]), [-8.0, -3.0, 2.0, 9.0], 1.83
    )
    motions = proper_motions(table)
    assert column(motions, "pmDec") == pytest.approx(truth.pm_dec.to_value("mas/yr"), abs=0.01)
    assert column(motions, "pmRA") == pytest.approx(truth.pm_ra_cosdec.to_value("mas/yr"), abs=0.01)


def simulated(n_stars: int, n_epochs: int, sigma_mas: float, seed: int) -> tuple[pa.Table, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.normal(0.0, 5.0, (2, n_stars))
    star = np.repeat(np.arange(n_stars), n_epochs)
    years = np.sort(rng.random(n_stars * n_epochs)) * 11.0 - 5.0
    rng.shuffle(years)
    east, north = truth[:, star] * years + rng.normal(0.0, sigma_mas, (2, len(star)))
    dec = -29.2 + north / 3.6e6 + star * 1e-4
    ra = 269.8 + east / 3.6e6 / np.cos(np.radians(dec))
    columns = {"MatchID": star, "SourceRA": ra, "SourceDec": dec, "StartMJD": 54000.0 + years * 365.25}
    return pa.table(columns), truth


def test_simulated_motions_are_recovered_within_their_errors():
    table, truth = simulated(1500, 25, sigma_mas=3.0, seed=2)
    motions = proper_motions(table, error_mas=40.0)
    for name, true in zip(("RA", "Dec"), truth, strict=True):
        pull = (column(motions, f"pm{name}") - true) / column(motions, f"pm{name}Err")
        assert np.abs(pull.mean()) < 0.1
        assert 0.97 < pull.std() / np.sqrt(23 / 21) < 1.05  # Student's t with 23 degrees of freedom
        assert np.median(column(motions, f"pm{name}Dev")) == pytest.approx(3.0 * 0.6745, rel=0.05)
        assert np.median(column(motions, f"{name.lower()}MeanErr")) == pytest.approx(3.0 / 5.0, rel=0.03)


def test_the_errors_of_one_star_are_those_of_the_textbook():
    table, _ = simulated(1, 12, sigma_mas=4.0, seed=3)
    (row,) = proper_motions(table).to_pylist()
    years = (column(table, "StartMJD") - row["epochMean"]) / 365.25
    (slope, at_mean), covariance = np.polyfit(years, (column(table, "SourceDec") - row["decMean"]) * 3.6e6, 1, cov=True)
    assert row["pmDec"] == pytest.approx(slope, rel=1e-6)
    assert at_mean == pytest.approx(0.0, abs=1e-5)
    assert (row["pmDecErr"], row["decMeanErr"]) == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-6)


def test_errors_keep_to_one_another_as_in_printed_rows(shared_data):
    printed = Table.read(shared_data / "seeds" / "hsc_sweeps_proper_motions.ecsv")
    printed["meanErr"] = np.hypot(printed["RAerr"], printed["Decerr"])
    same_visits = printed[(printed["NumVisits"] == 47) & (printed["dT"] > 11.0)]
    ratio = same_visits["meanErr"] / np.hypot(same_visits["bpmerr"], same_visits["lpmerr"])
    assert np.ptp(ratio) / np.mean(ratio) < 1e-5
    deviation = np.median(printed["pmdev"] / printed["meanErr"] / np.sqrt(printed["NumVisits"]))

    motions, positions = (make(simulated(400, 47, 2.0, seed=8)[0]) for make in (proper_motions, source_positions))
    rms = np.sqrt(np.bincount(column(positions, "objID"), column(positions, "dT") ** 2) / 47)
    error = np.hypot(column(motions, "raMeanErr"), column(motions, "decMeanErr"))
    assert error / np.hypot(column(motions, "pmLatErr"), column(motions, "pmLonErr")) == pytest.approx(rms, rel=1e-6)
    mine = np.hypot(column(motions, "pmLatDev"), column(motions, "pmLonDev")) / error / np.sqrt(47)
    assert np.percentile(mine, 10) < deviation < np.percentile(mine, 90)


def test_better_positions_weigh_more():
    table, truth = simulated(300, 20, sigma_mas=1.0, seed=4)
    errors = np.where(np.arange(table.num_rows) % 2, 1.0, 30.0)
    rng = np.random.default_rng(0)
    spoilt = column(table, "SourceDec") + np.where(errors > 1, rng.normal(0.0, 30.0, len(errors)), 0.0) / 3.6e6
    table = table.set_column(2, "SourceDec", pa.array(spoilt))
    weighted, plain = (
        np.std(column(proper_motions(table, error_mas=given_errors), "pmDec") - truth[1])
        for given_errors in (errors, 10.0)
    )
    assert weighted < plain / 5.0


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_changes_no_bit(seed):
    rng = np.random.default_rng(seed)
    table, _ = simulated(int(rng.integers(1, 8)), int(rng.integers(2, 6)), 5.0, seed)
    shuffled = table.take(pa.array(rng.permutation(table.num_rows)))
    assert proper_motions(table).equals(proper_motions(shuffled))
    assert source_positions(table).equals(source_positions(shuffled))


def test_columns_are_those_of_the_catalogue_and_described():
    table, _ = simulated(3, 4, 1.0, seed=1)
    motions = proper_motions(table)
    assert motions.column_names == NAMES.split() == [one.name for one in motion_columns()]
    described = columns_from_metadata(motions.schema.metadata)
    assert (described["pmLon"].unit, described["pmLatDev"].unit, described["epochMean"].unit) == ("mas/yr", "mas", "d")
    assert motions["NumFilters"].null_count == 3


def test_positions_lie_along_the_motion():
    table, _ = simulated(20, 15, sigma_mas=0.0, seed=6)
    motions, positions = proper_motions(table), source_positions(table)
    row = np.searchsorted(column(motions, "objID"), column(positions, "objID"))
    for axis in ("RA", "Dec", "Lon", "Lat"):
        line = column(motions, f"pm{axis}")[row] * column(positions, "dT")
        assert column(positions, f"d{axis}") == pytest.approx(line, abs=1e-3), axis
    assert (np.diff(column(positions, "objID")) >= 0).all()
    assert column(positions, "SourceDec").size == table.num_rows


def test_rows_of_a_source_count_once_and_counts_are_those_of_the_summary():
    table = pa.table(
        {
            "MatchID": [1, 1, 1, 1],
            "SourceID": [11, 11, 12, 13],
            "SourceRA": [10.0, 10.0, 10.00001, 10.00002],
            "SourceDec": [0.0] * 4,
            "StartMJD": [50000.0, 50000.2, 50365.35, 50730.6],
            "StopMJD": [50000.0, 50000.2, 50365.35, 50730.6],
            "Detector": ["ACS/WFC"] * 4,
            "Filter": ["F475W", "F814W", "F475W", "F475W"],
            "ImageName": ["a", "b", "c", "d"],
            "MagAper2": [20.0, 19.0, 20.1, 20.2],
        }
    )
    (row,) = proper_motions(table).to_pylist()
    assert (row["numSources"], row["NumFilters"], row["NumImages"]) == (3, 2, 4)
    assert row["pmRA"] == pytest.approx(36.0, rel=1e-3)
    assert row["epochStart"] == pytest.approx(50000.1)
    positions = source_positions(table)
    assert positions["SourceID"].to_pylist() == [11, 12, 13]


def test_matches_that_were_seen_at_one_time_have_no_motion():
    table = pa.table(
        {
            "MatchID": [1, 1, 2, 3, 3],
            "SourceRA": [1.0] * 5,
            "SourceDec": [2.0] * 5,
            "StartMJD": [5.0, 5.0, 6.0, 5.0, 400.0],
        }
    )
    motions = proper_motions(table)
    assert motions["objID"].to_pylist() == [3]
    assert motions["pmRA"].to_pylist() == pytest.approx([0.0], abs=1e-6)
    assert motions["pmRAErr"].to_pylist() == [None]
    assert proper_motions(table.slice(0, 2)).num_rows == 0
    assert source_positions(table.slice(0, 0)).num_rows == 0
    with pytest.raises(UnknownColumnError, match="StartMJD"):
        proper_motions(table.drop_columns(["StartMJD"]))
