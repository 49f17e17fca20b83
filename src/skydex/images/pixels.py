"""`Pixels`: the role of whatever pixels can be cut from, be it a file or a simulated camera."""

from __future__ import annotations

from typing import Any, Protocol

from astropy.io import fits
from numpy.typing import NDArray

__all__ = ["Pixels"]


class Pixels(Protocol):
    """A plane of numbers with a header; safe to share between threads, and read only where it is asked.

    Rows and columns are counted from 0: row 0 is what FITS calls y = 1.
    """

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, (ny, nx)."""
        ...

    @property
    def header(self) -> fits.Header:
        """Header of the image with what it inherits from the primary HDU; whoever wants to change it takes a copy."""
        ...

    def read(self, y0: int, y1: int, x0: int, x1: int) -> NDArray[Any]:
        """Rows y0 to y1 - 1 and columns x0 to x1 - 1, all of them on the image.

        Physical values (BSCALE and BZERO applied) in native byte order; a fresh array of shape (y1 - y0, x1 - x0).
        Floats are NaN where nothing was measured; integers that have a BLANK come as floats with NaN there.

        Raises
        ------
        DamagedDataError
            The pixels cannot be read any more.
        """
        ...
