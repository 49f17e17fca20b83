"""skydex: an astronomical archive in a box.

Catalogues go in; TAP, cone search and tables in every usual format come out. `connect` asks an archive, here or far
away; `col` makes conditions on columns. Importing the package is cheap: heavy libraries load when they are used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skydex.connection import Connection, col, connect

__all__ = ["Connection", "__version__", "col", "connect"]

__version__ = "0.1.0"

_ROOMS = ("client", "connection", "errors", "lightcurve", "plots")
"""What is there without an import of its own."""


def __getattr__(name: str) -> Any:
    if name in __all__:
        from skydex import connection

        return getattr(connection, name)
    if name in _ROOMS:
        return importlib.import_module(f"skydex.{name}")
    raise AttributeError(f"module 'skydex' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_ROOMS])
