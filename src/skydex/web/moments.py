"""Moments in parameters and documents: ISO 8601, in UTC unless a zone is given.

DALI 1.1 (IVOA REC 2017-05-17), section 3.1.2.
"""

from __future__ import annotations

import datetime
import re

from skydex.errors import BadParameterError

__all__ = ["parsed_moment", "written_moment"]

_MOMENT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)"
    r"([T ](?P<time>\d\d:\d\d(:\d\d)?)(\.(?P<fraction>\d{1,12}))?(Z|(?P<zone>[+-]\d\d:?\d\d))?)?",
    re.ASCII,
)


def parsed_moment(name: str, asked: str) -> float:
    """A moment that a parameter asks for, as Unix seconds.

    Raises
    ------
    BadParameterError
        It is none.
    """
    found = _MOMENT.fullmatch(asked.strip())
    try:
        if found is None:
            raise ValueError(asked)
        zone = (found["zone"] or "+0000").replace(":", "")
        whole = f"{found['date']}T{found['time'] or '00:00'}{zone}"
        moment = datetime.datetime.fromisoformat(whole).timestamp()
    except (ValueError, OverflowError):
        raise BadParameterError(name, "must be a date and time such as 2030-01-31T12:00:00Z.") from None
    return moment + float(f"0.{found['fraction'] or 0}")


def written_moment(seconds: float) -> str:
    """A moment with milliseconds."""
    whole = datetime.datetime.fromtimestamp(round(seconds, 3), datetime.UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{whole.microsecond // 1000:03d}Z"
