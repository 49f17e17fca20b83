"""What tests of clients use: a server on loopback that answers as it is told."""

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), *(str(Path(__file__).parents[1] / room) for room in ("web", "clients"))]


@pytest.fixture(scope="session")
def demonstration(simulated, tmp_path_factory):
    """A server over the demonstration archive at its smallest, where alice and bob are users."""
    from casjobs_ground import casjobs_server

    with casjobs_server(simulated, tmp_path_factory.mktemp("state")) as (server, _):
        yield server


@pytest.fixture
def faulty():
    """A server on loopback that can be told how to fail."""
    import faulty

    with faulty.faulty() as server:
        yield server
