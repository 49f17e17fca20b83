"""`linked_view`: one view, if what draws it is there; a clear word if it is not."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from skydex.errors import ServiceError
from skydex.notebook.sent import Drawn
from skydex.tables import Table

if TYPE_CHECKING:
    from skydex.notebook.view import LinkedView

__all__ = ["MANY", "MOST", "linked_view"]

MANY = 50_000
"""Rows that a view has unless more are asked for; they are in the notebook's file when its widgets are saved."""
MOST = 500_000
"""Rows that a view has at most; a browser draws them in a second or two."""
_SCRIPT = Path(__file__).parent / "built" / "widget.js"


def linked_view(
    table: Table,
    rows: pa.Table,
    held: Any,
    *,
    cone: tuple[float, float, float] | None = None,
    more: str = "",
    axes: Mapping[str, str | None] = MappingProxyType({}),
) -> LinkedView:
    """Make a view of rows.

    Parameters
    ----------
    table : Table
        What the rows are of.
    rows : pyarrow Table
        The rows, with columns of the table.
    held : astropy Table
        The same rows, as they are given back when they are chosen.
    cone : (float, float, float), optional
        Where they are: right ascension, declination and radius, degrees, ICRS.
    more : str, optional
        What is said of rows that are not among them.
    axes : mapping, optional
        What is drawn as `x`, `y` and `color`, by the keys of axes; by default what tells most.

    Raises
    ------
    ServiceError
        anywidget is not installed, or skydex was installed without its scripts.
    BadParameterError
        There is nothing to draw, or no such axis.
    """
    script = _script()
    try:
        from skydex.notebook.view import LinkedView
    except ImportError as missing:
        raise ServiceError("Views in notebooks need anywidget: pip install 'skydex[notebook]'") from missing
    return LinkedView(Drawn(table, rows, cone=cone, more=more), held, script, axes)


@cache
def _script() -> str:
    if not _SCRIPT.is_file():
        raise ServiceError(
            "skydex was installed without its scripts, which draw views in notebooks. "
            "Install it again without PAGE_WITHOUT_SCRIPTS, or run `make page` in its sources."
        )
    return _SCRIPT.read_text(encoding="utf-8")
