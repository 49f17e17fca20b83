"""`Size`: how much of the demonstration's sky is made.

The measure is the archives of the five documents that skydex grew out of: `seed` has the rows that they count.
"""

from __future__ import annotations

from dataclasses import dataclass

from skydex.errors import BadParameterError

__all__ = ["SIZES", "Size", "parse_size"]

_LARGEST = 407_806
"""Rows of the largest catalogue at `seed`: the sources of the Chandra Source Catalog 2.1."""


@dataclass(frozen=True)
class Size:
    """A size of the simulated archive."""

    name: str
    """`tiny`, `demo`, `seed`, or the number of rows of the largest catalogue."""
    share: float
    """Rows relative to `seed`."""

    def count(self, n_seed: int, *, least: int = 1) -> int:
        """How many there are of what `seed` has `n_seed` of."""
        return max(least, round(n_seed * self.share))


SIZES = {size.name: size for size in (Size("tiny", 0.01), Size("demo", 0.1), Size("seed", 1.0))}
"""The sizes with a name: for tests, for a look around, and for the counts of the documents."""


def parse_size(text: str) -> Size:
    """The size that a user names.

    Parameters
    ----------
    text : str
        A name, or the number of rows of the largest catalogue, such as `2000000` or `1e8`.

    Raises
    ------
    BadParameterError
        It is neither.
    """
    named = SIZES.get(text.lower())
    if named is not None:
        return named
    try:
        n_rows = float(text)
    except ValueError:
        n_rows = 0.0
    if not 1.0 <= n_rows <= 1e11:
        raise BadParameterError("size", f"must be {', '.join(SIZES)} or a number of rows, not {text[:40]!r}.")
    return Size(f"{n_rows:.0f}", n_rows / _LARGEST)
