"""`ImageEntry`: an image that is to be published, and how it is identified and addressed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from skydex.images import Footprint
from skydex.store import ImageRecord

if TYPE_CHECKING:
    from astropy.io import fits

__all__ = ["Card", "ImageEntry", "address_of", "did_of", "place_of"]

_AUTHORITY = "skydex"
_SAFE = "@:+"
"""Characters besides letters, digits and `-._~` that a segment of a path may have (RFC 3986, section 3.3)."""


Card = tuple[str, Any, str]
"""Keyword, value and comment."""


@dataclass(frozen=True)
class ImageEntry:
    """An image that is to be published."""

    record: ImageRecord
    """How it is found and opened; its `did` is that of `did_of`."""
    row: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Values of `IMAGE_COLUMNS`. They weigh more than what the header says and what follows from the record."""
    header: fits.Header | tuple[Card, ...] | None = None
    """Its header, with what it inherits: what the row leaves open is read from it, and its cards can be searched.
    Its cards alone will do, which saves the time of making a header; then the row has to tell where the image lies."""


def did_of(collection: str, name: str, hdu: int) -> str:
    """The identifier of an image, `obs_publisher_did` (IVOA Identifiers 2.0, section 4: a resource and a local part).

    The same image has the same one always. It holds no character that an address would have to encode, but for the
    `%` of those that have been.
    """
    return f"ivo://{_AUTHORITY}/{collection}?{quote(name, safe='@:')}/{hdu}"


def place_of(footprint: Footprint | None) -> dict[str, Any]:
    """Where an image lies, by columns of ObsCore."""
    if footprint is None:
        return {}
    return {
        "s_ra": footprint.ra_deg,
        "s_dec": footprint.dec_deg,
        "s_fov": footprint.fov_deg,
        "s_region": footprint.region,
        "s_pixel_scale": footprint.pixel_scale_arcsec,
    }


def address_of(collection: str, name: str, hdu: int | None = None) -> str:
    """Where a server has an image, or the file that it is in, as it stands behind the server's own address."""
    place = f"/images/{collection}/{quote(name, safe=_SAFE)}"
    return place if hdu is None else f"{place}/{hdu}"
