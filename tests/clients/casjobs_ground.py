"""A server with users, and the clients of CasJobs for it."""

from __future__ import annotations

import contextlib
from pathlib import Path

from mastcasjobs import MastCasJobs
from serving import serving

from skydex.accounts import Accounts

PASSWORDS = {"alice": "p+w & 50%", "bob": "other <word>"}
"""With characters that have to be escaped on the way."""


@contextlib.contextmanager
def casjobs_server(archive: Path, state: Path, **settings: object):
    """A server over an archive, where alice and bob are users; gives it, and their WSIDs by name."""
    state.mkdir(parents=True, exist_ok=True)
    accounts = Accounts(state)
    numbers = {name: accounts.add(name, password).wsid for name, password in PASSWORDS.items()}
    accounts.close()
    with serving(archive, state_dir=state, **settings) as server:
        yield server, numbers


def client(url: str, name: str = "alice", *, context: str = "MyDB", base: str = "ps1casjobs", **given: object):
    """MAST's client, as a notebook makes it; only the three addresses are ours."""
    return MastCasJobs(
        username=name,
        password=PASSWORDS[name],
        context=context,
        base_url=f"{url}/{base}/services/jobs.asmx",
        wsid_url=f"{url}/{base}/casusers.asmx/GetWebServiceId",
        fast_url=f"{url}/cgi-bin/quick_casjobs.cgi",
        **given,
    )
