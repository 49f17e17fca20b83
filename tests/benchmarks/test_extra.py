"""What the benchmarks import comes with `skydex[bench]`, so that `make bench` runs in an environment of its own."""

from __future__ import annotations

import ast
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def test_every_package_that_a_benchmark_imports_comes_with_the_extra():
    coming = closure("skydex", frozenset({"bench"}), {})
    homes = packages_distributions()
    foreign = imported() - set(sys.stdlib_module_names) - {"benchmarks", "skydex", "tests"}
    missing = {name for name in foreign if not {*map(canonicalize_name, homes.get(name, [name]))} & coming.keys()}
    assert {"numpy", "lsdb", "mastcasjobs"} <= foreign
    assert missing == set()


def imported():
    """The packages that are named in any import of any file."""
    nodes = [node for file in BENCHMARKS.glob("*.py") for node in ast.walk(ast.parse(file.read_text()))]
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return {name.partition(".")[0] for name in plain | {n.module for n in nodes if isinstance(n, ast.ImportFrom)}}


def closure(name, extras, known):
    """Every distribution that comes with one, with the extras it was wanted with."""
    name = canonicalize_name(name)
    if extras <= known.get(name, set()) and name in known:
        return known
    known[name] = known.get(name, set()) | extras
    for text in requirements(name):
        wanted = Requirement(text)
        if wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in known[name] | {""}):
            closure(wanted.name, frozenset(wanted.extras), known)
    return known


def requirements(name):
    """What a distribution wants; nothing is known of one that is not installed, as some of the extra's are not here."""
    try:
        return requires(name) or ()
    except PackageNotFoundError:
        return ()
