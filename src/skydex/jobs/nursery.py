"""The inside of the fork server: fork a worker when told to, kill one when told to, bury the dead.

Runs as `python -m skydex.jobs.nursery FD`, or forked off. It must never start a thread: a lock held by another thread
at the moment of a fork stays locked in the child for ever.
"""

from __future__ import annotations

import logging
import os
import pickle
import select
import shutil
import signal
import socket
import sys
from pathlib import Path

from skydex.jobs.forkserver import Orders
from skydex.jobs.limits import die_with_parent, no_core_files
from skydex.jobs.quiet import n_threads, preload
from skydex.jobs.worker import run_worker

__all__ = ["main", "run_nursery"]

_MESSAGE_BYTES = 1 << 17
_log = logging.getLogger(__name__)


def main() -> None:
    """Be the fork server of the process at the other end of the socket whose descriptor is the argument."""
    control = socket.socket(fileno=int(sys.argv[1]))
    orders = _first_orders(control)
    level = orders.staffing.log_level.upper()
    logging.basicConfig(level=level, format="%(levelname)s: %(name)s: %(message)s")
    run_nursery(control, orders)


def run_nursery(control: socket.socket, orders: Orders) -> None:
    """Serve one parent until it closes its end of the socket."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the parent decides when this ends
    no_core_files()
    preload(orders.staffing.preload)
    if n_threads() > 1:
        _log.warning("The fork server has %d threads: an imported module started them", n_threads())
    nursery = _Nursery(control, orders)
    try:
        nursery.run()
    finally:
        nursery.close()


def _first_orders(control: socket.socket) -> Orders:
    search_path, orders = control.recv(_MESSAGE_BYTES), control.recv(_MESSAGE_BYTES)
    if not orders:
        sys.exit(0)
    sys.path[:] = pickle.loads(search_path)
    found: Orders = pickle.loads(orders)
    return found


class _Nursery:
    """The living workers of one fork server."""

    def __init__(self, control: socket.socket, orders: Orders) -> None:
        self._control, self._orders = control, orders
        self._pids: dict[int, int] = {}
        self._wake, alarm = os.pipe()
        for end in (self._wake, alarm):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(alarm, warn_on_full_buffer=False)

    def run(self) -> None:
        while True:
            ready = select.select([self._control.fileno(), self._wake], [], [])[0]
            if self._wake in ready:
                os.read(self._wake, 4096)
                self._bury()
            if self._control.fileno() in ready and not self._obey():
                return

    def close(self) -> None:
        """Kill whoever is left."""
        for pid in self._pids.values():
            os.kill(pid, signal.SIGKILL)
        for number, pid in list(self._pids.items()):
            os.waitpid(pid, 0)
            self._forget(number)

    def _obey(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(self._control, _MESSAGE_BYTES, 1)
        if not message:
            return False
        order, number = pickle.loads(message)
        if order == "spawn":
            self._spawn(number, socket.socket(fileno=descriptors[0]))
        elif number in self._pids:  # not yet buried, so its pid is still its own
            os.kill(self._pids[number], signal.SIGKILL)
        return True

    def _spawn(self, number: int, sock: socket.socket) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._be_worker(number, sock, parent)
        sock.close()
        self._pids[number] = pid

    def _be_worker(self, number: int, sock: socket.socket, parent: int) -> None:
        """Never returns."""
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            die_with_parent(parent)
            self._control.close()
            scratch = self._scratch(number)
            scratch.mkdir()
            run_worker(sock, self._orders.staffing.factory, self._orders.staffing.limits, scratch)
        except BaseException:
            _log.exception("Worker %d failed", number)
        finally:
            logging.shutdown()
            os._exit(0)

    def _bury(self) -> None:
        for number, pid in list(self._pids.items()):
            if os.waitpid(pid, os.WNOHANG)[0]:
                self._forget(number)

    def _forget(self, number: int) -> None:
        del self._pids[number]
        shutil.rmtree(self._scratch(number), ignore_errors=True)

    def _scratch(self, number: int) -> Path:
        return self._orders.scratch / f"worker-{number}"


if __name__ == "__main__":
    main()
