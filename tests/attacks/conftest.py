"""A server to attack."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "web")]


@pytest.fixture(scope="session")
def ground(tmp_path_factory):
    """A server with low limits over a small archive of its own."""
    import serving
    from ground import TIME_LIMIT_S, Ground

    folder = tmp_path_factory.mktemp("attacked")
    archive = serving.build_archive(folder)
    outside, temp = folder / "outside", folder / "temp"
    outside.mkdir()
    temp.mkdir()
    limits = {"query_time_s": TIME_LIMIT_S, "header_time_s": 2, "body_time_s": 3, "write_time_s": 5}
    with serving.serving(archive, temp_dir=temp, max_rows_default=1000, max_rows_hard=2000, **limits) as server:
        ground = Ground(server, archive, outside, temp)
        yield ground
        ground.canary.close()
        ground.web.close()
