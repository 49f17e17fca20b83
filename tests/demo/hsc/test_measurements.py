from dataclasses import fields

import numpy as np
import pytest
from astropy.wcs import WCS

from skydex.demo.hsc import FIELDS, fields_of, get_field, images_of, measure, sky_of
from skydex.demo.size import SIZES, Size
from skydex.sky import separation_deg


def wcs_of(image):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [image.ra, image.dec]
    wcs.wcs.crpix = [image.crpix, image.crpix]
    wcs.wcs.cd = image.cd
    return wcs


@pytest.mark.parametrize("field", ["ic1613", "smc", "bulge"])
def test_pixels_of_an_image_are_those_of_its_wcs(field):
    image = images_of(get_field(field), 1)[0]
    x, y = np.array([1.0, 37.5, image.naxis]), np.array([image.naxis, 800.25, 1.0])
    ra, dec = image.positions(x, y)
    expected = wcs_of(image).wcs_pix2world(x, y, 1)
    np.testing.assert_allclose([ra, dec], expected, rtol=0, atol=1e-10)
    np.testing.assert_allclose(image.pixels(ra, dec), [x, y], rtol=0, atol=1e-6)


def test_footprint_goes_round_its_image():
    image = images_of(get_field("ic1613"), 1)[0]
    corners = wcs_of(image).calc_footprint(axes=(image.naxis, image.naxis))
    found = image.footprint()
    assert np.abs(found[:, None] - corners[None]).sum(axis=2).min(axis=1).max() < 2e-5
    east, north = (found - found.mean(axis=0)).T
    assert (east * np.roll(north, -1) - np.roll(east, -1) * north > 0).all()


def test_printed_epochs_are_the_images_of_ic_1613():
    images = [image for image in images_of(get_field("ic1613"), 1) if image.filter == "F475W"]
    assert len(images) == 12
    assert images[0].name == "hst_10505_07_acs_wfc_f475w"
    assert (images[0].start_mjd, images[-1].start_mjd) == (53965.29153, 53967.62263)
    both = images_of(get_field("ic1613"), 1)
    assert max(image.stop_mjd for image in both if image.prop_id == 10505) == pytest.approx(53967.71941)


def test_images_have_names_of_their_own_in_copies_of_fields_too():
    fields = fields_of(Size("3", 3.0))
    assert len(fields) == 3 * len(FIELDS)
    images = [image for field in fields for image in images_of(field, 1)]
    assert len({image.name for image in images}) == len(images)
    assert len({image.image_id for image in images}) == len(images)
    assert len({field.group_id for field in fields if field.copy}) == 2 * len(FIELDS)


def test_copies_of_fields_are_elsewhere_and_as_large():
    near, far = get_field("uds"), fields_of(Size("2", 2.0))[len(FIELDS) + FIELDS.index(get_field("uds"))]
    first, other = (measure(field, Size("2", 2.0), 1) for field in (near, far))
    assert separation_deg(first.ra[:1], first.dec[:1], far.ra, far.dec)[0] > 1
    assert separation_deg(other.ra, other.dec, far.ra, far.dec).max() < 0.1
    assert abs(len(first) / len(other) - 1) < 0.1


def test_measuring_twice_gives_the_same():
    field = get_field("ddo210")
    first, again, other = (measure(field, SIZES["tiny"], seed) for seed in (1, 1, 2))
    for column in fields(first):
        np.testing.assert_array_equal(getattr(first, column.name), getattr(again, column.name))
    assert not np.array_equal(first.mag_aper2[:50], other.mag_aper2[:50])


def test_most_errors_are_what_the_extractor_says():
    rows = measure(get_field("ddo210"), SIZES["demo"], 1)
    clean = (rows.artifact == 0) & (rows.mag_aper2 > 25) & (rows.mag_aper2 < 26)
    pulls = (rows.mag_aper2 - rows.mag_true)[clean] / rows.mag_err[clean]
    assert 0.9 < 1.4826 * np.median(np.abs(pulls - np.median(pulls))) < 1.2


def test_variables_vary_and_others_do_not():
    sky = sky_of(get_field("ddo210"), SIZES["demo"], 1)
    rows = measure(sky.field, SIZES["demo"], 1)
    first = sky.images[0].filter
    ours = np.array([image.filter == first for image in sky.images])[rows.image] & (rows.star >= 0)
    spread = np.array(
        [
            np.ptp(np.append(rows.mag_true[ours & (rows.star == star)], sky.stars.magnitudes(4750.0)[star]))
            for star in range(50)
        ]
    )
    assert (spread[np.isin(np.arange(50), sky.variables.star, invert=True)] == 0).all()
