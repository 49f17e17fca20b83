"""A demonstration archive of the collections whose images are looked at here, without the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from skydex.archive import Archive
from skydex.demo import SIZES, building

OF_IMAGES = ("ps1", "csc21", "psf")


@pytest.fixture(scope="session")
def pictured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive's directory; nobody writes to it."""
    where = tmp_path_factory.mktemp("pictured") / "archive"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "COLLECTIONS", {name: building.COLLECTIONS[name] for name in OF_IMAGES})
        building.build_demo(where, size=SIZES["tiny"])
    return where


@pytest.fixture(scope="session")
def archive(pictured: Path) -> Archive:
    return Archive.open(pictured)
