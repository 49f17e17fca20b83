"""The house style: how figures of skydex look, and nothing that outlives a figure.

Colours are those of Okabe and Ito (2008, jfly.uni-koeln.de/color), which people with any colour vision tell apart;
each goes with a marker of its own, so that a figure can be read in grey. Nothing here changes a default of matplotlib:
`style` holds while a figure is made.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from skydex.errors import ServiceError

__all__ = ["BACKGROUND", "CLASS_MARKS", "HIGHLIGHT", "Mark", "band_marks", "class_marks", "pyplot", "style"]

_BLUE, _VERMILLION, _GREEN, _PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
_ORANGE, _SKY_BLUE, _BLACK = "#E69F00", "#56B4E9", "#000000"

_STYLE: Mapping[str, Any] = {
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "axes.labelsize": 11,
    "axes.linewidth": 0.8,
    "axes.titlesize": 11,
    "figure.dpi": 120,
    "font.family": "sans-serif",
    "font.size": 10,
    "legend.fontsize": 9,
    "legend.frameon": True,
    "legend.framealpha": 0.85,
    "legend.edgecolor": "none",
    "xtick.direction": "in",
    "xtick.minor.visible": True,
    "xtick.top": True,
    "ytick.direction": "in",
    "ytick.minor.visible": True,
    "ytick.right": True,
}


@dataclass(frozen=True)
class Mark:
    """How points of one kind look."""

    colour: str
    """As matplotlib spells colours."""
    marker: str
    """As matplotlib spells markers."""
    is_open: bool = False
    """Whether only the outline is drawn."""


BACKGROUND = Mark("#444444", "o")
HIGHLIGHT = Mark(_VERMILLION, "o")
CLASS_MARKS: Mapping[str, Mark] = {
    "non-variable": Mark("silver", "x"),
    "SFVC": Mark(_BLUE, "o"),
    "MFVC": Mark("#00B8D4", "^"),
    "confident": Mark(_BLUE, "o"),
    "likely": Mark(_SKY_BLUE, "^"),
    "artifact": Mark(_VERMILLION, "X"),
}
"""Classes of the Hubble Catalog of Variables; the former as figure 4 of Bonanos et al. 2019 (A&A 630, A92) shows them.
"""

_SERIES = (
    Mark(_BLUE, "o"),
    Mark(_VERMILLION, "s"),
    Mark(_GREEN, "^"),
    Mark(_PURPLE, "D"),
    Mark(_ORANGE, "v"),
    Mark(_SKY_BLUE, "P"),
    Mark(_BLACK, "X"),
)
_UGRIZY = {
    "u": Mark(_SKY_BLUE, "P"),
    "g": Mark(_GREEN, "^"),
    "r": Mark(_VERMILLION, "s"),
    "i": Mark(_PURPLE, "D"),
    "z": Mark(_BLUE, "o"),
    "y": Mark(_BLACK, "v"),
}


def style(changes: Mapping[str, Any] | None = None) -> AbstractContextManager[None]:
    """The house style, for figures of your own: `with style(): ...`.

    Parameters
    ----------
    changes : mapping, optional
        Settings of matplotlib that are to differ, such as `{"font.size": 14, "figure.figsize": (8, 6)}`.

    Examples
    --------
    >>> with style({"font.size": 14}):
    ...     figure, ax = pyplot().subplots()
    """
    manager: AbstractContextManager[None] = pyplot().rc_context({**_STYLE, **(changes or {})})
    return manager


@functools.cache
def pyplot() -> Any:
    """The module `matplotlib.pyplot`, loaded when something is drawn.

    Raises
    ------
    ServiceError
        It is not installed.
    """
    try:
        import matplotlib
        from matplotlib import pyplot as loaded
    except ImportError as missing:
        raise ServiceError("Figures need matplotlib: pip install 'skydex[plots]'") from missing
    loaded.switch_backend(matplotlib.get_backend())  # else a notebook's would load, and set itself up, inside `style`
    return loaded


def band_marks(bands: Sequence[str]) -> dict[str, Mark]:
    """How the points of each band look; u g r i z y look alike in all figures."""
    others = iter_marks(band for band in bands if band not in _UGRIZY)
    return {band: _UGRIZY.get(band) or others[band] for band in bands}


def class_marks(names: Sequence[str]) -> dict[str, Mark]:
    """How the points of each class look."""
    others = iter_marks(name for name in names if name not in CLASS_MARKS)
    return {name: CLASS_MARKS.get(name) or others[name] for name in names}


def iter_marks(names: Iterable[str]) -> dict[str, Mark]:
    return {name: _SERIES[place % len(_SERIES)] for place, name in enumerate(names)}
