"""What headers say, in the words of ObsCore."""

import math

import pytest
from astropy.io import fits
from astropy.time import Time

from skydex.images import facts_of

ACS = {
    "TELESCOP": "HST",
    "INSTRUME": "ACS",
    "DETECTOR": "WFC",
    "FILTER1": "CLEAR1L",
    "FILTER2": "F606W",
    "TARGNAME": "NGC104",
    "PROPOSID": 10775,
    "EXPSTART": 53436.28571938,
    "EXPEND": 53436.29034901,
    "EXPTIME": 400.0,
    "BUNIT": "ELECTRONS",
    "NCOMBINE": 2,
}


def facts(**cards):
    return facts_of(fits.Header(list(cards.items())))


def test_a_header_of_hubble():
    found = facts(**ACS)
    assert found["facility_name"] == "HST"
    assert found["instrument_name"] == "ACS/WFC"
    assert found["filter"] == "F606W"
    assert found["target_name"] == "NGC104"
    assert found["proposal_id"] == "10775"
    assert (found["t_min"], found["t_max"], found["t_exptime"]) == (53436.28571938, 53436.29034901, 400.0)
    assert found["o_ucd"] == "phot.count"
    assert (found["n_exposures"], found["calib_level"]) == (2, 3)
    # ACS Instrument Handbook, table 5.1: F606W is centred on 5907 Angstrom and 2342 Angstrom wide.
    assert found["em_min"] == pytest.approx((5907 - 1171) * 1e-10)
    assert found["em_max"] == pytest.approx((5907 + 1171) * 1e-10)


def test_what_a_header_does_not_say_is_left_out():
    assert facts() == {}
    assert facts(EXPTIME=-1.0, EXPSTART=0.0, OBJECT="  ", FILTER="CLEAR", BUNIT="") == {}


@pytest.mark.parametrize(
    ("cards", "moment"),
    [
        ({"DATE-OBS": "2007-10-11T13:12:05.560"}, "2007-10-11T13:12:05.560"),
        ({"DATE-OBS": "2011-09-12", "TIME-OBS": "18:22:23"}, "2011-09-12T18:22:23"),
        ({"DATE-OBS": "05/04/87"}, "1987-04-05T00:00:00"),
        ({"DATE-OBS": "1951-08-09T09:60:00"}, "1951-08-09T10:00:00"),
        ({"MJD-OBS": 54384.18627436, "DATE-OBS": "1999-01-01"}, Time(54384.18627436, format="mjd").isot),
    ],
)
def test_moments_are_read_as_observatories_write_them(cards, moment):
    assert facts(**cards)["t_min"] == pytest.approx(Time(moment).mjd, abs=1e-7)


@pytest.mark.parametrize("text", ["yesterday", "2011-13-40", "99/99/99", ""])
def test_a_date_that_cannot_be_is_left_out(text):
    assert "t_min" not in facts(**{"DATE-OBS": text})


def test_the_end_follows_from_the_exposure():
    assert facts(**{"MJD-OBS": 50000.0, "EXPTIME": 864.0})["t_max"] == pytest.approx(50000.01)


def test_plates_of_the_dss_count_minutes():
    assert facts(PLTLABEL="E123", EXPOSURE=70.0)["t_exptime"] == 4200.0


def test_chandra_counts_live_seconds_and_energies():
    found = facts(TELESCOP="CHANDRA", INSTRUME="ACIS", EXPTIME=3.2, EXPOSURE=17990.1, BAND="hard")
    assert found["t_exptime"] == 17990.1
    # 2 to 7 keV are 6.2 to 1.77 Angstrom.
    assert (found["em_min"], found["em_max"]) == (
        pytest.approx(1.771e-10, rel=1e-3),
        pytest.approx(6.199e-10, rel=1e-3),
    )


@pytest.mark.parametrize(
    ("cards", "middle_nm"),
    [
        ({"INSTRUME": "WFC3", "DETECTOR": "IR", "TELESCOP": "HST", "FILTER": "F160W"}, 1537),
        ({"INSTRUME": "WFC3", "DETECTOR": "UVIS", "TELESCOP": "HST", "FILTER": "F814W"}, 802),
        ({"INSTRUME": "ACS_HRC", "FILTER": "f606w"}, 591),
        ({"INSTRUME": "NIRCAM", "FILTER": "F444W"}, 4440),
        ({"INSTRUME": "WFPC2", "FILTNAM1": "F702W"}, 687),
        ({"HIERARCH FPA.FILTERID": "g.00000"}, 482),
        ({"ORIGIN": "SDSS", "FILTER": "g"}, 477),
        ({"FILTER": "z SDSS c6020"}, 913),
        ({"TELESCOP": "UKIRT", "INSTRUME": "WFCAM", "FILTER": "K"}, 2201),
        ({"BAND": "K"}, 2190),
        ({"FILTER": "I"}, 798),
        ({"INSTRUME": "IRAC", "CHNLNUM": 2}, 4490),
        ({"TELESCOP": "Palomar Schmidt", "FILTER": "plexi", "SURVEY": "POSSI-E"}, 645),
    ],
)
def test_filters_tell_wavelengths(cards, middle_nm):
    found = facts(**cards)
    assert (found["em_min"] + found["em_max"]) / 2 * 1e9 == pytest.approx(middle_nm, abs=1)


def test_an_unknown_filter_has_a_name_and_no_wavelengths():
    found = facts(FILTER="my own")
    assert found["filter"] == "my own"
    assert "em_min" not in found


def test_a_scale_and_a_turn_become_a_matrix():
    turn = math.radians(30)
    found = facts(CDELT1=-1e-4, CDELT2=2e-4, CROTA2=30.0)
    matrix = [found[key] for key in ("cd1_1", "cd1_2", "cd2_1", "cd2_2")]
    # FITS WCS paper II (Calabretta & Greisen 2002), equation 189
    assert matrix == pytest.approx(
        [-1e-4 * math.cos(turn), -2e-4 * math.sin(turn), -1e-4 * math.sin(turn), 2e-4 * math.cos(turn)]
    )
    assert facts(CDELT1=-1e-4, CDELT2=2e-4, PC1_2=0.5)["cd1_2"] == pytest.approx(-0.5e-4)
    assert facts(CD1_1=1e-5)["cd2_2"] == 0.0


def test_a_damaged_card_is_passed_over():
    header = fits.Header([fits.Card.fromstring("OBJECT  = 'never ended"), ("EXPTIME", 30.0)])
    assert facts_of(header)["t_exptime"] == 30.0
