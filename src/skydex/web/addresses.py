"""Public addresses: to which machines the server may be sent by somebody outside (reliability R16).

What counts is the number, never the name: a name is looked up once, every number behind it must be public, and the
connection goes to such a number. Registries: IANA IPv4 and IPv6 Special-Purpose Address Space (RFC 6890 and updates).
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor

__all__ = ["addresses_of", "is_public"]

_LOOKING_UP = ThreadPoolExecutor(4, thread_name_prefix="names")
"""Threads of their own, since a look-up cannot be called off, and names can be made to take as long as one likes."""
_MORE_SPECIAL_V4 = tuple(
    ipaddress.IPv4Network(text)
    for text in ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "224.0.0.0/3")
)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
"""All of IPv6 that is given to machines. IPv4 in other dress (mapped, compatible, NAT64) and multicast lie outside."""
_MORE_SPECIAL_V6 = tuple(
    ipaddress.IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
"""Teredo and other protocols, documentation, 6to4, documentation."""
_ISATAP = (0x00005EFE, 0x02005EFE)
"""Before the last 32 bits, which are an IPv4 address (RFC 5214, section 6.1)."""


def is_public(address: str) -> bool:
    """Whether a numeric address belongs to a machine on the internet, and to no other kind of place.

    Examples
    --------
    >>> [is_public(text) for text in ("8.8.8.8", "127.0.0.1", "10.0.0.1", "169.254.169.254", "::ffff:8.8.8.8")]
    [True, False, False, False, False]
    """
    try:
        number = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(number, ipaddress.IPv4Address):
        return number.is_global and not any(number in network for network in _MORE_SPECIAL_V4)
    return (
        number in _GLOBAL_V6
        and number.is_global
        and number.scope_id is None
        and not any(number in network for network in _MORE_SPECIAL_V6)
        and (int(number) >> 32) & 0xFFFFFFFF not in _ISATAP
    )


async def addresses_of(host: str, port: int) -> list[str]:
    """Every numeric address of a host, as the system's resolver has them.

    Raises
    ------
    OSError
        There is none.
    """
    look_up = functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_LOOKING_UP, look_up)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))
