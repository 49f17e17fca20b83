"""A real server on loopback, for as long as it is needed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from skydex.errors import ServiceError

__all__ = ["Server", "running_server"]

_HOST = "127.0.0.1"
_START_S = 60.0
_STOP_S = 30.0


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    url: str
    """Its address, without a slash at the end."""
    process: subprocess.Popen[bytes]
    """The process."""

    def wait(self) -> None:
        """Wait until it ends, or until Ctrl-C."""
        try:
            self.process.wait()
        except KeyboardInterrupt:
            print("\nStopping.", flush=True)


@contextmanager
def running_server(archive: Path, *, port: int) -> Iterator[Server]:
    """Serve an archive from a process of its own; it ends with the block.

    Parameters
    ----------
    archive : Path
        What to serve.
    port : int
        Where, on loopback; any free port if this one is taken.

    Raises
    ------
    ServiceError
        It does not answer.
    """
    free = _free_port(port)
    url = f"http://{_HOST}:{free}"
    command = [sys.executable, "-m", "skydex", "serve", str(archive), "--host", _HOST, "--port", str(free)]
    process = subprocess.Popen([*command, "--base-url", url], env={"SKYDEX_LOG_LEVEL": "warning", **os.environ})
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the block below is left in order
    try:
        _await_answer(url, process)
        yield Server(url, process)
    finally:
        signal.signal(signal.SIGTERM, before)
        _stop(process)


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        try:
            with closing(socket.create_server((_HOST, port))) as probe:
                return int(probe.getsockname()[1])
        except OSError:
            print(f"  port {wanted} is taken; using another", flush=True)
    raise ServiceError("There is no free TCP port on this machine.")


def _await_answer(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServiceError(f"The server ended with status {process.returncode} before it answered.")
        try:
            with urllib.request.urlopen(f"{url}/tap/availability", timeout=5.0):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise ServiceError(f"The server did not answer within {_START_S:g} s.")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
