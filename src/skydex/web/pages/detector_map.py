"""Where the stars of a PSF database lie on their detector, as a drawing to choose them from."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from skydex.archive import Axis, DensityRequest, Subject
from skydex.archive.constraints import Constraint
from skydex.web.asgi import Call
from skydex.web.pages.psf_cuts import PLACE, Cuts, Detector
from skydex.web.pages.rendering import Facts
from skydex.web.pages.rows import rows_of

__all__ = ["detector_maps"]

_BINS = 40
_SHADES = 6
_SIDE = 320.0


async def detector_maps(call: Call, detector: Detector, cuts: Cuts) -> list[Facts]:
    """A drawing of the detector, or of each of its chips: all stars but for cuts in place, which are drawn."""
    chips = detector.chips if detector.by_chip else ("",)
    shown = [chip for chip in chips if cuts.values.get("chip", chip) == chip or not chip]
    return [*await asyncio.gather(*(_panel(call, detector, cuts, chip) for chip in shown))]


async def _panel(call: Call, detector: Detector, cuts: Cuts, chip: str) -> Facts:
    n = _BINS // 2 if detector.by_chip else _BINS
    constraints = (
        *cuts.constraints(without=(*PLACE, "chip") if chip else PLACE),
        *([Constraint("chip", "eq", (chip,))] if chip else []),
    )
    request = DensityRequest(
        subject=Subject(detector.table, constraints),
        sample_rows=call.site.settings.look_sample_rows,
        owner=call.owner,
        x=Axis("psf_x_center", n, (0.0, float(detector.width))),
        y=Axis("psf_y_center", n, (0.0, float(detector.height))),
    )
    cells = (await rows_of(call, request, is_quick=True)).dicts()
    return {
        "chip": chip,
        "chosen": _chosen(detector, cuts),
        "title": f"Chip {chip}" if chip else detector.title,
        "side": _SIDE,
        "n": sum(cell["n"] for cell in cells),
        "most": max((cell["n"] for cell in cells), default=0),
        "shades": _shades(cells, n),
        "gap": _SIDE * (1.0 - detector.gap / detector.height) if detector.gap else None,
        "width": detector.width,
        "height": detector.height,
    }


def _chosen(detector: Detector, cuts: Cuts) -> Facts | None:
    """The rectangle that the cuts leave, in units of the drawing; None if that is everything."""
    if not any(name in cuts.ranges for name in PLACE):
        return None
    (left, right), (low, high) = (
        [min(max(limit, 0.0), float(size)) / size * _SIDE for limit in _ends(cuts, name, size)]
        for name, size in zip(PLACE, (detector.width, detector.height), strict=True)
    )
    return {"x": left, "y": _SIDE - high, "width": right - left, "height": high - low}


def _ends(cuts: Cuts, name: str, size: int) -> tuple[float, float]:
    low, high = cuts.ranges.get(name, (None, None))
    return 0.0 if low is None else low, float(size) if high is None else high


def _shades(cells: Sequence[dict[str, Any]], n: int) -> list[str]:
    """The cells of each shade as one path, the faintest first."""
    step, most = _SIDE / n, max((cell["n"] for cell in cells), default=1)
    paths = [""] * _SHADES
    for cell in cells:
        shade = min(_SHADES - 1, (cell["n"] * _SHADES - 1) // most)
        paths[shade] += f"M{cell['ix'] * step:g} {_SIDE - (cell['iy'] + 1) * step:g}h{step:g}v{step:g}h-{step:g}z"
    return paths
