"""Links and cutouts as an archive gives them: private images, tables of measurements, what is no image of ours."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.io.votable import parse

from skydex.archive import Archive, ConeRequest, LinksRequest, QueryRequest, SodaJob, SodaRequest
from skydex.engines import Deadline
from skydex.errors import CutoutTooLargeError, TimeLimitError, UnknownImageError
from skydex.images import index_fits
from skydex.ingest.images import ImageEntry, did_of, publish_images
from skydex.lightcurve.holdings import time_column
from skydex.settings import Settings
from skydex.sky import Cone
from skydex.store import ArchiveDirectory, ImageRecord
from skydex.tables import Column, Datatype, Table

sys.path.append(str(Path(__file__).parents[1] / "web"))

CHIP = did_of("pics", "chips", 1)
PLACE = Cone(150.0, 2.0, 0.001)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    import linked_ground

    return linked_ground.build_linked(tmp_path_factory.mktemp("links"))


def drawn(archive, request, deadline=None):
    return b"".join(archive.draw(request, deadline).chunks)


def links(archive, identifier, owner=None):
    document = drawn(archive, LinksRequest((identifier,), "http://s.org", owner=owner))
    return parse(io.BytesIO(document)).get_first_table().to_table()


def test_a_private_image_is_there_for_its_users_alone(tmp_path):
    import linked_ground

    path = linked_ground.build_linked(tmp_path)
    (path / "services.toml").write_text('[[private]]\nschema = "pics"\nusers = ["alice"]\n', encoding="utf-8")
    archive = Archive.open(path)
    archive.accounts.add("alice", "a good long password")
    assert fits.open(io.BytesIO(drawn(archive, SodaRequest(CHIP, PLACE, owner="alice"))))[0].data.shape == (22, 22)
    with pytest.raises(UnknownImageError):
        archive.draw(SodaRequest(CHIP, PLACE))
    with pytest.raises(UnknownImageError):
        SodaJob((SodaRequest(CHIP, PLACE),)).check(archive)
    assert len(links(archive, CHIP, "alice")) == 7
    (row,) = links(archive, CHIP)
    assert row["error_message"].startswith("NotFoundFault")
    local = {owner: set(links(archive, "sky.stars/1", owner)["local_semantics"]) for owner in (None, "alice")}
    assert local == {None: {"row", "lightcurve"}, "alice": {"row", "lightcurve", "preview", "cutout", "images"}}


def test_only_tables_of_images_of_the_archive_describe_services(path):
    archive = Archive.open(path)
    assert len(archive.query(QueryRequest("SELECT obs_publisher_did FROM ivoa.obscore")).services) == 3
    assert len(archive.query(QueryRequest("SELECT a.obs_publisher_did AS x FROM pics.images AS a")).services) == 3
    assert len(archive.query(ConeRequest("ivoa.obscore", 150, 2, 1)).services) == 3
    assert not archive.query(QueryRequest("SELECT obs_id FROM ivoa.obscore")).services
    assert len(archive.query(QueryRequest("SELECT star FROM sky.stars")).services) == 1
    both = "SELECT s.star FROM sky.stars AS s JOIN sky.visits AS v ON s.star = v.star"
    assert not archive.query(QueryRequest(both)).services
    assert not archive.query(QueryRequest("SELECT MAX(star) AS star FROM sky.stars")).services


def test_a_picture_is_not_larger_than_its_limit_and_fits_may_be(tmp_path):
    did = did_of("big", "dark", 0)
    fits.writeto(tmp_path / "dark.fits", np.zeros((1001, 1000), "u1"))
    (found,) = index_fits(tmp_path / "dark.fits")
    record = ImageRecord("big", "dark", 0, "", did, "fits", str(tmp_path / "dark.fits"), found.access)
    directory = ArchiveDirectory.create(tmp_path / "archive")
    publish_images(directory, "big", [ImageEntry(record)], description="A large image.")
    archive = Archive.open(directory.path, Settings(cutout_mpix=1))
    with pytest.raises(CutoutTooLargeError):
        archive.draw(SodaRequest(did, format="png"))
    assert fits.open(io.BytesIO(drawn(archive, SodaRequest(did))))[0].data.shape == (1001, 1000)


def test_the_best_and_deepest_images_of_a_place_come_first(tmp_path):
    import linked_ground

    path = linked_ground.build_linked(tmp_path)
    square = "POLYGON ICRS 149.9 1.9 150.1 1.9 150.1 2.1 149.9 2.1"
    seen = {"raw": (1, 900.0), "short": (3, 10.0), "long": (3, 500.0), "unknown": (3, None)}
    entries = [
        ImageEntry(
            ImageRecord("deep", name, 0, "", did_of("deep", name, 0), "fits", "/nowhere"),
            {"s_region": square, "s_ra": 150.0, "s_dec": 2.0, "calib_level": level, "t_exptime": exposure},
        )
        for name, (level, exposure) in seen.items()
    ]
    publish_images(ArchiveDirectory(path), "deep", entries, description="Images without pixels.")
    rows = links(Archive.open(path), "sky.stars/1")
    cutouts = [row["description"] for row in rows if row["local_semantics"] == "cutout"]
    order = ["image long", "image short", "image unknown", "image chips (MJD 55000.000)", "image raw"]
    assert cutouts == [f"Cutout of the {name}" for name in order]
    assert [row["description"] for row in rows if row["local_semantics"] == "preview"] == [
        "Preview: the object in the image long"
    ]


def test_a_job_ends_at_its_limit(path):
    with pytest.raises(TimeLimitError):
        drawn(Archive.open(path), SodaJob((SodaRequest(CHIP, PLACE),) * 3), Deadline.after(-1))


def table(name, *columns, n_rows=0, keys=()):
    return Table(name, tuple(columns), foreign_keys=keys, n_rows=n_rows, id_column="id")


def number(name, ucd):
    return Column(name, Datatype.DOUBLE, ucd=ucd)


MAG = number("mag", "phot.mag;em.opt")


@pytest.mark.parametrize(
    ("columns", "time"),
    [
        ((MAG, number("mjd", "time.epoch")), "mjd"),
        ((MAG, number("start", "time.start;obs"), number("mid", "time.epoch;obs")), "mid"),
        ((MAG, number("exptime", "time.duration;obs.exposure")), None),
        ((number("mjd", "time.epoch"),), None),
        ((MAG, Column("date", Datatype.CHAR, "20*", ucd="time.epoch"), number("t0", "time.start")), "t0"),
    ],
)
def test_measurements_have_a_time_and_a_brightness(columns, time):
    assert time_column(table("sky.t", *columns)) == time
