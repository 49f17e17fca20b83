"""Tables and images into an archive and out of it: `ingest`, `ingest-images`, `mount`, `remove`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from skydex.cli.command import Command
from skydex.cli.screen import output, progress_bar, remark
from skydex.errors import UnreadableFileError

__all__ = ["COMMANDS", "PANEL"]

PANEL = "Publish"

Archive = Annotated[Path, typer.Option("--into", "-a", metavar="ARCHIVE", help="The archive's directory; made if new.")]
Name = Annotated[str, typer.Option("--name", "-n", metavar="SCHEMA.TABLE", help="Name of the published table.")]


class BadRows(StrEnum):
    """What to do with rows whose position is missing or impossible."""

    REFUSE = "refuse"
    KEEP = "keep"
    DROP = "drop"


Files = Annotated[list[str], typer.Argument(metavar="FILE...", help="Files or patterns with the same columns.")]
RecipeName = Annotated[str | None, typer.Option(help="A YAML file, or the name of a recipe that comes along.")]
Ra = Annotated[list[str] | None, typer.Option(help="Column of right ascension; three times for h, m, s.")]
Dec = Annotated[list[str] | None, typer.Option(help="Column of declination; four times for sign, d, m, s.")]
Unit = Annotated[
    str | None, typer.Option(help="How angles are given: deg, hourangle, rad, arcsec, sexagesimal, parts.")
]
Frame = Annotated[str | None, typer.Option(help="icrs, fk5, fk4, galactic or ecliptic; stored as ICRS.")]
Equinox = Annotated[str | None, typer.Option(help="Equinox of FK4, FK5 and ecliptic positions, e.g. B1950.")]
NoPosition = Annotated[bool, typer.Option("--no-position", help="The table has no positions.")]
IdColumn = Annotated[str | None, typer.Option("--id", metavar="COLUMN", help="Column that names a row.")]
Null = Annotated[list[str] | None, typer.Option(help='A value that means "no value": -999; repeatable.')]
OnBadRows = Annotated[BadRows | None, typer.Option(help="Rows without a possible position; by default kept.")]
TableOfFile = Annotated[str | None, typer.Option(help="Which of several tables in a file: name, or number from 0.")]
FileFormat = Annotated[str | None, typer.Option("--format", help="Format of the files, if it is not told.")]
Description = Annotated[str | None, typer.Option(help="One paragraph about the table.")]
ShowRecipe = Annotated[
    bool, typer.Option("--show-recipe", help="Store nothing; print what would be done, as a recipe.")
]


def ingest(
    files: Files,
    into: Archive = Path("archive"),
    name: Name = "",
    *,
    recipe: RecipeName = None,
    ra: Ra = None,
    dec: Dec = None,
    unit: Unit = None,
    frame: Frame = None,
    equinox: Equinox = None,
    no_position: NoPosition = False,
    id_column: IdColumn = None,
    null: Null = None,
    bad_rows: OnBadRows = None,
    table: TableOfFile = None,
    file_format: FileFormat = None,
    description: Description = None,
    show_recipe: ShowRecipe = False,
) -> None:
    """Publish files as a table.

    Reads FITS, VOTable, CSV, TSV, ECSV, CDS, MRT, IPAC, Parquet and Arrow, compressed or not. Positions, units and
    nulls are found where they can be; what was guessed carries a question mark in the report. A table of that name
    is replaced in one step.

    **Examples**

    - `skydex ingest stars.fits --into archive --name survey.stars`
    - `skydex ingest 'night_*.csv' -a archive -n survey.nights --ra RAJ2000 --dec DEJ2000 --null -99.9`
    - `skydex ingest old.dat -a archive -n old.stars --ra ra1950 --dec de1950 --frame fk4 --equinox B1950`
    - `skydex ingest stars.fits --show-recipe > stars.yaml`
    """
    given = _given(
        ra=_one_or_several(ra),
        dec=_one_or_several(dec),
        unit=unit,
        frame=frame,
        equinox=equinox,
        position="none" if no_position else None,
        id=id_column,
        null=[_number_or_text(text) for text in null or []] or None,
        bad_rows=bad_rows.value if bad_rows else None,
        select=_number_or_text(table) if table else None,
        format=file_format,
        description=description,
    )
    if show_recipe:
        _show_recipe(files, name, recipe, given)
    else:
        _publish(files, into, name, recipe, given)


def _given(**options: Any) -> dict[str, Any]:
    """The options of a recipe that were given."""
    return {key: value for key, value in options.items() if value is not None}


def _show_recipe(files: list[str], name: str, recipe: str | None, given: dict[str, Any]) -> None:
    from skydex.ingest import inferred_recipe, make_recipe, to_yaml

    print(to_yaml(inferred_recipe(make_recipe(files, name, recipe=recipe, **given))), end="")


def _publish(files: list[str], into: Path, name: str, recipe: str | None, given: dict[str, Any]) -> None:
    from skydex.ingest import ingest_files

    if not name and recipe is None:
        raise typer.BadParameter("is needed, in the form schema.table", param_hint="--name")
    with progress_bar(name) as progress:
        report = ingest_files(files, into, name, recipe=recipe, progress=progress, **given)
    output().print(report)


def ingest_images(
    paths: Annotated[list[str], typer.Argument(metavar="DIR...", help="Directories of FITS files, or files.")],
    into: Archive = Path("archive"),
    *,
    collection: Annotated[
        str, typer.Option("--collection", "-c", metavar="NAME", help="Their schema; by default named as the first DIR.")
    ] = "",
    description: Annotated[str, typer.Option(help="One paragraph about the images.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Publish nothing; tell what would be done.")] = False,
) -> None:
    """Publish the images of FITS files, which stay where they are.

    Every image extension of every file below the directories is found by its place on the sky, in `ivoa.obscore` and
    in a table NAME.images; its header cards are in NAME.image_cards. What cannot be published is listed with the
    reason. The same command again looks at files that are new or have changed, forgets those that are gone, and goes
    on where it was interrupted.

    **Examples**

    - `skydex ingest-images /data/m87 --into archive`
    - `skydex ingest-images /data/run1 /data/run2 -a archive --collection survey --description 'Survey of M 31'`
    - `skydex ingest-images /data/new --collection survey --dry-run`
    """
    from skydex import ingest as ingests
    from skydex.images import ImageLimits
    from skydex.ingest import images
    from skydex.settings import load_settings
    from skydex.store import ArchiveDirectory

    name = collection or ingests.adql_name(Path(paths[0]).resolve().name)
    settings = load_settings(into)
    limits = ImageLimits(tile_mpix=settings.image_tile_mpix, unpacked_mb=settings.image_unpacked_mb)
    if dry_run:
        with TemporaryDirectory() as nowhere:  # an archive that is not there yet is not made either
            is_new = not into.exists() or (into.is_dir() and not any(into.iterdir()))
            directory = ArchiveDirectory.create(nowhere if is_new else into)
            print(images.survey_images(paths, directory, name, limits=limits))
        return
    directory = ArchiveDirectory.create(into)
    with progress_bar(name, unit="files") as progress:
        report = images.ingest_images(paths, directory, name, description=description, limits=limits, progress=progress)
    print(report)
    if not report.n_images and not report.n_files(images.Change.GONE):
        remark("No image was found.")
        raise typer.Exit(1)


def mount(
    place: Annotated[str, typer.Argument(metavar="PATH-OR-URL", help="A HATS catalogue, or Parquet files.")],
    into: Archive = Path("archive"),
    name: Name = "",
) -> None:
    """Publish a catalogue where it lies, without copying it.

    Takes a HATS catalogue or collection, or a directory of Parquet files with the same columns, here or at any
    address: `https://`, `s3://` (with `pip install 'skydex[remote]'`), or another scheme that fsspec knows. Of what
    lies far away queries read only the columns of the row groups that they need.

    **Examples**

    - `skydex mount /data/hats/gaia_dr3 --into archive --name gaia.dr3`
    - `skydex mount https://example.org/hats/ztf_dr22 --into archive --name ztf.objects`
    - `skydex mount s3://bucket/hats/gaia_dr3 --into archive --name gaia.dr3`
    """
    from skydex.settings import load_settings
    from skydex.store import ArchiveDirectory, RemoteAccess

    if not name:
        raise typer.BadParameter("is needed, in the form schema.table", param_hint="--name")
    if "://" not in place and not Path(place).is_dir():
        raise UnreadableFileError(place, "there is no such directory. A single file is published with skydex ingest.")
    access = RemoteAccess.of(load_settings(into), into.absolute())
    with _made_for(into):
        directory = ArchiveDirectory.create(into, access=access)
        entry = directory.mount(name, place)
    n_rows = "an unknown number of" if entry.n_rows is None else f"{entry.n_rows:,}"
    print(f"{entry.name}: {n_rows} rows, mounted")
    found = directory.open(name)
    position = found.table.position
    where = f"positions in {position.ra} and {position.dec}" if position else "no positions"
    print(f"  {len(found.table.columns)} columns, {len(found.partitions)} files, {where}")


@contextmanager
def _made_for(archive: Path) -> Iterator[None]:
    """An archive that is new goes again if nothing comes into it."""
    is_new = not archive.exists()
    try:
        yield
    except BaseException:
        if is_new:
            shutil.rmtree(archive, ignore_errors=True)
        raise


def remove(
    archive: Annotated[Path, typer.Argument(metavar="ARCHIVE", help="Directory of the archive.")],
    table: Annotated[str, typer.Argument(metavar="TABLE", help="Name of the table, as schema.table.")],
) -> None:
    """Take a table out of an archive.

    Its files are deleted when no running query reads them any more; those of a mounted catalogue are left alone. What
    killed ingests of the table left behind is deleted as well. To remove a table of images, such as survey.images, is
    to remove these images from the archive; their files are left alone.

    **Examples**

    - `skydex remove archive survey.stars`
    - `skydex remove archive survey.images`
    """
    from skydex.store import ArchiveDirectory, Imagery

    directory = ArchiveDirectory(archive)
    collection, _, bare = table.partition(".")
    held = {name.lower(): name for name in Imagery(directory.path).collections()}
    if bare.lower() == "images" and collection.lower() in held:
        from skydex.ingest.images import remove_images

        remove_images(directory, held[collection.lower()])
    else:
        directory.remove(table)
    remark(f"{table} is removed.")


def _one_or_several(columns: list[str] | None) -> str | list[str] | None:
    return columns[0] if columns and len(columns) == 1 else columns or None


def _number_or_text(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


COMMANDS = (Command(ingest), Command(ingest_images), Command(mount), Command(remove))
