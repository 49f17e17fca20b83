"""A cache of tiles on the disk."""

from __future__ import annotations

import os

from skydex.store import TileCache


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_what_is_kept_is_found_by_another_process_and_under_its_key_alone(tmp_path):
    TileCache(tmp_path / "tiles", 1 << 20).keep("../a\0b", b"content")
    again = TileCache(tmp_path / "tiles", 1 << 20)
    assert again.find("../a\0b") == b"content"
    assert again.find("other") is None
    assert [path.parent.parent.name for path in tmp_path.rglob("*") if path.is_file()] == ["tiles"]


def test_the_oldest_go_when_there_is_no_more_room(tmp_path):
    cache = TileCache(tmp_path, 10_000)
    cache.keep("used", bytes(500))
    for number in range(100):
        os.utime(cache._path("used"), ns=(number * 10**9, number * 10**9))  # as if long ago
        assert cache.find("used") is not None  # which makes it new
        cache.keep(f"tile {number}", bytes(500))
    assert size_of(tmp_path) <= 11_000
    assert cache.find("tile 99") is not None
    assert cache.find("tile 0") is None


def test_what_is_larger_than_the_cache_is_not_kept(tmp_path):
    cache = TileCache(tmp_path, 100)
    cache.keep("large", bytes(101))
    assert cache.find("large") is None


def test_r14_a_disk_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    cache = TileCache(tmp_path / "file", 1000)
    cache.keep("tile", b"content")
    assert cache.find("tile") is None


def test_a_file_that_a_failing_power_left_empty_is_not_found(tmp_path):
    cache = TileCache(tmp_path, 1000)
    cache.keep("tile", b"")
    assert cache.find("tile") is None
