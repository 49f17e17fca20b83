import re
import signal
import subprocess
import sys

import pytest
import typer

from skydex.cli.app import app

COMMANDS = typer.main.get_command(app).commands
FULL_PIPE = 200_000
"""More bytes than a pipe holds."""


def test_help_names_every_command(skydex):
    ran = skydex("--help")
    assert ran.status == 0
    assert [name for name in COMMANDS if name not in ran.out] == []


def flat_commands():
    for name, command in COMMANDS.items():
        if hasattr(command, "commands"):
            yield from (((name, inner), below) for inner, below in command.commands.items())
        else:
            yield (name,), command


FLAT = list(flat_commands())


@pytest.mark.parametrize(("path", "command"), FLAT, ids=[" ".join(path) for path, _ in FLAT])
def test_every_command_teaches_with_an_example(path, command, skydex):
    assert re.search(r"Examples?", command.help), path
    assert f"skydex {' '.join(path)}" in command.help
    assert skydex(*path, "--help").status == 0


@pytest.mark.parametrize(("path", "command"), FLAT, ids=[" ".join(path) for path, _ in FLAT])
def test_every_option_says_what_it_is_for(path, command, skydex):
    assert [parameter.name for parameter in command.params if not parameter.help] == []


def test_help_loads_no_heavy_library():
    heavy = "astropy", "duckdb", "pyarrow", "numpy", "sqlglot", "uvicorn", "starlette"
    code = f"""
import sys
from skydex.cli import main
try:
    main(["--help"])
except SystemExit:
    pass
print("loaded:", *(name for name in {heavy!r} if name in sys.modules))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.stdout.splitlines()[-1] == "loaded:"


def test_module_runs_like_the_command():
    ran = subprocess.run([sys.executable, "-m", "skydex", "--version"], capture_output=True, text=True, timeout=60)
    assert re.fullmatch(r"skydex \d+\.\d+\.\d+\S*\n", ran.stdout)


def test_unknown_command_is_wrong_usage(skydex):
    ran = skydex("serv")
    assert ran.status == 2
    assert "serv" in ran.err


def test_error_is_one_line_without_traceback(skydex, tmp_path):
    ran = skydex("list", tmp_path / "nothing")
    assert ran.status == 1
    assert ran.out == ""
    assert ran.err.startswith("skydex: ")
    assert len(ran.err.splitlines()) == 1


def test_interrupt_ends_a_command_quietly(tmp_path):
    waiting = subprocess.Popen(
        [sys.executable, "-m", "skydex", "lint", "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )
    waiting.stdin.write(" " * FULL_PIPE)  # returns when most of it has been read: the command is at work
    waiting.stdin.flush()
    waiting.send_signal(signal.SIGINT)
    _, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 130
    assert "Traceback" not in err
