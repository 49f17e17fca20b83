"""A folder of files as an archive: what `skydex serve FOLDER` ingests, and skips when it has done so before.

Every readable table becomes a table named after its file, in a schema named after the folder; HATS catalogues are
mounted as they are; images of FITS files are published where they lie, as a collection of that name. What cannot be
read is reported and does not stop the rest. Names and fingerprints of what is done lie beside the cache, so that only
changed files are ingested again and tables of vanished files go.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from skydex.errors import SkydexError
from skydex.formats import Source
from skydex.ingest.inputs import fingerprint, is_hats, tables_of
from skydex.ingest.pipeline import Progress, ingest
from skydex.ingest.recipe import Recipe
from skydex.ingest.recipe_text import read_recipe, to_yaml
from skydex.ingest.report import IngestReport
from skydex.store import ArchiveDirectory

if TYPE_CHECKING:
    from skydex.ingest.images import FileEntry, ImagesReport

__all__ = ["FolderEntry", "FolderReport", "adql_name", "ingest_folder"]

_LEDGER = "folder.json"
_COMPRESSIONS = (".gz", ".bz2", ".xz")
_RECIPE_SUFFIX = ".recipe.yaml"
_RESERVED = frozenset({"tap_schema", "ivoa", "mydb", "tap_upload"})


@dataclass(frozen=True)
class FolderEntry:
    """What became of one file, or of one table of it."""

    file: str
    """Its name, relative to the folder."""
    table: str = ""
    """The table that it became."""
    report: IngestReport | None = None
    """The ingest, if there was one now."""
    is_unchanged: bool = False
    """Whether it had been ingested before."""
    is_mounted: bool = False
    """Whether it is a HATS catalogue, published as it is."""
    problem: str = ""
    """Why it is not published."""

    def __str__(self) -> str:
        if self.problem:
            return f"{self.file}: not published. {self.problem}"
        done = "mounted" if self.is_mounted else "unchanged" if self.is_unchanged else "ingested"
        rows = f", {self.report.n_stored:,} rows" if self.report else ""
        return f"{self.file}: {self.table} ({done}{rows})"


@dataclass(frozen=True)
class FolderReport:
    """What became of a folder."""

    entries: tuple[FolderEntry, ...]
    """One for each table, and for each file that holds none."""
    removed: tuple[str, ...] = ()
    """Tables whose files are gone."""
    images: ImagesReport | None = None
    """What became of images, if there are any."""

    @property
    def reports(self) -> list[IngestReport]:
        """The ingests that took place."""
        return [entry.report for entry in self.entries if entry.report]

    @property
    def tables(self) -> list[str]:
        """Every table that is published now."""
        of_images = [f"{self.images.collection}.images"] if self.images else []
        return [*(entry.table for entry in self.entries if not entry.problem), *of_images]

    def __str__(self) -> str:
        gone = [f"{table}: removed, its file is gone" for table in self.removed]
        images = self.images
        told = [images.headline, *(str(e) for e in images.refused if e.n_images)] if images else []
        return "\n".join([*map(str, self.entries), *gone, *told])


def adql_name(text: str) -> str:
    """A name that ADQL takes without quotes: letters, digits and `_`, not starting with a digit, lower case."""
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return name if re.match(r"[a-z]", name) else f"t_{name}".rstrip("_")


def ingest_folder(
    folder: Path,
    cache: Path,
    *,
    recipe: Recipe | None = None,
    progress: Callable[[str], Progress | None] | None = None,
) -> FolderReport:
    """Publish every table file and HATS catalogue below a folder.

    A file `stars.csv` takes its recipe from `stars.csv.recipe.yaml` beside it, if there is one.

    Parameters
    ----------
    folder : Path
        Where the files are.
    cache : Path
        The archive in which they are published; created if need be. It may lie in the folder.
    recipe : Recipe, optional
        Holds for every file; files and table name are filled in.
    progress : callable, optional
        Gives the progress callback for the table of the name that it is handed.
    """
    archive = ArchiveDirectory.create(cache)
    ledger = cache / _LEDGER
    work = _FolderWork(folder, archive, recipe or Recipe(), progress or (lambda _: None), _read_ledger(ledger))
    entries = tuple(work.entries())
    removed = tuple(work.remove_vanished())
    _write_ledger(ledger, work.done)
    images = work.images()
    said = _without_images(entries, folder, {entry.file: entry for entry in images.files})
    return FolderReport(tuple(said), removed, images if images.n_images else None)


def _without_images(
    entries: Iterable[FolderEntry], folder: Path, images: Mapping[str, FileEntry]
) -> Iterator[FolderEntry]:
    """What became of files, less those that are images; those that could be images tell why they are not."""
    for entry in entries:
        image = images.get(os.path.abspath(folder / entry.file))
        if not entry.problem or image is None:
            yield entry
        elif not image.n_images:
            yield replace(entry, problem=f"{entry.problem.rstrip('.')}; as an image: {image.problem}")


@dataclass(frozen=True)
class _Done:
    """What a table was made from."""

    file: str
    """Relative to the folder."""
    mark: str
    """Fingerprint of the file and of the recipe."""


@dataclass
class _FolderWork:
    """One walk through a folder."""

    folder: Path
    archive: ArchiveDirectory
    recipe: Recipe
    progress: Callable[[str], Progress | None]
    before: Mapping[str, _Done]
    """What each table was made from in the run before."""
    done: dict[str, _Done] = field(default_factory=dict)
    """The same for this run."""

    def __post_init__(self) -> None:
        schema = adql_name(self.folder.resolve().name)
        self.schema = f"{schema}_folder" if schema in _RESERVED else schema
        self.published = {table.name for table in self.archive.tables()}

    def entries(self) -> Iterator[FolderEntry]:
        for path in _candidates(self.folder, ignored=self.archive.path.resolve()):
            name = str(path.relative_to(self.folder))
            try:
                yield from self._published(path, name)
            except SkydexError as error:
                yield FolderEntry(name, problem=str(error))

    def remove_vanished(self) -> Iterator[str]:
        """Tables whose files are gone; one whose file cannot be read now stays as it was."""
        for table in sorted(self.before.keys() - self.done.keys()):
            if (self.folder / self.before[table].file).exists():
                self.done[table] = self.before[table]
            elif table in self.published:
                self.archive.remove(table)
                yield table

    def images(self) -> ImagesReport:
        """Publish the images of FITS files."""
        from skydex.ingest.images import ingest_images, looks_like_fits

        name = f"{self.schema}.images"
        collection = f"{self.schema}_images" if name in self.done else self.schema
        about = f"Images of the folder {self.folder.resolve().name}."
        progress = self.progress(name)
        return ingest_images(
            [self.folder], self.archive, collection, description=about, chosen=looks_like_fits, progress=progress
        )

    def _published(self, path: Path, name: str) -> Iterator[FolderEntry]:
        if is_hats(path):
            yield self._mounted(path, name)
            return
        recipe = _own_recipe(path) or self.recipe
        sources = tables_of(path, recipe)
        done = _Done(name, f"{fingerprint(path)} {_hash(recipe)}")
        for number, source in enumerate(sources):
            table = self._free_name(path, source if len(sources) > 1 else None)
            try:
                yield self._ingested(path, replace(recipe, select=number, table=recipe.table or table), done)
            except SkydexError as error:
                yield FolderEntry(name, table, problem=str(error))

    def _mounted(self, path: Path, name: str) -> FolderEntry:
        table = self._free_name(path, None)
        self.done[table] = _Done(name, str(path.resolve()))
        if self.before.get(table) != self.done[table] or table not in self.published:
            self.archive.mount(table, str(path.resolve()))
        return FolderEntry(name, table, is_mounted=True)

    def _ingested(self, path: Path, recipe: Recipe, done: _Done) -> FolderEntry:
        table = recipe.table
        if self.before.get(table) == done and table in self.published:
            self.done[table] = done
            return FolderEntry(done.file, table, is_unchanged=True)
        report = ingest(replace(recipe, files=(str(path),)), self.archive, progress=self.progress(table))
        self.done[table] = done
        return FolderEntry(done.file, table, report)

    def _free_name(self, path: Path, source: Source | None) -> str:
        """A name that no other table has: the stem, or it with its folder, its suffix or a number."""
        stem = adql_name(_stem(path) + (f"_{source.name}" if source else ""))
        stems = [
            stem,
            f"{adql_name(path.parent.name)}_{stem}",
            adql_name(path.name),
            *(f"{stem}_{number}" for number in range(2, 10_000)),
        ]
        return next(name for name in (f"{self.schema}.{text}" for text in stems) if name not in self.done)


def _candidates(folder: Path, *, ignored: Path) -> Iterator[Path]:
    """Files, Parquet directories and HATS catalogues below a folder, by name, those of subfolders last.

    Hidden ones, recipes and the cache are passed over.
    """
    seen = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".") and path.resolve() != ignored]
    subfolders = [path for path in seen if path.is_dir() and not is_hats(path) and path.suffix != ".parquet"]
    yield from (path for path in seen if path not in subfolders and not path.name.endswith(_RECIPE_SUFFIX))
    for subfolder in subfolders:
        yield from _candidates(subfolder, ignored=ignored)


def _stem(path: Path) -> str:
    name = path.name
    for suffix in _COMPRESSIONS:
        name = name.removesuffix(suffix)
    return name if path.is_dir() else Path(name).stem


def _own_recipe(path: Path) -> Recipe | None:
    beside = path.with_name(path.name + _RECIPE_SUFFIX)
    return read_recipe(beside) if beside.is_file() else None


def _hash(recipe: Recipe) -> str:
    return hashlib.sha256(to_yaml(recipe).encode()).hexdigest()[:12]


def _read_ledger(path: Path) -> dict[str, _Done]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {table: _Done(facts["file"], facts["mark"]) for table, facts in content.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # lost or damaged: everything is done again
        return {}


def _write_ledger(path: Path, done: Mapping[str, _Done]) -> None:
    """Replace the ledger in one step."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(json.dumps({table: asdict(facts) for table, facts in done.items()}, indent=1, sort_keys=True))
    os.replace(new, path)
