"""Uploads of CasJobs: rows as CSV in a parameter, for a new table of a user's own or for one that is there.

The parameter may be as large as an uploaded file. It goes to disk as it comes, and a worker makes the table. Clients
send large tables in several requests.
"""

from __future__ import annotations

from pathlib import Path

from skydex.archive import Deposit, Manner, Upload
from skydex.errors import BadParameterError
from skydex.web.asgi import Call
from skydex.web.casjobs.login import logged_in
from skydex.web.casjobs.operations import Answer
from skydex.web.casjobs.tables import own_table
from skydex.web.dali import Parameters
from skydex.web.mydb import deposit
from skydex.web.uploads import KeptFiles

__all__ = ["DATA", "WithRows", "received", "upload_data"]

DATA = "data"
"""Name of the parameter with the rows."""
_MOST_MB = 256
"""Of one request, whose sender is known only when it is there; clients send at most 200 at once."""
_WORDS = {"true": True, "1": True, "false": False, "0": False, "": False}


class WithRows(Parameters):
    """Parameters, of which the rows lie in a file."""

    file: Path | None = None
    """Where; None if there are none."""


async def received(call: Call, folder: Path, given: Parameters | None = None) -> WithRows:
    """The parameters of an upload, with the rows in a file of a folder.

    Parameters
    ----------
    call : Call
        The request.
    folder : Path
        Where the file goes.
    given : Parameters, optional
        What it asks, where that is known already.
    """
    with KeptFiles(folder, min(call.site.settings.mydb_upload_mb, _MOST_MB), call.site.intake) as files:
        parameters = given or await call.parameters(files, large={DATA})
        kept = files.of_part(DATA)
        text = parameters.find(DATA)
        if kept is None and text is not None:
            kept = files.keep_text(DATA, text)
    rows = WithRows((name, value) for name, value in parameters.pairs() if name != DATA.upper())
    rows.file = kept.path if kept else None
    return rows


async def upload_data(call: Call, parameters: Parameters) -> Answer:
    """Put rows into a table."""
    assert isinstance(parameters, WithRows), "the rows are in a file"
    user = await logged_in(call, parameters)
    table = parameters.find("tableName")
    if table is None:
        raise BadParameterError("tableName", "is missing: name a table of your own.")
    if parameters.file is None or not parameters.file.stat().st_size:
        raise BadParameterError(DATA, "is missing: send rows as CSV, with a line of names before them.")
    word = (parameters.find("tableExists") or "").strip().lower()
    if word not in _WORDS:
        raise BadParameterError("tableExists", "must be True or False.")
    manner = Manner.APPEND if _WORDS[word] else Manner.CREATE
    upload = Upload(own_table(table), str(parameters.file), "text/csv")
    await deposit(call, Deposit(user.name, upload, manner))
    return Answer()
