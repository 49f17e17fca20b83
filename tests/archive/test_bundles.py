"""Bundles of files, against the tools that unpack them."""

from __future__ import annotations

import io
import tarfile
import tracemalloc
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from astropy.io import fits
from lxml import html

from skydex.archive import (
    Archive,
    BundleFile,
    BundleRequest,
    CutoutRequest,
    Deadline,
    ImageName,
    Picture,
    PictureRequest,
    ProductRequest,
)
from skydex.errors import UnknownImageError
from skydex.images import index_fits
from skydex.store import ArchiveDirectory, ImageRecord, Imagery

FOLDER = "MAST_2026-01-02T0304"


@dataclass(frozen=True)
class Zeros(PictureRequest):
    """So many bytes, quickly."""

    n_bytes: int

    def draw(self, archive, deadline=None) -> Picture:
        return Picture("image/fits", ".fits", (bytes(1 << 16) for _ in range(0, self.n_bytes, 1 << 16)))


@dataclass(frozen=True)
class Noise(PictureRequest):
    """So many bytes."""

    n_bytes: int
    seed: int = 1

    def draw(self, archive, deadline=None) -> Picture:
        return Picture("image/fits", ".fits", self.chunks())

    def chunks(self) -> Iterator[bytes]:
        for begin in range(0, self.n_bytes, 1 << 16):
            yield bytes((self.seed + i) * 37 % 251 for i in range(min(1 << 16, self.n_bytes - begin)))


@dataclass(frozen=True)
class Missing(PictureRequest):
    """An image that is not there, as it is found out before its first byte or after."""

    is_late: bool = False

    def draw(self, archive, deadline=None) -> Picture:
        if not self.is_late:
            raise UnknownImageError("<b>nothing</b>")
        return Picture("image/fits", ".fits", self.broken())

    def broken(self) -> Iterator[bytes]:
        yield b"SIMPLE"
        raise UnknownImageError("half")


def wanted(*requests):
    return tuple(BundleFile(f"mast:x/{i}", f"WFC3PSF/{i}.fits", one) for i, one in enumerate(requests))


def packed(container, *requests, deadline=None, **limits) -> bytes:
    picture = BundleRequest(wanted(*requests), FOLDER, container, **limits).draw(None, deadline)
    assert picture.file_name == f"{FOLDER}.{container}"
    return b"".join(picture.chunks)


def unpacked(container, content: bytes, folder) -> dict[str, bytes]:
    """Everything below the folder, unpacked as careful users do."""
    if container == "zip":
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            assert file.testzip() is None
            assert file.namelist()[0] == f"{FOLDER}/"
            file.extractall(folder)
    else:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as file:
            assert file.getnames()[0] == FOLDER
            file.extractall(folder, filter="data")
    assert [path.name for path in folder.iterdir()] == [FOLDER]
    root = folder / FOLDER
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def outcomes(manifest: bytes) -> list[list[str]]:
    return [[cell.text or "" for cell in row.xpath("td")] for row in html.fromstring(manifest).xpath("//tbody/tr")]


@pytest.mark.parametrize("container", ["tar.gz", "zip"])
def test_files_come_out_as_they_went_in_and_the_manifest_tells_of_each(container, tmp_path):
    given = [Noise(1000), Noise(0), Noise(300_000, 7)]
    files = unpacked(container, packed(container, *given), tmp_path)
    manifest = files.pop("MANIFEST.HTML")
    assert files == {f"WFC3PSF/{i}.fits": b"".join(one.chunks()) for i, one in enumerate(given)}
    assert outcomes(manifest) == [[f"mast:x/{i}", f"WFC3PSF/{i}.fits", "COMPLETE"] for i in range(3)]
    assert b"3 of 3 files are complete" in manifest


