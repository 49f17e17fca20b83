"""Pictures of an archive on this disk: cutouts, products and bundles as files, drawn when they are opened.

What is asked for in the words of fitscut, or as a data URI of MAST, means here what it means to a server of the same
archive, because the same request answers it.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

from skydex.archive import (
    CONTAINERS,
    Archive,
    BundleRequest,
    DataURI,
    ImageFileRequest,
    Parameters,
    PictureRequest,
    ProductRequest,
    SkycellFilesRequest,
    cutout_request,
    parse_pairs,
    plain_name,
    product_files,
    product_request,
)
from skydex.client.door import OpenedFile
from skydex.client.files import WebFile
from skydex.client.orders import CutoutOrder
from skydex.client.pictures import cutout_name, fitscut_words, image_rows, read_skycell_files
from skydex.errors import UnsupportedFormatError
from skydex.tables import Result

__all__ = ["NearFile", "near_bundle", "near_cutout", "near_file", "near_skycells"]

_FOLDER = "MAST_%Y-%m-%dT%H%M"
_IMAGE = re.compile(r"/images/(\w+)/(.+?)(?:/(\d{1,6}))?", re.ASCII)
_FITSCUT = re.compile(r"/cgi-bin/(?:hla/)?fitscut\.cgi", re.ASCII)


@dataclass(frozen=True)
class NearFile:
    """A file that an archive draws; each opening draws it anew, from its beginning."""

    archive: Archive
    """Whose it is."""
    request: PictureRequest
    """What it holds."""
    reference: str
    """What it was asked for by."""
    file_name: str
    """What a copy may be called."""

    @contextmanager
    def open(self, offset: int = 0, validator: str = "") -> Iterator[OpenedFile]:
        """Draw it; nothing of it is left out, whatever is there already."""
        picture = self.archive.draw(self.request)
        with closing(_generator(picture.chunks)) as chunks:
            yield OpenedFile(chunks, media_type=picture.media_type, file_name=picture.file_name or self.file_name)


def near_cutout(archive: Archive, order: CutoutOrder, owner: str | None = None) -> NearFile:
    """A part of an image.

    Raises
    ------
    RequestError
        The order makes no sense; whether there is such an image shows when the file is opened.
    """
    words, name = fitscut_words(order), cutout_name(order)
    return NearFile(archive, cutout_request(Parameters(words), owner), _reference(words), name)


def near_file(archive: Archive, reference: str, owner: str | None = None) -> NearFile | WebFile:
    """What a data URI, an address of fitscut.cgi at any host, or the name of an image stands for in this archive.

    The address of an image is understood where it is the archive's own; what is elsewhere is fetched from there.
    """
    request: PictureRequest
    if reference.startswith("mast:"):
        uri = DataURI.parse(reference)
        return NearFile(archive, product_request(uri, owner), reference, uri.file_name)
    parts = urlsplit(reference)
    if _FITSCUT.fullmatch(parts.path):
        words = Parameters(parse_pairs(parts.query.encode()))
        request = cutout_request(words, owner)
        suffix = f".{request.format}".replace("jpeg", "jpg")
        return NearFile(archive, request, reference, plain_name(request.file_name) or f"cutout{suffix}")
    if parts.scheme in ("http", "https"):
        image = _IMAGE.fullmatch(unquote(parts.path.removeprefix(urlsplit(archive.public_url).path)))
        is_own = image is not None and reference.startswith(f"{archive.public_url}/")
        return _image_at(archive, reference, image, owner) if image and is_own else WebFile(reference)
    return NearFile(archive, ProductRequest(reference, owner), reference, plain_name(reference) or "image.fits")


def _image_at(archive: Archive, reference: str, image: re.Match[str], owner: str | None) -> NearFile:
    """A whole image by its address: the file that it is, or one of several in a file."""
    collection, name, hdu = image.groups()
    if hdu in (None, "0"):
        return NearFile(archive, ProductRequest(name, owner), reference, plain_name(name) or "image.fits")
    request = ImageFileRequest(collection, name, int(hdu), owner)
    return NearFile(archive, request, reference, f"{plain_name(name).removesuffix('.fits')}_{hdu}.fits")


def near_bundle(
    archive: Archive, references: Sequence[str], container: str = "tar.gz", owner: str | None = None
) -> NearFile:
    """Many products in one file, as MAST packs them.

    Raises
    ------
    UnsupportedFormatError
        There is no such container.
    """
    if container not in CONTAINERS:
        raise UnsupportedFormatError(container, list(CONTAINERS))
    folder = datetime.now(UTC).strftime(_FOLDER)
    request = BundleRequest(product_files(list(dict.fromkeys(references)), owner), folder, container)
    return NearFile(archive, request, f"{len(references)} products", f"{folder}.{container}")


def near_skycells(
    archive: Archive, place: tuple[float, float], bands: str = "", kind: str = "", owner: str | None = None
) -> Result:
    """The images of Pan-STARRS that hold a place, as ps1filenames.py lists them."""
    request = SkycellFilesRequest((place,), bands or "grizy", (kind or "stack",), owner=owner)
    text = b"".join(archive.draw(request).chunks).decode()
    return image_rows(read_skycell_files(text, "the archive"))


def _reference(words: Sequence[tuple[str, str]]) -> str:
    return "&".join(f"{name}={value}" for name, value in words)


def _generator(chunks: Iterator[bytes]) -> Generator[bytes]:
    """The same, so that giving up early frees what is held."""
    yield from chunks
