"""Directories end with their owner, and what a killed owner left is swept away; nothing else is touched."""

from __future__ import annotations

import os
import subprocess
import sys

from skydex.jobs.scratch import Scratch

OWNER = """
import sys
from skydex.jobs.scratch import Scratch
scratch = Scratch(sys.argv[1])
(scratch.path / "worker-1").mkdir()
(scratch.path / "worker-1" / "spill.tmp").write_bytes(b"x")
print(scratch.path, flush=True)
sys.stdin.read()
"""


def owner(parent):
    command = [sys.executable, "-c", OWNER, str(parent)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    return process, process.stdout.readline().strip()


def test_what_a_killed_owner_left_is_gone_after_the_next_start(tmp_path):
    process, left = owner(tmp_path)
    with process:
        process.kill()
    assert os.listdir(left)
    scratch = Scratch(str(tmp_path))
    assert list(tmp_path.iterdir()) == [scratch.path]
    scratch.remove()
    assert not list(tmp_path.iterdir())


def test_what_a_living_owner_has_stays(tmp_path):
    process, kept = owner(tmp_path)
    with process:
        Scratch(str(tmp_path)).remove()
        assert sorted(os.listdir(kept)) == ["owner.lock", "worker-1"]
        process.kill()


def test_directories_that_only_look_alike_stay(tmp_path):
    process, left = owner(tmp_path)
    with process:
        process.kill()
    elsewhere = tmp_path / "elsewhere"
    os.rename(left, elsewhere)
    (tmp_path / "skydex-scratch-link").symlink_to(elsewhere)
    (tmp_path / "skydex-scratch-mine").mkdir()
    (tmp_path / "skydex-scratch-mine" / "thesis.tex").write_text("years of work")
    (tmp_path / "skydex-scratch-file").write_text("no directory")
    Scratch(str(tmp_path)).remove()
    assert len(list(tmp_path.iterdir())) == 4
    assert (elsewhere / "owner.lock").exists()
    assert (tmp_path / "skydex-scratch-mine" / "thesis.tex").exists()
