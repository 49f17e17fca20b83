"""The simulated sky of Pan-STARRS1: how many objects, detected how often, and what belongs to whom."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from skydex.demo.ps1.fields import fields_of
from skydex.demo.ps1.means import means_of
from skydex.demo.ps1.names import names_of
from skydex.demo.ps1.published import published_objects
from skydex.demo.ps1.sky import simulate_field
from skydex.demo.size import SIZES, parse_size


@pytest.fixture(scope="module")
def cone():
    """The cone about M87 as the document has it."""
    return simulate_field(next(fields_of(SIZES["seed"])), 1)


def test_cone_about_m87_has_the_objects_of_the_document_and_as_much_junk_as_the_survey(cone):
    n = np.bincount(cone.detections.owner, minlength=len(cone.objects))
    assert n.min() == 1
    assert np.count_nonzero(n > 1) == 6000
    assert np.mean(n == 1) == pytest.approx(0.45, abs=1e-3)
    place = SkyCoord(cone.objects.ra_deg, cone.objects.dec_deg, unit="deg")
    assert place.separation(SkyCoord(187.706, 12.391, unit="deg")).deg.max() < 0.2 + 0.001


def test_identifiers_are_unique_and_simulated_ones_unlike_real_ones(cone):
    for identifiers, is_real in (
        (cone.objects.object_id, cone.objects.printed >= 0),
        (cone.detections.detection_id, cone.detections.printed >= 0),
    ):
        assert len(np.unique(identifiers)) == len(identifiers)
        assert identifiers[~is_real].min() > 3e17  # real ones of objects end at 2.2e17, of detections near 2.9e17
    assert published_objects().object_id.max() < 2.2e17


def test_printed_objects_have_as_many_detections_as_they_count():
    for field in fields_of(SIZES["tiny"]):
        sky = simulate_field(field, 1)
        counts = np.zeros((len(sky.objects), 5), dtype=int)
        np.add.at(counts, (sky.detections.owner, sky.detections.band), 1)
        real = sky.objects.printed >= 0
        np.testing.assert_array_equal(counts[real], sky.known.counts[sky.objects.printed[real]])


def test_same_seed_gives_the_same_sky_and_another_another():
    field = next(fields_of(SIZES["tiny"]))
    one, same, other = (simulate_field(field, seed) for seed in (1, 1, 2))
    for name in ("flux", "mjd", "quality", "detection_id"):
        np.testing.assert_array_equal(getattr(one.detections, name), getattr(same.detections, name))
    assert not np.array_equal(one.detections.flux[:20], other.detections.flux[:20])


def test_beyond_the_document_there_is_more_sky_in_cells_that_need_no_other():
    fields = list(fields_of(parse_size("1e8")))
    cells = [field for field in fields if field.pixel is not None]
    assert sum(field.n_objects for field in fields) == pytest.approx(1e8 / 407_806 * 6000, rel=0.02)
    assert len({field.number for field in fields}) == len(fields)
    sky = simulate_field(dataclasses.replace(cells[5], n_objects=300), 1)
    place = SkyCoord(sky.objects.ra_deg, sky.objects.dec_deg, unit="deg")
    assert place.separation(SkyCoord(cells[5].ra_deg, cells[5].dec_deg, unit="deg")).deg.max() < 0.6


def test_means_are_those_of_the_true_sky_within_their_errors(cone):
    means = means_of(cone)
    quiet = (cone.objects.printed < 0) & (cone.objects.variability.kind == 0) & ~cone.objects.is_junk
    for band in range(5):
        found = means.magnitudes["PSF"]
        mag, error, n_used = (getattr(found, name)[band::5] for name in ("mag", "error", "n_used"))
        good = quiet & (n_used > 5) & (cone.objects.mag[:, band] < [20.5, 20.3, 20.0, 19.4, 18.2][band])
        pull = (mag - cone.objects.mag[:, band])[good] / error[good]
        assert np.count_nonzero(good) > 100
        assert abs(np.median(pull)) < 0.15
        assert 0.8 < np.percentile(np.abs(pull), 68.3) < 1.25
    offset = np.hypot(
        (means.ra_deg - cone.objects.ra_deg) * np.cos(np.radians(12.4)), means.dec_deg - cone.objects.dec_deg
    )
    assert np.median(offset[quiet]) * 3600 < 0.05


def test_most_masked_detections_are_told_by_their_quality(cone):
    masked = cone.detections.artifact == 1
    assert np.mean(masked) == pytest.approx(0.06, abs=0.005)
    assert cone.detections.quality[masked].max() <= 0.95


@pytest.mark.parametrize(("ra", "dec"), [(187.7059, 12.3911), (0.0, -0.0001), (359.99999, -29.9), (15.0, 89.9999)])
def test_names_are_positions_cut_off(ra, dec):
    place = SkyCoord(ra, dec, unit="deg")
    written = place.to_string("hmsdms", sep="", precision=6)
    hours, degrees = (text[:-3] for text in written.split())
    assert names_of(np.array([ra]), np.array([dec]), np.array(["SIM"])).to_pylist() == [f"SIM J{hours}{degrees}"]
