"""Catalogues far away: HTTP, S3, and any file system that fsspec knows."""

from skydex.store.remote.access import RemoteAccess
from skydex.store.remote.files import FarFiles, Incoming
from skydex.store.remote.location import RemoteLocation
from skydex.store.remote.traffic import Traffic, counting, current_traffic

__all__ = ["FarFiles", "Incoming", "RemoteAccess", "RemoteLocation", "Traffic", "counting", "current_traffic"]
