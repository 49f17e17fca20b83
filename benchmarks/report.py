"""Results on the disk: `results.json` keeps the figures of every benchmark, `results.md` shows them.

A run of some benchmarks replaces their results only, so each says when it ran and how busy the machine was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.curve import Curve, exponent
from benchmarks.finding import Finding

__all__ = ["Chapter", "read_results", "write_results"]

_HEAD = """# What skydex needs, beside others

Written by `python -m benchmarks`; do not edit. Every figure of ours and of a reference was taken in the same run, in
turns, after a warm-up: the median, and in brackets the least and the most of n runs. *Ratio* is how many times better
than the reference we are (time, memory, size: theirs / ours; rates: ours / theirs); below 1 we are worse. *Budget* is
what the design asks for on two cores. **DaCHS figures are from design.md, not measured here**: DaCHS 2.7 on PostgreSQL
15 with q3c on two such cores. All catalogues are simulated: positions are rounded to 1e-8 deg and magnitudes to 1 mmag,
as survey catalogues publish them, errors and motions are full doubles of random bits unless said otherwise, and numbers
of objects have nothing to do with the sky. Questions are asked again and again, 60 cones in turn by *Small requests*,
so files and the row groups read lately are warm on both sides. The load average counts this run's own processes;
above that it is the work of others on the machine, which lengthens times.
"""
_COLUMNS = ("work", "ours", "reference", "ratio", "budget", "DaCHS (design.md, not measured here)", "within budget")


@dataclass(frozen=True)
class Chapter:
    """The results of one benchmark."""

    title: str
    """For people."""
    when: str
    """Date and time of its end."""
    loads: tuple[float, float]
    """Load average of a minute, at its start and at its end."""
    seconds: float
    """How long it took."""
    machine: str
    """What it ran on."""
    commit: str
    """The state of skydex that was measured."""
    findings: tuple[Finding, ...]
    """Its lines."""
    curves: tuple[Curve, ...] = ()
    """How its costs grow."""

    def to_json(self) -> dict[str, Any]:
        """Plain values that JSON can hold."""
        facts = {**vars(self), "findings": [finding.to_json() for finding in self.findings]}
        del facts["curves"]
        return {**facts, "curves": [curve.to_json() for curve in self.curves]} if self.curves else facts

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Chapter:
        """The same again."""
        findings = tuple(Finding.from_json(finding) for finding in facts["findings"])
        curves = tuple(Curve.from_json(curve) for curve in facts.get("curves", ()))
        return cls(**{**facts, "loads": tuple(facts["loads"]), "findings": findings, "curves": curves})


def read_results(folder: Path) -> dict[str, Chapter]:
    """Results of earlier runs, by the name of the benchmark."""
    file = folder / "results.json"
    if not file.exists():
        return {}
    return {name: Chapter.from_json(facts) for name, facts in json.loads(file.read_text()).items()}


def write_results(folder: Path, chapters: dict[str, Chapter], order: Sequence[str]) -> None:
    """Write both files, benchmarks in a given order, and draw the curves."""
    kept = {name: chapters[name] for name in order if name in chapters}
    facts = {name: chapter.to_json() for name, chapter in kept.items()}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(facts, indent=1) + "\n")
    (folder / "results.md").write_text("\n".join(_document(kept)) + "\n")
    for name, chapter in kept.items():
        if chapter.curves:
            from benchmarks.drawing import draw_curves  # matplotlib is needed for curves only

            draw_curves(chapter.curves, folder / f"{name}.svg", title=chapter.title)


def _document(chapters: dict[str, Chapter]) -> Iterator[str]:
    yield _HEAD
    machines = dict.fromkeys(chapter.machine for chapter in chapters.values())
    yield from (f"Machine: {machine}." for machine in machines)
    judged = [f.is_within for chapter in chapters.values() for f in chapter.findings if f.is_within is not None]
    yield f"\nWithin budget: {sum(judged)} of {len(judged)} figures that have one."
    for name, chapter in chapters.items():
        yield f"\n## {chapter.title}\n"
        yield (
            f"`python -m benchmarks {name}`, {chapter.when}, {chapter.seconds:.0f} s, commit {chapter.commit}, "
            f"load average {chapter.loads[0]} before and {chapter.loads[1]} after.\n"
        )
        yield _line(_COLUMNS)
        yield _line(["---"] * len(_COLUMNS))
        yield from (_line(_cells(finding)) for finding in chapter.findings)
        if chapter.curves:
            yield f"\n![{chapter.title}]({name}.svg)\n"
            yield from _table_of_curves(chapter.curves)


def _table_of_curves(curves: Sequence[Curve]) -> Iterator[str]:
    sizes = sorted({n for curve in curves for line in curve.lines.values() for n in line})
    yield _line(["work", "who", *(f"{n:,} rows" for n in sizes), "grows with N to the power of"])
    yield _line(["---"] * (len(sizes) + 3))
    for curve in curves:
        for name, line in curve.lines.items():
            power = exponent(line)
            figures = [str(line[n]).partition(" (")[0] if n in line else "" for n in sizes]
            yield _line([curve.work, name, *figures, "" if power is None else f"{power:.2f}"])


def _cells(finding: Finding) -> list[str]:
    beside = f"{finding.reference_name}: {finding.reference}" if finding.reference else ""
    ratio = "" if finding.ratio is None else f"{finding.ratio:.2g}" if finding.ratio < 10 else f"{finding.ratio:.0f}"
    within = {None: "", True: "yes", False: "**no**"}[finding.is_within]
    budget = finding.budget.text if finding.budget else ""
    return [finding.work, str(finding.ours), beside, ratio, budget, finding.dachs, within]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
