"""Beside PostgreSQL with q3c and pgSphere, which archives are commonly built on; it is run only when it is named.

Needs the server's programs and both extensions (on Debian: `apt-get install postgresql postgresql-15-q3c
postgresql-15-pgsphere`). A database cluster of its own is made for the run, tuned as its manual advises for two
cores, its table clustered and indexed, and removed again. What PostgreSQL is asked, `pgbench` asks over a socket: rows
as text, no HTTP, no VOTable; skydex is asked over HTTP for a VOTable.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
from astropy.io.votable import parse_single_table

from benchmarks import simulated
from benchmarks.cones import RADIUS_DEG
from benchmarks.finding import Finding
from benchmarks.holdings import Holdings, Setup
from benchmarks.load import Load, first_answers, put_load
from benchmarks.sample import Sample, Unit
from benchmarks.serving import request_bytes, serving
from benchmarks.timing import Work, timed
from benchmarks.traffic import cone_request
from skydex.archive import Archive, QueryRequest

__all__ = ["TITLE", "measure"]

TITLE = "Beside PostgreSQL with q3c and pgSphere"
_SETTINGS = {
    "shared_buffers": "2GB",
    "effective_cache_size": "8GB",
    "work_mem": "256MB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "8GB",
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "1",
    "jit": "off",
    "listen_addresses": "''",
}
_CREATE = """
CREATE EXTENSION q3c; CREATE EXTENSION pg_sphere;
CREATE TABLE field (
    obj_id bigint, ra float8, dec float8, ra_err float8, dec_err float8, mean_epoch float8, pm_ra float8,
    pm_dec float8, g_mag real, r_mag real, i_mag real, g_mag_err real, r_mag_err real, n_obs smallint);
