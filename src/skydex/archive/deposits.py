"""`Deposit`: a file that is to become a table of one's own, or rows of one.

The file is read as an upload is (`uploads`), one batch after the other, in the process that answers, and its rows go
straight to the disk: what limits them is the quota. A definition (`formats.definition`) makes a table without rows.
Where rows are added to a table that is there, texts are read as its columns ask: `007` stays `007` in a text.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skydex.archive.requests import QueryRequest, Upload
from skydex.archive.uploads import UploadLimits, open_upload
from skydex.errors import NotYoursError
from skydex.formats.definition import DEFINITION
from skydex.mydb import MYDB, MyDB
from skydex.query.languages.words import spelled

__all__ = ["Deposit", "Deposited", "Manner", "deposited", "own_name", "own_table_request"]

_OWN_NAME = re.compile(r"(?:(?P<schema>[A-Za-z]\w*)\.(?:dbo\.)?)?(?P<name>\w+)", re.ASCII | re.IGNORECASE)


class Manner(enum.StrEnum):
    """What becomes of a table that is there already."""

    CREATE = "create"
    """It must not be there."""
    REPLACE = "replace"
    """It goes."""
    APPEND = "append"
    """It must be there, and gets further rows."""


@dataclass(frozen=True)
class Deposit:
    """What is to be kept."""

    owner: str
    """For whom."""
    upload: Upload
    """The name of the table, and where the file is."""
    manner: Manner = Manner.CREATE
    """What becomes of a table that is there already."""
    description: str = ""
    """One paragraph for people; by default what the file says of itself."""


@dataclass(frozen=True)
class Deposited:
    """What was kept."""

    n_rows: int
    """Rows of the file."""
    warnings: tuple[str, ...]
    """What is odd about it: columns that cannot be carried, and why."""


def own_name(text: str, owner: str) -> str:
    """The bare name of a table that a user may change, as she writes it: `t`, `mydb.t`, `mydb.dbo.t` or `alice.t`.

    Raises
    ------
    NotYoursError
        The table is in no schema of her own.
    """
    found = _OWN_NAME.fullmatch(text.strip())
    if found is None or (found["schema"] or MYDB).lower() not in (MYDB, owner.lower()):
        raise NotYoursError(text)
    return found["name"]


def own_table_request(mydb: MyDB, name: str) -> QueryRequest:
    """The request for a whole table of one's own; `UnknownTableError` if there is none of that name."""
    return QueryRequest(f"SELECT * FROM {MYDB}.{spelled(mydb.get(name).name)}", owner=mydb.owner)


def deposited(mydb: MyDB, order: Deposit, limits: UploadLimits) -> Deposited:
    """Keep a table, wholly or not at all.

    Parameters
    ----------
    mydb : MyDB
        Where.
    order : Deposit
        What.
    limits : UploadLimits
        How large its file may be.

    Raises
    ------
    TableExistsError, UnknownTableError
        There is such a table, or none, and it should be otherwise.
    UnreadableFileError
        It is no table, or a broken or hostile one.
    BadQueryError, UnknownColumnError
        A value, or a column, does not fit the table to which it is added.
    QuotaError, UploadTooLargeError
        There is no room for it.
    """
    name = order.upload.name
    options = _told(mydb, name) if order.manner is Manner.APPEND else {}
    with open_upload(order.upload, limits, name=f"{MYDB}.{name}", more=(DEFINITION,), options=options) as source:
        if order.manner is Manner.APPEND:
            n_rows = mydb.append(name, source.columns, source.open_batches())
        else:
            about = order.description or source.description
            is_new = order.manner is Manner.REPLACE
            n_rows = mydb.create(name, source.columns, source.open_batches(), description=about, replace=is_new)
    return Deposited(n_rows, source.warnings)


def _told(mydb: MyDB, name: str) -> Mapping[str, Any]:
    """What a reader should know of rows for a table: which of its columns are text."""
    columns = mydb.describe(name).columns
    return {"texts": [column.name.lower() for column in columns if column.datatype.is_text]}
