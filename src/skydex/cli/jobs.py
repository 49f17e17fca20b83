"""Queries that go on by themselves: `submit`, and `job` for what became of one."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skydex.cli.answers import FormatName, MaxRec, OutputFile, sink_of
from skydex.cli.asking import Lang, QueryText, Uploads, query_text, uploads_of
from skydex.cli.command import Command
from skydex.cli.pointing import pointing_into
from skydex.cli.targets import At, FromStdin, Target, User, connected
from skydex.errors import BadParameterError

if TYPE_CHECKING:
    from skydex.connection import Job

__all__ = ["COMMANDS", "PANEL"]

PANEL = "Ask"


class Deed(StrEnum):
    """What may become of a job."""

    PHASE = "phase"
    WAIT = "wait"
    RESULT = "result"
    ABORT = "abort"
    DELETE = "delete"


def submit(
    target: Target,
    text: QueryText,
    *,
    maxrec: MaxRec = None,
    lang: Lang = "ADQL",
    upload: Uploads = None,
    at: At = None,
    user: User = None,
    password_stdin: FromStdin = False,
) -> None:
    """Have a query answered apart, as a job; prints its address.

    It goes on when this command has ended; `skydex job` asks after it. A directory answers its jobs itself, so that
    this command stays until such a job has ended.

    **Examples**

    - `skydex submit http://127.0.0.1:8642 @long.adql`
    - `skydex submit mast-casjobs "SELECT * INTO mydb.cands FROM HCVmatch WHERE AutoClass > 0" --user alice`
    """
    words = query_text(text)
    with connected(target, at=at, user=user, stdin=password_stdin) as archive, pointing_into(words):
        job = archive.submit(words, maxrec=maxrec, uploads=uploads_of(upload), language=lang)
        print(job.url, flush=True)
        if Path(at or target).is_dir():
            _require_good(job.wait())


def job(
    target: Target,
    url: Annotated[str, typer.Argument(metavar="JOB", help="Its address, as `skydex submit` prints it.")],
    deed: Annotated[
        Deed,
        typer.Argument(
            metavar="[DEED]",
            help="`phase` says how it stands; `wait` waits for its end; `result` waits and gives the rows; `abort` "
            "ends it; `delete` has it forgotten. [phase]",
        ),
    ] = Deed.PHASE,
    *,
    output: OutputFile = None,
    format_name: FormatName = None,
    at: At = None,
    user: User = None,
    password_stdin: FromStdin = False,
) -> None:
    """Ask after a job that was submitted, wait for its rows, or end it.

    Prints the phase, as UWS names it: `QUEUED`, `EXECUTING`, `COMPLETED`, `ERROR`, `ABORTED`. A job that failed is an
    error, with the words of the service.

    **Examples**

    - `skydex job http://127.0.0.1:8642 http://127.0.0.1:8642/tap/async/1a2b`
    - `skydex job http://127.0.0.1:8642 http://127.0.0.1:8642/tap/async/1a2b result -o stars.fits`
    """
    if deed is not Deed.RESULT and (output or format_name):
        raise BadParameterError("output", f"is for the rows: say `result` in the place of `{deed}`.")
    sink = sink_of(format_name, output)
    with connected(target, at=at, user=user, stdin=password_stdin) as archive:
        found = archive.job(url)
        match deed:
            case Deed.RESULT:
                sink.take(found.stream().to_result())
                return
            case Deed.ABORT:
                found.abort()
            case Deed.DELETE:
                found.delete()
                return
            case Deed.WAIT:
                found.wait()
        print(found.phase)
        if deed is not Deed.ABORT:
            _require_good(found)


def _require_good(found: Job) -> None:
    """An error for a job that has failed."""
    from skydex.errors import JobFailedError

    if (phase := found.phase) in ("ERROR", "ABORTED"):
        raise JobFailedError(found.url, phase, found.message)


COMMANDS = (Command(submit), Command(job))
