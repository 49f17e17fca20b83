"""A small archive, and a real server over it in a process of its own."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import numpy as np
from astropy.table import MaskedColumn, Table

HOSTILE = "<script>alert(1)</script>&\"'"
"""A value, and part of a description, that must be inert wherever it is shown."""
N_STARS = 5000
N_SECONDS_TO_START = 90


def stars() -> Table:
    """Rows spread evenly over the sphere (a Fibonacci lattice), with nulls and hostile text."""
    i = np.arange(N_STARS)
    table = Table()
    table["star_id"] = i.astype("i8")
    table["ra"] = (i * 137.50776405003785) % 360
    table["dec"] = np.degrees(np.arcsin(1 - 2 * (i + 0.5) / N_STARS))
    table["gmag"] = (10 + (i % 1000) / 100).astype("f4")
    table["n_obs"] = MaskedColumn(i % 50, mask=i % 7 == 0, dtype="i4")
    table["name"] = [HOSTILE if k == 0 else f"star {k}" for k in i]
    table["ra"].unit = table["dec"].unit = "deg"
    table["gmag"].unit = "mag"
    return table


def detections() -> Table:
    """A table without positions."""
    i = np.arange(3 * N_STARS)
    table = Table()
    table["star_id"] = (i % N_STARS).astype("i8")
    table["mjd"] = 58000 + i / 10
    table["flux"] = 1000.0 + i % 17
    return table


def build_archive(directory: Path) -> Path:
    """Publish `sky.stars` and `sky.detections`."""
    from skydex.ingest import ingest_files

    files = directory / "files"
    files.mkdir(parents=True)
    archive = directory / "archive"
    for name, table in (("stars", stars()), ("detections", detections())):
        table.write(files / f"{name}.fits")
        given = {"id": "star_id"} if name == "stars" else {"position": "none"}
        given["description"] = f"{name} of the test {HOSTILE}"
        ingest_files([files / f"{name}.fits"], archive, f"sky.{name}", **given)
    return archive


class Server:
    """A running server."""

    def __init__(self, archive: Path, **settings: object) -> None:
        environ = {
            f"SKYDEX_{key.upper()}": str(value)
            for key, value in {"port": 0, "workers": 2, "cache_mb": 0, **settings}.items()
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "skydex", "serve", str(archive)],
            env={**os.environ, **environ},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log: list[str] = []  # an answer may be here before what was logged about it; all of it is after the end
        self._address = threading.Event()
        self.url = ""
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        assert self._address.wait(N_SECONDS_TO_START), f"the server did not start: {self.log}"
        self._wait_until_up()

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def stop(self) -> int:
        """End it as an operator would; give its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self._end()

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self.process.kill()
        self._end()

    def _end(self) -> int:
        status = self.process.wait(40)
        self._listener.join(40)  # until the last of its processes has ended
        self.process.stderr.close()
        return status

    def _listen(self) -> None:
        for line in self.process.stderr:
            self.log.append(line)
            found = re.search(r"Serving .* at (http://\S+)", line)
            if found:
                self.url = found[1]
                self._address.set()

    def _wait_until_up(self) -> None:
        end = time.monotonic() + N_SECONDS_TO_START
        while time.monotonic() < end:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/availability", timeout=5):
                return
            time.sleep(0.05)
        raise AssertionError(f"the server does not answer: {self.log}")


@contextlib.contextmanager
def serving(archive: Path, **settings: object):
    server = Server(archive, **settings)
    try:
        yield server
    finally:
        server.stop()
