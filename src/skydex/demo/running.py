"""`run_demo`: build, serve, ask as astronomers do, show what came; and go on serving."""

from __future__ import annotations

import time
from importlib.util import find_spec
from pathlib import Path

from skydex.demo.building import build_demo, has_real_data
from skydex.demo.guest import GUEST, GUEST_PASSWORD, add_guest
from skydex.demo.page import Told, write_page
from skydex.demo.record import Record
from skydex.demo.server import running_server
from skydex.demo.size import SIZES, Size
from skydex.demo.workflows import CLUSTER, WORKFLOWS, Workflow
from skydex.errors import ServiceError
from skydex.settings import load_settings

__all__ = ["run_demo"]


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
        Where archive, tables, figures and the page go that shows them.
    data : Path, optional
        Folder of real catalogues, which are published and looked at beside the simulated sky.
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
    _chapter(1, f"Publishing {'real catalogues and ' if is_real else ''}a SIMULATED sky")
    archive = out / "archive"
    build_demo(archive, data, size=size)
    add_guest(archive)
    _chapter(2, "Starting a server")
    with running_server(archive, port=load_settings(archive).port if port is None else port) as server:
        _chapter(3, "Asking it, as five published notebooks ask the archives that it imitates")
        told = [_told(workflow, server.url, out) for workflow in (*WORKFLOWS, *((CLUSTER,) if is_real else ()))]
        _chapter(4, "Showing what came")
        page = write_page(out, told, url=server.url, size=size)
        print(f"  {page.resolve().as_uri()}", flush=True)
        print(f"Done in {time.perf_counter() - started:.1f} s.", flush=True)
        if not once:
            print(f"\nThe archive is at {server.url}/ (TAP: {server.url}/tap). Ctrl-C stops it.", flush=True)
            print(f"Who logs in as {GUEST}, with the password {GUEST_PASSWORD}, keeps tables of her own.", flush=True)
            server.wait()


def _told(workflow: Workflow, url: str, out: Path) -> Told:
    record = Record(out, workflow.name)
    workflow.run(url, record)
    n_tables = sum(len(step.tables) for step in record.steps)
    n_figures = sum(len(step.figures) for step in record.steps)
    print(
        f"  {workflow.title}: {len(record.steps)} steps in {record.seconds():.1f} s, "
        f"tables: {n_tables}, figures: {n_figures}",
        flush=True,
    )
    return Told(workflow, record)


def _check_installed() -> None:
    if find_spec("matplotlib") is None:
        raise ServiceError("The demonstration draws figures, with matplotlib: pip install 'skydex[demo]'.")


def _chapter(number: int, title: str) -> None:
    print(f"[{number}/4] {title}", flush=True)
