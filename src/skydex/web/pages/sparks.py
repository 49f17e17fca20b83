"""Sparks: histograms as small as a word, drawn without a script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

__all__ = ["spark"]

_WIDTH, _HEIGHT = 96.0, 18.0


def spark(counts: Sequence[int]) -> dict[str, Any]:
    """What a small drawing of a histogram consists of: its size, and the outline of its bars.

    Heights go with the square root of the counts, so that the wings of a distribution are seen beside its peak.

    Examples
    --------
    >>> spark([1, 4])["path"]
    'M0 18V9H48V0H96V18Z'
    """
    most = max(counts) or 1
    tops = [_HEIGHT * (1.0 - math.sqrt(count / most)) for count in counts]
    step = _WIDTH / len(counts)
    bars = "".join(f"V{top:.4g}H{step * (i + 1):.4g}" for i, top in enumerate(tops))
    return {"width": _WIDTH, "height": _HEIGHT, "path": f"M0 {_HEIGHT:.4g}{bars}V{_HEIGHT:.4g}Z"}
