"""Uploads: tables that come along with a request, as relations of its namespace (TAP 1.1, section 2.5).

A file is read as whatever it is by its content, in the process that answers the request, and wholly into memory. It is
as hostile as everything from outside: nothing in it is followed to other places, and rows, columns and bytes are
counted while they are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pyarrow as pa

from skydex.archive.requests import Upload
from skydex.errors import UnreadableFileError
from skydex.formats import Source, format_of_file
from skydex.query import Relation
from skydex.settings import Settings
from skydex.tables import Table, arrow_schema

__all__ = ["TAP_UPLOAD", "UploadLimits", "read_upload"]

TAP_UPLOAD = "TAP_UPLOAD"
"""The schema that uploads are in."""


@dataclass(frozen=True)
class UploadLimits:
    """How large an upload may be."""

    plain_mb: int
    """Its bytes when unpacked."""
    n_rows: int
    """Its rows."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(settings.upload_mb, settings.upload_rows)


def read_upload(upload: Upload, limits: UploadLimits) -> Relation:
    """Read an upload.

    Raises
    ------
    UnreadableFileError
        It is no table, or over a limit.
    """
    try:
        source = _source(Path(upload.path), limits)
        rows = pa.Table.from_batches(source.open_batches(), arrow_schema(source.columns))
    except UnreadableFileError as error:
        raise UnreadableFileError(f"the uploaded table {upload.name}", error.reason) from error
    return Relation(Table(f"{TAP_UPLOAD}.{upload.name}", source.columns, source.description), rows)


def _source(file: Path, limits: UploadLimits) -> Source:
    kind = format_of_file(file)
    assert kind.read is not None
    return kind.read(file, {"max_bytes": limits.plain_mb << 20})[0]
