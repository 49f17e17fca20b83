import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from mocpy import MOC

from skydex.errors import UnreadableFileError
from skydex.sky import (
    Cone,
    Polygon,
    coverage_from_fits,
    coverage_of_index29,
    coverage_of_pixels,
    coverage_of_regions,
    coverage_ranges29,
    coverage_to_fits,
    index29,
    sky_fraction,
)


def test_coverage_of_pixels_of_several_orders_is_their_union():
    coverage = coverage_of_pixels([0, 1, 3], [0, 5, 12 * 64 - 1])
    assert coverage == MOC.from_str("0/0 1/5 3/767")
    assert sky_fraction(coverage) == pytest.approx(1 / 12 + 1 / 48 + 1 / 768)


def test_coverage_of_positions_is_what_mocpy_makes_of_them(sky):
    ra, dec = sky
    coverage = coverage_of_index29(np.append(index29(ra, dec), -1), 9)
    assert coverage == MOC.from_lonlat(ra * u.deg, dec * u.deg, max_norder=9)
    assert coverage.contains_lonlat(ra * u.deg, dec * u.deg).all()


def test_coverage_of_nothing_is_empty_and_keeps_its_order():
    coverage = coverage_of_index29([-1], 7)
    assert sky_fraction(coverage) == 0.0
    assert coverage.max_order == 7
    assert coverage_ranges29(coverage).shape == (0, 2)


def test_ranges_of_a_coverage_are_its_order_29_pixels():
    ranges = coverage_ranges29(coverage_of_pixels([29, 29, 28], [3, 4, 2]))
    assert ranges.tolist() == [[3, 5], [8, 12]]


def test_a_coverage_comes_back_from_fits_and_replaces_what_was_there(tmp_path, sky):
    coverage = coverage_of_index29(index29(*sky), 6)
    path = tmp_path / "Moc.fits"
    coverage_to_fits(coverage_of_pixels(0, [1]), path)
    coverage_to_fits(coverage, path)
    assert coverage_from_fits(path) == coverage
    header = fits.getheader(path, 1)
    assert header["MOCDIM"] == "SPACE"
    assert header["COORDSYS"] == "C"
    assert header["MOCORD_S"] == 6


@pytest.mark.parametrize("name", ["P-GALEXGR6-AIS-FUV.fits", "P-SDSS9-r.fits"])
def test_published_mocs_are_read(name, shared_data):
    path = shared_data / "moc" / name
    coverage = coverage_from_fits(path)
    assert coverage == MOC.from_fits(path)
    assert 0.0 < sky_fraction(coverage) < 1.0


@pytest.mark.parametrize("name", ["STMoc-basic.fits", "TMOC.fits", "uniq-times.csv", "absent.fits"])
def test_what_is_no_space_moc_is_refused_by_name(name, shared_data):
    with pytest.raises(UnreadableFileError, match=name):
        coverage_from_fits(shared_data / "moc" / name)


def test_an_outline_that_cannot_be_filled_does_not_spoil_the_coverage_of_others():
    good = Polygon((10.0, 10.0, 11.0), (20.0, 21.0, 20.0))
    twisted = Polygon(
        (0.49998731, 60.31222159, 60.31222159, 0.49998731), (60.31128293, 40.98206033, 0.24763514, 0.49996827)
    )
    assert coverage_of_regions([good, twisted, good], 8) == coverage_of_regions([good], 8)


def test_outlines_of_different_numbers_of_corners_are_covered_together():
    three = Polygon((10.0, 10.0, 11.0), (20.0, 21.0, 20.0))
    four = Polygon((30.0, 30.0, 31.0, 31.0), (20.0, 21.0, 21.0, 20.0))
    both = coverage_of_regions([three, four], 8)
    assert both == coverage_of_regions([three], 8).union(coverage_of_regions([four], 8))


def test_circles_and_polygons_are_covered_together():
    circle, polygon = Cone(10.0, 20.0, 1.0), Polygon((30.0, 30.0, 31.0), (20.0, 21.0, 20.0))
    coverage = coverage_of_regions([circle, polygon], 8)
    assert coverage.contains_lonlat([10.0, 10.5, 30.2, 50.0] * u.deg, [20.0, 20.5, 20.2, 20.0] * u.deg).tolist() == [
        True, True, True, False,
    ]  # fmt: skip
