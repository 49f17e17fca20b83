"""Classes of outcome, and the checks that records ask for afterwards."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from ground import Ground
from lxml import etree
from records import Record
from sending import Outcome

_MOST_WEB_MB, _MOST_CHILD_MB = 600, 2600
_PLAIN = re.compile(r"([A-Za-z0-9_+-][A-Za-z0-9._+-]*/?)+", re.ASCII)
FORGED = "evil.example"
"""The host that records pretend to be."""


def _info(outcome: Outcome, name: str) -> str | None:
    """Value of the last INFO of a name in a VOTable, or None."""
    try:
        root = etree.fromstring(outcome.body)
    except etree.XMLSyntaxError:
        return None
    infos = (info for info in root.iter("{*}INFO") if info.get("name", "").lower() == name.lower())
    return next((info.get("value") for info in reversed([*infos])), None)


def _tap_error(outcome: Outcome) -> bool:
    fits = outcome.status == 200 or (outcome.status is not None and 400 <= outcome.status < 500)
    return fits and _info(outcome, "QUERY_STATUS") == "ERROR"


def _answered(outcome: Outcome) -> bool:
    return outcome.status == 200 and (_info(outcome, "QUERY_STATUS") in ("OK", "OVERFLOW") or not _is_xml(outcome))


def _is_xml(outcome: Outcome) -> bool:
    return "xml" in outcome.header("content-type")


def _invoke_error(outcome: Outcome) -> bool:
    if outcome.status != 200 or "json" not in outcome.header("content-type"):
        return False
    return bool(json.loads(outcome.body).get("status") == "ERROR")


def _casjobs_error(outcome: Outcome) -> bool:
    """As the clients of CasJobs read it: HTTP 500, and a text in which they find the message."""
    return outcome.status == 500 and "System.Exception:" in outcome.text


def _casjobs_ok(outcome: Outcome) -> bool:
    return outcome.status == 200 and "http://Services.Cas.jhu.edu" in outcome.text


def _soap_fault(outcome: Outcome) -> bool:
    return outcome.status == 500 and ":Fault>" in outcome.text


def _login_refused(outcome: Outcome) -> bool:
    return outcome.status in (401, 403) or _casjobs_error(outcome) or ">-1</" in outcome.text


def _client_error(outcome: Outcome) -> bool:
    return outcome.status is not None and 400 <= outcome.status < 500


def _too_many(outcome: Outcome) -> bool:
    return outcome.status in (429, 503) and bool(outcome.header("retry-after"))


def _nothing_external(outcome: Outcome) -> bool:
    return FORGED not in outcome.header("location")


def _no_forged_host(outcome: Outcome) -> bool:
    return FORGED not in outcome.text and all(FORGED not in value for _, value in outcome.headers)


def _cors_safe(outcome: Outcome) -> bool:
    return not outcome.header("access-control-allow-credentials")


def _inert(outcome: Outcome) -> bool:
    is_plain = outcome.header("content-type").startswith("text/plain")
    if is_plain and outcome.header("x-content-type-options") == "nosniff":
        return True
    return "<script>alert" not in outcome.text and "<img src=x" not in outcome.text


def _status(*wanted: int) -> Callable[[Outcome], bool]:
    return lambda outcome: outcome.status in wanted


def _bundle_safe(outcome: Outcome) -> bool:
    """One folder with plain names below it comes out of an archive, or of a script that is run."""
    if outcome.status != 200:
        return False
    with tempfile.TemporaryDirectory() as folder:
        kind = outcome.header("content-type").partition(";")[0]
        if kind == "text/x-shellscript":
            environ = {**os.environ, "no_proxy": "127.0.0.1,localhost"}
            subprocess.run(["sh"], input=outcome.body, cwd=folder, env=environ, capture_output=True, timeout=60)
        elif kind == "application/zip":
            with zipfile.ZipFile(io.BytesIO(outcome.body)) as file:
                assert all(_PLAIN.fullmatch(name) for name in file.namelist())
                file.extractall(folder)
        else:
            with tarfile.open(fileobj=io.BytesIO(outcome.body), mode="r:gz") as tar:
                assert all(_PLAIN.fullmatch(name) for name in tar.getnames())
                tar.extractall(folder, filter="data")
        found = list(Path(folder).iterdir())
        return len(found) <= 1 and all(_PLAIN.fullmatch(path.name) for path in Path(folder).rglob("*"))


CLASSES: dict[str, Callable[[Outcome], bool]] = {
    "ok": _answered,
    "ok_empty": _answered,
    "overflow": lambda outcome: _info(outcome, "QUERY_STATUS") == "OVERFLOW",
    "bounded": lambda outcome: _answered(outcome) or _tap_error(outcome),
    "tap_error": _tap_error,
    "scs_error": lambda outcome: outcome.status == 200 and _info(outcome, "Error") is not None,
    "invoke_error": _invoke_error,
    "casjobs_ok": _casjobs_ok,
    "casjobs_error": _casjobs_error,
    "login_refused": _login_refused,
    "soap_fault": _soap_fault,
    "client_error": _client_error,
    "not_found": _status(404),
    "unauthorized": _status(401, 403),
    "bundle_safe": _bundle_safe,
    "too_large": _status(413),
    "too_many": _too_many,
    "see_other": _status(303),
    "no_outbound": lambda outcome: outcome.status is not None,  # that nobody was called is checked after every record
    "no_leak": lambda outcome: outcome.status is not None,  # as is this
    "no_reflected_html": _inert,
    "no_forged_host": _no_forged_host,
    "no_external_redirect": _nothing_external,
    "cors_safe": _cors_safe,
    "conn_closed": lambda outcome: outcome.is_closed,
    "slot_freed": lambda outcome: True,  # the simple query after every record says so
    "probe_ok": lambda outcome: True,
}
"""Whether an outcome is of a class."""


def check(record: Record, outcome: Outcome, ground: Ground, said: str) -> None:
    """What the record expects, what it asks for afterwards, and what holds after every record.

    What was `said` in the request may come back in a message; it tells the sender nothing.
    """
    shown = f"{outcome.status} after {outcome.seconds:.1f} s: {outcome.text[:500]}"
    assert any(CLASSES[name](outcome) for name in record.expect), shown
    assert outcome.status is None or outcome.status < 500 or outcome.status == 503 or _is_spoken(outcome), shown
    ground.check_silence(outcome.text, said)
    ground.check_silence(" ".join(value for _, value in outcome.headers), said)
    ground.check_answers()
    ground.check_untouched()
    for name in record.after:
        AFTER[name](outcome, ground)


def _is_spoken(outcome: Outcome) -> bool:
    """Whether a status that else is a fault of the server is how a protocol says that a request is wrong."""
    return _casjobs_error(outcome) or _soap_fault(outcome)


def _well_formed(outcome: Outcome, ground: Ground) -> None:
    etree.fromstring(outcome.body)


def _memory_bounded(outcome: Outcome, ground: Ground) -> None:
    pid = ground.server.process.pid
    assert ground.peak_mb(pid) < _MOST_WEB_MB
    assert all(ground.peak_mb(child) < _MOST_CHILD_MB for child in _descendants(pid))


def _descendants(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            children = [int(word) for word in file.read().split()]
    except OSError:
        return []
    return children + [below for child in children for below in _descendants(child)]


def _no_injected_header(outcome: Outcome, ground: Ground) -> None:
    assert not any(key in ("x-evil", "set-cookie", "x-injected") for key, _ in outcome.headers)


def _after_every_record(outcome: Outcome, ground: Ground) -> None:
    """Checked in any case."""


AFTER: dict[str, Callable[[Outcome, Ground], None]] = {
    "wellformed_xml": _well_formed,
    "rss_bounded": _memory_bounded,
    "no_injected_header": _no_injected_header,
    "table_unchanged": _after_every_record,
    "bob_unchanged": _after_every_record,
    "no_leak": _after_every_record,
    "no_outbound": _after_every_record,
    "probe": _after_every_record,
}
"""Checks that a record may ask for."""
