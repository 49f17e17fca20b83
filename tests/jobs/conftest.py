"""A place where the fork server of a test finds `deeds`, the handlers that these tests give it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from skydex.jobs import ForkServer, Staffing, WorkerLimits


@pytest.fixture(scope="module")
def fork_server(tmp_path_factory):
    """A running fork server whose workers do deeds."""
    import deeds

    limits = WorkerLimits(memory_mb=200, n_requests=40)
    staffing = Staffing(deeds.factory, limits, preload=("deeds",), temp_dir=str(tmp_path_factory.mktemp("scratch")))
    server = ForkServer.started(staffing)
    yield server
    server.stop()
