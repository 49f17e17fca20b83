"""What a fork server has ready for workers."""

from __future__ import annotations

from skydex.store import ArchiveDirectory
from skydex.web.workroom import preload_of


def test_only_where_there_are_images_workers_share_what_reads_them(simulated, tmp_path):
    ArchiveDirectory.create(tmp_path / "archive")
    assert "astropy.io.fits" in preload_of(simulated)
    assert "astropy.io.fits" not in preload_of(tmp_path / "archive")
