"""Simulated cameras: the images of the demonstration, made anew wherever somebody looks at them.

A simulated image is a pure function of the archive's truth, the image and the pixel: any section of it has the same
values at any time, so that nothing is rendered to disk and a cutout costs what it covers. A record of such an image has
the opener `simulated` and the location `archive:<camera>/<key>`; a camera is a module here with a function
`open_image(archive, key, access)`.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from skydex.errors import StoreError
from skydex.images import Pixels

__all__ = ["CAMERAS", "open_simulated"]

CAMERAS = ("hsc", "ps1", "csc21", "psf")
"""Names of the cameras: collections of the demonstration."""


def open_simulated(location: str, access: bytes) -> Pixels:
    """Open a simulated image: the opener `simulated` of `skydex.images`.

    Parameters
    ----------
    location : str
        `<directory of the archive>/<camera>/<key>`.
    access : bytes
        What the camera has noted of it.

    Raises
    ------
    StoreError
        There is no such camera, or the archive has no truth to make the image of.
    """
    archive, camera, key = location.rsplit("/", 2)
    if camera not in CAMERAS:
        raise StoreError(f'There is no simulated camera "{camera}".')
    opened: Pixels = import_module(f"{__name__}.{camera}").open_image(Path(archive), key, access)
    return opened
