"""`ForkServer`: a clean, single-threaded process whose only work is to fork workers, and to bury them.

Forking the web process would copy its threads' locks and its open connections; starting an interpreter for each worker
would take a second and its memory every time. The fork server has imported the heavy modules once, starts no thread,
and forks in milliseconds; all workers share its pages. It ends when its socket closes on this side, and its workers
with it.

A process that has not yet started a thread or opened a connection can fork it off (`ForkServer.forked`), so that those
pages are this process's too; at any later time it is an interpreter of its own (`ForkServer.started`).
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from skydex.jobs.quiet import n_threads, preload, quiet_environment
from skydex.jobs.scratch import Scratch
from skydex.jobs.worker import Factory, WorkerLimits

__all__ = ["ForkServer", "Orders", "Staffing"]

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


class _Process(Protocol):
    """What is asked of the fork server's process, as `subprocess.Popen` answers it."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def kill(self) -> None: ...


class ForkServer:
    """The near side of a fork server; made by `started` or `forked`."""

    def __init__(self, process: _Process, sock: socket.socket, scratch: Scratch) -> None:
        self._n_spawned = 0
        self._process, self._socket, self._scratch = process, sock, scratch

    @classmethod
    def started(cls, staffing: Staffing) -> Self:
        """A fork server in an interpreter of its own; for any time and any thread."""
        scratch = Scratch(staffing.temp_dir)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "skydex.jobs.nursery", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # so that Ctrl-C reaches only the process that decides
                env=quiet_environment(os.environ),
            )
        ours.send(pickle.dumps(sys.path))
        ours.send(pickle.dumps(Orders(staffing, scratch.path)))
        return cls(process, ours, scratch)

    @classmethod
    def forked(cls, staffing: Staffing) -> Self:
        """A fork server that shares this process's pages, where this process has but one thread; else `started`."""
        preload(())
        if n_threads() > 1:
            return cls.started(staffing)
        scratch = Scratch(staffing.temp_dir)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            pid = os.fork()
            if pid == 0:
                _be_nursery(theirs, Orders(staffing, scratch.path))
        return cls(_Forked(pid), ours, scratch)

    @property
    def scratch(self) -> Path:
        """Where workers' directories are."""
        return self._scratch.path

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
        self._scratch.remove()


class _Forked:
    """A child that was forked, as `_Process` wants it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._status: int | None = None

    def poll(self) -> int | None:
        if self._status is None and os.waitpid(self.pid, os.WNOHANG)[0]:
            self._status = 0
        return self._status

    def wait(self, timeout: float | None = None) -> int:
        end = time.monotonic() + timeout if timeout is not None else None
        while (status := self.poll()) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired("fork server", timeout or 0.0)
            time.sleep(0.005)
        return status

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


def _be_nursery(control: socket.socket, orders: Orders) -> None:
    """What the child does; never returns."""
    from skydex.jobs.nursery import run_nursery

    try:
        os.setsid()
        os.closerange(3, control.fileno())
        os.closerange(control.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
        run_nursery(control, orders)
    except BaseException:
        logging.getLogger(__name__).exception("The fork server failed")
    finally:
        logging.shutdown()
        os._exit(0)
