"""Packages of files, of which each can be given out by itself."""

from __future__ import annotations

import zipfile

import pytest

from skydex.errors import StoreError
from skydex.formats.package import members_of, packed

FILES = {"r1.fits": [b"SIMPLE", b"  = T" * 1000], "r2.txt": [b"Error: none\n"], "empty.txt": []}


def test_what_is_packed_is_a_zip_archive(tmp_path):
    (tmp_path / "p").write_bytes(b"".join(packed(FILES.items())))
    with zipfile.ZipFile(tmp_path / "p") as package:
        assert package.testzip() is None
        assert {name: package.read(name) for name in package.namelist()} == {n: b"".join(c) for n, c in FILES.items()}


def test_each_member_lies_there_as_it_is(tmp_path):
    (tmp_path / "p").write_bytes(b"".join(packed(FILES.items())))
    whole = (tmp_path / "p").read_bytes()
    found = {member.name: whole[member.start : member.start + member.size] for member in members_of(tmp_path / "p")}
    assert found == {name: b"".join(chunks) for name, chunks in FILES.items()}


def test_bytes_leave_as_they_come():
    written = []

    def chunks():
        for number in range(3):
            written.append(number)
            yield bytes(1000)

    stream = packed([("r1.fits", chunks())])
    assert len(next(stream)) >= 1000
    assert written == [0]


def test_a_damaged_package_is_an_error_without_its_path(tmp_path):
    (tmp_path / "p").write_bytes(b"".join(packed(FILES.items()))[:-10])
    with pytest.raises(StoreError) as caught:
        members_of(tmp_path / "p")
    assert str(tmp_path) not in str(caught.value)
