"""Real workers that do the deeds of `tests/jobs`, and a runner for coroutines."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

import httpx
import pytest
import uvloop

from skydex.jobs import Staffing, WorkerLimits
from skydex.web.dispatch import Dispatcher, Rules
from skydex.web.spool import SpoolLimits

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "jobs")]


@pytest.fixture
def run():
    """Run a coroutine to its end, on the loop that servers use, or fail after a minute."""

    def run(coroutine):
        async def bounded():
            async with asyncio.timeout(60):
                return await coroutine

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(bounded())

    return run


@pytest.fixture
def staff(tmp_path):
    """Open a dispatcher whose workers do deeds: `async with staff(n_workers=2) as dispatcher`."""
    import deeds

    @contextlib.asynccontextmanager
    async def staff(*, memory_bytes=1 << 20, disk_bytes=1 << 30, factory=deeds.factory, **given):
        rules = {"n_workers": 2, "time_s": 10.0, "queue_length": 50, "queue_wait_s": 5.0} | given
        spool = SpoolLimits(memory_bytes, disk_bytes, str(tmp_path))
        staffing = Staffing(factory, WorkerLimits(200), ("deeds",), str(tmp_path))
        dispatcher = Dispatcher(staffing, Rules(**rules, spool=spool))
        await dispatcher.start()
        try:
            yield dispatcher
        finally:
            await dispatcher.stop()

    return staff


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    """A small archive: `sky.stars` with positions, `sky.detections` without."""
    import serving

    return serving.build_archive(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def server(archive):
    """A server over the small archive with low limits, for tests that leave it as it is."""
    import serving

    with serving.serving(archive, max_rows_default=1000, max_rows_hard=2000, title="Sky <of> tests") as server:
        yield server


@pytest.fixture(scope="session")
def web(server):
    """An HTTP client of the server."""
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def mast(tmp_path_factory):
    """A server over the small archive that answers as MAST does."""
    import mastlike
    import serving

    with serving.serving(mastlike.build_mast(tmp_path_factory.mktemp("mast"))) as server:
        yield server


@pytest.fixture(scope="session")
def mast_web(mast):
    """An HTTP client of that server."""
    with httpx.Client(base_url=mast.url, timeout=30) as client:
        yield client
