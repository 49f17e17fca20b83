"""Images appear in an archive with the tables that describe them."""

import re

import numpy as np
import pytest
from astropy.io import fits

from skydex.archive import Archive, QueryRequest
from skydex.errors import BadRecipeError
from skydex.ingest.images import ImageEntry, address_of, did_of, publish_images, remove_images
from skydex.store import ArchiveDirectory, ImageRecord


@pytest.fixture
def directory(tmp_path):
    return ArchiveDirectory.create(tmp_path / "archive")


def entry(collection, name, *, hdu=0, header=None, **row):
    record = ImageRecord(collection, name, hdu, "", did_of(collection, name, hdu), "fits", f"/data/{name}.fits")
    return ImageEntry(record, {"s_ra": 10.0, "s_dec": -5.0, **row}, header)


def asked(directory, text):
    return Archive.open(directory.path).query(QueryRequest(text)).to_arrow().to_pylist()


def test_images_of_all_collections_are_in_obscore(directory):
    publish_images(directory, "north", [entry("north", "a"), entry("north", "b", s_ra=350.0)], description="One")
    publish_images(directory, "south", [entry("south", "a", t_exptime=30.0)], description="Two")
    rows = asked(directory, "SELECT obs_collection, obs_id, t_exptime FROM ivoa.obscore ORDER BY 1, 2")
    assert [tuple(row.values()) for row in rows] == [
        ("north", "a", None),
        ("north", "b", None),
        ("south", "a", 30.0),
    ]


def test_publishing_a_collection_again_replaces_its_images_alone(directory):
    publish_images(directory, "north", [entry("north", "a"), entry("north", "b")], description="One")
    publish_images(directory, "south", [entry("south", "a")], description="Two")
    report = publish_images(directory, "north", [entry("north", "c")], description="One")
    assert report.n_images == 1
    rows = asked(directory, "SELECT obs_collection, obs_id FROM ivoa.obscore ORDER BY 1, 2")
    assert [tuple(row.values()) for row in rows] == [("north", "c"), ("south", "a")]
    assert not Archive.open(directory.path).images().find("b")


def test_what_must_not_be_null_in_obscore_follows_from_the_record(directory):
    publish_images(directory, "north", [entry("north", "a", hdu=1)], description="One")
    (row,) = asked(directory, "SELECT * FROM ivoa.obscore")
    assert row["dataproduct_type"] == "image"
    assert row["calib_level"] == 2
    assert row["obs_collection"] == "north"
    assert row["obs_id"] == "a"
    assert row["obs_publisher_did"] == did_of("north", "a", 1)


def test_an_image_is_found_by_its_place(directory):
    publish_images(directory, "north", [entry("north", "a"), entry("north", "b", s_ra=50.0)], description="One")
    inside = "SELECT name FROM north.images WHERE 1 = CONTAINS(POINT(s_ra, s_dec), CIRCLE(10, -5, 1))"
    assert asked(directory, inside) == [{"name": "a"}]


def test_header_cards_can_be_searched(directory):
    header = fits.Header([("EXPTIME", 30.5, "seconds"), ("HISTORY", "reduced"), ("DONE", True), ("OBJECT", "M 87")])
    publish_images(directory, "north", [entry("north", "a", header=header)], description="One")
    rows = asked(directory, "SELECT keyword, text, number, comment FROM north.image_cards ORDER BY card")
    assert [tuple(row.values()) for row in rows] == [
        ("EXPTIME", "30.5", 30.5, "seconds"),
        ("HISTORY", "reduced", None, None),
        ("DONE", "T", 1.0, None),
        ("OBJECT", "M 87", None, None),
    ]
    joined = "SELECT name FROM north.images NATURAL JOIN north.image_cards WHERE keyword = 'EXPTIME' AND number > 30"
    assert asked(directory, joined) == [{"name": "a"}]


def test_a_damaged_card_does_not_keep_the_others_out(directory):
    header = fits.Header([fits.Card.fromstring("BAD     = 'never ended"), ("GOOD", 1)])
    publish_images(directory, "north", [entry("north", "a", header=header)], description="One")
    assert {"keyword": "GOOD"} in asked(directory, "SELECT keyword FROM north.image_cards")


def test_removed_images_leave_nothing_behind(directory):
    publish_images(directory, "north", [entry("north", "a")], description="One")
    publish_images(directory, "south", [entry("south", "b")], description="Two")
    remove_images(directory, "north")
    assert {e.name for e in directory.tables()} == {"south.images", "south.image_cards", "ivoa.obscore"}
    assert asked(directory, "SELECT obs_id FROM ivoa.obscore") == [{"obs_id": "b"}]
    remove_images(directory, "south")
    assert not directory.tables()


