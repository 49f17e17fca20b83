"""`build_demo`: the demonstration archive, built once and built anew when what goes into it has changed."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from skydex import __version__
from skydex.archive import OFFERS_FILE
from skydex.demo.catalogs import CATALOGS, DemoCatalog, find_hats, find_seeds
from skydex.demo.collections import COLLECTIONS, printed_rows
from skydex.demo.examples import EXAMPLES, FOREIGN_KEYS
from skydex.demo.images import SIMULATED_IMAGES, publish_simulated_images
from skydex.demo.plan import simulate_plan
from skydex.demo.publishing import publish_simulated
from skydex.demo.simulation import Printed
from skydex.demo.size import SIZES, Size
from skydex.errors import SkydexError, StoreError
from skydex.ingest import ingest_files
from skydex.store import ArchiveDirectory

__all__ = ["build_demo", "has_real_data"]

_MARK = "demo.json"
"""Says that an archive is a demonstration, of what, and whether it is complete."""
_SETTINGS = 'title = "skydex demonstration"\nupload_from_uri = true\n'


def has_real_data(data: Path | None) -> bool:
    """Whether a folder holds the catalogues that the demonstration asks its questions of."""
    return data is not None and (data / CATALOGS[0].file).is_file()


def build_demo(archive: Path, data: Path | None = None, *, size: Size = SIZES["demo"], seed: int = 1) -> None:
    """Build the demonstration archive, unless it is there and up to date.

    Parameters
    ----------
    archive : Path
        Where it goes; an older demonstration there is replaced.
    data : Path, optional
        Folder of real catalogues, which are published beside the simulated sky.
    size : Size, optional
        How much of the simulated collections is made.
    seed : int, optional
        The same seed gives the same sky.

    Raises
    ------
    StoreError
        There is something else in that place.
    """
    what = _signature(data if has_real_data(data) else None, size, seed)
    if _read_mark(archive) == {"what": what, "complete": True}:
        print(f"  {archive} is up to date", flush=True)
        return
    _clear(archive)
    directory = ArchiveDirectory.create(archive)
    (archive / "skydex.toml").write_text(_SETTINGS, encoding="utf-8")
    (archive / OFFERS_FILE).write_bytes(_offers())
    _write_mark(archive, what, complete=False)
    if data is not None and has_real_data(data):
        _ingest(directory, data, (*CATALOGS, *find_seeds(data)))
        _mount(directory, data)
    with tempfile.TemporaryDirectory(prefix="skydex-demo-") as folder:
        _ingest(directory, Path(folder), simulate_plan(Path(folder)))
        _simulate(directory, Path(folder), size, seed)
    _write_mark(archive, what, complete=True)


def _offers() -> bytes:
    """How the demonstration presents its collections: package data."""
    return (files("skydex.demo") / OFFERS_FILE).read_bytes()


def _ingest(directory: ArchiveDirectory, data: Path, catalogs: Iterable[DemoCatalog]) -> None:
    for catalog in catalogs:
        if not (data / catalog.file).is_file():
            continue
        start = time.perf_counter()
        try:
            report = ingest_files(
                [data / catalog.file],
                directory,
                catalog.table,
                recipe=catalog.recipe,
                description=catalog.description,
                examples=EXAMPLES.get(catalog.table, ()),
                foreign_keys=FOREIGN_KEYS.get(catalog.table, ()),
                **catalog.options,
            )
            print(f"  {catalog.table}: {report.n_stored:,} rows, {time.perf_counter() - start:.1f} s", flush=True)
        except SkydexError as error:
            print(f"  {catalog.table}: not published. {error}", flush=True)


def _simulate(directory: ArchiveDirectory, folder: Path, size: Size, seed: int) -> None:
    """Make and publish the simulated collections, say which of their rows are real, and register their images."""
    label = f"skydex {__version__} (size {size.name}, seed {seed})"
    printed: list[tuple[str, Printed]] = []
    for collection in COLLECTIONS.values():
        for table in collection(size, seed):
            start = time.perf_counter()
            n_rows = publish_simulated(table, directory, folder, label=label)
            printed += [(table.name, one) for one in table.printed]
            print(f"  {table.name}: {n_rows:,} rows, {time.perf_counter() - start:.1f} s", flush=True)
    if printed:
        publish_simulated(printed_rows(printed), directory, folder, label=label)
    for name, simulate_images in SIMULATED_IMAGES.items():
        if name in COLLECTIONS:
            images = simulate_images(directory, size, seed)
            print(f"  {publish_simulated_images(images, directory, label=label)}", flush=True)


def _mount(directory: ArchiveDirectory, data: Path) -> None:
    for name, path in find_hats(data):
        try:
            entry = directory.mount(name, str(path.resolve()))
            print(f"  {entry.name}: {entry.n_rows or 0:,} rows, mounted", flush=True)
        except SkydexError as error:
            print(f"  {name}: not mounted. {error}", flush=True)


def _signature(data: Path | None, size: Size, seed: int) -> str:
    """What changes when the same command would build another archive."""
    files = sorted(path for path in data.rglob("*") if path.is_file()) if data else []
    facts = [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in files]
    own = repr((CATALOGS, EXAMPLES, FOREIGN_KEYS, tuple(SIMULATED_IMAGES), size, seed))
    texts = [__version__, _SETTINGS, _offers().decode(), own, *facts]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _clear(archive: Path) -> None:
    """Remove an older demonstration; anything else is left alone."""
    if not archive.exists() or not any(archive.iterdir()):
        return
    if _read_mark(archive) is None and not _is_empty_archive(archive):
        raise StoreError(f"{archive} is not empty and no demonstration archive: name another place.")
    shutil.rmtree(archive)


def _is_empty_archive(path: Path) -> bool:
    """Whether it is an archive without tables, as a build that was killed early leaves it."""
    try:
        return not ArchiveDirectory(path).tables()
    except SkydexError:
        return False


def _read_mark(archive: Path) -> object:
    try:
        return json.loads((archive / _MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _write_mark(archive: Path, what: str, *, complete: bool) -> None:
    (archive / _MARK).write_text(json.dumps({"what": what, "complete": complete}), encoding="utf-8")
