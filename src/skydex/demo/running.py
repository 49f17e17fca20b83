"""`run_demo`: build, serve, ask, draw; and go on serving."""

from __future__ import annotations

import time
from importlib.util import find_spec
from pathlib import Path

from skydex.demo.building import build_demo, has_real_data
from skydex.demo.figures import draw_figures
from skydex.demo.guest import GUEST, GUEST_PASSWORD, add_guest
from skydex.demo.questions import REAL, SIMULATED
from skydex.demo.server import running_server
from skydex.demo.size import SIZES, Size
from skydex.demo.workflow import ask_all
from skydex.errors import ServiceError
from skydex.settings import load_settings

__all__ = ["run_demo"]

_NEEDED = ("pyvo", "matplotlib")


def run_demo(
    out: Path,
    data: Path | None = None,
    *,
    once: bool = False,
    port: int | None = None,
    size: Size = SIZES["demo"],
) -> None:
    """Run the demonstration.

    Parameters
    ----------
    out : Path
        Where archive, tables and figures go.
    data : Path, optional
        Folder of real catalogues, which the questions are then asked of; without, of the simulated sky.
    once : bool
        Stop when the work is done; else the server goes on until Ctrl-C.
    port : int, optional
        TCP port of the server; by default as the settings say.
    size : Size, optional
        How much of the simulated sky is made.
    """
    _check_installed()
    started = time.perf_counter()
    is_real = has_real_data(data)
    questions = REAL if is_real else SIMULATED
    _chapter(1, f"Publishing {'real catalogues and ' if is_real else ''}a SIMULATED sky")
    archive = out / "archive"
    build_demo(archive, data, size=size)
    add_guest(archive)
    _chapter(2, "Starting a server")
    with running_server(archive, port=load_settings(archive).port if port is None else port) as server:
        _chapter(3, f"Asking it with pyvo: {questions.sky}")
        answers = ask_all(server.url, questions, out / "tables")
        _chapter(4, "Drawing")
        draw_figures(answers, questions, out / "figures")
        print(f"Done in {time.perf_counter() - started:.1f} s.", flush=True)
        if not once:
            print(f"\nThe archive is at {server.url}/ (TAP: {server.url}/tap). Ctrl-C stops it.", flush=True)
            print(f"Who logs in as {GUEST}, with the password {GUEST_PASSWORD}, keeps tables of her own.", flush=True)
            server.wait()


def _check_installed() -> None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise ServiceError(f"The demonstration needs {' and '.join(missing)}: pip install 'skydex[demo]'.")


def _chapter(number: int, title: str) -> None:
    print(f"[{number}/4] {title}", flush=True)