@pytest.mark.parametrize("name", ["ivoa", "TAP_SCHEMA", "../up", "", "1st", "a.b"])
def test_a_collection_has_a_name_that_no_path_is_made_of(directory, name):
    with pytest.raises(BadRecipeError, match="No collection"):
        publish_images(directory, name, [], description="")


def test_an_unknown_column_is_named_and_publishes_nothing(directory):
    with pytest.raises(BadRecipeError, match="colour"):
        publish_images(directory, "north", [entry("north", "a", colour="red")], description="One")
    assert not directory.tables()


def test_many_images_are_all_there(directory):
    positions = np.linspace(0.0, 359.0, 1203)
    entries = (entry("north", f"image {i}", s_ra=ra) for i, ra in enumerate(positions.tolist()))
    assert publish_images(directory, "north", entries, description="One").n_images == 1203
    assert asked(directory, "SELECT COUNT(*) AS n FROM ivoa.obscore") == [{"n": 1203}]


@pytest.mark.parametrize("name", ["hst_10543_29_acs_wfc_f606w", "a b", "NGC 1333 [1]", "x/../y", "ä+%"])
def test_identifiers_and_addresses_hold_what_a_uri_may_hold(name):
    did = did_of("hsc", name, 1)
    assert re.fullmatch(r"ivo://skydex/hsc\?[A-Za-z0-9._~@:%-]+/1", did)
    assert re.fullmatch(r"/images/hsc/[A-Za-z0-9._~@:+%-]+/1", address_of("hsc", name, 1))


def test_a_header_tells_what_the_row_leaves_open(directory):
    header = fits.Header(
        [
            ("NAXIS1", 100), ("NAXIS2", 50), ("TELESCOP", "HST"), ("EXPTIME", 30.0),
            ("CTYPE1", "RA---TAN"), ("CTYPE2", "DEC--TAN"), ("CRVAL1", 10.0), ("CRVAL2", 20.0),
            ("CRPIX1", 50.5), ("CRPIX2", 25.5), ("CDELT1", -0.001), ("CDELT2", 0.001),
        ]
    )  # fmt: skip
    record = ImageRecord("north", "a", 0, "", did_of("north", "a", 0), "fits", "/data/a.fits")
    publish_images(directory, "north", [ImageEntry(record, {"t_exptime": 60.0}, header)], description="One")
    (row,) = asked(directory, "SELECT * FROM north.images")
    assert (row["facility_name"], row["t_exptime"], row["s_xel1"], row["s_xel2"]) == ("HST", 60.0, 100, 50)
    assert (row["s_ra"], row["s_dec"]) == (pytest.approx(10.0), pytest.approx(20.0))
    assert row["s_pixel_scale"] == pytest.approx(3.6)
    assert row["s_fov"] == pytest.approx(np.hypot(0.1, 0.05), rel=1e-4)
    inside = "SELECT obs_id FROM ivoa.obscore WHERE 1 = CONTAINS(POINT(10.04, 20.02), s_region)"
    assert asked(directory, inside) == [{"obs_id": "a"}]
    assert asked(directory, inside.replace("20.02", "20.03")) == []


def test_every_example_can_be_asked(directory):
    publish_images(directory, "north", [entry("north", "a", s_region="CIRCLE ICRS 10 -5 1")], description="One")
    archive = Archive.open(directory.path)
    ready = {found.example.name: found.example.query for found in archive.examples()}
    ready |= {found.example.name: found.example.query for found in archive.examples("north")}
    assert {"Images that show a place", "Images by instrument", "Filters of north.images"} <= set(ready)
    for query in ready.values():
        archive.query(QueryRequest(query)).to_arrow()
    assert asked(directory, ready["Images that show a place"])[0]["obs_id"] == "a"


def test_cards_alone_say_what_a_header_of_them_says(directory):
    cards = (("TELESCOP", "HST", "telescope"), ("EXPTIME", 30.0, ""), ("FPA.ZP", 25, "[mag]"), ("DONE", True, ""))
    header = fits.Header([(f"HIERARCH {word}" if "." in word else word, *rest) for word, *rest in cards])
    publish_images(directory, "north", [entry("north", "a", header=header)], description="One")
    publish_images(directory, "south", [entry("south", "a", header=cards)], description="Two")
    for table, columns in (("images", "facility_name, t_exptime"), ("image_cards", "keyword, text, number, comment")):
        of_header, of_cards = (asked(directory, f"SELECT {columns} FROM {c}.{table}") for c in ("north", "south"))
        assert of_cards == of_header
