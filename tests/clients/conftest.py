"""A real server on loopback over the small archive of `tests/web`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "web")]


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A server over `sky.stars` and `sky.detections`."""
    import serving

    archive = serving.build_archive(tmp_path_factory.mktemp("clients"))
    with serving.serving(archive, max_rows_default=8000, max_rows_hard=16000) as server:
        yield server


@pytest.fixture(scope="session")
def stilts():
    """Run a STILTS task; give what it prints, with its progress and errors where they are wanted."""
    if shutil.which("stilts") is None:
        pytest.skip("STILTS is not installed")

    def stilts(*words, is_fine=True, with_progress=False):
        done = subprocess.run(["stilts", *map(str, words)], capture_output=True, text=True, timeout=180)
        assert not is_fine or done.returncode == 0, done.stderr
        return done.stdout + done.stderr if with_progress or not is_fine else done.stdout

    return stilts


@pytest.fixture(scope="session")
def mast(tmp_path_factory):
    """A server over the small archive that answers as MAST does."""
    import mastlike
    import serving

    with serving.serving(mastlike.build_mast(tmp_path_factory.mktemp("mast"))) as server:
        yield server
