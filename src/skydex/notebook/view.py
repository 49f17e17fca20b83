"""`LinkedView`: a diagram, the sky and the rows of a table in a notebook, and what somebody has chosen in them.

A widget as anywidget 0.9 and later has them: its traits are its state on both sides. The browser is sent bytes and asks
nobody; it sends back the places of the rows that were chosen, as 32-bit integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import NDArray

from skydex.errors import BadParameterError
from skydex.notebook.sent import PLACES, Drawn

__all__ = ["LinkedView"]

_WIRE = np.dtype("<u4")


def _to_wire(value: NDArray[np.int64], _widget: Any) -> bytes:
    return value.astype(_WIRE).tobytes()


def _from_wire(value: Any, _widget: Any) -> NDArray[np.int64]:
    return np.frombuffer(value, _WIRE).astype(np.int64)


class LinkedView(anywidget.AnyWidget):  # type: ignore[misc]
    """Rows as a linked diagram, sky and list; `Connection.explore` makes it.

    Parameters
    ----------
    drawn : Drawn
        What is drawn.
    held : astropy Table
        The same rows, as they are given back.
    script : str
        What draws them, an ES module.
    axes : mapping
        What is drawn as `x`, `y` and `color`, where that is said.

    Notes
    -----
    `observe` is told of every change: `view.observe(lambda change: print(len(view.selection)), "indices")`.
    """

    _facts = traitlets.Dict().tag(sync=True)
    _rows = traitlets.Bytes().tag(sync=True)
    _points = traitlets.Bytes().tag(sync=True)
    x = traitlets.Unicode(help="What runs across: a key of `axes`.").tag(sync=True)
    y = traitlets.Unicode(help="What runs up: a key of `axes`.").tag(sync=True)
    color = traitlets.Unicode(help="What the colour tells, a key of `axes`; nothing is one colour.").tag(sync=True)
    indices = traitlets.Any(help="Places in `table` of the rows that are chosen, ascending; may be set as well.").tag(
        sync=True, to_json=_to_wire, from_json=_from_wire
    )
    selected = traitlets.Int(0, help="How many rows are chosen.", read_only=True).tag(sync=True)

    def __init__(self, drawn: Drawn, held: Any, script: str, axes: Mapping[str, str | None]) -> None:
        self._esm = script
        self._drawn, self._held = drawn, held
        keys = drawn.keys(axes)
        super().__init__(
            _facts=drawn.facts(),
            _rows=drawn.shown(),
            _points=drawn.points(keys),
            indices=np.zeros(0, np.int64),
            layout={"width": "100%"},
            **keys,
        )

    @property
    def table(self) -> Any:
        """All rows that are shown."""
        return self._held

    @property
    def selection(self) -> Any:
        """The rows that are chosen, with all their columns."""
        return self._held[self.indices]

    @property
    def axes(self) -> dict[str, str]:
        """What `x`, `y` and `color` may be: keys, and what people call them."""
        return {axis.key: axis.label for axis in self._drawn.axes}

    @property
    def truncated(self) -> bool:
        """Whether there are more rows than are shown."""
        return bool(self._drawn.more)

    @traitlets.validate(*PLACES)
    def _check_axis(self, proposal: Any) -> str:
        return self._drawn.checked(proposal["trait"].name, proposal["value"])

    @traitlets.validate("indices")
    def _check_indices(self, proposal: Any) -> NDArray[np.int64]:
        """Places in ascending order, each once, out of numbers or of a mask."""
        given = np.asarray(proposal["value"])
        if given.dtype == bool and given.shape == (len(self._held),):
            return np.flatnonzero(given)
        places = np.unique(given)
        if places.size and (places.dtype.kind not in "iu" or places[0] < 0 or places[-1] >= len(self._held)):
            raise BadParameterError("indices", f"are places of rows, 0 to {len(self._held) - 1:,}, or a mask of them.")
        return places.astype(np.int64)

    @traitlets.observe("indices")
    def _count(self, _change: Any) -> None:
        self.set_trait("selected", len(self.indices))

    @traitlets.observe(*PLACES)
    def _place(self, _change: Any) -> None:
        self._points = self._drawn.points({place: getattr(self, place) for place in PLACES})

    def __repr__(self) -> str:
        n, name = len(self._held), self._drawn.table.name
        more = f" {self._drawn.more}" if self._drawn.more else ""
        return f"<view of {name}: {n:,} rows, {self.selected:,} chosen.{more}>"
