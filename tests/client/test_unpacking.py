"""Bundles of others: hostile, damaged and truncated ones leave nothing behind (promise R28)."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib

import pytest

from skydex.client.transfers import TransferLimits, unpack
from skydex.errors import BadAnswerError

CONTENT = {"MAST_2024/HST/a.fits": b"a" * 3000, "MAST_2024/HST/b.fits": bytes(range(256)) * 40, "MAST_2024/M.HTML": b""}


def tar_of(*members, files=CONTENT):
    """A tar with files, and members given by their facts."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        for facts in members:
            entry = tarfile.TarInfo("x")
            for key, value in facts.items():
                setattr(entry, key, value)
            tar.addfile(entry, io.BytesIO(bytes(entry.size)))
    return stream.getvalue()


def zip_of(files=CONTENT, *, mode=0o100644):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def unpacked(tmp_path, content, **limits):
    """Unpack into a folder beside which there is something to spoil; give what is in the folder afterwards."""
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "bundle").write_bytes(content)
    into = tmp_path / "into"
    try:
        unpack(tmp_path / "bundle", into, limits=TransferLimits(**limits))
    finally:
        assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "into", "precious"]
        assert (tmp_path / "precious").read_text() == "precious"
        there = {path.relative_to(into).as_posix(): path for path in into.rglob("*") if not path.is_dir()}
    return {name: path.read_bytes() for name, path in there.items()}


@pytest.mark.parametrize(
    "content",
    [tar_of(), gzip.compress(tar_of()), bz2.compress(tar_of()), lzma.compress(tar_of()), zip_of()],
    ids=["tar", "tar.gz", "tar.bz2", "tar.xz", "zip"],
)
def test_every_container_gives_its_files(tmp_path, content):
    assert unpacked(tmp_path, content) == CONTENT


def test_the_paths_come_in_the_order_of_the_bundle(tmp_path):
    (tmp_path / "b.tar").write_bytes(tar_of())
    assert unpack(tmp_path / "b.tar") == [tmp_path / name for name in CONTENT]


HOSTILE = {
    "above": {"name": "../precious"},
    "far above": {"name": "a/../../precious"},
    "link out": {"name": "l", "type": tarfile.SYMTYPE, "linkname": "../precious"},
    "link within": {"name": "l", "type": tarfile.SYMTYPE, "linkname": "MAST_2024"},
    "hard link": {"name": "l", "type": tarfile.LNKTYPE, "linkname": "../precious"},
    "device": {"name": "d", "type": tarfile.CHRTYPE},
    "pipe": {"name": "p", "type": tarfile.FIFOTYPE},
    "file as folder": {"name": "MAST_2024/HST/a.fits/x"},
}


@pytest.mark.parametrize("facts", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["tar", "tar.gz"])
def test_a_hostile_member_spoils_the_whole_bundle(tmp_path, facts, pack):
    with pytest.raises(BadAnswerError):
        unpacked(tmp_path, pack(tar_of(facts)))
    assert not list((tmp_path / "into").iterdir())


def test_an_absolute_name_stays_within(tmp_path):
    there = unpacked(tmp_path, tar_of({"name": "/etc/passwd"}, files={}))
    assert there == {"etc/passwd": b""}


def test_modes_that_make_a_file_a_program_of_somebody_else_are_not_kept(tmp_path):
    unpacked(tmp_path, tar_of({"name": "tool", "mode": 0o6777, "uid": 0}, files={}))
    assert (tmp_path / "into" / "tool").stat().st_mode & 0o7022 == 0


@pytest.mark.parametrize("name", ["../precious", "/etc/passwd", "a/../../precious", "C:/x", "..\\precious"])
def test_a_hostile_name_in_a_zip_is_refused(tmp_path, name):
    with pytest.raises(BadAnswerError, match="leads out"):
        unpacked(tmp_path, zip_of({name: b"x"}))


def test_a_link_in_a_zip_is_refused(tmp_path):
    with pytest.raises(BadAnswerError, match="no plain file"):
        unpacked(tmp_path, zip_of({"l": b"../precious"}, mode=0o120777))


@pytest.mark.parametrize("container", ["tar", "tar.gz", "zip"])
def test_a_bundle_that_is_cut_anywhere_leaves_nothing(tmp_path, container):
    content = {"tar": tar_of(), "tar.gz": gzip.compress(tar_of()), "zip": zip_of()}[container]
    end = content.rstrip(b"\0").__len__() if container == "tar" else len(content) - 1
    for n_bytes in [*range(0, end, max(1, end // 40)), end]:
        with pytest.raises(BadAnswerError):
            unpacked(tmp_path, content[:n_bytes])
        assert not list((tmp_path / "into").iterdir())


def test_a_flipped_byte_in_a_compressed_bundle_is_noticed(tmp_path):
    content = bytearray(gzip.compress(tar_of()))
    for place in range(20, len(content), 37):
        content[place] ^= 1
        with pytest.raises(BadAnswerError):
            unpacked(tmp_path, bytes(content))
        content[place] ^= 1


def test_a_bundle_that_unpacks_to_more_than_is_taken_is_refused(tmp_path):
    bomb = {"bomb": bytes(50_000_000)}
    for content in (gzip.compress(tar_of(files=bomb)), zip_of(bomb), gzip.compress(tar_of() + bytes(50_000_000))):
        assert len(content) < 100_000
        with pytest.raises(BadAnswerError, match="more than is taken"):
            unpacked(tmp_path, content, max_unpacked_bytes=1_000_000)
    with pytest.raises(BadAnswerError, match="more than is taken"):
        unpacked(tmp_path, tar_of(), max_unpacked_files=2)


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x1f\x8b", b"PK\x03\x04", zlib.compress(tar_of()), bytes(100)])
def test_what_is_no_bundle_is_told(tmp_path, content):
    with pytest.raises(BadAnswerError, match="damaged, or not whole"):
        unpacked(tmp_path, content)


def tar_with_header(headers: dict[str, str]) -> bytes:
    """A tar of one file, about which a further header says something (POSIX.1-2001, pax)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        entry = tarfile.TarInfo("a")
        entry.pax_headers = headers
        tar.addfile(entry, io.BytesIO())
    return stream.getvalue()


@pytest.mark.parametrize(
    "headers",
    [
        {"mtime": "1e300"},
        {"mtime": "nan"},
        {"path": "a\0b"},
        {"size": "-1"},
        {"GNU.sparse.map": "x,y"},
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"},
        {"path": "a/" * 5000},
    ],
    ids=str,
)
def test_what_a_tar_says_of_a_member_is_no_matter_or_spoils_the_bundle(tmp_path, headers):
    with contextlib.suppress(BadAnswerError):
        unpacked(tmp_path, tar_with_header(headers))


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_headers_of_a_tar_do_not_fill_the_memory(tmp_path, kind):
    """They are read as a whole, and what is compressed may be a thousandth of it."""
    header = tarfile.TarInfo("x")
    header.type, header.size = kind, 3 << 30
    start = gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 20))
    with pytest.raises(BadAnswerError, match="too large"):
        unpacked(tmp_path, start)
