"""What is attacked: a server, and things that must stay as they are, unread and uncalled."""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from skydex.archive import Archive, QueryRequest
from skydex.jobs import Job, JobFilter, Ledger

BASES = {
    "tap": "/tap",
    "scs": "/sky/scs/stars",
    "catalogs": "",
    "web": "",
    "mast": "",
    "fitscut": "",
    "resolver": "/cgi-bin/nph-sesame",
    "casjobs": "/ps1casjobs",
}
"""Where the records' bases are here."""
GOOD_IMAGE = "good_flt"
"""An image that is there."""
TIME_LIMIT_S = 5.0
"""Time limit of a query."""
PROBE_S = 2.0
"""A simple query must be answered within this, whatever was sent before."""

_TELLTALES = (
    "Traceback (most recent call last)",
    'File "',
    "site-packages",
    "sqlglot",
    "duckdb",
    "pyarrow",
    "astropy",
    "starlette",
    "Binder Error",
    "Catalog Error",
    "Parser Error",
    "IO Error",
    "Out of Memory Error",
    "Errno",
)


@dataclass
class Canary:
    """A listener on loopback that must never be called."""

    calls: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _listen(self) -> None:
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            with peer:
                self.calls.append(peer.recv(1 << 12))


class Person:
    """A user with a table."""

    def __init__(self, archive: Archive, name: str) -> None:
        self.name, self.password = name, secrets.token_hex(16)
        self.user = archive.accounts.add(name, self.password)
        self.tables = archive.mydb(name)
        self._ledger = Path(self.tables.path).parents[1] / "jobs.sqlite"
        query = f"SELECT star_id AS k, '{name}' AS whose FROM sky.stars WHERE star_id < 3"
        with archive.query(QueryRequest(query)) as result:
            self.tables.create(f"kept_by_{name}", result.columns, result.batches)

    @property
    def names(self) -> dict[str, str]:
        """What records call what belongs to this user."""
        facts = {"WSID": self.user.wsid, "PW": self.password, "SCHEMA": self.name, "TABLE": f"kept_by_{self.name}"}
        return {f"{self.name.upper()}_{what}": str(value) for what, value in facts.items()}

    def jobs(self) -> list[Job]:
        wanted = JobFilter(frozenset({"tap", "casjobs"}), None, self.name, None, frozenset())
        with contextlib.closing(Ledger(self._ledger)) as ledger:
            return ledger.jobs(wanted)


@dataclass
class Ground:
    """A server with an archive, and what must not change or be told."""

    server: object
    archive: Path
    outside: Path
    temp: Path

    def __post_init__(self) -> None:
        self.secret = secrets.token_hex(16)
        self.canary_file = self.outside / "canary.txt"
        self.canary_file.write_text(f"{self.secret}\n")
        self.canary = Canary()
        self.web = httpx.Client(base_url=self.server.url, timeout=30)
        made = self.web.post("/sky/tap/async", data=_JOB)
        self.job = made.headers["location"]
        self.opened = Archive.open(self.archive)
        self.alice, self.bob = (Person(self.opened, name) for name in ("alice", "bob"))
        made = self.web.post("/tap/async", data=_JOB, auth=("bob", self.bob.password))
        self.job_of_bob = made.headers["location"].rpartition("/")[2]
        self.before = self.facts()

    @property
    def names(self) -> dict[str, str]:
        """What the names in records stand for."""
        (number,) = (job.number for job in self.bob.jobs())
        return {
            "CANARY_FILE": str(self.canary_file),
            "CANARY_URL": self.canary.url,
            "REDIRECTOR_URL": self.canary.url,
            "TABLE": "sky.stars",
            "STRING_COLUMN": "name",
            "GOOD_IMAGE": GOOD_IMAGE,
            "GOOD_URI": f"mast:WFC3PSF/url/cgi-bin/fitscut.cgi?red={GOOD_IMAGE}&size=5&format=fits/good.fits",
            "DATA_DIR": str(self.archive),
            "TEMP_DIR": str(self.temp),
            "SELF_URL": self.server.url,
            "TAP": f"{self.server.url}/tap",
            "MYDB_FILE": str(next(self.bob.tables.path.rglob("*.parquet"))),
            **self.alice.names,
            **self.bob.names,
            **dict.fromkeys(("BOB_JOB", "BOB_PRIVATE_JOB"), self.job_of_bob),
            "BOB_NUMBER": str(number),
        }

    def facts(self) -> dict[str, object]:
        """What no request may change."""
        counted = self.ask("SELECT COUNT(*) AS n, SUM(gmag) AS s, MIN(star_id) AS a, MAX(star_id) AS b FROM sky.stars")
        files = {str(path.relative_to(self.archive)): path.stat().st_size for path in self.data_files()}
        outside = sorted(path.name for path in self.outside.iterdir())
        bob = self.bob.tables.revision, self.bob.tables.tables(), self.bob.jobs()
        return {"rows": counted, "files": files, "outside": outside, "bob": bob}

    def data_files(self) -> list[Path]:
        """The files of the catalogues."""
        state = self.archive / "state"
        return [path for path in self.archive.rglob("*") if path.is_file() and state not in path.parents]

    def renew(self) -> None:
        """Take what is published now as what must not change."""
        self.before = self.facts()

    def ask(self, query: str) -> str:
        answer = self.web.post("/tap/sync", data={"LANG": "ADQL", "QUERY": query, "FORMAT": "csv"})
        assert answer.status_code == 200, answer.text
        return answer.text

    def check_answers(self) -> None:
        """A simple query is answered in time."""
        start = time.monotonic()
        assert "\n7," in self.ask("SELECT star_id, ra FROM sky.stars WHERE star_id = 7")
        assert time.monotonic() - start < PROBE_S

    def check_silence(self, text: str, said: str = "") -> None:
        """An answer tells nothing of the machine, the engine or the canary."""
        assert self.secret not in text
        told = [word for word in (*_TELLTALES, str(self.archive), str(self.outside), str(self.temp)) if word in text]
        told = [word for word in told if word not in said]
        assert not told, f"the answer has {told}: {text[:500]}"

    def check_untouched(self) -> None:
        """Tables, files and the job are as they were, and nobody called the canary."""
        assert self.facts() == self.before
        assert self.web.get(f"{self.job}/phase").text == "PENDING"
        assert not self.canary.calls

    def peak_mb(self, pid: int) -> float:
        """Greatest memory that a process has had."""
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


_JOB = {"LANG": "ADQL", "QUERY": "SELECT ra FROM sky.stars"}
