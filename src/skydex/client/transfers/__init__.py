"""Files from elsewhere: fetched several at once, resumed, checked, recorded; and what comes packed is unpacked."""

from skydex.client.transfers.bundling import fetch_bundled
from skydex.client.transfers.fetching import fetch, fetch_all, fetch_all_async, read_all, read_all_async
from skydex.client.transfers.limits import TransferLimits
from skydex.client.transfers.manifest import MANIFEST, FetchedFile, Manifest
from skydex.client.transfers.unpacking import unpack

__all__ = [
    "MANIFEST",
    "FetchedFile",
    "Manifest",
    "TransferLimits",
    "fetch",
    "fetch_all",
    "fetch_all_async",
    "fetch_bundled",
    "read_all",
    "read_all_async",
    "unpack",
]
