"""`fetch_bundled`: many small files by way of bundles, which cost one request where single files cost one each.

What is there afterwards is the same as if each file had come by itself: under its own name, in the folder's record. A
file of a bundle is known by its name; what a bundle does not hold, or holds in another form, is fetched by itself.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from skydex.client.door import FileSource
from skydex.client.transfers.checks import HEAD_BYTES, misfit
from skydex.client.transfers.fetching import fetch, fetch_all, looked_through, told_when_interrupted
from skydex.client.transfers.limits import TransferLimits
from skydex.client.transfers.manifest import FetchedFile, Manifest, keep, now, sha256_of
from skydex.client.transfers.naming import plain_name
from skydex.client.transfers.progress import Shown
from skydex.client.transfers.unpacking import unpacked
from skydex.errors import RequestError

__all__ = ["fetch_bundled"]

FILES_A_BUNDLE = 1000
"""With more, an interrupt would cost more."""
_STANDARD = TransferLimits()


def fetch_bundled(
    sources: Iterable[FileSource],
    into: Path | str,
    bundle: Callable[[Sequence[str]], FileSource],
    *,
    limits: TransferLimits = _STANDARD,
    progress: Shown = True,
) -> Manifest:
    """Fetch files into a folder, in bundles.

    Parameters
    ----------
    sources : iterable of FileSource
        The files.
    into : path
        The folder.
    bundle : callable
        Gives a bundle of what some references stand for.
    limits, progress
        As for `fetch_all`, which also says what is given and raised.
    """
    wanted, folder = list(sources), Path(into)
    n_before = 0
    with told_when_interrupted(wanted, folder):
        missing = looked_through(wanted, folder).missing
        for some in _parts(missing):
            n_before += _came_together(some, folder, bundle, limits, progress)
    manifest = fetch_all(wanted, folder, limits=limits, progress=progress)
    return Manifest(folder, manifest.files, manifest.n_fetched + n_before)


def _parts(missing: Sequence[tuple[FileSource, str]]) -> Iterator[Sequence[tuple[FileSource, str]]]:
    """As many as one bundle takes; a file that has its name for itself only."""
    counts = Counter(plain_name(source.file_name) for source, _ in missing)
    alone = [pair for pair in missing if counts[plain_name(pair[0].file_name)] == 1]
    for first in range(0, len(alone), FILES_A_BUNDLE):
        some = alone[first : first + FILES_A_BUNDLE]
        if len(some) > 1:
            yield some


def _came_together(
    some: Sequence[tuple[FileSource, str]],
    folder: Path,
    bundle: Callable[[Sequence[str]], FileSource],
    limits: TransferLimits,
    progress: Shown,
) -> int:
    """Put the files of one bundle into their places; give how many there were."""
    with TemporaryDirectory(prefix=".skydex-", suffix=".part", dir=folder) as room:
        try:
            packed = fetch(bundle([source.reference for source, _ in some]), room, limits=limits, progress=progress)
        except RequestError:  # too many or too large for this service; one by one they may come
            return 0
        with unpacked(packed, Path(room), limits) as (where, names):
            held = {plain_name(PurePosixPath(name).name): where / name for name in names}
            return sum(
                (path := held.get(plain_name(source.file_name))) is not None and _kept(path, folder, source, name)
                for source, name in some
            )


def _kept(path: Path, folder: Path, source: FileSource, name: str) -> bool:
    """Give a file of a bundle its place, if it is what its name says."""
    with path.open("rb") as file:
        if misfit(name, file.read(HEAD_BYTES)) is not None:
            return False
    status = path.stat()
    keep(
        folder, FetchedFile(name, source.reference, status.st_size, sha256_of(path), now(), "", "", status.st_mtime_ns)
    )
    os.replace(path, folder / name)
    return True
