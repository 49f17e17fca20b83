from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from astropy import units as u
from astropy.coordinates import Angle, SkyCoord
from hypothesis import given
from hypothesis import strategies as st

from skydex.ingest.angles import degrees, floats, share_of_angles
from skydex.ingest.frames import to_icrs
from skydex.ingest.recipe import AngleUnit, Frame, PositionRecipe

TEXTS = ["05:34:31.94", " 5 34 31.9", "5h34m31.94s", "-00:15:07.5", "+41 16 09", "-58d50m43.5s", "05:34.5", "00 00 00"]


def test_sexagesimal_text_is_read_as_astropy_reads_it() -> None:
    ours = degrees([pa.array(TEXTS)], AngleUnit.SEXAGESIMAL, is_hours=False)
    plain = [text.replace("h", ":").replace("d", ":").replace("m", ":").rstrip("s") for text in TEXTS]
    theirs = [Angle(text.strip(), unit=u.deg).deg for text in plain]
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


@given(st.floats(-89.9999, 89.9999), st.sampled_from([":", " ", "dms"]))
def test_a_declination_survives_being_written_in_sexagesimal(dec_deg: float, separator: str) -> None:
    text = Angle(dec_deg, unit=u.deg).to_string(sep=separator, precision=8, pad=True, alwayssign=True)
    read = degrees([pa.array([text])], AngleUnit.SEXAGESIMAL, is_hours=False)
    np.testing.assert_allclose(read, [dec_deg], atol=2e-12)


def test_what_is_no_angle_is_nan() -> None:
    odd = pa.array(["", None, "bad", "5:61:00", "5:00:61", "1.5", "12:00:00:00"])
    assert np.isnan(degrees([odd], AngleUnit.SEXAGESIMAL, is_hours=True)).all()


def test_hours_count_fifteen_degrees() -> None:
    assert degrees([pa.array(["06:00:00"])], AngleUnit.SEXAGESIMAL, is_hours=True)[0] == 90.0
    assert degrees([pa.array([6.0])], AngleUnit.HOURANGLE, is_hours=True)[0] == 90.0


def test_radians_and_arcseconds_are_degrees_in_the_end() -> None:
    np.testing.assert_allclose(degrees([pa.array([np.pi])], AngleUnit.RAD, is_hours=False), [180.0])
    np.testing.assert_allclose(degrees([pa.array([3600.0])], AngleUnit.ARCSEC, is_hours=False), [1.0])


def test_the_sign_column_of_a_machine_readable_table_holds_for_zero_degrees() -> None:
    sign, d, m, s = pa.array(["-", "+", None]), pa.array([0, 0, 1]), pa.array([15, 15, 0]), pa.array([7.5, 7.5, 0.0])
    np.testing.assert_allclose(
        degrees([sign, d, m, s], AngleUnit.PARTS, is_hours=False), [-0.25208333333, 0.25208333333, 1.0]
    )


def test_numbers_in_text_are_numbers_and_null_is_nan() -> None:
    np.testing.assert_array_equal(floats(pa.array(["+1.5", " 2", "x", None])), [1.5, 2.0, np.nan, np.nan])


def test_plain_decimals_are_not_taken_for_sexagesimal() -> None:
    assert share_of_angles(pa.array(["12.5", "13"]), AngleUnit.SEXAGESIMAL) == 0
    assert share_of_angles(pa.array(["", None], pa.string()), AngleUnit.SEXAGESIMAL) == 0
    assert share_of_angles(pa.array(["12:30:01", None, " "]), AngleUnit.SEXAGESIMAL) == 1
    assert share_of_angles(pa.array(["12:30:01", "unknown"]), AngleUnit.SEXAGESIMAL) == 0.5


@pytest.mark.parametrize(
    ("frame", "equinox", "theirs"),
    [
        (Frame.GALACTIC, None, "galactic"),
        (Frame.FK4, None, "fk4"),
        (Frame.FK5, "J1975", "fk5"),
        (Frame.ECLIPTIC, None, "barycentricmeanecliptic"),
    ],
)
def test_other_frames_become_icrs_as_astropy_does_it(frame: Frame, equinox: str | None, theirs: str) -> None:
    rng = np.random.default_rng(4)
    lon, lat = rng.uniform(0, 360, 50), rng.uniform(-90, 90, 50)
    options = {} if equinox is None else {"equinox": equinox}
    truth = SkyCoord(lon * u.deg, lat * u.deg, frame=theirs, **options).icrs
    ra, dec = to_icrs(lon, lat, PositionRecipe(("x",), ("y",), frame=frame, equinox=equinox))
    assert truth.separation(SkyCoord(ra * u.deg, dec * u.deg)).max() < 1e-9 * u.deg


def test_an_impossible_latitude_does_not_stop_a_conversion() -> None:
    position = PositionRecipe(("l",), ("b",), frame=Frame.GALACTIC)
    ra, dec = to_icrs(np.array([0.0, 10.0, np.nan]), np.array([0.0, 91.0, 0.0]), position)
    np.testing.assert_array_equal(np.isnan(ra), [False, True, True])
    assert dec[0] == pytest.approx(-28.936178, abs=1e-6)
