"""`python -m benchmarks [NAME...] [--rows N] [--long] [--cache DIR] [--out DIR]`."""

from __future__ import annotations

import argparse
import tempfile
import time
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
    delivery,
    figures,
    footprint,
    ingest,
    jobs,
    maps,
    observations,
    panstarrs,
    pictures,
    queries,
    stamps,
    storage,
    traffic,
    transfers,
    turns,
    variables,
    wide,
    writing,
)
from benchmarks.finding import Finding
from benchmarks.holdings import Setup
from benchmarks.machine import Machine, commit, load_average, now
from benchmarks.report import Chapter, read_results, write_results

BENCHMARKS: dict[str, ModuleType] = {
    "storage": storage,
    "wide": wide,
    "ingest": ingest,
    "cones": cones,
    "writing": writing,
    "delivery": delivery,
    "client": client,
    "chandra": chandra,
    "catalogs": catalogs,
    "panstarrs": panstarrs,
    "queries": queries,
    "crossmatch": crossmatch,
    "observations": observations,
    "cutouts": cutouts,
    "jobs": jobs,
    "turns": turns,
    "variables": variables,
    "bundles": bundles,
    "stamps": stamps,
    "traffic": traffic,
    "transfers": transfers,
    "pictures": pictures,
    "maps": maps,
    "figures": figures,
    "footprint": footprint,
}


def main() -> None:
    given = _arguments()
    setup = Setup(given.cache, int(given.rows), given.long)
    chapters = read_results(given.out)
    for name in given.names or BENCHMARKS:
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
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="where results go [beside this]")
    return parser.parse_args()


def _run(benchmark: ModuleType, setup: Setup) -> Chapter:
    print(f"\n{benchmark.TITLE}", flush=True)
    before, started = load_average(), time.perf_counter()
    findings = tuple(map(_told, benchmark.measure(setup)))
    seconds = time.perf_counter() - started
    return Chapter(
        benchmark.TITLE, now(), (before, load_average()), round(seconds, 1), str(Machine.here()), commit(), findings
    )


def _told(finding: Finding) -> Finding:
    ratio = (
        ""
        if finding.ratio is None
        else f"  {finding.ratio:.2g} times better than {finding.reference_name}: {finding.reference}"
    )
    judgement = {None: "", True: "  within", False: "  NOT within"}[finding.is_within]
    budget = f"{judgement} {finding.budget.text}" if finding.budget else ""
    print(f"  {finding.work}: {finding.ours}{ratio}{budget}", flush=True)
    return finding


if __name__ == "__main__":
    main()
