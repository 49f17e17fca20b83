"""The own tables of a user of a skydex server, as files with all that is known of their columns.

CasJobs, which the same server speaks, tells no units and takes none; `/mydb/tables` gives and takes whole tables.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from skydex.client.asking import answered_table
from skydex.client.http import Web, host_of
from skydex.client.presets import Preset
from skydex.errors import BadAnswerError, RefusedError, UnknownTableError
from skydex.formats import Format, get_format
from skydex.tables import Result, Table

__all__ = ["MyDBService"]

_NOT_FOUND = 404
_MOST_BYTES = 64 << 20
"""Of the list of tables."""


class MyDBService:
    """The tables that the user keeps on a server.

    Parameters
    ----------
    preset : Preset
        Its address, `mydb`.
    web : Web
        How it is asked, and as whom.
    """

    def __init__(self, preset: Preset, web: Web) -> None:
        self._tables = _OwnTables(f"{preset.services['mydb'].rstrip('/')}/tables", web)

    def own_tables(self) -> _OwnTables:
        """The tables of the user."""
        return self._tables


class _OwnTables:
    def __init__(self, address: str, web: Web) -> None:
        self._address, self._web = address, web

    def tables(self) -> tuple[Table, ...]:
        """What there is, without columns."""
        return tuple(map(self._table, self._listed()))

    def read(self, name: str) -> Result:
        """All rows of one, as Arrow."""
        with _known(name):
            return answered_table(self._web, "GET", f"{self._address}/{quote(name)}.arrow")

    def write(self, name: str, rows: Result) -> None:
        """Keep rows as a new table, wholly or not at all."""
        form = get_format("arrow")
        folder = Path(tempfile.mkdtemp(prefix="skydex-upload-"))
        try:
            file = _written(rows, form, folder / "table.arrow")
            files = {"file": (file.name, file, form.media_type)}
            self._web.post(self._address, {"name": name}, files=files, repeatable=False)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def drop(self, name: str) -> None:
        """Delete one."""
        with _known(name):
            self._web.whole("DELETE", f"{self._address}/{quote(name)}", repeatable=False)

    def _listed(self) -> list[dict[str, Any]]:
        content = self._web.get(self._address, max_bytes=_MOST_BYTES)
        try:
            listed = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise BadAnswerError(host_of(self._address), "its list of tables is not JSON.") from error
        if not isinstance(listed, list) or not all(isinstance(one, dict) and one.get("name") for one in listed):
            raise BadAnswerError(host_of(self._address), "it is no list of tables.")
        return listed

    def _table(self, told: dict[str, Any]) -> Table:
        n_rows = told.get("n_rows")
        known = n_rows if isinstance(n_rows, int) else None
        return Table(str(told["name"]), (), str(told.get("description") or ""), n_rows=known)


def _written(rows: Result, form: Format, file: Path) -> Path:
    """Rows in a file, from where they can be sent."""
    assert form.write is not None
    with rows, file.open("wb") as out:
        out.writelines(form.write(rows))
    return file


@contextlib.contextmanager
def _known(name: str) -> Iterator[None]:
    """The error for a table that is not there, in place of a status."""
    try:
        yield
    except RefusedError as error:
        if error.status == _NOT_FOUND:
            raise UnknownTableError(f"mydb.{name}") from error
        raise
