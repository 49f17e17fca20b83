"""Every real image goes in, or is refused with a reason: `real_files.csv` says which."""

import csv
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from skydex.archive import Archive, QueryRequest
from skydex.ingest.images import ingest_images
from skydex.store import ArchiveDirectory

EXPECTED = Path(__file__).with_name("real_files.csv")


@pytest.fixture(scope="module")
def real(shared_data, tmp_path_factory):
    """The archive, and the report."""
    directory = ArchiveDirectory.create(tmp_path_factory.mktemp("real") / "archive")
    return directory, ingest_images([shared_data / "images"], directory, "sky")


def asked(real, text):
    return Archive.open(real[0].path).query(QueryRequest(text)).to_arrow().to_pylist()


def test_every_file_is_in_or_refused_as_listed(real, shared_data):
    found = {
        str(Path(entry.file).relative_to(shared_data / "images")): (str(entry.n_images), entry.problem)
        for entry in real[1].files
    }
    with EXPECTED.open(encoding="utf-8") as file:
        expected = {row["file"]: (row["images"], row["refused"]) for row in csv.DictReader(file)}
    assert found == expected


@pytest.mark.parametrize(
    ("name", "place", "radius_deg"),
    [
        ("gc_2mass_k", "17h45m40s -29d00m28s", 0.5),  # the Galactic centre
        ("panstarrs-g-m61", "12h21m54.9s +04d28m25s", 0.01),  # M 61, SIMBAD
        ("dss_hd219829", "23h18m54.9s +05d24m18s", 0.02),  # HD 219829, as the tutorial has it
        ("galactic_2d", "17h45m37.2s -28d56m10s", 0.05),
        ("tanflip", "03h30m12.9s -28d44m31s", 0.01),
        ("ukidss_k", "05h34m31.9s +22d00m52s", 0.02),  # the Crab, which its request named
        ("image2", "18h33m33.5s -10d34m08s", 0.03),  # G21.5-0.9
    ],
)
def test_images_lie_where_their_objects_are(real, name, place, radius_deg):
    (row,) = asked(real, f"SELECT s_ra, s_dec FROM sky.images WHERE name = '{name}'")
    assert SkyCoord(row["s_ra"], row["s_dec"], unit="deg").separation(SkyCoord(place)).deg < radius_deg


def test_an_outline_holds_its_middle_whatever_the_projection(real):
    rows = asked(
        real,
        "SELECT name FROM sky.images WHERE s_ra IS NOT NULL AND 1 = CONTAINS(POINT(s_ra, s_dec), s_region)",
    )
    everything = asked(real, "SELECT name FROM sky.images WHERE s_ra IS NOT NULL")
    assert len(rows) == len(everything) > 20


def test_what_obscore_asks_for_is_never_null(real):
    mandatory = ("dataproduct_type", "calib_level", "obs_collection", "obs_id", "obs_publisher_did", "access_url")
    missing = " OR ".join(f"{name} IS NULL" for name in mandatory)
    assert asked(real, f"SELECT obs_id FROM ivoa.obscore WHERE {missing}") == []


def test_scales_are_those_of_the_instruments(real):
    rows = asked(
        real, "SELECT name, s_pixel_scale FROM sky.images WHERE s_pixel_scale IS NOT NULL AND extension = 'SCI,1'"
    )
    scales = {row["name"]: row["s_pixel_scale"] for row in rows}
    assert scales["sample_ipppssoot_flt"] == pytest.approx(0.128, rel=0.03)  # WFC3/IR
    assert scales["sample_svm_flc"] == pytest.approx(0.0396, rel=0.03)  # WFC3/UVIS
    assert np.isclose(scales["j94f05bgq_flt"], 0.05, rtol=0.03)  # ACS/WFC
