"""The demonstration archive at its smallest, in a directory and behind a real server."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "web")]


@pytest.fixture(scope="session")
def demonstrated(simulated, tmp_path_factory):
    """A copy, since tutorials keep tables; with the guest of `make demo`."""
    from skydex.demo.guest import add_guest

    archive = shutil.copytree(simulated, tmp_path_factory.mktemp("tutorials") / "archive")
    add_guest(archive)
    return archive


@pytest.fixture(scope="session")
def demonstration(demonstrated):
    """A server of it."""
    import serving

    with serving.serving(demonstrated) as server:
        yield server
