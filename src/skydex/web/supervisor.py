"""`supervise`: a server of several processes on one port.

The supervisor listens, and gives each connection to the process that has the fewest, so that a few clients with
kept-alive connections load all cores alike. (Processes that listen on one socket leave most connections to whoever was
idle last, and the kernel's SO_REUSEPORT throws dice: `docs/decisions/several-processes.md` has the figures.) It makes a
process anew that has died, and ends all of them when it is told to. It never starts a thread, so that it can fork at
any time, and answers no request.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import mmap
import os
import secrets
import selectors
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from skydex.errors import SkydexError
from skydex.jobs import Bells, die_with_parent
from skydex.web.front import Front

__all__ = ["READY", "supervise"]

_PAUSE_S = 1.0
"""Before a process is made anew that ended before it was ready."""
_KILL_AFTER_S = 6.0
"""What a process has to end by itself beyond the time that its requests have."""
_AT_ONCE = 64
_FULL_S = 0.02
_NUMBER_BYTES = 8
READY = b"ready"
"""What a process says when it can take connections."""
_STOPPING = (signal.SIGTERM, signal.SIGINT)
_log = logging.getLogger(__name__)


@dataclass
class _Child:
    """A living process."""

    pid: int
    door: socket.socket
    """Where it gets connections, and says that it is ready; closed at its other end when it has ended."""
    is_ready: bool = False
    n_given: int = 0
    """Connections that it was given."""


class _Failed(Exception):
    """A process could not begin, and none ever has."""


def supervise(listener: socket.socket, n: int, be: Callable[[Front], None], *, stop_s: float) -> int:
    """Keep so many processes until SIGTERM or SIGINT; gives the exit status.

    Parameters
    ----------
    listener : socket
        Where clients come.
    n : int
        How many processes.
    be : callable
        What each of them is.
    stop_s : float
        How long a process may take to end its requests.
    """
    supervisor = _Supervisor(listener, n, be)
    try:
        supervisor.run()
        return 0
    except _Failed:
        return 1
    finally:
        supervisor.stop(stop_s + _KILL_AFTER_S)


class _Supervisor:
    """The living processes, by their places."""

    def __init__(self, listener: socket.socket, n: int, be: Callable[[Front], None]) -> None:
        self._listener, self._n, self._be = listener, n, be
        listener.setblocking(False)
        self._server, self._bells = secrets.token_hex(16), Bells(n)
        self._closed = memoryview(mmap.mmap(-1, _NUMBER_BYTES * n)).cast("q")
        self._children: dict[int, _Child] = {}
        self._due: dict[int, float] = {}
        self._was_ready = self._is_stopping = self._is_listening = False
        self._selector = selectors.DefaultSelector()
        self._wake, alarm = os.pipe()
        for end in (self._wake, alarm):
            os.set_blocking(end, False)
        self._selector.register(self._wake, selectors.EVENT_READ, self._woken)
        for number in (*_STOPPING, signal.SIGCHLD):
            signal.signal(number, self._note)
        signal.set_wakeup_fd(alarm, warn_on_full_buffer=False)

    def run(self) -> None:
        self._due = dict.fromkeys(range(self._n), 0.0)
        while not self._is_stopping:
            self._fork_those_due()
            for key, _ in self._selector.select(self._patience()):
                key.data()

    def stop(self, patience_s: float) -> None:
        """End all processes: at once those that have no more requests, and at the latest after this time."""
        self._listener.close()
        end = time.monotonic() + patience_s
        self._signal(signal.SIGTERM)
        while self._children and time.monotonic() < end:
            self._bury()
            time.sleep(0.02)
        if self._children:
            _log.warning("%d processes did not end by themselves and are killed", len(self._children))
            self._signal(signal.SIGKILL)
            while self._children:
                self._bury()
                time.sleep(0.02)

    def _note(self, number: int, _: object) -> None:
        self._is_stopping = self._is_stopping or number in _STOPPING

    def _woken(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake, 4096)
        for place in self._bury():
            self._due[place] = time.monotonic() + (0.0 if self._was_ready else _PAUSE_S)

    def _bury(self) -> list[int]:
        """Places whose processes have ended."""
        ended = [place for place, child in self._children.items() if os.waitpid(child.pid, os.WNOHANG)[0]]
        for place in ended:
            child = self._children.pop(place)
            with contextlib.suppress(KeyError):
                self._selector.unregister(child.door)
            child.door.close()
            if self._is_stopping:
                continue
            if not child.is_ready and not self._was_ready:
                raise _Failed
            _log.error("Process %d of the server has ended and is made anew", place + 1)
        self._listen_if_ready()
        return ended

    def _signal(self, number: signal.Signals) -> None:
        for child in self._children.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, number)

    def _patience(self) -> float | None:
        return max(0.0, min(self._due.values()) - time.monotonic()) if self._due else None

    def _fork_those_due(self) -> None:
        now = time.monotonic()
        for place in [place for place, due in self._due.items() if due <= now]:
            del self._due[place]
            self._fork(place)

    def _fork(self, place: int) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        theirs.setblocking(False)
        self._closed[place] = 0
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._be_child(place, theirs, parent)
        theirs.close()
        child = self._children[place] = _Child(pid, ours)
        self._selector.register(ours, selectors.EVENT_READ, lambda: self._hear(child))

    def _be_child(self, place: int, door: socket.socket, parent: int) -> None:
        """Never returns."""
        status = 1
        try:
            os.setsid()  # so that Ctrl-C reaches only the process that decides
            signal.set_wakeup_fd(-1)
            for number in (*_STOPPING, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            die_with_parent(parent)
            self._selector.close()
            self._listener.close()
            for child in self._children.values():
                child.door.close()
            self._be(Front(place, self._server, self._bells.of(place), door, self._closed[place : place + 1]))
            status = 0
        except SkydexError as error:
            _log.error("%s", error)
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        except BaseException:
            _log.exception("Process %d of the server failed", place + 1)
        finally:
            logging.shutdown()
            os._exit(status)

    def _hear(self, child: _Child) -> None:
        """A process is ready, or has closed its door."""
        try:
            word = child.door.recv(len(READY))
        except BlockingIOError:
            return
        except OSError:
            word = b""
        if word == READY:
            child.is_ready = self._was_ready = True
        else:
            child.is_ready = False
            self._selector.unregister(child.door)
        self._listen_if_ready()

    def _listen_if_ready(self) -> None:
        """Accept connections as long as somebody is there for them; others wait where the kernel keeps them."""
        is_ready = any(child.is_ready for child in self._children.values())
        if is_ready and not self._is_listening:
            self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        elif self._is_listening and not is_ready:
            self._selector.unregister(self._listener)
        self._is_listening = is_ready

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, _address = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    time.sleep(_FULL_S)
                return
            with connection:
                self._give(connection)

    def _give(self, connection: socket.socket) -> None:
        """Hand a connection to who has the fewest; if nobody takes it, it is closed."""
        places = [place for place, child in self._children.items() if child.is_ready]
        for place in sorted(places, key=lambda place: self._children[place].n_given - self._closed[place]):
            child = self._children[place]
            try:
                socket.send_fds(child.door, [b"c"], [connection.fileno()])
            except OSError:  # it has too many before it, or is just ending
                continue
            child.n_given += 1
            return
        time.sleep(_FULL_S)
