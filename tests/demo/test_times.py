import numpy as np
from astropy.time import Time

from skydex.demo.times import timestamps


def test_dates_are_those_of_the_modified_julian_dates():
    mjd = np.array([40_586.99, 51_544.5, 56_000.123456, 60_676.0])
    dates = Time(timestamps(mjd), scale="utc")
    assert np.abs(dates.mjd - mjd).max() * 86_400 <= 0.5 + 1e-4


def test_one_date_is_written_as_iso_8601():
    assert str(timestamps(53_965.29153)) == "2006-08-18T06:59:48"
