"""Who asks: users of CasJobs send their number and password as parameters of every request."""

from __future__ import annotations

from skydex.accounts import User
from skydex.errors import LoginError
from skydex.web.asgi import Call
from skydex.web.dali import Parameters

__all__ = ["checked_if_named", "logged_in"]

_LONGEST = 20


async def logged_in(call: Call, parameters: Parameters, *, who: str = "wsid", password: str = "pw") -> User:
    """The user that a request names, or whose token comes with it.

    A session's cookie does not count: any page could make a browser send it, and a GET changes things here.

    Parameters
    ----------
    call : Call
        The request.
    parameters : Parameters
        What it asks.
    who, password : str
        Names of the parameters.

    Raises
    ------
    LoginError, ThrottledError
        Number and password do not belong together.
    ForgedRequestError
        A page of another site asks, with a password that a browser remembers.
    """
    number, secret = parameters.find(who), parameters.find(password)
    if number is None and secret is None and call.user is not None and call.session is None:
        call.check_origin()  # nor does a password that a browser remembers for any page
        return call.user
    if number is None or not (number.strip().isascii() and number.strip().isdecimal()) or len(number) > _LONGEST:
        raise LoginError("The WSID or the password is wrong.")
    return await call.log_in(number.strip(), secret or "")


async def checked_if_named(call: Call, parameters: Parameters) -> None:
    """Let nobody pass whose credentials are wrong; where none are needed, there may be none."""
    if parameters.find("wsid") is not None or parameters.find("pw") is not None:
        await logged_in(call, parameters)
