"""`Manifest`: what a published catalogue consists of, to the byte.

DuckDB reads a Parquet file with flipped bits without a word, so the store keeps size and SHA-256 of every file and a
checksum of every Parquet footer. The manifest is written last: a directory that has one is whole. Its own digest lies
beside it in the form that `sha256sum --check` understands.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from skydex.errors import DamagedDataError, StoreError
from skydex.store.layout import MANIFEST, MANIFEST_DIGEST
from skydex.store.location import Location
from skydex.tables import Column, Example, ForeignKey, Position, Table

__all__ = ["FileFacts", "Manifest", "find_manifest", "manifest_to_bytes"]

FORMAT = 1
"""Version of the manifest itself; a reader refuses a greater one."""


@dataclass(frozen=True)
class FileFacts:
    """What the bytes of one file must be."""

    size: int
    """Bytes."""
    sha256: str
    """Hexadecimal digest of the content."""
    footer: int | None = None
    """CRC-32 of the Parquet footer with its length and magic, for a quick look when the file is opened."""

    def agrees_with(self, content: bytes) -> bool:
        """Whether these are the bytes."""
        return len(content) == self.size and hashlib.sha256(content).hexdigest() == self.sha256


@dataclass(frozen=True)
class Manifest:
    """Everything about a published catalogue except its rows and columns."""

    version: str
    """Changes with every publication."""
    table: Mapping[str, Any]
    """Facts of the `Table` besides its columns."""
    n_rows: int
    """All rows."""
    n_unpositioned: int
    """Those of them without a position (all, if the table has none)."""
    files: Mapping[str, FileFacts] = field(default_factory=dict)
    """By name relative to the catalogue."""

    def to_table(self, columns: tuple[Column, ...], *, name: str) -> Table:
        """Put the description together with its columns, under the name it is published by."""
        facts = dict(self.table)
        position = facts.pop("position")
        keys = tuple(
            ForeignKey(key["target_table"], tuple((a, b) for a, b in key["columns"]), key["description"])
            for key in facts.pop("foreign_keys")
        )
        examples = tuple(Example(**example) for example in facts.pop("examples", ()))
        where = Position(**position) if position else None
        return Table(name, columns, position=where, foreign_keys=keys, examples=examples, n_rows=self.n_rows, **facts)


def facts_of_table(table: Table) -> dict[str, Any]:
    """Give the facts of a table that its columns do not tell, fit for JSON."""
    return {
        "description": table.description,
        "position": asdict(table.position) if table.position else None,
        "id_column": table.id_column,
        "utype": table.utype,
        "foreign_keys": [asdict(key) for key in table.foreign_keys],
        "examples": [asdict(example) for example in table.examples],
    }


def manifest_to_bytes(manifest: Manifest) -> tuple[bytes, bytes]:
    """Write a manifest, and the file that vouches for it."""
    content = {"format": FORMAT, **asdict(manifest)}
    content["files"] = {
        name: {key: value for key, value in asdict(facts).items() if value is not None}
        for name, facts in sorted(manifest.files.items())
    }
    text = json.dumps(content, indent=1, ensure_ascii=False).encode()
    return text, f"{hashlib.sha256(text).hexdigest()}  {MANIFEST}\n".encode()


def find_manifest(location: Location, *, name: str) -> Manifest | None:
    """Read the manifest of one of our catalogues; `None` for a catalogue that is not ours.

    Raises
    ------
    DamagedDataError
        The manifest is not what was written.
    StoreError
        It was written by a later skydex.
    """
    text, digest = location.find(MANIFEST), location.find(MANIFEST_DIGEST)
    if text is None and digest is None:
        return None
    if text is None or digest != f"{hashlib.sha256(text).hexdigest()}  {MANIFEST}\n".encode():
        raise DamagedDataError(f"The manifest of {name} is damaged. Restore the catalogue, or ingest it again.")
    content = json.loads(text)
    if content.pop("format") > FORMAT:
        raise StoreError(f"{name} was written by a later version of skydex. Update skydex to read it.")
    files = {file: FileFacts(**facts) for file, facts in content.pop("files").items()}
    return Manifest(files=files, **content)
