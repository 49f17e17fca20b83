"""`Pixels`: the role of whatever pixels can be cut from, be it a file or a simulated camera."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from skydex.images.cards import card_of, cards_of, keyword_of, number_of

if TYPE_CHECKING:
    from astropy.io import fits

__all__ = ["CardedPixels", "DistortedPixels", "LookUp", "Pixels"]


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


@dataclass(frozen=True)
class LookUp:
    """A table of distortions, of which a WCS interpolates; HST's files have them as image extensions.

    `Distortion keywords` of astropy and stwcs: `CPDISj` with `WCSDVARR`, `D2IMj` with `D2IMARR`.
    """

    name: str
    """EXTNAME."""
    version: int
    """EXTVER."""
    data: NDArray[Any]
    """Distortions in pixels, (ny, nx)."""
    cards: bytes
    """Header cards but for those that tell shape and type."""

    def moved(self, x0: int, y0: int) -> LookUp:
        """The table of an image that begins at the pixel (x0, y0), from 0: its CRVALj are pixels of the image."""
        by = {"CRVAL1": x0, "CRVAL2": y0}
        cards = (
            card_of(key, (number_of(card) or 0.0) - by[key]) if (key := keyword_of(card)) in by else card
            for card in cards_of(self.cards)
        )
        return replace(self, cards=b"".join(cards))


@runtime_checkable
class CardedPixels(Protocol):
    """Pixels whose header is at hand as text, which is quicker than making one of the other."""

    @property
    def cards(self) -> bytes:
        """All cards of the header, without END."""
        ...


@runtime_checkable
class DistortedPixels(Protocol):
    """Pixels whose WCS needs tables of distortions."""

    @property
    def lookups(self) -> tuple[LookUp, ...]:
        """All tables that the header refers to."""
        ...
