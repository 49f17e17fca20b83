"""The stamps of a star in the PSF databases of Hubble: one of each kind of file, by data URIs as `/psf` has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from skydex.client.psf import DETECTORS, data_uris, stamp_columns, suffixes_of
from skydex.tables import Table
from skydex.web.pages.rendering import Facts

__all__ = ["stamps_of"]

_LOOK = "format=png&log=1&autoscale=0,100"


def stamps_of(table: Table, row: Mapping[str, Any]) -> list[Facts]:
    """Addresses of the stamps of a row; none of a table that has no stamps."""
    detector = table.bare_name.upper()
    if detector not in DETECTORS or not set(stamp_columns(detector)) <= row.keys():
        return []
    suffixes = suffixes_of(detector)
    return [_stamp(suffix, uri) for suffix, uri in zip(suffixes, data_uris([row], detector, suffixes), strict=True)]


def _stamp(suffix: str, uri: str) -> Facts:
    words = uri.partition("fitscut.cgi?")[2].rpartition("/")[0].removesuffix("&format=fits")
    return {
        "suffix": suffix,
        "picture": f"cgi-bin/hla/fitscut.cgi?{words}&{_LOOK}",
        "fits": f"api/v0.1/Download/file?uri={quote(uri, safe='')}",
    }
