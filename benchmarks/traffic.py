"""Many small requests to a real server: alone on a kept-alive connection, and from 8 and 32 clients at once.

Cones of 2 arcmin around sources of a deep field of 2,000,000 rows. Each answer is compared, byte for byte, with one
whose rows were counted against the positions themselves.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow.parquet as pq
from astropy.io.votable import parse_single_table

from benchmarks import simulated
from benchmarks.cones import RADIUS_DEG, cone_condition
from benchmarks.finding import Budget, Finding
from benchmarks.holdings import Holdings, Setup, duckdb_beside
from benchmarks.load import Load, Report, first_answers, put_load
from benchmarks.sample import Sample, Unit
from benchmarks.serving import Server, request_bytes, serving, started, stop, wait_for
from benchmarks.timing import Work, timed

__all__ = ["TITLE", "cone_request", "measure"]

TITLE = "Small requests"
_N_CONES = 60
_N_ROUNDS = 5
_CLIENTS = (1, 8, 32)
_REQUESTS = {1: 400, 8: 1500, 32: 1500}
_ENGINE = "DuckDB, glob, in process, no HTTP"
_CONSTANT = "uvicorn with one constant answer of that size"
_BOUNDS: dict[tuple[object, ...], tuple[Budget, str]] = {
    ("SCS", "p50", 1): (Budget("p50 alone <= 2 ms", 0.002), "7 ms (48 ms kept alive)"),
    ("SCS", "requests", 8): (Budget(">= 600/s at 8 clients", 600), "95/s"),
    ("SCS", "p99", 8): (Budget("p99 at 8 clients <= 20 ms", 0.020), "295 ms"),
    ("TAP", "p50", 1): (Budget("p50 alone <= 6 ms", 0.006), "32 ms"),
    ("TAP", "requests", 8): (Budget(">= 300/s at 8 clients", 300), "27/s"),
}
"""What the design asks for and what it says of DaCHS: by service, figure and number of clients."""


def measure(setup: Setup) -> Iterator[Finding]:
    """Cones through SCS and TAP."""
    holdings = Holdings(setup)
    name = holdings.field()
    truth = _Truth.read(setup, holdings)
    with serving(holdings.directory) as server:
        for service in ("SCS", "TAP"):
            requests, answers = _checked_requests(server, service, name, truth.centres, truth.counts)
            yield from _alone_and_together(server, service, requests, answers, truth, holdings.glob(name))


@dataclass(frozen=True)
class _Truth:
    """Cones, and how many rows are in each: counted from all positions, with unit vectors."""

    centres: list[tuple[float, float]]
    counts: list[int]

    @classmethod
    def read(cls, setup: Setup, holdings: Holdings) -> _Truth:
        rows = pq.read_table(simulated.field(holdings.n_field, setup.cache), columns=["ra", "dec"])
        ra, dec = rows["ra"].to_numpy(), rows["dec"].to_numpy()
        chosen = np.random.default_rng(7).choice(len(ra), _N_CONES, replace=False)
        centres = [(float(ra[i]), float(dec[i])) for i in chosen]
        places = _unit_vectors(ra, dec)
        chord = (2 * np.sin(np.radians(RADIUS_DEG) / 2)) ** 2
        apart = (((places - _unit_vectors(np.array([c[0]]), np.array([c[1]]))) ** 2).sum(axis=1) for c in centres)
        return cls(centres, [int(np.count_nonzero(squares <= chord)) for squares in apart])


def _unit_vectors(ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    ra, dec = np.radians(ra), np.radians(dec)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)


def _checked_requests(
    server: Server, service: str, name: str, centres: Sequence[tuple[float, float]], counts: Sequence[int]
) -> tuple[list[bytes], list[bytes]]:
    """Requests for cones, and the answer that each must get.

    Raises
    ------
    AssertionError
        An answer does not have the rows that it should have.
    """
    make = _scs_request if service == "SCS" else _tap_request
    requests = [make(server.port, name, *centre) for centre in centres]
    answers = first_answers(server.port, requests)
    found = [_n_rows(answer) for answer in answers]
    assert found == list(counts), f"{service} gives {found} rows, not {counts}"
    return requests, answers


def _n_rows(answer: bytes) -> int:
    try:
        return len(parse_single_table(io.BytesIO(answer)).array)
    except IndexError:
        raise RuntimeError(f"No table came: {answer[:500]!r}") from None


def cone_request(name: str, ra: float, dec: float) -> tuple[str, dict[str, object]]:
    """Path and parameters of a cone search with all columns."""
    return f"/{name.replace('.', '/scs/')}", {"RA": ra, "DEC": dec, "SR": RADIUS_DEG, "VERB": 3}


def _scs_request(port: int, name: str, ra: float, dec: float) -> bytes:
    return request_bytes(port, *cone_request(name, ra, dec))


def _tap_request(port: int, name: str, ra: float, dec: float) -> bytes:
    query = (
        f"SELECT * FROM {name} WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', {ra}, {dec}, {RADIUS_DEG}))"
    )
    return request_bytes(port, "/tap/sync", {"REQUEST": "doQuery", "LANG": "ADQL", "QUERY": query})


def _alone_and_together(
    server: Server, service: str, requests: list[bytes], answers: list[bytes], truth: _Truth, glob: str
) -> Iterator[Finding]:
    work = f"Cone of 2 arcmin in 2M rows ({np.median(truth.counts):.0f} rows of 14) by {service}"
    size = int(np.median([len(answer) for answer in answers]))
    for n_clients in _CLIENTS:
        ours, least = _loaded(server, size, requests, answers, n_clients)
        clients = f"{work}, {n_clients} client{'s' * (n_clients > 1)}"
        if n_clients == 1:
            p50, engine = _percentile(ours, 50), _engine_alone(truth.centres, glob)
            yield Finding(f"{clients}, p50", p50, _ENGINE, engine, *_bound(service, "p50", n_clients))
            yield Finding(f"{clients}, p50", p50, _CONSTANT, _percentile(least, 50))
        figures: dict[str, tuple[Sample, Sample]] = {
            "requests": (_rate(ours), _rate(least)),
            "p99": (_percentile(ours, 99), _percentile(least, 99)),
        }
        if n_clients == 8:
            figures["CPU of the server"] = _cpu_of_server(ours), _cpu_of_server(least)
        for what, (mine, other) in figures.items():
            yield Finding(f"{clients}, {what}", mine, _CONSTANT, other, *_bound(service, what, n_clients))


def _bound(*key: object) -> tuple[Budget | None, str]:
    return _BOUNDS.get(key, (None, ""))


def _loaded(
    server: Server, size: int, requests: list[bytes], answers: list[bytes], n_clients: int
) -> tuple[list[Report], list[Report]]:
    """Rounds against skydex and against the constant server, in turns; a short one first."""
    constant = started([sys.executable, "-m", "benchmarks.constant_server", str(size)])
    try:
        wait_for(constant.url)
        same = [b"x" * size] * len(requests)
        reports: tuple[list[Report], list[Report]] = ([], [])
        for n_requests in [100] + [_REQUESTS[n_clients]] * _N_ROUNDS:
            for place, (asked, expected) in enumerate(((server, answers), (constant, same))):
                reports[place].append(_measured(asked, Load(asked.port, requests, expected, n_clients, n_requests)))
    finally:
        stop(constant)
    return reports[0][1:], reports[1][1:]


def _measured(server: Server, load: Load) -> Report:
    before = server.cpu_s()
    report = put_load(load)
    report.server_cpu_s = server.cpu_s() - before
    return report


def _engine_alone(centres: Sequence[tuple[float, float]], glob: str) -> Sample:
    connection = duckdb_beside()
    sql = "SELECT * EXCLUDE (_healpix_29) FROM read_parquet('{}') WHERE {}"

    def ask() -> None:
        for centre in centres[:20]:
            connection.sql(sql.format(glob, cone_condition(centre, RADIUS_DEG))).to_arrow_table()

    return timed(Work(ask, 20), n_runs=_N_ROUNDS)[0].wall


def _percentile(reports: list[Report], percent: float) -> Sample:
    return Sample.of([float(np.percentile(report.latencies_s, percent)) for report in reports], Unit.SECONDS)


def _rate(reports: list[Report]) -> Sample:
    return Sample.of([len(report.latencies_s) / report.wall_s for report in reports], Unit.REQUESTS_PER_SECOND)


def _cpu_of_server(reports: list[Report]) -> Sample:
    each = [report.server_cpu_s / len(report.latencies_s) for report in reports]
    return Sample.of(each, Unit.CPU_SECONDS)
