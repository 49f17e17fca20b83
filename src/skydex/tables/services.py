"""`ServiceDescriptor`: a service that takes what stands in a table, described so that a client can call it.

DataLink 1.1 (IVOA REC 2023-12-15), section 4: where the service is, which standard it follows, and its parameters:
some come from a column of the table, some have a fixed value, some are up to the user.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["InputParameter", "ServiceDescriptor"]


@dataclass(frozen=True)
class InputParameter:
    """A parameter of a described service."""

    name: str
    """As the service knows it."""
    datatype: str = "char"
    """VOTable datatype of its value."""
    arraysize: str | None = "*"
    """VOTable arraysize of its value."""
    unit: str | None = None
    """Its unit."""
    ucd: str | None = None
    """Its meaning."""
    xtype: str | None = None
    """DALI xtype of its value."""
    description: str = ""
    """One line for people."""
    value: str = ""
    """The value that it must have; empty if that is up to the user or stands in a column."""
    column: str = ""
    """Name of the column that its values come from."""
    least: str = ""
    """The least value that makes sense."""
    most: str = ""
    """The greatest one; of circles and polygons, one that holds all others (SODA 1.0, section 4.2)."""
    options: tuple[str, ...] = ()
    """The values that there are, if they are few."""


@dataclass(frozen=True)
class ServiceDescriptor:
    """A service that can be called."""

    access_url: str
    """Where it is."""
    inputs: tuple[InputParameter, ...]
    """What it takes."""
    standard_id: str = ""
    """The standard that it follows."""
    identifier: str = ""
    """XML ID, for rows that refer to it."""
    description: str = ""
    """What it does."""
    content_type: str = ""
    """Media type of its answers."""
    is_this: bool = False
    """Whether it is the service that gives the document in which it is described."""
