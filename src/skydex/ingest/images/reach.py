"""`Reach`: how far outlines of images reach from the positions by which these are stored.

With it a query for the images of a place reads only those nearby (`skydex.query.outlines`).
"""

from __future__ import annotations

import math
from typing import Any

__all__ = ["Reach"]


class Reach:
    """The farthest of all outlines that were seen.

    Parameters
    ----------
    deg : float or None
        Where to begin, degrees; None if that is not known, and then it stays so.
    """

    def __init__(self, deg: float | None = 0.0) -> None:
        self.deg = deg
        """Degrees; None if there was an outline of which it cannot be told."""

    def see(self, outline: Any, ra_deg: Any, dec_deg: Any) -> None:
        """Take an outline into account; one that is not there reaches nowhere."""
        if outline is None or self.deg is None:
            return
        numbers = _numbers(str(outline))
        if numbers is None or ra_deg is None or dec_deg is None:
            self.deg = None
            return
        centre = _place(float(ra_deg), float(dec_deg))
        corners = (_place(ra, dec) for ra, dec in zip(numbers[:-1:2], numbers[1::2], strict=True))
        own_radius = numbers[2] if len(numbers) == 3 else 0.0
        reach = max(_separation(centre, corner) for corner in corners) + own_radius
        self.deg = max(self.deg, reach) if math.isfinite(reach) else None


def _numbers(outline: str) -> list[float] | None:
    """The numbers of a polygon or circle, ICRS; of other outlines nothing is known."""
    kind, *words = outline.upper().split()
    if words and words[0] == "ICRS":
        del words[0]
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        return None
    is_whole = len(numbers) == 3 if kind == "CIRCLE" else len(numbers) >= 6 and len(numbers) % 2 == 0
    return numbers if kind in ("POLYGON", "CIRCLE") and is_whole else None


def _place(ra_deg: float, dec_deg: float) -> tuple[float, float, float]:
    ra, dec = math.radians(ra_deg), math.radians(dec_deg)
    return math.cos(dec) * math.cos(ra), math.cos(dec) * math.sin(ra), math.sin(dec)


def _separation(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    return math.degrees(2 * math.asin(min(1.0, math.dist(one, other) / 2)))
