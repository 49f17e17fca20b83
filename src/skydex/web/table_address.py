"""`table_in`: the table that the address of a look or of light curves names, with the ending that names a format."""

from __future__ import annotations

from skydex.errors import UnknownResourceError, UnknownTableError
from skydex.tables import Table
from skydex.web.asgi import Call

__all__ = ["table_in"]


def table_in(call: Call) -> tuple[Table, str]:
    """The table of an address, and the ending that names a format; a name may have dots itself.

    Raises
    ------
    UnknownResourceError
        There is no such table, or it is not the asker's to know of.
    """
    path = call.part("table") or ""
    namespace = call.site.archive.namespace(owner=call.owner)
    stem, _, suffix = path.rpartition(".")
    near: list[str] = []
    for name, ending in ((path, ""), (stem, suffix)):
        try:
            return namespace.get(name).table, ending
        except UnknownTableError as error:
            near += error.near
    raise UnknownResourceError("table", path[:80], near=list(dict.fromkeys(near)))
