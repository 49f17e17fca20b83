"""The collection alone, built at `tiny`."""

from __future__ import annotations

import pytest

from skydex.archive import Archive, QueryRequest
from skydex.demo import building
from skydex.demo.ps1 import simulate_ps1
from skydex.demo.size import SIZES


@pytest.fixture(scope="session")
def directory(tmp_path_factory):
    """A demonstration with `ps1` and none of the other collections."""
    where = tmp_path_factory.mktemp("ps1") / "archive"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "COLLECTIONS", {"ps1": simulate_ps1})
        building.build_demo(where, size=SIZES["tiny"])
    return where


@pytest.fixture(scope="session")
def archive(directory):
    """The demonstration, opened."""
    return Archive.open(directory)


@pytest.fixture(scope="session")
def ask(archive):
    """Rows of a query to the service of Pan-STARRS1, as an Arrow table."""
    return lambda query: archive.query(QueryRequest(query, collection="tap:ps1dr2")).to_arrow()
