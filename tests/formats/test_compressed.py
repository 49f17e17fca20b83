"""Compressed files, opened as if they were not."""

from __future__ import annotations

import bz2
import gzip
import lzma

import pytest

from skydex.errors import UnreadableFileError
from skydex.formats.compressed import first_bytes, open_decompressed

TEXT = b"a,b\n1,2\n" * 1000
COMPRESSORS = [bytes, gzip.compress, bz2.compress, lzma.compress]


@pytest.mark.parametrize("compress", COMPRESSORS)
def test_the_first_bytes_tell_the_compression(tmp_path, compress):
    file = tmp_path / "table.csv"
    file.write_bytes(compress(TEXT))
    with open_decompressed(file) as stream:
        assert stream.read() == TEXT
    assert first_bytes(file, 4) == b"a,b\n"


@pytest.mark.parametrize("compress", COMPRESSORS)
def test_a_limit_of_bytes_is_kept(tmp_path, compress):
    file = tmp_path / "bomb"
    file.write_bytes(compress(TEXT))
    with open_decompressed(file, max_bytes=len(TEXT)) as stream:
        assert stream.read() == TEXT
    with (
        open_decompressed(file, max_bytes=len(TEXT) - 1) as stream,
        pytest.raises(UnreadableFileError, match="more bytes"),
    ):
        stream.read()


@pytest.mark.parametrize("compress", COMPRESSORS[1:])
def test_damage_is_an_error_that_names_the_file(tmp_path, compress):
    file = tmp_path / "cut.vot.gz"
    whole = compress(bytes(range(256)) * 400)
    file.write_bytes(whole[: len(whole) // 2])
    with open_decompressed(file) as stream, pytest.raises(UnreadableFileError, match=r"cut\.vot\.gz"):
        stream.read()


def test_a_file_of_nothing_is_nothing(tmp_path):
    file = tmp_path / "empty"
    file.write_bytes(b"")
    assert first_bytes(file) == b""
