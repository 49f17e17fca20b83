"""`Fitscut`, `Skycells`, `Downloads`: pictures, names of images and products at their addresses.

fitscut.cgi cuts images by name (https://hla.stsci.edu/fitscutcgi_interface.html); MAST's download service gives
products by their data URIs, one at a time or many in a bundle (MAST API, https://mast.stsci.edu/api/v0/_downloads.html).
They say where the files are: how they are fetched is the affair of `transfers`. ps1filenames.py names the images of a
place.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from skydex.client.files import WebFile
from skydex.client.http import Web, host_of, origin_of
from skydex.client.orders import CutoutOrder
from skydex.client.pictures import cutout_address, cutout_name, image_rows, read_skycell_files, skycell_address
from skydex.client.presets import Preset
from skydex.errors import NotOfferedError, UnsupportedFormatError
from skydex.tables import Result

__all__ = ["Downloads", "Fitscut", "Skycells"]

_ADDRESS = ("http://", "https://")
_DATA_URI = "mast:"
_CONTAINERS = ("tar.gz", "zip")


class Fitscut:
    """A service that cuts images by name.

    Parameters
    ----------
    preset : Preset
        Its address, `fitscut`.
    web : Web
        How it is asked.
    """

    def __init__(self, preset: Preset, web: Web) -> None:
        self._preset, self._web, self._url = preset, web, preset.services["fitscut"]

    def cutout(self, order: CutoutOrder) -> WebFile:
        """A part of an image.

        Raises
        ------
        RequestError
            The order makes no sense.
        """
        return _file(self._web, cutout_address(self._url, order), name=cutout_name(order))

    def file(self, reference: str) -> WebFile:
        """What is at an address; or all of an image, by its name."""
        if reference.startswith(_ADDRESS):
            return _file(self._web, reference)
        if reference.startswith(_DATA_URI):
            raise NotOfferedError("download of data URIs", self._preset.name, ())
        name = reference.rpartition("/")[2].removesuffix(".fits")
        whole = urlencode({"red": reference, "size": "ALL", "format": "fits"}, safe="/,")
        return _file(self._web, f"{self._url}?{whole}", name=f"{name}.fits", called=reference)


class Skycells:
    """The service that knows which images of Pan-STARRS hold a place.

    Parameters
    ----------
    preset : Preset
        Its address, `filenames`.
    web : Web
        How it is asked.
    """

    def __init__(self, preset: Preset, web: Web) -> None:
        self._preset, self._web, self._url = preset, web, preset.services["filenames"]

    def images(self, place: tuple[float, float], bands: str, kind: str) -> Result:
        """Those of a place, in the order of `grizy`; none where it was not observed.

        Raises
        ------
        NotOfferedError
            The archive has images of others as well, and lists all of them elsewhere.
        """
        if "soda" in self._preset.services:
            raise NotOfferedError("list of the images of Pan-STARRS alone", self._preset.name, ())
        address = skycell_address(self._url, *place, bands=bands or "grizy", kind=kind or "stack")
        return image_rows(read_skycell_files(self._web.whole("GET", address).text, host_of(address)))


class Downloads:
    """MAST's download service.

    Parameters
    ----------
    preset : Preset
        Its address, `download`.
    web : Web
        How it is asked.
    """

    def __init__(self, preset: Preset, web: Web) -> None:
        self._web, self._url = web, preset.services["download"].rstrip("/")

    def file(self, reference: str) -> WebFile:
        """What is at an address or behind a data URI; or an exposure of Hubble, by the name of its file."""
        if reference.startswith(_ADDRESS):
            return _file(self._web, reference)
        uri = reference if reference.startswith(_DATA_URI) else f"mast:HST/product/{reference}"
        name = uri.rpartition("/")[2]
        return _file(self._web, f"{self._url}/file?uri={quote(uri, safe='')}", name=name, called=reference)

    def bundle(self, references: Sequence[str], container: str = "tar.gz") -> WebFile:
        """Many products in one file.

        Raises
        ------
        UnsupportedFormatError
            There is no such container.
        """
        if container not in _CONTAINERS:
            raise UnsupportedFormatError(container, _CONTAINERS)
        form = tuple(("uri", uri) for uri in dict.fromkeys(references))
        called = f"{len(form)} products from {form[0][1] if form else 'nowhere'}"
        address = f"{self._url}/bundle.{container}"
        return _file(self._web, address, name=f"mastDownload.{container}", called=called, form=form)


def _file(web: Web, url: str, *, name: str = "", called: str = "", form: tuple[tuple[str, str], ...] = ()) -> WebFile:
    login = web.login if origin_of(url) in web.origins else None
    return WebFile(url, name, called, form, login)
