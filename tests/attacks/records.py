"""Attack records: one hostile request a line, and what must come of it.

The format is that of the sample in `../shared/data/attacks.jsonl`: `request` (a method with path, query, form, files,
headers, body; or a raw script for a socket; or a fixture), `expect` (classes, any of which passes), `after` (further
checks), `deadline_s`. Values may be generators, and names in double braces stand for what the attacked ground has.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OWN = Path(__file__).parent / "variants.jsonl"
"""Further records of the same kinds."""

_NAME = re.compile(r"\{\{([A-Z_]+)\}\}")
_ONE_MB = 1 << 20


@dataclass(frozen=True)
class Record:
    """One attack."""

    id: str
    """Its name."""
    surface: str
    """What is attacked."""
    threat: str
    """What would be bad."""
    request: Mapping[str, Any]
    """What is sent."""
    expect: tuple[str, ...]
    """Classes of outcome, any of which passes."""
    deadline_s: float | str
    """Until when it must be over: a number, or `sync_limit+5`."""
    after: tuple[str, ...] = ()
    """Further checks."""
    auth: str | None = None
    """Who sends it."""
    extra: Mapping[str, Any] = field(default_factory=dict)


def read_records(file: Path) -> Iterator[Record]:
    """The records of a file."""
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.strip():
            facts = json.loads(line)
            known = {key: facts.pop(key) for key in list(facts) if key in Record.__dataclass_fields__}
            known |= {"expect": tuple(known["expect"]), "after": tuple(known.get("after", ()))}
            yield Record(**known, extra=facts)


def filled(value: Any, names: Mapping[str, str]) -> Any:
    """A value with its names filled in and its generators run."""
    if isinstance(value, str):
        return _NAME.sub(lambda found: names[found[1]], value)
    if isinstance(value, list):
        return [filled(item, names) for item in value]
    if isinstance(value, dict):
        made = {key: filled(item, names) for key, item in value.items()}
        return _generated(made) if "gen" in made else made
    return value


def _generated(facts: dict[str, Any]) -> str | bytes:
    return _GENERATORS[facts["gen"]](facts)


def _around(facts: dict[str, Any], middle: str) -> str:
    return f"{facts.get('prefix', '')}{middle}{facts.get('suffix', '')}"


def _index_repeat(facts: dict[str, Any]) -> str:
    pieces = (facts["unit"].replace("#i", str(i)) for i in range(1, facts["n"] + 1))
    return _around(facts, facts.get("sep", "").join(pieces))


def _gzip_zeros(facts: dict[str, Any]) -> bytes:
    return gzip.compress(bytes(_ONE_MB), mtime=0) * facts["mb"]  # members one after the other are one gzip file


_GENERATORS = {
    "repeat": lambda facts: _around(facts, facts["unit"] * facts["n"]),
    "nest": lambda facts: _around(facts, facts["open"] * facts["n"] + facts["core"] + facts["close"] * facts["n"]),
    "range_list": lambda facts: _around(facts, ",".join(map(str, range(facts["n"])))),
    "index_repeat": _index_repeat,
    "zeros": lambda facts: bytes(facts["mb"] * _ONE_MB),
    "gzip_zeros": _gzip_zeros,
}
