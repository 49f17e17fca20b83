"""`BundleRequest`: many pictures in one file, with a manifest that says what became of each.

As bundles of MAST are: one folder, below it a folder for each collection, and `MANIFEST.HTML`. What cannot be drawn is
told there and does not spoil the rest; so is what is left when the time is up or the bundle is as large as it may be.
"""

from __future__ import annotations

import html
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skydex.archive.bundle_containers import CONTAINERS
from skydex.archive.pictures import Picture, PictureRequest
from skydex.errors import BundleLimitError, SkydexError, TimeLimitError

if TYPE_CHECKING:
    from skydex.archive.archive import Archive
    from skydex.engines import Deadline

__all__ = ["MANIFEST", "BundleFile", "BundleRequest"]

_log = logging.getLogger(__name__)

MANIFEST = "MANIFEST.HTML"
_COMPLETE = "COMPLETE"
_RESERVE_S = 2.0
"""What is left of the time for the end of the bundle."""


@dataclass(frozen=True)
class BundleFile:
    """One file that is wanted."""

    uri: str
    """As it was asked for."""
    path: str
    """Where it stands below the folder: plain names with slashes between them."""
    request: PictureRequest | None
    """What it holds; None if it cannot be."""
    trouble: str = ""
    """Why it cannot be."""


@dataclass(frozen=True)
class BundleRequest(PictureRequest):
    """A bundle."""

    files: tuple[BundleFile, ...]
    """In their order."""
    folder: str
    """Name of the folder with everything."""
    container: str = "tar.gz"
    """One of `CONTAINERS`."""
    max_mb: int = 2000
    """How large all files together may be."""
    max_file_mb: int = 256
    """How large each may be; it is held in memory."""

    def draw(self, archive: Archive, deadline: Deadline | None = None) -> Picture:
        """Draw one file after the other while the bundle is sent."""
        container = CONTAINERS[self.container]
        chunks = container.packed(self.folder, self._contents(archive, deadline))
        return Picture(container.media_type, container.suffix, chunks, f"{self.folder}{container.suffix}")

    def _contents(self, archive: Archive, deadline: Deadline | None) -> Iterator[tuple[str, bytes]]:
        """Path and content of each file, and of the manifest."""
        outcomes, n_left = list[str](), self.max_mb << 20
        for file in self.files:
            try:
                content = self._drawn(file, archive, deadline, n_left=n_left)
            except SkydexError as error:
                outcomes.append(f"ERROR: {error}")
                continue
            except Exception:
                _log.exception("A file of a bundle failed in a way nobody foresaw: %r", file.request)
                outcomes.append("ERROR: The service failed on this file. The fault is logged.")
                continue
            if content is None:
                outcomes.append(f"ERROR: {file.trouble}")
                continue
            outcomes.append(_COMPLETE)
            n_left -= len(content)
            yield file.path, content
        yield MANIFEST, _manifest(self.folder, self.files, outcomes)

    def _drawn(self, file: BundleFile, archive: Archive, deadline: Deadline | None, *, n_left: int) -> bytes | None:
        if deadline is not None and deadline.left_s < _RESERVE_S:
            raise TimeLimitError(deadline.seconds)
        if file.request is None:
            return None
        pieces, n_bytes = list[bytes](), 0
        for piece in file.request.draw(archive, deadline).chunks:
            pieces.append(piece)
            n_bytes += len(piece)
            if n_bytes > self.max_file_mb << 20:
                raise BundleLimitError("A file in a bundle", self.max_file_mb)
            if n_bytes > n_left:
                raise BundleLimitError("All files of a bundle together", self.max_mb)
        return b"".join(pieces)


def _manifest(folder: str, files: Sequence[BundleFile], outcomes: Sequence[str]) -> bytes:
    n_good = sum(outcome == _COMPLETE for outcome in outcomes)
    rows = "\n".join(
        f"<tr><td>{html.escape(file.uri)}</td><td>{html.escape(file.path)}</td><td>{html.escape(outcome)}</td></tr>"
        for file, outcome in zip(files, outcomes, strict=True)
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{folder}</title></head>
<body>
<h1>{folder}</h1>
<p>{n_good} of {len(files)} files are complete.</p>
<table>
<thead><tr><th>URI</th><th>Path</th><th>Status</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
""".encode("utf-8", "replace")