COPY field FROM STDIN WITH (FORMAT csv);
"""
_INDEX = """
CREATE INDEX by_q3c ON field (q3c_ang2ipix(ra, dec)); CLUSTER field USING by_q3c;
CREATE INDEX by_number ON field (obj_id);
CREATE INDEX by_pgsphere ON field USING gist (spoint(radians(ra), radians(dec)));
CREATE TABLE mine AS SELECT obj_id, ra, dec + 0.3 / 3600 AS dec FROM field WHERE obj_id % 200 = 0;
ANALYZE;
"""
_CONES = {
    "q3c": "SELECT * FROM field WHERE q3c_radial_query(ra, dec, :ra, :dec, {radius})",
    "pgSphere": (
        "SELECT * FROM field WHERE spoint(radians(ra), radians(dec)) "
        "<@ scircle(spoint(radians(:ra), radians(:dec)), radians({radius}))"
    ),
}
_N_CONES = 60
_LATENCY = re.compile(r"latency average = ([\d.]+) ms")


def measure(setup: Setup) -> Iterator[Finding]:
    """Cones by one client and by eight, a GROUP BY, and a match of 10,000 rows."""
    holdings = Holdings(setup)
    name = holdings.field()
    file = simulated.field(holdings.n_field, setup.cache)
    centres = _centres(file)
    with _database(file) as database, serving(holdings.directory) as server:
        asked = (cone_request(name, *centre) for centre in centres)
        requests = [request_bytes(server.port, path, parameters) for path, parameters in asked]
        answers = first_answers(server.port, requests)
        counts = [len(parse_single_table(io.BytesIO(answer)).array) for answer in answers]
        assert all(database.counts(sql.format(radius=RADIUS_DEG), centres) == counts for sql in _CONES.values())
        for n_clients in (1, 8):
            report = put_load(Load(server.port, requests, answers, n_clients, 400 * n_clients))
            ours = Sample.of(float(np.mean(report.latencies_s)), Unit.SECONDS)
            for how, sql in _CONES.items():
                theirs = database.latency(sql.format(radius=RADIUS_DEG), centres, n_clients)
                clients = f"{n_clients} client{'s' * (n_clients > 1)}"
                work = f"Cone of 2 arcmin in {holdings.n_field:,} rows, {clients}, mean time"
                yield Finding(work, ours, f"PostgreSQL with {how}, rows as text over a socket", theirs)
        yield from _larger(holdings, name, database)


def _larger(holdings: Holdings, name: str, database: _Database) -> Iterator[Finding]:
    archive = Archive.open(holdings.directory)
    near = "DISTANCE(a.ra, a.dec, b.ra, b.dec) <= 1./3600."
    moved = f"(SELECT obj_id, ra, dec + 0.3 / 3600 AS dec FROM {name} WHERE MOD(obj_id, 200) = 0)"
    questions = {
        "GROUP BY over everything": (
            f"SELECT FLOOR(g_mag) AS bin, COUNT(*) AS n, AVG(r_mag) AS mean FROM {name} GROUP BY bin",
            "SELECT floor(g_mag) AS bin, count(*) AS n, avg(r_mag) AS mean FROM field GROUP BY 1",
        ),
        f"{holdings.n_field // 200:,} moved rows of the table matched with it, 1 arcsec": (
            f"SELECT COUNT(*) FROM {moved} AS a JOIN {name} AS b ON {near}",
            "SELECT count(*) FROM mine AS a, field AS b WHERE q3c_join(a.ra, a.dec, b.ra, b.dec, 1/3600.)",
        ),
    }
    for work, (text, sql) in questions.items():
        ask = Work(lambda text=text: archive.query(QueryRequest(text)).to_arrow())
        ours, theirs = timed(ask, Work(partial(database.run, sql)), n_runs=3)
        yield Finding(work, ours.wall, "PostgreSQL with q3c", theirs.wall)


def _centres(file: Path) -> list[tuple[float, float]]:
    sql = f"SELECT ra, dec FROM '{file}' USING SAMPLE reservoir({_N_CONES} ROWS) REPEATABLE (7)"
    return [(float(ra), float(dec)) for ra, dec in duckdb.sql(sql).fetchall()]


class _Database:
    """A database of its own, reached through a socket in its directory."""

    def __init__(self, programs: Path, directory: Path) -> None:
        self._programs, self._directory = programs, directory

    def command(self, program: str, *arguments: str) -> list[str]:
        """A program of PostgreSQL, as the user as whom it consents to run."""
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []
        return [*as_user, str(self._programs / program), *arguments]

    def call(self, program: str, *arguments: str, text: bytes | None = None) -> str:
        done = subprocess.run(
            self.command(program, *arguments), input=text, capture_output=True, check=True, cwd=self._directory
        )
        return done.stdout.decode()

    def run(self, sql: str) -> str:
        return self.call("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *self._where, text=sql.encode())

    def copy(self, sql: str, rows: Path) -> None:
        """Run statements of which the last reads rows in CSV."""
        with rows.open("rb") as stream:
            command = self.command("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *self._where)
            before, _, last = sql.strip().rpartition("\n")
            self.run(before)
            subprocess.run([*command, "-c", last], stdin=stream, check=True, capture_output=True, cwd=self._directory)

    def latency(self, sql: str, centres: Sequence[tuple[float, float]], n_clients: int) -> Sample:
        """Mean time of a cone, each client on its own connection; constants are in the text: q3c plans by them."""
        scripts = []
        for number, (ra, dec) in enumerate(centres):
            script = self._directory / f"cone-{number}.sql"
            script.write_text(f"\\set ra {ra!r}\n\\set dec {dec!r}\n{sql};\n")
            scripts += ["-f", str(script)]
        once = ["-n", "-c", str(n_clients), "-j", "1", "-t", "400"]
        shown = self.call("pgbench", *once, *scripts, *self._where)
        found = _LATENCY.search(shown)
        assert found is not None, shown
        return Sample.of(float(found[1]) / 1000, Unit.SECONDS)

    def counts(self, sql: str, centres: Sequence[tuple[float, float]]) -> list[int]:
        """Rows of each cone."""
        asked = (sql.replace(":ra", repr(ra)).replace(":dec", repr(dec)) for ra, dec in centres)
        found = self.call("psql", "-X", "-q", "-A", "-t", *self._where, text="".join(map(_counted, asked)).encode())
        return [int(line) for line in found.split()]

    @property
    def _where(self) -> list[str]:
        return ["-h", str(self._directory), "postgres"]


def _counted(sql: str) -> str:
    return f"SELECT count(*) FROM ({sql}) AS cone;\n"


@contextmanager
def _database(file: Path) -> Iterator[_Database]:
    """A running cluster with the deep field in it."""
    directory = Path(tempfile.mkdtemp(prefix="skydex-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(directory, "postgres", "postgres")
    database = _Database(_programs(), directory)
    data = str(directory / "data")
    try:
        database.call("initdb", "-D", data, "--no-locale", "-E", "UTF8", "-A", "trust")
        options = " ".join(f"-c {key}={value}" for key, value in _SETTINGS.items())
        log = ["-l", str(directory / "log")]
        database.call("pg_ctl", "-D", data, *log, "-w", "-o", f"{options} -k {directory}", "start")
        rows = directory / "field.csv"
        duckdb.sql(f"COPY (SELECT * FROM '{file}') TO '{rows}' (HEADER false)")
        database.copy(_CREATE, rows)
        database.run(_INDEX)
        yield database
    finally:
        subprocess.run(database.command("pg_ctl", "-D", data, "-m", "immediate", "stop"), capture_output=True)
        shutil.rmtree(directory)


def _programs() -> Path:
    """Where the programs of PostgreSQL lie.

    Raises
    ------
    RuntimeError
        There is none; what to install.
    """
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), *map(Path, os.get_exec_path())]
    for place in places:
        if all((place / program).exists() for program in ("initdb", "pg_ctl", "psql", "pgbench")):
            return place
    packages = "postgresql postgresql-15-q3c postgresql-15-pgsphere"
    raise RuntimeError(f"There is no PostgreSQL here; on Debian: apt-get install {packages}")
