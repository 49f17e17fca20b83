"""What a second core is worth to a server, and what it saves to answer the same question again, or in fewer bytes.

Cones as in `traffic`. One process on one core is compared with two processes on two, in turns; whoever asks them has
the other core to itself in the first case and shares both in the second, and its CPU is counted and told, since the
servers had to do without it. Each answer is compared, byte for byte, with the first to the same question.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pyarrow.parquet as pq

from benchmarks import simulated
from benchmarks.finding import Budget, Finding
from benchmarks.holdings import Holdings, Setup
from benchmarks.load import Load, Report, first_answers, put_load
from benchmarks.sample import Sample, Unit
from benchmarks.serving import Server, request_bytes, serving
from benchmarks.traffic import cone_request

__all__ = ["TITLE", "measure"]

TITLE = "More cores, and the same question again"
_N_CONES, _N_ROUNDS, _N_CLIENTS, _N_REQUESTS = 60, 5, 8, 1200
_TWICE = Budget("1 -> 2 processes: at least 1.7 times as many", 1 / 1.7, of_ratio=True)


def measure(setup: Setup) -> Iterator[Finding]:
    """Cones by one process and by two, from memory, and compressed."""
    holdings = Holdings(setup)
    name = holdings.field()
    rows = pq.read_table(simulated.field(holdings.n_field, setup.cache), columns=["ra", "dec"])
    chosen = np.random.default_rng(7).choice(len(rows), _N_CONES, replace=False)
    centres = [(rows["ra"][i].as_py(), rows["dec"][i].as_py()) for i in chosen]
    with ExitStack() as stack:
        one = stack.enter_context(serving(holdings.directory, cores="0", processes=1))
        two = stack.enter_context(serving(holdings.directory, cores="0,1", processes=2, state_dir=setup.cache / "two"))
        kept = stack.enter_context(serving(holdings.directory, cache_mb=64, state_dir=setup.cache / "kept"))
        yield from _of_cores(one, two, name, centres)
        yield from _of_memory(two, kept, name, centres)
        yield from _of_codings(one, name, centres)


def _of_cores(one: Server, two: Server, name: str, centres: list[tuple[float, float]]) -> Iterator[Finding]:
    reports = _in_turns((one, two), name, centres)
    work = f"Cones of 2 arcmin by SCS, {_N_CLIENTS} clients, two processes on two cores"
    beside = "one process on one core"
    yield Finding(f"{work}, for each", _each(reports[1]), beside, _each(reports[0]), _TWICE)
    yield Finding(f"{work}, CPU of the server", _cpu(reports[1]), beside, _cpu(reports[0]))
    yield Finding(f"{work}, p99", _percentile(reports[1], 99), beside, _percentile(reports[0], 99))


def _of_memory(fresh: Server, kept: Server, name: str, centres: list[tuple[float, float]]) -> Iterator[Finding]:
    reports = _in_turns((fresh, kept), name, centres)
    work = f"Cones of 2 arcmin by SCS, {_N_CLIENTS} clients, answers kept"
    yield Finding(f"{work}, CPU of the server", _cpu(reports[1]), "each worked out", _cpu(reports[0]))


def _of_codings(server: Server, name: str, centres: list[tuple[float, float]]) -> Iterator[Finding]:
    plain = _in_turns((server,), name, centres)[0]
    for coding in ("gzip", "zstd"):
        packed = _in_turns((server,), name, centres, coding)[0]
        size, whole = (
            sum(map(len, first_answers(server.port, _asked(server, name, centres, c)))) for c in (coding, "")
        )
        work = f"Cones of 2 arcmin by SCS in {coding}, {size / whole:.0%} of the bytes, CPU of the server"
        yield Finding(work, _cpu(packed), "as they are", _cpu(plain))


def _in_turns(
    servers: tuple[Server, ...], name: str, centres: list[tuple[float, float]], coding: str = ""
) -> list[list[Report]]:
    """Rounds against each server; a short one first."""
    questions = [_asked(server, name, centres, coding) for server in servers]
    answers = [first_answers(server.port, asked) for server, asked in zip(servers, questions, strict=True)]
    reports: list[list[Report]] = [[] for _ in servers]
    for n_requests in [100] + [_N_REQUESTS] * _N_ROUNDS:
        for place, server in enumerate(servers):
            before = server.cpu_s()
            report = put_load(Load(server.port, questions[place], answers[place], _N_CLIENTS, n_requests))
            report.server_cpu_s = server.cpu_s() - before
            reports[place].append(report)
    return [rounds[1:] for rounds in reports]


def _asked(server: Server, name: str, centres: list[tuple[float, float]], coding: str) -> list[bytes]:
    requests = [request_bytes(server.port, *cone_request(name, *centre)) for centre in centres]
    header = b"\r\nAccept-Encoding: %s\r\n\r\n" % coding.encode()
    return [request.removesuffix(b"\r\n\r\n") + header for request in requests] if coding else requests


def _each(reports: list[Report]) -> Sample:
    return Sample.of([report.wall_s / len(report.latencies_s) for report in reports], Unit.SECONDS)


def _cpu(reports: list[Report]) -> Sample:
    return Sample.of([report.server_cpu_s / len(report.latencies_s) for report in reports], Unit.CPU_SECONDS)


def _percentile(reports: list[Report], percent: float) -> Sample:
    return Sample.of([float(np.percentile(report.latencies_s, percent)) for report in reports], Unit.SECONDS)
