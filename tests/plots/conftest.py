"""Figures are drawn without a screen, and closed when a test has ended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def without_a_screen() -> Iterator[None]:
    import matplotlib

    before = matplotlib.get_backend()
    matplotlib.use("agg")
    from matplotlib import pyplot

    yield
    pyplot.close("all")
    matplotlib.use(before)
