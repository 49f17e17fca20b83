"""`Opener`: how the pixels of a registered image are found again, by the kind of image that it is.

Built in is `fits`: a file and an extension. An outside package names further openers as entry points of the group
`skydex.images`; the simulated cameras of the demonstration come in that way, so that this room knows nothing of them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib.metadata import entry_points

from skydex.errors import StoreError
from skydex.images.fits_pixels import open_fits
from skydex.images.pixels import Pixels

__all__ = ["ENTRY_POINTS", "FITS_OPENER", "Opener", "open_pixels"]

ENTRY_POINTS = "skydex.images"
FITS_OPENER = "fits"
"""The one whose locations are paths of files."""
Opener = Callable[[str, bytes], Pixels]
"""Opens the pixels at a location, with what was noted of them when they were registered (for a file: where each part
lies). A location is a text of the opener's own; for `fits` it is a path."""


def open_pixels(opener: str, location: str, access: bytes) -> Pixels:
    """Open the pixels of an image.

    Parameters
    ----------
    opener : str
        Kind of image: `fits`, or the name of an entry point.
    location : str
        Where it is, as its opener understands it.
    access : bytes
        What was noted of it when it was registered.

    Raises
    ------
    StoreError
        There is no such opener in this installation, or the image is not there any more.
    """
    return _opener(opener)(location, access)


@functools.cache
def _opener(name: str) -> Opener:
    if name in _BUILTIN:
        return _BUILTIN[name]
    point = next(iter(entry_points(group=ENTRY_POINTS, name=name)), None)
    if point is None:
        raise StoreError(f'Images of the kind "{name}" cannot be opened here: the package that brings it is missing.')
    opener: Opener = point.load()
    return opener


_BUILTIN: dict[str, Opener] = {FITS_OPENER: open_fits}
