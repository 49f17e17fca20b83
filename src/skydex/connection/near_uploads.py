"""Tables that come along with a query, as files that the archive reads as it reads any upload."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from skydex.archive import Upload
from skydex.formats import get_format
from skydex.tables import Result

__all__ = ["kept_in", "uploaded"]


@contextlib.contextmanager
def uploaded(tables: Mapping[str, Result | Path]) -> Iterator[tuple[Upload, ...]]:
    """Give tables as uploads, for as long as the block lasts.

    Parameters
    ----------
    tables : mapping
        Rows, or files, by what queries call them after `TAP_UPLOAD.`.
    """
    with tempfile.TemporaryDirectory(prefix="skydex-") as directory:
        yield tuple(Upload(name, str(kept_in(Path(directory), name, rows))) for name, rows in tables.items())


def kept_in(directory: Path, name: str, rows: Result | Path) -> Path:
    """The file of a table: its own, or one that is written for it."""
    if isinstance(rows, Path):
        return rows
    form = get_format("arrow")
    assert form.write is not None, "Arrow can be written"
    path = directory / f"{name}{form.suffixes[0]}"
    with path.open("wb") as file, rows:
        file.writelines(form.write(rows))
    return path
