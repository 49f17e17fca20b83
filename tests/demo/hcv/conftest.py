"""The collection `hcv` alone, built once at size `tiny`, and a server over it."""

import sys
from pathlib import Path

import pytest

from skydex.demo import SIZES, collections
from skydex.demo.building import build_demo

sys.path.insert(0, str(Path(__file__).parents[2] / "web"))


@pytest.fixture(scope="session")
def directory(tmp_path_factory):
    place = tmp_path_factory.mktemp("hcv") / "archive"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collections, "COLLECTIONS", {"hcv": collections.COLLECTIONS["hcv"]})
        patch.setattr("skydex.demo.building.COLLECTIONS", {"hcv": collections.COLLECTIONS["hcv"]})
        build_demo(place, size=SIZES["tiny"], seed=1)
    return place


@pytest.fixture(scope="session")
def server(directory):
    from serving import serving

    with serving(directory) as server:
        yield server
