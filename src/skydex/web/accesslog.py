"""What is logged of a request: its address, without what only its author may know.

Clients of CasJobs send user numbers and passwords in the address of a request. Where there is such a parameter, or one
in whose value they may stand, the names of all parameters are logged and no value.
"""

from __future__ import annotations

import logging
from urllib.parse import unquote_plus

__all__ = ["Discreet"]

_SECRET = ("pw", "pass", "wsid", "token", "secret", "conditions", "session", "auth", "key")
"""Parts of names of parameters whose values nobody else is to know."""


class Discreet(logging.Filter):
    """For the logger of requests: nothing secret gets through."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_discreet(word) if isinstance(word, str) else word for word in record.args)
        return True


def _discreet(address: str) -> str:
    """An address without values of parameters, if one of these is secret."""
    path, mark, query = address.partition("?")
    names = [pair.partition("=")[0] for pair in query.split("&")]
    if not any(part in unquote_plus(name).lower() for name in names for part in _SECRET):
        return address
    return f"{path}{mark}{'&'.join(f'{name}=...' for name in names)}"
