"""`DataURI`: what MAST calls a product: a cutout, or the file of an image.

`mast:{collection}/url/cgi-bin/fitscut.cgi?{parameters}/{file name}`: everything behind `url/` up to the last slash is a
request for a cutout, what follows is what its file is called. `mast:{collection}/product/{file name}` is a whole file.
Both are read here and handed to our own images; nothing of them is an address to ask, or a path to open. Forms: MAST
API, https://mast.stsci.edu/api/v0/_downloads.html, and `mast_api_psf.py` of spacetelescope/hst_notebooks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from skydex.archive.parameters import Parameters, parse_pairs
from skydex.errors import BadParameterError, UnknownResourceError

__all__ = ["DataURI"]

_COLLECTION = "mast:([A-Za-z0-9_-]{1,30})"
_CUTOUT = re.compile(_COLLECTION + r"/url/cgi-bin/(?:hla/)?fitscut\.cgi\?(.*)/([^/]*)", re.ASCII | re.DOTALL)
_FILE = re.compile(_COLLECTION + r"/product/([^/]*)", re.ASCII | re.DOTALL)
_FILE_NAME = re.compile(r"[A-Za-z0-9_+][A-Za-z0-9._+-]{0,149}", re.ASCII)
_LONGEST = 4000


@dataclass(frozen=True)
class DataURI:
    """A product."""

    text: str
    """As it was sent."""
    collection: str
    """Name of its folder in a bundle, such as `WFC3PSF`."""
    file_name: str
    """What its file is called: a plain name."""
    parameters: Parameters | None = None
    """Those of the cutout; None for a whole file."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one.

        Raises
        ------
        UnknownResourceError
            It is none.
        BadParameterError
            Its file name is none.
        """
        if len(text) > _LONGEST:
            raise UnknownResourceError("product", text[:200])
        if cutout := _CUTOUT.fullmatch(text.strip()):
            pairs = parse_pairs(cutout[2].encode())
            return cls(text, cutout[1], _plain(cutout[3]), Parameters(pairs))
        if file := _FILE.fullmatch(text.strip()):
            return cls(text, file[1], _plain(file[2]))
        raise UnknownResourceError("product", text[:200])


def _plain(file_name: str) -> str:
    if not _FILE_NAME.fullmatch(file_name):
        raise BadParameterError("uri", "ends in a file name, of letters, digits and ._+- alone.")
    return file_name
