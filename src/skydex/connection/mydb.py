"""`MyDB`: the tables that a user keeps in an archive, by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from skydex.client import OwnTables
from skydex.connection.arrow_columns import result_of
from skydex.connection.listing import listed_tables
from skydex.connection.rows import ResultTable
from skydex.errors import BadParameterError, TableExistsError, UnknownTableError, near_names
from skydex.tables import Result

__all__ = ["MyDB"]

_NAME = re.compile(r"[^\W\d_]\w{0,127}", re.ASCII)
_MOST_NEAR = 5

Shown = Callable[[Result, str], ResultTable]


class MyDB:
    """A user's own tables: `mydb["name"]` reads one, `mydb.write("name", table)` keeps one.

    Parameters
    ----------
    own : OwnTables
        How they are asked for.
    shown : callable
        Makes a table of rows, given what was asked.
    target : str
        The archive, for messages.
    """

    def __init__(self, own: OwnTables, shown: Shown, target: str) -> None:
        self._own, self._shown, self._target = own, shown, target

    def tables(self) -> ResultTable:
        """List the tables: `name`, `n_columns`, `n_rows`, `description`; masked where the archive does not say."""
        bare = (table.renamed(table.bare_name) for table in self._own.tables())
        return listed_tables(bare, None, self._target)

    def read(self, name: str) -> ResultTable:
        """Read all rows of a table.

        Parameters
        ----------
        name : str
            Its name, with or without `mydb.`.

        Raises
        ------
        UnknownTableError
            There is none of that name.
        """
        try:
            rows = self._own.read(_bare(name))
        except UnknownTableError as error:
            raise self._unknown(name) from error
        return self._shown(rows, f"SELECT * FROM mydb.{_bare(name)}")

    def write(self, name: str, table: Any, *, overwrite: bool = False) -> None:
        """Keep a table, wholly or not at all.

        Parameters
        ----------
        name : str
            A letter, then letters, digits and underscores.
        table : astropy Table, pandas or polars DataFrame, pyarrow Table or mapping
            Its rows.
        overwrite : bool, optional
            Whether a table of that name goes before.

        Raises
        ------
        TableExistsError
            There is one of that name.
        QuotaError
            There is no room for it.
        """
        if not _NAME.fullmatch(_bare(name)):
            raise BadParameterError("name", f'is a letter, then letters, digits and _, not "{name[:80]}".')
        rows = result_of(table, name=_bare(name))
        if overwrite:
            self.drop_if_exists(name)
        elif name in self:
            raise TableExistsError(_bare(name))
        self._own.write(_bare(name), rows)

    def drop(self, name: str) -> None:
        """Delete a table; `UnknownTableError` if there is none."""
        if name not in self:
            raise self._unknown(name)
        self._own.drop(_bare(name))

    def drop_if_exists(self, name: str) -> None:
        """Delete a table, if there is one of that name."""
        if name in self:
            self._own.drop(_bare(name))

    def __getitem__(self, name: str) -> ResultTable:
        return self.read(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and _bare(name).lower() in map(str.lower, self)

    def __iter__(self) -> Iterator[str]:
        return (table.bare_name for table in self._own.tables())

    def __len__(self) -> int:
        return len(self._own.tables())

    def __repr__(self) -> str:
        return f"<MyDB at {self._target}: {', '.join(self) or 'no tables'}>"

    def _unknown(self, name: str) -> UnknownTableError:
        """The error for a table that is not there; it names those that are, if none is called alike."""
        names = list(self)
        return UnknownTableError(f"mydb.{_bare(name)}", near=near_names(_bare(name), names) or names[:_MOST_NEAR])


def _bare(name: str) -> str:
    return name.strip().rpartition(".")[2]
