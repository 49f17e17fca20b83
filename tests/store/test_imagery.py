"""The register of images of an archive."""

from __future__ import annotations

import pytest

from skydex.store import ImageRecord, Imagery


def record(name, hdu=0, collection="north", **more):
    facts = {"extension": "", "did": f"ivo://test/{collection}?{name}%23{hdu}", "opener": "fits"} | more
    return ImageRecord(collection, name, hdu, location=f"/data/{name}.fits", access=b"\0\1", **facts)


@pytest.fixture
def imagery(tmp_path):
    return Imagery(tmp_path)


def test_an_image_is_found_by_its_name_and_its_aliases(imagery):
    first, second = record("M31_g", 1, aliases=("m31.fits",)), record("M31_g", 2)
    assert imagery.publish("north", [second, first]) == 2
    assert [found.hdu for found in imagery.find("north", "M31_g")] == [1, 2]
    assert imagery.find("north", "m31.fits") == [record("M31_g", 1)]
    assert imagery.find("north", "m31_G") == []
    assert len(imagery.find("north", "m31_G", caseless=True)) == 2
    assert imagery.find_did("north", first.did) == record("M31_g", 1)
    assert [found.hdu for found in imagery.records("north")] == [2, 1]
    assert imagery.collections() == ("north",)


def test_what_is_published_anew_is_found_anew(imagery):
    imagery.publish("north", [record("a")])
    assert imagery.find("north", "a") != []
    assert imagery.find("north", "b") == []
    imagery.publish("north", [record("b")])
    assert imagery.find("north", "a") == []
    assert imagery.find("north", "b") != []
    imagery.remove("north")
    assert imagery.find("north", "b") == []
    assert imagery.collections() == ()


def test_a_list_that_was_given_out_is_its_takers_own(imagery):
    imagery.publish("north", [record("a")])
    imagery.find("north", "a").clear()
    assert len(imagery.find("north", "a")) == 1


def test_many_names_are_found_though_few_are_remembered(imagery):
    imagery.publish("north", [record(f"i{number}") for number in range(1500)])
    assert all(imagery.find("north", f"i{number}")[0].name == f"i{number}" for number in (*range(1500), 3, 1499))


def test_an_image_below_the_archive_moves_with_it(imagery, tmp_path):
    inside = ImageRecord("north", "a", 0, "", "ivo://test/a", "simulated", "archive:hsc/a")
    imagery.publish("north", [inside])
    assert imagery.find("north", "a")[0].location == f"{tmp_path}/hsc/a"
    tmp_path.rename(tmp_path.with_name("moved"))
    moved = tmp_path.with_name("moved")
    assert Imagery(moved).find("north", "a")[0].location == f"{moved}/hsc/a"


def test_an_archive_without_images_has_none(imagery):
    assert imagery.collections() == ()
    assert imagery.find("north", "a") == []
    assert imagery.find_did("north", "x") is None
    assert list(imagery.records("north")) == []


def test_a_register_that_cannot_be_written_leaves_the_old_one(imagery, tmp_path):
    imagery.publish("north", [record("a")])

    def broken():
        yield record("b")
        raise RuntimeError("the reader of headers has failed")

    with pytest.raises(RuntimeError):
        imagery.publish("north", broken())
    assert imagery.find("north", "a") != []
    assert [path.name for path in (tmp_path / "images").iterdir()] == ["north.sqlite"]
