"""`Service`: the role of one protocol on a server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from starlette.routing import BaseRoute

from skydex.web.runner import OrderOf
from skydex.web.site import Site

__all__ = ["Link", "Service"]


@dataclass(frozen=True)
class Link:
    """An address worth telling people."""

    title: str
    """What is there."""
    url: str
    """Where it is."""


@dataclass(frozen=True)
class Service:
    """One protocol: where it answers, what it can, and how people find it."""

    name: str
    """Short name, as in its module."""
    title: str
    """Name for people."""
    routes: Callable[[Site], list[BaseRoute]]
    """Where it answers."""
    capabilities: Callable[[Site], Iterable[str]]
    """VOSI capability elements of everything it offers."""
    links: Callable[[Site], Iterable[Link]]
    """What the landing page shows."""
    jobs: Mapping[str, OrderOf] = field(default_factory=dict)
    """What is to be done for each kind of job that it accepts."""
