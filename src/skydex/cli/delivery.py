"""Answers on their way to a file, appearing there whole or not at all, or to standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from skydex.errors import UnwritableFileError

__all__ = ["deliver"]


def deliver(chunks: Iterable[bytes], file: Path | None) -> None:
    """Write chunks to a file, through `FILE.part`, or to standard output."""
    if file is None:
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        return
    part = file.with_name(f"{file.name}.part")
    try:
        _write(chunks, part)
        os.replace(part, file)
    except OSError as error:
        raise UnwritableFileError(str(file), f"{error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)


def _write(chunks: Iterable[bytes], part: Path) -> None:
    with part.open("wb") as sink:
        for chunk in chunks:
            sink.write(chunk)
