"""Names that the documents look up lead to the positions that they found."""

from __future__ import annotations

import csv

import pytest

from skydex.archive import Archive
from skydex.demo import SIZES, collections
from skydex.demo.building import build_demo
from skydex.demo.named import simulate_named


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collections, "COLLECTIONS", {"demo": simulate_named})
        patch.setattr("skydex.demo.building.COLLECTIONS", {"demo": simulate_named})
        archive = tmp_path_factory.mktemp("named") / "archive"
        build_demo(archive, size=SIZES["tiny"])
        return Archive.open(archive).names()


def test_every_name_of_the_documents_is_where_they_found_it(names, shared_data):
    with (shared_data / "seeds" / "resolver_expected.csv").open() as file:
        for row in csv.DictReader(file):
            places = [(known.ra_deg, known.dec_deg) for known in names.find(row["name"])]
            assert (float(row["ra_deg"]), float(row["dec_deg"])) in places, row["name"]


def test_the_demonstration_says_which_resolver_gives_which_position(names):
    assert {known.authority for known in names.find("IC 1613")} == {"SIMBAD", "NED", ""}
    assert names.find("NGC 1333")[0].source == "demo.named_objects"
