"""Cutouts as an archive gives them, without HTTP: who may see what, and orders that can be sent to another process."""

from __future__ import annotations

import pickle
import sys
from io import BytesIO
from pathlib import Path

import pytest
from astropy.io import fits

from skydex.archive import Archive, CutoutRequest, HlaImagesRequest, ImageName, PixelPlace, SkycellFilesRequest
from skydex.errors import UnknownImageError
from skydex.images import Look, Stretch

sys.path.insert(0, str(Path(__file__).parents[1] / "web"))
import pictures

OFFERS = """
[[private]]
schema = "hsc"
users = ["alice"]

[[private]]
schema = "ps1"
users = ["alice"]
"""
ACS = ImageName("hst_10543_29_acs_wfc_f606w")
STACK = ImageName("rings.v3.skycell.1784.059.stk.i.unconv.fits")


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    directory = pictures.build(tmp_path_factory.mktemp("private"))
    (directory / "services.toml").write_text(OFFERS)
    return Archive.open(directory)


def text_of(archive, request) -> str:
    return b"".join(archive.draw(request).chunks).decode()


@pytest.mark.parametrize("name", [ACS, STACK])
def test_images_of_a_private_collection_do_not_exist_for_others(archive, name):
    asked = {"bands": (name,), "centre": PixelPlace(50, 50), "size": (5, 5)}
    for owner in (None, "bob"):
        with pytest.raises(UnknownImageError, match=f'No image "{name.name}"'):
            archive.draw(CutoutRequest(**asked, owner=owner))
    made = b"".join(archive.draw(CutoutRequest(**asked, owner="alice")).chunks)
    assert fits.getdata(BytesIO(made)).shape == (5, 5)


def test_lists_of_images_leave_private_ones_out(archive):
    place = pictures.RA, pictures.DEC
    assert len(text_of(archive, SkycellFilesRequest((place,))).splitlines()) == 1
    assert len(text_of(archive, SkycellFilesRequest((place,), owner="alice")).splitlines()) == 6
    assert "f606w" not in text_of(archive, HlaImagesRequest(*place, 0.0, "http://localhost"))
    assert "f606w" in text_of(archive, HlaImagesRequest(*place, 0.0, "http://localhost", owner="alice"))


def test_a_request_is_a_value_that_can_be_sent_and_compared():
    request = CutoutRequest((ACS, None, STACK), size=None, look=Look(stretch=Stretch.LUPTON, zoom=0.5), format="png")
    assert pickle.loads(pickle.dumps(request)) == request
    assert hash(request) == hash(pickle.loads(pickle.dumps(request)))


def test_the_same_request_gives_the_same_bytes(archive):
    """So that a product by its URI and the cutout at its address are equal to the last byte."""
    asked = CutoutRequest((ACS,), PixelPlace(7.0, 9.5), (51, 51), owner="alice")
    assert len({b"".join(archive.draw(asked).chunks) for _ in range(3)}) == 1
