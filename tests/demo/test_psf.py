"""The simulated PSF databases, against what the tools for the real ones rely on."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from skydex.demo.columns import read_columns
from skydex.demo.psf import simulate_psf
from skydex.demo.size import SIZES, parse_size

DETECTORS = ["UVIS", "IR", "WFPC2"]
COMMON = (
    "id rootname aperture psf_x_center psf_y_center chip psf_flux sky qfit pixc n_sat_pixels x_raw y_raw x_cal y_cal"
)
COMMON += " subarray midexp mjd date exptime focus"


def made(size, seed=1):
    tables = simulate_psf(size, seed)
    return {table.name.partition(".")[2]: pa.Table.from_batches(list(table.batches)) for table in tables}


@pytest.fixture(scope="module")
def stars():
    return made(SIZES["tiny"])


def example(table):
    """The filters of the published query."""
    inside = [(pc.field(name) >= 100) & (pc.field(name) <= 102) for name in ("psf_x_center", "psf_y_center")]
    return table.filter(inside[0] & inside[1] & (pc.field("n_sat_pixels") == 0))


@pytest.mark.parametrize("size", ["300", "tiny", "100000"])
def test_the_published_query_finds_six_stars_in_an_archive_of_any_size(size):
    found = example(made(parse_size(size))["UVIS"])
    assert found.num_rows == 6
    assert len(set(found["rootname"].to_pylist())) == 6
    (printed,) = found.filter(pc.field("id") == 8184981).to_pylist()
    assert (printed["rootname"], printed["filter"], printed["chip"]) == ("ibc302ioq", "F814W", "2")
    assert min(found["qfit"].to_pylist()) > 0
    assert set(found["subarray"].to_pylist()) == {0}
    assert found["x_cal"].equals(found["psf_x_center"])


def test_rows_share_a_million_like_the_databases(stars):
    counts = [stars[name].num_rows for name in DETECTORS]
    assert sum(counts) == 10_000
    assert counts == pytest.approx([10_000 * n / 83.5 for n in (33, 25.5, 25)], abs=1)


@pytest.mark.parametrize(
    ("detector", "own"), [("UVIS", "filter proptype"), ("IR", "filter proptype"), ("WFPC2", "filter_1 filter_2")]
)
def test_columns_are_those_that_the_tools_know(detector, own):
    columns = {column.name: column for column in read_columns(f"psf/{detector}")}
    assert {*COMMON.split(), *own.split()} <= set(columns)
    assert ("proptype" in columns) == (detector != "WFPC2")
    assert columns["chip"].datatype.is_text
    assert all(columns[name].datatype.is_integer for name in ("id", "x_raw", "y_raw", "x_cal", "y_cal", "subarray"))


@pytest.mark.parametrize(("detector", "share"), [("UVIS", 3 / 33), ("IR", 0.2 / 25.5), ("WFPC2", 10 / 25)])
def test_a_saturated_star_has_no_quality_of_fit_and_others_have_one(stars, detector, share):
    is_saturated = stars[detector]["n_sat_pixels"].to_numpy() > 0
    assert np.array_equal(stars[detector]["qfit"].to_numpy() == 0, is_saturated)
    assert is_saturated.mean() == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize(
    ("detector", "chips", "size"),
    [("UVIS", "12", (4096, 2051)), ("IR", "1", (1014, 1014)), ("WFPC2", "1234", (800, 800))],
)
def test_centres_lie_in_the_files_of_their_chips(stars, detector, chips, size):
    table = stars[detector]
    assert set(table["chip"].to_pylist()) == set(chips)
    for axis, most in zip("xy", size, strict=True):
        assert pc.min(table[f"{axis}_cal"]).as_py() >= 0
        assert pc.max(table[f"{axis}_cal"]).as_py() < most
        overscan = pc.subtract(table[f"{axis}_raw"], table[f"{axis}_cal"]).to_pylist()
        assert set(overscan) <= {"UVIS": {0, 19, 25, 85}, "IR": {5}, "WFPC2": {0}}[detector]


def test_truth_tells_each_star_to_a_fraction_of_a_pixel(stars):
    for detector in DETECTORS:
        truth = stars["psf_sources"].filter(pc.field("detector") == detector)
        both = stars[detector].join(truth, "id", right_suffix="_true")
        assert pc.count_distinct(both["id"]).as_py() == both.num_rows == truth.num_rows
        for axis in "xy":
            apart = pc.subtract(both[axis], both[f"{axis}_cal"]).to_numpy()
            assert np.abs(apart).max() <= 0.5
            assert np.std(apart) == pytest.approx(np.sqrt(1 / 12), abs=0.02)


def test_exposures_are_those_of_the_stars(stars):
    exposures = stars["psf_exposures"]
    assert pc.count_distinct(exposures["rootname"]).as_py() == exposures.num_rows
    assert pc.all(pc.match_substring_regex(exposures["rootname"], r"^[iu][0-9a-z]{7}q$")).as_py()
    found = pa.concat_tables([stars[name].select(["rootname"]) for name in DETECTORS])
    assert dict(zip(*(column.to_pylist() for column in found["rootname"].value_counts().flatten()), strict=True)) == {
        row["rootname"]: row["n_stars"] for row in exposures.to_pylist() if row["n_stars"]
    }


def test_ids_are_beyond_those_of_real_stars_but_for_the_printed_one(stars):
    small = [n for name in DETECTORS for n in stars[name]["id"].to_pylist() if n < 9_000_000_000_000]
    assert small == [8184981]


def test_the_same_seed_gives_the_same_stars(stars):
    assert all(made(SIZES["tiny"])[name].equals(stars[name]) for name in DETECTORS)
    assert not made(SIZES["tiny"], 2)["IR"].equals(stars["IR"])
