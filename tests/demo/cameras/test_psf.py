"""Frames of the PSF databases, against the tables that say which stars are in them."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.wcs import WCS

from skydex.archive import QueryRequest
from skydex.demo.cameras.psf import open_image
from skydex.demo.cameras.psf.registered import frames

SUFFIX = {"UVIS": "flt", "IR": "flt", "WFPC2": "c0m"}


@pytest.fixture(scope="module")
def opened(pictured):
    return {(frame.name, frame.hdu): (frame, open_image(pictured, "", frame.access)) for frame in frames(pictured)}


@pytest.fixture(scope="module")
def stars(archive, pictured):
    """Rows of all tables, by detector, each with what is true of the star."""
    truth = {row["id"]: row for row in pq.read_table(pictured / "truth" / "psf_sources.parquet").to_pylist()}
    tables = {name: archive.query(QueryRequest(f"SELECT * FROM psf.{name}")).to_arrow().to_pylist() for name in SUFFIX}
    return {name: [{**truth[row["id"]], **row} for row in rows] for name, rows in tables.items()}


def frame_of(opened, row, suffix=None):
    """Frame and pixels as the tools of the databases name them."""
    detector = row["detector"]
    chip = int(row["chip"])
    hdu = (4 if chip == 1 and not row["subarray"] else 1) if detector == "UVIS" else chip
    return opened[f"{row['rootname']}_{suffix or SUFFIX[detector]}", hdu]


def stamp(pixels, x, y, size=51):
    return pixels.read(y - size // 2, y + size // 2 + 1, x - size // 2, x + size // 2 + 1)


def is_inside(row, frame, size=51):
    ny, nx = frame.seen
    return size // 2 <= row["x_cal"] < nx - size // 2 and size // 2 <= row["y_cal"] < ny - size // 2


def is_alone(row, others, share=0.01):
    """Whether no other star matters within a stamp and its surroundings."""
    return not any(
        other["rootname"] == row["rootname"]
        and other["chip"] == row["chip"]
        and other["id"] != row["id"]
        and other["flux"] > share * row["flux"]
        and max(abs(other["x"] - row["x"]), abs(other["y"] - row["y"])) < 76
        for other in others
    )


@pytest.mark.parametrize("detector", SUFFIX)
def test_the_stamp_of_a_star_has_its_flux_in_the_middle(opened, stars, detector):
    rows = stars[detector]
    ratios, offsets = [], []
    for row in rows:
        frame, pixels = frame_of(opened, row)
        if row["qfit"] > 0 and row["flux"] > 2e4 and is_inside(row, frame) and is_alone(row, rows):
            background = frame.sky / (frame.exptime if detector == "IR" else 1.0)
            light = stamp(pixels, row["x_cal"], row["y_cal"]) - background
            ratios.append(light.sum() / row["psf_flux"])
            core = light[20:31, 20:31]
            about = np.arange(-5, 6) / core.sum()
            place = core.sum(axis=0) @ about + row["x_cal"], core.sum(axis=1) @ about + row["y_cal"]
            offsets.append((place[0] - row["x"], place[1] - row["y"]))
    assert len(ratios) >= 4
    assert np.median(ratios) == pytest.approx(0.99, abs=0.01)  # the rest is farther out
    assert np.std(ratios) < 0.05
    assert np.median(offsets, axis=0) == pytest.approx((0, 0), abs=0.05)


@pytest.mark.parametrize("detector", SUFFIX)
def test_a_saturated_star_has_full_pixels_and_another_has_none(opened, stars, detector):
    rows = [row for row in stars[detector] if is_alone(row, stars[detector])]
    rows = [row for row in rows if is_inside(row, frame_of(opened, row)[0])]
    assert len(rows) >= 4
    for row in rows:
        frame, pixels = frame_of(opened, row)
        full = frame.whole.full_well / (frame.exptime if detector == "IR" else 1.0)
        brightest = stamp(pixels, row["x_cal"], row["y_cal"], 5).max()
        assert (brightest == pytest.approx(full)) == (row["n_sat_pixels"] > 0)


@pytest.mark.parametrize("detector", SUFFIX)
def test_the_central_pixel_is_as_bright_as_the_table_says(opened, stars, detector):
    pulls = []
    for row in stars[detector]:
        frame, pixels = frame_of(opened, row)
        if is_inside(row, frame) and row["flux"] > 5e3 and is_alone(row, stars[detector], share=0.1):
            time = frame.exptime if detector == "IR" else 1.0
            found = (stamp(pixels, row["x_cal"], row["y_cal"], 1)[0, 0] * time) - frame.sky
            central = row["pixc"] * time
            noise = np.sqrt(central + frame.sky + frame.camera.read_noise**2 + (0.02 * central) ** 2)
            if row["qfit"] > 0:
                pulls.append((found - central) / noise)
            else:
                assert central == frame.whole.full_well
    assert len(pulls) >= 4
    assert abs(np.median(pulls)) < 3 / np.sqrt(len(pulls)) + 0.2
    assert np.max(np.abs(pulls)) < 5


def test_charge_that_spills_over_stays_in_its_column(opened, stars):
    rows = [row for row in stars["UVIS"] if is_inside(row, frame_of(opened, row)[0], 101)]
    row = max(rows, key=lambda row: row["flux"])
    frame, pixels = frame_of(opened, row)
    light = stamp(pixels, row["x_cal"], row["y_cal"], 99).astype(float)
    full = light >= frame.whole.full_well
    assert full.any(axis=1).sum() > 1.5 * full.any(axis=0).sum()
    assert (light - frame.sky).sum() == pytest.approx(row["flux"], rel=0.03)


def test_raw_and_calibrated_files_show_a_star_where_the_table_says(opened, stars):
    for detector, raw in (("UVIS", "raw"), ("IR", "raw"), ("WFPC2", "d0m")):
        row = next(row for row in stars[detector] if is_inside(row, frame_of(opened, row)[0]) and row["qfit"] > 0)
        frame, pixels = frame_of(opened, row, raw)
        units = stamp(pixels, row["x_raw"], row["y_raw"])
        calibrated = stamp(frame_of(opened, row)[1], row["x_cal"], row["y_cal"])
        electrons = calibrated * (frame.exptime if detector == "IR" else 1.0)
        assert units.dtype == np.int32
        assert np.abs(units - frame.camera.bias - electrons / frame.camera.gain).max() <= 1.0


def test_overscan_sees_no_light(opened):
    frame, pixels = opened["ibc302ioq_raw", 4]
    assert pixels.shape == (2070, 4206)
    for y0, y1, x0, x1 in ((100, 140, 0, 25), (100, 140, 25 + 2048, 25 + 2048 + 60), (0, 19, 100, 140)):
        values = pixels.read(y0, y1, x0, x1)
        assert values.mean() == pytest.approx(frame.camera.bias, abs=0.5)
        assert values.std() == pytest.approx(frame.camera.read_noise / frame.camera.gain, rel=0.15)


def test_the_published_stamp_has_its_star_in_the_middle_and_pixels_below_zero(opened):
    _, pixels = opened["ibc302ioq_flt", 1]
    row = np.array(stamp(pixels, 101, 101))
    assert row.shape == (51, 51)
    assert (row <= 0).any()
    y, x = np.unravel_index(row.argmax(), row.shape)
    assert max(abs(y - 25), abs(x - 25)) <= 1


def test_a_section_has_the_same_values_whatever_else_is_read(opened):
    for name, hdu in (("ibc302ioq_flt", 1), ("ibc302ioq_raw", 4)):
        _, pixels = opened[name, hdu]
        assert np.array_equal(pixels.read(40, 240, 2000, 2160)[30:80, 50:90], pixels.read(70, 120, 2050, 2090))


def test_positions_of_the_table_are_those_of_the_pixels(opened, stars):
    for row in (row for rows in stars.values() for row in rows[:40]):
        _, pixels = frame_of(opened, row)
        x, y = WCS(pixels.header).all_world2pix(row["ra"], row["dec"], 0)
        assert (x, y) == pytest.approx((row["x"], row["y"]), abs=1e-3)


def test_background_and_noise_are_those_of_the_exposure(opened):
    for (name, hdu), (frame, pixels) in opened.items():
        if name.endswith(("flt", "c0m")) and frame.n_stars < 600 and hdu == 1:
            values = pixels.read(0, 200, 0, 200) * (frame.exptime if frame.detector == "IR" else 1.0)
            assert np.median(values) == pytest.approx(frame.sky, abs=0.6 + 0.1 * frame.sky)


def test_header_says_that_it_is_simulated_and_what_it_imitates(opened):
    header = opened["ibc302ioq_flt", 1][1].header
    assert header["SIMULATE"] is True
    assert header["ORIGIN"] == "SIMULATED"
    assert (header["INSTRUME"], header["DETECTOR"], header["FILTER"]) == ("WFC3", "UVIS", "F814W")
