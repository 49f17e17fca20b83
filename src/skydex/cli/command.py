"""`Command`: a function that the command line offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Command"]


@dataclass(frozen=True)
class Command:
    """A function that the command line offers."""

    function: Callable[..., None]
    """Its parameters are the arguments and options, its docstring the help."""
    options: dict[str, Any] = field(default_factory=dict)
    """What typer should know besides: another name, how unknown options are taken."""
