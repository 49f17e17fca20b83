"""Small skies made of numbers, for pictures."""

from __future__ import annotations

import numpy as np
from astropy.io import fits


def stars(seed: int = 1, shape: tuple[int, int] = (60, 80), *, n: int = 25, sky: float = 5.0) -> np.ndarray:
    """Stars of all brightnesses on a noisy sky."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    data = rng.normal(sky, 1.0, shape)
    for _ in range(n):
        far = (x - rng.uniform(0, shape[1])) ** 2 + (y - rng.uniform(0, shape[0])) ** 2
        data += 20.0 * rng.pareto(1.0) * np.exp(-far / 3.0)
    return data.astype(np.float32)


class Plane:
    """Pixels in memory."""

    def __init__(self, data: np.ndarray, header: fits.Header) -> None:
        self.data, self.header = data, header

    @property
    def shape(self) -> tuple[int, int]:
        return self.data.shape

    def read(self, y0: int, y1: int, x0: int, x1: int) -> np.ndarray:
        return self.data[y0:y1, x0:x1].copy()
