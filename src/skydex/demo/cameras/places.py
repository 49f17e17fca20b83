"""`where_is`: where a simulated image lies, worked out once for all images that share their pixels' places."""

from __future__ import annotations

from typing import Any

from astropy.io import fits

from skydex.images import footprint_of_header
from skydex.ingest.images import place_of

__all__ = ["where_is"]


def where_is(header: fits.Header, shape: tuple[int, int]) -> dict[str, Any]:
    """Columns of ObsCore that say where an image lies."""
    return place_of(footprint_of_header(header, shape))
