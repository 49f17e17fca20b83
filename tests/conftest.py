"""What every test may use: the real data beside the project, and a fresh place to write."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("skydex", deadline=None)  # how fast the machine is just now is no property of the code
settings.load_profile("skydex")

SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests on Spark first: of tests that are shared out, each process gets the neighbours of its first."""
    items.sort(key=lambda item: item.get_closest_marker("spark") is None)


@pytest.fixture(scope="module")
def java_in_a_hurry() -> Iterator[None]:
    """Java that is started meanwhile compiles once and lightly: what tests start does not live long enough for more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        yield


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration archive at its smallest, without real catalogues; nobody writes to it.

    One process of the tests builds it, which takes half a minute, and each has a copy.
    """
    from skydex.demo import SIZES
    from skydex.demo.building import build_demo

    place = tmp_path_factory.getbasetemp()
    shared = place.parent if "PYTEST_XDIST_WORKER" in os.environ else place
    with (shared / "built.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        build_demo(shared / "built", size=SIZES["tiny"])
    return shutil.copytree(shared / "built", tmp_path_factory.mktemp("simulated") / "archive", symlinks=True)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real astronomical files beside the checkout; tests skip where it is absent."""
    data = SHARED / "data"
    if not data.is_dir():
        pytest.skip("the real data (../shared/data) are not beside this checkout")
    return data
