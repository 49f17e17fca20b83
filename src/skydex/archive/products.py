"""Products by their data URIs: the request that answers one, and the files of a bundle of many.

A cutout has the bytes that fitscut gives for the same words; `data_uris` says which products there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from skydex.archive.bundle_request import BundleFile
from skydex.archive.cutout_request import CutoutRequest
from skydex.archive.data_uris import DataURI
from skydex.archive.fitscut_words import cutout_request
from skydex.archive.product_request import ProductRequest
from skydex.errors import SkydexError

__all__ = ["product_files", "product_request"]


def product_request(uri: DataURI, owner: str | None) -> CutoutRequest | ProductRequest:
    """What a data URI asks for.

    Raises
    ------
    BadParameterError, UnsupportedFormatError
        Its words make no sense.
    """
    if uri.parameters is None:
        return ProductRequest(uri.file_name, owner)
    return replace(cutout_request(uri.parameters, owner), file_name=uri.file_name)


def product_files(uris: Sequence[str], owner: str | None) -> tuple[BundleFile, ...]:
    """What is wanted, each in a place of its own."""
    taken: dict[str, int] = {}
    return tuple(_file(uri, owner, taken) for uri in uris)


def _file(uri: str, owner: str | None, taken: dict[str, int]) -> BundleFile:
    try:
        known = DataURI.parse(uri)
        request = product_request(known, owner)
    except SkydexError as error:
        return BundleFile(uri, "", None, str(error))
    return BundleFile(uri, _free_path(f"{known.collection}/{known.file_name}", taken), request)


def _free_path(path: str, taken: dict[str, int]) -> str:
    """A path that no other file has, not even where case does not matter; `taken` counts how often each was wanted."""
    stem, dot, ending = path.rpartition(".")
    free = path
    while free.lower() in taken:
        taken[path.lower()] += 1
        free = f"{stem}_{taken[path.lower()]}.{ending}" if dot else f"{path}_{taken[path.lower()]}"
    taken[free.lower()] = 1
    return free
