"""Counts images of Chandra, against what the tables say was counted."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.wcs import WCS

from skydex.archive import QueryRequest
from skydex.demo.cameras.noise import poissons


@pytest.fixture(scope="module")
def stacks(archive):
    """Detections by stack, of stacks with ACIS."""
    query = (
        "SELECT detect_stack_id, ra, dec, theta_mean, src_cnts_aper_b, src_cnts_aper_h, src_cnts_aper_u, extent_code"
        " FROM csc21.stack_source WHERE src_cnts_aper_b IS NOT NULL"
    )
    found: dict[str, list[dict[str, object]]] = {}
    for row in rows(archive, query):
        found.setdefault(row["detect_stack_id"], []).append(row)
    return found


def rows(archive, query):
    return archive.query(QueryRequest(query)).to_arrow().to_pylist()


def image_of(archive, name):
    images = archive.images()
    return images.open(images.get(name))


def whole(image):
    ny, nx = image.shape
    return image.pixels.read(0, ny, 0, nx)


def background_of(image):
    """Counts in a pixel of the background."""
    return np.minimum(image.pixels.read(900, 1100, 900, 1100), 3).mean()


def aperture_px(row):
    return (1.8 + 0.22 * row["theta_mean"] ** 2) / 0.492


def around(image, row, factor):
    """Counts of the pixels about a source, and their distances from it in pixels."""
    x, y = (float(axis) for axis in WCS(image.pixels.header).all_world2pix(row["ra"], row["dec"], 0))
    reach = int(np.ceil(factor * aperture_px(row))) + 1
    x0, y0 = int(np.rint(x)) - reach, int(np.rint(y)) - reach
    values = image.pixels.read(y0, y0 + 2 * reach + 1, x0, x0 + 2 * reach + 1)
    line, column = np.indices(values.shape)
    return values, np.hypot(column + x0 - x, line + y0 - y)


def is_alone(row, others):
    """Whether no other source is near its aperture."""
    least_deg = 5 * aperture_px(row) * 0.492 / 3600
    shrink = np.cos(np.radians(row["dec"]))
    return not any(
        other is not row and np.hypot((other["ra"] - row["ra"]) * shrink, other["dec"] - row["dec"]) < least_deg
        for other in others
    )


def test_every_row_of_the_table_of_images_has_its_image(archive):
    table = rows(archive, "SELECT image_id, n_pixels, exposure, t_min FROM csc21.image")
    images = {row["name"]: row for row in rows(archive, "SELECT name, s_xel1, t_exptime, t_min FROM csc21.images")}
    assert {row["image_id"] for row in table} == set(images)
    for row in table:
        image = images[row["image_id"]]
        assert image["s_xel1"] == row["n_pixels"]
        assert image["t_exptime"] == pytest.approx(row["exposure"])
        assert image["t_min"] == pytest.approx(row["t_min"], abs=1e-6)


@pytest.mark.parametrize("band", "bhu")
def test_apertures_hold_the_counts_of_the_catalogue(archive, stacks, band):
    seen, expected = [], []
    for stack, sources in list(stacks.items())[:10]:
        image = image_of(archive, f"{stack}_{band}")
        rate = background_of(image)
        for row in sources:
            if is_alone(row, sources) and row["extent_code"] == 0:
                values, away = around(image, row, 1.0)
                background = rate * (away <= aperture_px(row)).sum()
                seen.append(values[away <= aperture_px(row)].sum() - background)
                expected.append(row[f"src_cnts_aper_{band}"])
    seen, expected = np.array(seen), np.array(expected)
    assert len(seen) > 25
    assert seen.sum() == pytest.approx(0.97 * expected.sum(), rel=0.04, abs=40)
    assert np.mean(np.abs(seen - expected) < 3 * np.sqrt(expected + 6)) > 0.97


def test_the_broad_band_is_the_sum_of_its_parts(archive, stacks):
    stack = next(iter(stacks))
    broad, *parts = (image_of(archive, f"{stack}_{band}").pixels.read(800, 1300, 800, 1300) for band in "bhms")
    assert np.array_equal(broad, sum(parts))
    assert broad.sum() > 0


def test_off_the_axis_photons_are_spread_farther(archive, stacks):
    spread = {"near": [], "far": []}
    for stack, sources in list(stacks.items())[:20]:
        image = image_of(archive, f"{stack}_b")
        for row in sources:
            if row["src_cnts_aper_b"] > 40 and row["extent_code"] == 0 and is_alone(row, sources):
                values, away = around(image, row, 1.0)
                kind = "near" if row["theta_mean"] < 3 else "far" if row["theta_mean"] > 6 else None
                if kind:
                    order = np.argsort(away, axis=None)
                    running = np.cumsum(values.ravel()[order])
                    spread[kind].append(away.ravel()[order][np.searchsorted(running, running[-1] / 2)] * 0.492)
    assert np.median(spread["near"]) < 1.2
    assert 2.5 < np.median(spread["far"]) < 7.0


def test_background_is_poisson_where_a_detector_was_and_nothing_elsewhere(archive):
    names = rows(
        archive, "SELECT TOP 1 name FROM csc21.images WHERE n_exposures = 1 AND filter = 'b' ORDER BY t_exptime DESC"
    )
    image = image_of(archive, names[0]["name"])
    values = whole(image)
    seen = values > 0
    corners = [values[:20, :20], values[:20, -20:], values[-20:, :20], values[-20:, -20:]]
    assert sum(corner.sum() for corner in corners) <= 20  # a turned square leaves corners, or shows little there
    middle = values[300:1800, 300:1800]
    quiet = middle[np.abs(middle) < 4]
    assert quiet.var() == pytest.approx(quiet.mean(), rel=0.25)
    assert seen.any()
    assert values.dtype == np.int32


@pytest.mark.parametrize("mean", [0.003, 0.7, 12.0, 80.0])
def test_counts_are_poisson_variates(mean):
    counts = poissons(7, np.arange(400_000, dtype=np.uint64), np.full(400_000, mean))
    assert counts.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / 400_000) + 1e-3 * mean)
    assert counts.var() == pytest.approx(mean, rel=0.02 if mean > 0.1 else 0.1)
    assert (counts == 0).mean() == pytest.approx(np.exp(-mean), abs=0.003)


def test_a_section_has_the_same_values_whatever_else_is_read(archive, stacks):
    image = image_of(archive, f"{next(iter(stacks))}_b")
    assert np.array_equal(whole(image)[700:900, 1000:1150], image.pixels.read(700, 900, 1000, 1150))


def test_printed_sources_of_ngc_1333_are_in_their_images(archive):
    printed = rows(archive, "SELECT ra, dec FROM csc21.cone WHERE flux_aper_b > 1e-14 AND 1 = CONTAINS("
                   "POINT('ICRS', ra, dec), CIRCLE('ICRS', 52.297, 31.31, 0.0333))")  # fmt: skip
    images = rows(archive, "SELECT name FROM csc21.images WHERE filter = 'b' AND 1 = CONTAINS("
                  "POINT('ICRS', s_ra, s_dec), CIRCLE('ICRS', 52.297, 31.31, 0.1))")  # fmt: skip
    assert printed
    image = image_of(archive, images[0]["name"])
    for row in printed:
        values, away = around(image, {**row, "theta_mean": 2.0}, 1.0)
        assert values[away < 6].sum() > 5
