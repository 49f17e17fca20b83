"""Every block of code in README and docs runs, and prints what the page says it prints."""

from __future__ import annotations

import contextlib
import doctest
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.docs import preloaded

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LENIENCE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
DEFAULT_PORT = "8642"
MARK = "=-=-= step"
SPARK_PAGE = "spark.md"
SECONDS = 240
DEMO = re.compile(r"skydex demo build --size tiny --out (\S+)")
"""What many pages begin with."""


@dataclass(frozen=True)
class Step:
    """A command of a page and what the page says it prints."""

    command: str
    printed: str

    @property
    def may_fail(self) -> bool:
        return bool(re.search(r"^skydex: ", self.printed, re.MULTILINE))


def steps_of_console(block: str) -> list[Step]:
    """Commands follow `$ `, their further lines `> `; everything else is output."""
    steps: list[Step] = []
    for line in block.splitlines(keepends=True):
        if line.startswith("$ "):
            steps.append(Step(line[2:], ""))
        elif line.startswith("> "):
            steps[-1] = Step(steps[-1].command + line[2:], "")
        else:
            steps[-1] = Step(steps[-1].command, steps[-1].printed + line)
    return steps


def steps_of_page(page: Path) -> list[Step]:
    steps: list[Step] = []
    for language, block in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "console":
            steps += steps_of_console(block)
        elif language == "python":
            steps.append(Step(f"python - <<'END_OF_BLOCK'\n{block}END_OF_BLOCK\n", ""))
        else:
            pytest.fail(f"{page.name} has a block that nothing runs: {language or 'no language'}")
    return steps


def places_of_demos(steps: list[Step]) -> list[str]:
    """Where a page builds the archive that the tests have built already, and shows nothing of that."""
    built = (DEMO.fullmatch(step.command.strip()) for step in steps if step.printed.strip() == "...")
    return [match[1] for match in built if match]


def script_of(steps: list[Step], port: str) -> str:
    """One bash script; a server is waited for, its log set apart."""
    lines = []
    for number, step in enumerate(steps):
        command = step.command.replace(DEFAULT_PORT, port)
        if command.rstrip().endswith("&"):
            command = command.rstrip().removesuffix("&") + f">server.log 2>&1 &\nawait_server {port}\n"
        lines.append(f"{command.rstrip()}\necho '{MARK}' {number} $?\n")
    return AWAIT + "".join(lines)


AWAIT = """
await_server() {
    python - "$1" <<'END' || cat server.log
import sys, time, urllib.request
for _ in range(600):
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/tap/availability", timeout=5)
        sys.exit(0)
    except OSError:
        time.sleep(0.1)
sys.exit(1)
END
}
"""


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory):
    """A folder with `skydex` and `python`, as they are but for the time that they take to start."""
    home = tmp_path_factory.mktemp("preloaded")
    with preloaded.commands(home, {**os.environ, "HOME": str(home), "MPLBACKEND": "agg"}) as folder:
        yield folder


def run(script: str, folder: Path, port: str, commands: Path) -> str:
    """Run a script in a process group of its own, and end whatever it leaves behind."""
    path = os.pathsep.join([str(commands), str(Path(sys.executable).parent), os.environ["PATH"]])
    environ = {**os.environ, "PATH": path, "HOME": str(folder), "SKYDEX_PORT": port, "MPLBACKEND": "agg"}
    process = subprocess.Popen(
        ["bash"],
        cwd=folder,
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        return process.communicate(f"{script}\nkill $(jobs -p) 2>/dev/null; wait\n", timeout=SECONDS)[0]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def marked(page: Path) -> pytest.param:
    """A page as a parameter; one that starts Java is run where all tests do that."""
    marks = [pytest.mark.spark] if page.name == SPARK_PAGE else []
    return pytest.param(page, id=str(page.relative_to(ROOT)), marks=marks)


@pytest.mark.parametrize("page", [marked(page) for page in PAGES])
def test_blocks_of_the_page_run_and_print_what_it_says(page, tmp_path, request):
    is_on_spark = page.name == SPARK_PAGE
    if is_on_spark:
        request.getfixturevalue("java_in_a_hurry")  # which pytest takes as no mark of a parameter
    steps = steps_of_page(page)
    if not steps:
        return
    for place in places_of_demos(steps):
        shutil.copytree(request.getfixturevalue("simulated"), tmp_path / place, symlinks=True)
    port = free_port()
    commands = Path(sys.executable).parent if is_on_spark else request.getfixturevalue("stand_ins")
    outputs = re.split(rf"{MARK} (\d+) (\d+)\n", run(script_of(steps, port), tmp_path, port, commands))
    checker = doctest.OutputChecker()
    for number, step in enumerate(steps):
        output = outputs[3 * number].replace(port, DEFAULT_PORT)
        assert len(outputs) > 3 * number + 2, f"{step.command}\n{output}"
        status = int(outputs[3 * number + 2])
        assert status == 0 or step.may_fail, f"{step.command}\n{output}"
        if step.printed:
            assert checker.check_output(step.printed, output, LENIENCE), f"$ {step.command}\n{output}"
