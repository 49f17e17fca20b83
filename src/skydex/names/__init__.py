"""Names of objects: a name becomes a position."""

from skydex.names.resolver import resolve

__all__ = ["resolve"]
