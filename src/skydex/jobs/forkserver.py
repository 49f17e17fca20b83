"""`ForkServer`: a clean, single-threaded process whose only work is to fork workers, and to bury them.

Forking the web process would copy its threads' locks and its open connections; starting an interpreter for each worker
would take a second and its memory every time. The fork server imports the heavy modules once, starts no thread, and
forks in milliseconds; all workers share its pages. It ends when its socket closes on this side, and its workers with
it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from skydex.jobs.worker import Factory, WorkerLimits

__all__ = ["ForkServer", "Orders", "Staffing"]

_QUIET = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "4",
}
"""Environment in which libraries start no thread when imported, and map no more memory than they use."""
_BUFFER_BYTES = 1 << 20
_PATIENCE_S = 5.0


@dataclass(frozen=True)
class Staffing:
    """What every worker of a fork server is."""

    factory: Factory
    """Makes a worker's handler; found by its module and name, as pickle does."""
    limits: WorkerLimits
    """What a worker may take."""
    preload: tuple[str, ...] = ()
    """Modules to import once, before the first fork."""
    temp_dir: str | None = None
    """Where workers' own directories are made; by default where the system has them."""
    log_level: str = "info"
    """How much workers log."""


@dataclass(frozen=True)
class Orders:
    """What a fork server is told first, after the search path under which this can be unpacked."""

    staffing: Staffing
    """What its workers are."""
    scratch: Path
    """Where their directories are made."""


class ForkServer:
    """The near side of a fork server."""

    def __init__(self, staffing: Staffing) -> None:
        self._n_spawned = 0
        self.scratch = Path(tempfile.mkdtemp(prefix="skydex-", dir=staffing.temp_dir))
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "skydex.jobs.nursery", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # so that Ctrl-C reaches only the process that decides
                env=_environment(os.environ),
            )
        self._socket.send(pickle.dumps(sys.path))
        self._socket.send(pickle.dumps(Orders(staffing, self.scratch)))

    def spawn(self) -> tuple[int, socket.socket]:
        """Have a worker made; give its number and the socket on which it will say READY.

        Raises
        ------
        OSError
            The fork server is gone.
        """
        self._n_spawned += 1
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            for end in (ours, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
            try:
                socket.send_fds(self._socket, [pickle.dumps(("spawn", self._n_spawned))], [theirs.fileno()])
            except OSError:
                ours.close()
                raise
        return self._n_spawned, ours

    def kill(self, number: int) -> None:
        """Have a worker killed at once; its socket closes when it is dead."""
        with contextlib.suppress(OSError):  # a fork server that is gone has taken its workers along
            self._socket.send(pickle.dumps(("kill", number)))

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """End the fork server and every worker, and remove their directories."""
        self._socket.close()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            logging.getLogger(__name__).warning("The fork server did not end by itself and is killed")
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.scratch, ignore_errors=True)


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a fork server: what the operator set wins, but nothing may start threads."""
    return {**_QUIET, **environ, "JE_ARROW_MALLOC_CONF": _QUIET["JE_ARROW_MALLOC_CONF"], "OPENBLAS_NUM_THREADS": "1"}
