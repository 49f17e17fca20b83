"""Rows to files: in the formats that skydex writes, under their names only when they are whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from astropy.io import registry
from astropy.table import Column as AstropyColumn
from astropy.table import QTable, Table
from astropy.units import Quantity

from skydex.errors import UnsupportedFormatError
from skydex.formats import Format, format_of_suffix, get_format, writable
from skydex.tables import Result

__all__ = ["astropy_writer", "write_result"]


def write_result(
    result: Result, file: str | os.PathLike[str], *, format: str | None = None, overwrite: bool = False
) -> Path:
    """Write rows to a file as they come.

    Parameters
    ----------
    result : Result
        Rows in motion; they are used up.
    file : path
        Where to. Until it is whole it is called `file.part`.
    format : str, optional
        Such as `"fits"`, `"votable"`, `"parquet"`, `"csv"`, `"ecsv"`; otherwise the file's ending says it.
    overwrite : bool, optional
        Whether a file of that name may be replaced.

    Raises
    ------
    FileExistsError
        There is a file of that name.
    UnsupportedFormatError
        No such format is written; the message lists those that are.
    """
    target = Path(file).expanduser()
    form = _writable(get_format(format) if format else format_of_suffix(target.name))
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} exists. Give overwrite=True to replace it.")
    part = target.with_name(f"{target.name}.part")
    try:
        with result, part.open("wb") as out:
            assert form.write is not None
            out.writelines(form.write(result))
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def _writable(form: Format) -> Format:
    if form.write is None or form.service:
        raise UnsupportedFormatError(form.name, [kind.name for kind in writable()])
    return form


def astropy_writer(name: str, kinds: Mapping[str | None, str]) -> Callable[..., None]:
    """How astropy is to write a `ResultTable`: as skydex does, unless asked for what only astropy can.

    Parameters
    ----------
    name : str
        What astropy calls the format.
    kinds : mapping
        What skydex calls it, by astropy's `tabledata_format`.
    """

    def write(rows: Any, output: Any, *args: Any, **options: Any) -> None:
        kind = kinds.get(options.get("tabledata_format"))
        is_known = not args and options.keys() <= {"tabledata_format", "overwrite"}
        is_ours = is_known and isinstance(output, str | os.PathLike) and (name == "votable" or _is_plain(rows))
        if kind and is_ours:
            write_result(rows.to_result(), output, format=kind, overwrite=options.get("overwrite", False))
            return
        plain = QTable(rows, copy=False)
        plain.meta.clear()
        plain.meta["comments"] = [" ".join(f"{name}: {value}".split()) for name, value in rows.facts()]
        registry.get_writer(name, QTable)(plain, output, *args, **options)

    return write


def _is_plain(rows: Table) -> bool:
    """Whether a table has no columns that only astropy writes so that they come back: `Time` and `SkyCoord` in FITS."""
    return all(isinstance(column, AstropyColumn | Quantity) for column in rows.columns.values())
