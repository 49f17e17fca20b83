"""`DataURI`: what MAST calls a product, where it is a cutout.

`mast:{collection}/url/cgi-bin/fitscut.cgi?{parameters}/{file name}`: everything behind `url/` up to the last slash is a
request for a cutout, what follows is what its file is called. It is read here and handed to our own cutouts; nothing of
it is an address to ask, or a path to open. Form: `mast_api_psf.py` of spacetelescope/hst_notebooks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from skydex.errors import BadParameterError, UnknownResourceError
from skydex.web import dali

__all__ = ["DataURI"]

_FORM = re.compile(r"mast:([A-Za-z0-9_-]{1,30})/url/cgi-bin/(?:hla/)?fitscut\.cgi\?(.*)/([^/]*)", re.ASCII | re.DOTALL)
_FILE_NAME = re.compile(r"[A-Za-z0-9_+][A-Za-z0-9._+-]{0,149}", re.ASCII)
_LONGEST = 4000


@dataclass(frozen=True)
class DataURI:
    """A cutout as a product."""

    text: str
    """As it was sent."""
    collection: str
    """Name of its folder in a bundle, such as `WFC3PSF`."""
    parameters: dali.Parameters
    """Those of the cutout."""
    file_name: str
    """What its file is called: a plain name."""

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
        found = _FORM.fullmatch(text.strip()) if len(text) <= _LONGEST else None
        if found is None:
            raise UnknownResourceError("product", text[:200])
        collection, query, file_name = found.groups()
        if not _FILE_NAME.fullmatch(file_name):
            raise BadParameterError("uri", "ends in a file name, of letters, digits and ._+- alone.")
        return cls(text, collection, dali.Parameters(dali.parse_pairs(query.encode())), file_name)