@pytest.mark.parametrize("container", ["tar.gz", "zip"])
def test_r19_what_fails_is_told_and_does_not_spoil_the_rest(container, tmp_path):
    files = unpacked(container, packed(container, Missing(), Noise(100), Missing(is_late=True), None), tmp_path)
    manifest = files.pop("MANIFEST.HTML")
    assert list(files) == ["WFC3PSF/1.fits"]
    told = [row[2] for row in outcomes(manifest)]
    assert told[0].startswith('ERROR: No image "<b>nothing</b>"')
    assert b"<b>" not in manifest
    assert told[1] == "COMPLETE"
    assert all(text.startswith("ERROR") for text in told[2:])


def test_a_bundle_of_nothing_that_is_there_has_its_manifest(tmp_path):
    assert list(unpacked("tar.gz", packed("tar.gz", Missing()), tmp_path)) == ["MANIFEST.HTML"]


def test_limits_are_told_by_their_numbers(tmp_path):
    content = packed("tar.gz", Noise(3 << 20), Noise(1 << 20), Noise(1 << 20), max_mb=2, max_file_mb=2)
    told = [row[2] for row in outcomes(unpacked("tar.gz", content, tmp_path)["MANIFEST.HTML"])]
    assert told[0] == "ERROR: A file in a bundle may have 2 MB at most: ask for this file apart from the others."
    assert told[1:] == ["COMPLETE", "COMPLETE"]
    content = packed("tar.gz", Noise(1 << 20), Noise(1 << 20), Noise(1), max_mb=1)
    told = [row[2] for row in outcomes(unpacked("tar.gz", content, tmp_path / "second")["MANIFEST.HTML"])]
    assert told[0] == "COMPLETE"
    assert all(text.startswith("ERROR: All files of a bundle together may have 1 MB") for text in told[1:])


def test_a_bundle_whose_time_is_up_is_whole_and_tells_what_is_missing(tmp_path):
    content = packed("tar.gz", Noise(10), deadline=Deadline.after(1.0))
    files = unpacked("tar.gz", content, tmp_path)
    assert list(files) == ["MANIFEST.HTML"]
    assert "ERROR" in outcomes(files["MANIFEST.HTML"])[0][2]


@pytest.mark.parametrize("container", ["tar.gz", "zip"])
def test_a_bundle_is_sent_while_it_is_made(container):
    bundle = BundleRequest(wanted(*[Zeros(1 << 20)] * 40), FOLDER, container)
    tracemalloc.start()
    try:
        n_bytes = sum(len(chunk) for chunk in bundle.draw(None).chunks)
        assert n_bytes > 0
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def test_images_of_a_private_collection_are_not_there_for_others(tmp_path):
    archive = tmp_path / "archive"
    ArchiveDirectory.create(archive)
    file = tmp_path / "secret_flt.fits"
    fits.writeto(file, np.ones((8, 8), np.float32))
    (image,) = index_fits(file)
    Imagery(archive).publish(
        "hidden", [ImageRecord("hidden", "secret_flt", 0, "", "ivo://x", "fits", str(file), image.access)]
    )
    (archive / "services.toml").write_text('[[private]]\nschema = "hidden"\nusers = ["alice"]\n')
    opened = Archive.open(archive)
    opened.accounts.add("alice", "correct horse")
    for owner, is_there in ((None, False), ("alice", True)):
        wanted = wanted_of(owner)
        content = b"".join(opened.draw(BundleRequest(wanted, FOLDER)).chunks)
        files = unpacked("tar.gz", content, tmp_path / str(owner))
        assert [row[2] == "COMPLETE" for row in outcomes(files["MANIFEST.HTML"])] == [is_there, is_there]
        assert ("WFC3PSF/0.fits" in files, b"secret" in files["MANIFEST.HTML"]) == (is_there, not is_there)


def wanted_of(owner):
    place = CutoutRequest((ImageName("secret_flt"),), size=(3, 3), owner=owner)
    return wanted(place, ProductRequest("secret_flt.fits", owner))
