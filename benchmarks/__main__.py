"""`python -m benchmarks [NAME...] [--rows N] [--long] [--cache DIR] [--out DIR]`."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from benchmarks import (
    bundles,
    catalogs,
    chandra,
    client,
    cones,
    crossmatch,
    cutouts,
    deep,
    delivery,
    figures,
    footprint,
    growth,
    ingest,
    jobs,
    looks,
    maps,
    observations,
    pages,
    panstarrs,
    pictures,
    postgres,
    queries,
    remote,
    scale,
    scaling,
    stamps,
    storage,
    traffic,
    transfers,
    turns,
    variables,
    wide,
    writing,
    xmatch,
)
from benchmarks.curve import Curve, exponent
from benchmarks.finding import Finding
from benchmarks.holdings import Setup
from benchmarks.machine import Machine, commit, load_average, now
from benchmarks.report import Chapter, read_results, write_results
from benchmarks.sample import Sample

BENCHMARKS: dict[str, ModuleType] = {
    "storage": storage,
    "wide": wide,
    "ingest": ingest,
    "deep": deep,
    "cones": cones,
    "writing": writing,
    "delivery": delivery,
    "client": client,
    "chandra": chandra,
    "catalogs": catalogs,
    "panstarrs": panstarrs,
    "queries": queries,
    "crossmatch": crossmatch,
    "xmatch": xmatch,
    "observations": observations,
    "cutouts": cutouts,
    "jobs": jobs,
    "turns": turns,
    "variables": variables,
    "bundles": bundles,
    "stamps": stamps,
    "traffic": traffic,
    "scaling": scaling,
    "transfers": transfers,
    "pictures": pictures,
    "maps": maps,
    "looks": looks,
    "pages": pages,
    "figures": figures,
    "footprint": footprint,
    "remote": remote,
    "growth": growth,
    "scale": scale,
    "postgres": postgres,
}

RESULTS = Path(__file__).parent / "results"


def _usual(is_long: bool) -> list[str]:
    """All benchmarks but those that must be named: 10^8 rows unless the run is long, and what needs PostgreSQL."""
    return [name for name in BENCHMARKS if name != "postgres" and (is_long or name != "scale")]


def main() -> None:
    given = _arguments()
    setup = Setup(given.cache, int(given.rows), given.long)
    chapters = read_results(given.out)
    for name in given.names or _usual(given.long):
        chapters[name] = _run(BENCHMARKS[name], setup)
        write_results(given.out, chapters, list(BENCHMARKS))
    print(f"\nWritten to {given.out / 'results.md'}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure skydex beside others.")
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--rows", type=float, default=1e7, help="rows of the largest catalogue [1e7]")
    parser.add_argument("--long", action="store_true", help="cones in 10^8 rows too; makes 15 GB of files")
    default = Path(tempfile.gettempdir()) / "skydex-benchmarks"
    parser.add_argument("--cache", type=Path, default=default, help=f"where simulated catalogues are kept [{default}]")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where results go [results, beside this]")
    return parser.parse_args()


def _run(benchmark: ModuleType, setup: Setup) -> Chapter:
    print(f"\n{benchmark.TITLE}", flush=True)
    before, started = load_average(), time.perf_counter()
    found = [_told(each) for each in benchmark.measure(setup)]
    findings = tuple(each for each in found if isinstance(each, Finding))
    curves = tuple(each for each in found if isinstance(each, Curve))
    seconds = time.perf_counter() - started
    loads = before, load_average()
    return Chapter(benchmark.TITLE, now(), loads, round(seconds, 1), str(Machine.here()), commit(), findings, curves)


def _told(finding: Finding | Curve) -> Finding | Curve:
    if isinstance(finding, Curve):
        for name, line in finding.lines.items():
            power = exponent(line)
            print(f"  {finding.work}, {name}: {_powers(line)}" + (f"  N^{power:.2f}" if power is not None else ""))
        return finding
    ratio = (
        ""
        if finding.ratio is None
        else f"  {finding.ratio:.2g} times better than {finding.reference_name}: {finding.reference}"
    )
    judgement = {None: "", True: "  within", False: "  NOT within"}[finding.is_within]
    budget = f"{judgement} {finding.budget.text}" if finding.budget else ""
    print(f"  {finding.work}: {finding.ours}{ratio}{budget}", flush=True)
    return finding


def _powers(line: Mapping[int, Sample]) -> str:
    return ", ".join(f"{n:,}: {str(line[n]).partition(' (')[0]}" for n in sorted(line))


if __name__ == "__main__":
    main()
