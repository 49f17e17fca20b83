"""`Connection`: what an astronomer types, the same for an archive on this disk and for a service far away.

Places, angles, conditions and tables are taken as astropy has them and handed to a door (`skydex.client.Door`) as plain
values; what comes back becomes an astropy table with units, that knows where it is from.
"""

from __future__ import annotations

import datetime as dt
import functools
import importlib.metadata
import operator
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self, SupportsIndex

from skydex import __version__
from skydex.client import (
    VERBS,
    Condition,
    CrossmatchOrder,
    Door,
    Query,
    RowsOrder,
    RunningJob,
    adql,
    has_units,
    settled,
)
from skydex.connection.arrow_columns import result_of
from skydex.connection.columns import Columns, joined_conditions, listed_names
from skydex.connection.jobs import Job
from skydex.connection.listing import listed_tables
from skydex.connection.mydb import MyDB
from skydex.connection.picturing import PictureVerbs
from skydex.connection.places import degrees_of, place_of
from skydex.connection.rows import ResultTable, result_table
from skydex.connection.stream import Stream
from skydex.errors import BadParameterError, NotOfferedError, UnreadableFileError
from skydex.notebook import MANY
from skydex.sky import Cone
from skydex.tables import Result, Table
from skydex.tables.tap_schema import TAP_SCHEMA

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord

    from skydex.archive import CrossmatchReport
    from skydex.client.door import Told
    from skydex.client.transfers import Manifest
    from skydex.client.transfers.progress import Shown
    from skydex.lightcurve import Good, LightCurve, LightCurveSet, Roles
    from skydex.notebook.view import LinkedView

__all__ = ["Connection", "described"]

_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
_VERB_OF = {verb: verb for verb in VERBS if verb != "images"} | {
    "stream": "query",
    "job": "submit",
    "stars": "stamps",
    "light_curves": "light_curve",
    "keep_crossmatch": "crossmatch",
    "explore": "search",
}
"""What methods need; they are completed at a prompt only where there is that. Images are found in several ways."""
_LIBRARIES = ("astropy", "numpy", "pyarrow")
"""Whose versions an answer knows."""


class Connection(PictureVerbs):
    """An archive that can be asked; `skydex.connect` makes it.

    Parameters
    ----------
    door : Door
        How the archive is reached.

    Notes
    -----
    What an archive does not have raises `NotOfferedError`, which says what it has; `verbs` lists it. All positions are
    ICRS; a bare number is a number of degrees. Rows come as `ResultTable`, an astropy `QTable`: a null float is NaN,
    other nulls are masked.
    """

    def __init__(self, door: Door) -> None:
        self.door = door

    @property
    def name(self) -> str:
        """The archive: a directory, an address, a preset."""
        return self.door.name

    @property
    def verbs(self) -> tuple[str, ...]:
        """What can be asked of it."""
        return tuple(verb for verb in VERBS if verb in self.door.verbs)

    def resolve(self, name: str) -> SkyCoord:
        """Find where an object is.

        Parameters
        ----------
        name : str
            Such as `"IC 1613"`.

        Returns
        -------
        place : SkyCoord
            ICRS; `info.meta` has the `name` as the resolver writes it, and the `resolver`. Two resolvers may give
            positions that differ by arcseconds, and by arcminutes for galaxies.

        Raises
        ------
        UnknownObjectError
            Nobody knows it; with names that look alike.
        """
        from astropy.coordinates import SkyCoord

        found = self._place(name)
        place = SkyCoord(found.ra_deg, found.dec_deg, unit="deg", frame="icrs")
        place.info.meta = {"name": found.name, "resolver": found.resolver}
        return place

    def tables(self, words: str | None = None) -> ResultTable:
        """List the tables.

        Parameters
        ----------
        words : str, optional
            Only those that have all these words in their name, description or columns.

        Returns
        -------
        tables : ResultTable
            `name`, `n_columns`, `n_rows`, `description`; masked where the archive does not say. The tables that
            describe the others (TAP_SCHEMA) are left out.
        """
        self._check("tables")
        return listed_tables(filter(_is_no_schema, self.door.tables()), words, self.name)

    def columns(self, table: str, words: str | None = None) -> Columns:
        """List the columns of a table; each can be compared, for a condition.

        Parameters
        ----------
        table : str
            Its name.
        words : str, optional
            Only those with all these words in their name, unit, UCD or description.

        Returns
        -------
        columns : Columns
            By attribute or name; `.table` is the list as a table.

        Examples
        --------
        >>> summary = archive.columns("summary")  # doctest: +SKIP
        >>> archive.search("summary", summary.A_F475W_MAD > 0.1)  # doctest: +SKIP
        """
        self._check("columns")
        return Columns(self.door.table(_text(table, "table", "the name of a table")), words)

    def cone(
        self,
        table: str,
        where: str | SkyCoord | tuple[Any, Any],
        radius: Any,
        *conditions: object,
        columns: object = (),
        sort_by: object = (),
        maxrec: int | None = None,
        **suffixed: object,
    ) -> ResultTable:
        """Find the rows of a table around a place.

        Parameters
        ----------
        table : str
            A table with positions.
        where : str, SkyCoord or pair
            The centre: a name, which is resolved; a position; or right ascension and declination, in degrees if they
            have no unit, ICRS.
        radius : Quantity, Angle, float or str
            In degrees if it has no unit; `"2 arcmin"` does as well.
        *conditions, columns, sort_by, maxrec, **suffixed
            As for `search`.

        Returns
        -------
        rows : ResultTable
            The position that was really used is in its `provenance`.
        """
        return self.search(
            table,
            *conditions,
            where=where,
            radius=radius,
            columns=columns,
            sort_by=sort_by,
            maxrec=maxrec,
            **suffixed,
        )

    def search(
        self,
        table: str,
        *conditions: object,
        where: str | SkyCoord | tuple[Any, Any] | None = None,
        radius: Any = None,
        columns: object = (),
        sort_by: object = (),
        maxrec: int | None = None,
        **suffixed: object,
    ) -> ResultTable:
        """Find the rows of a table that fulfil conditions.

        Parameters
        ----------
        table : str
            Its name.
        *conditions
            All must hold: comparisons such as `col.A_F475W_N >= 10` or `(col.MAD > 0.1) & ~col.name.like("%X")`, and
            dictionaries such as `{"A_F475W_N.gte": 10}`. A value with a unit is brought to that of its column.
        where, radius : optional
            A cone, as for `cone`.
        columns : sequence or str, optional
            Names, without regard to case; a text may have commas, line breaks, and comments behind `#`. By default
            those that the archive shows; `"*"` is all of them.
        sort_by : sequence or str, optional
            Names of columns; `"-MAD"` or `-col.MAD` has the greatest first.
        maxrec : int, optional
            Most rows; `truncated` tells whether there are more. By default the archive's own limit, if it has one.
        **suffixed
            Conditions in the form of the catalogue API: `Detector="ACS/WFC"`, `**{"NumImages.gte": 2}`.

        Returns
        -------
        rows : ResultTable
            An astropy `QTable`.

        Raises
        ------
        UnknownTableError, UnknownColumnError
            There is none of that name; with names that look alike.
        NotOfferedError
            The archive cannot search so.
        """
        order = self.order(
            table,
            joined_conditions(conditions, suffixed),
            where=where,
            radius=radius,
            columns=columns,
            sort_by=sort_by,
            maxrec=maxrec,
        )
        found = self.door.rows(order)
        asked = _region(order.cone) if order.cone is not None else {}
        return self._shown(found, described(order), **asked)

    def explore(
        self,
        table: Any,
        *conditions: object,
        where: str | SkyCoord | tuple[Any, Any] | None = None,
        radius: Any = None,
        columns: object = (),
        rows: int = MANY,
        x: str | None = None,
        y: str | None = None,
        color: str | None = None,
        **suffixed: object,
    ) -> LinkedView:
        """Show rows in a notebook: a diagram, the sky and a list, in which what is chosen in one shows in the others.

        Parameters
        ----------
        table : str or table
            The name of a table; or rows that are here, such as the answer to a query: a table of astropy, pandas,
            polars or Arrow.
        *conditions, where, radius, **suffixed
            Which rows of the table, as for `search`.
        columns : sequence or str, optional
            Those that come along; by default all, of which some are shown in the list.
        rows : int, optional
            Most rows, 500,000 at the most. Where there are more, the view says so.
        x, y, color : str, optional
            What is drawn: names of columns, or two with a minus between them (`"A_F475W-A_F814W"`). By default what
            tells most: a colour and a magnitude, a magnitude and an index of variability, or whatever there is.

        Returns
        -------
        view : LinkedView
            A widget. `view.selection` is a table of the rows that are chosen, `view.selected` how many they are, and
            `view.indices` their places in `view.table`, which may be set as well; `view.observe(f, "indices")` has `f`
            called when others are chosen.

        Raises
        ------
        ServiceError
            anywidget is not installed (`pip install 'skydex[notebook]'`), or skydex was installed without scripts.
        BadParameterError
            There is nothing that can be drawn, or no such axis.

        Examples
        --------
        >>> view = archive.explore("summary", where="IC 1613", radius="6 arcmin")  # doctest: +SKIP
        >>> view  # in a cell of its own; then drag around some points  # doctest: +SKIP
        >>> view.selection  # doctest: +SKIP
        """
        from skydex.connection.exploring import explored

        joined = joined_conditions(conditions, suffixed)
        search = {"where": where, "radius": radius, "columns": columns}
        given = () if joined is None else (joined,)
        return explored(self, table, given, rows=rows, axes={"x": x, "y": y, "color": color}, **search)

    def order(
        self,
        table: str,
        condition: Condition | None = None,
        *,
        where: str | SkyCoord | tuple[Any, Any] | None = None,
        radius: Any = None,
        columns: object = (),
        sort_by: object = (),
        maxrec: int | None = None,
    ) -> RowsOrder:
        """Say with plain values what `search` would ask for."""
        order = RowsOrder(
            _text(table, "table", "the name of a table"),
            columns=self._columns(table, columns),
            condition=condition,
            cone=self._cone(where, radius),
            sort_by=listed_names(sort_by),
            max_rows=_checked_limit(maxrec),
        )
        self._check("search" if order.cone is None else "cone")
        return self._settled(order)

    def query(
        self, text: str, *, maxrec: int | None = None, uploads: Mapping[str, Any] | None = None, language: str = "ADQL"
    ) -> ResultTable:
        """Ask a query in ADQL, and wait for the answer.

        Parameters
        ----------
        text : str
            The query.
        maxrec : int, optional
            Most rows; `truncated` tells whether there are more.
        uploads : mapping, optional
            Tables that come along, by what the query calls them after `TAP_UPLOAD.`: astropy, pandas, polars or Arrow
            tables, positions (a `SkyCoord`, with the columns `ra` and `dec`), or paths of files.
        language : str, optional
            As TAP's LANG names it, with a version if one is insisted on.

        Returns
        -------
        rows : ResultTable
            An astropy `QTable`.
        """
        self._check("query")
        return self._shown(self.door.query(_query(text, language, maxrec, uploads)), text)

    def crossmatch(
        self,
        first: Any,
        *others: Any,
        radius: Any,
        keep: str = "nearest",
        columns: Sequence[Any] | None = None,
        same: str = "others",
        epoch: Any = None,
        epochs: Sequence[Any] | None = None,
        at_most: Any = None,
        where: str | SkyCoord | tuple[Any, Any] | None = None,
        within: Any = None,
        chance: bool = False,
    ) -> ResultTable:
        """Match the rows of a table with those of another, or of several, by position.

        Parameters
        ----------
        first, *others
            Tables of the archive, by name; or one's own: astropy, pandas, polars or Arrow tables, a `SkyCoord`, paths
            of files. The first one leads: partners of its rows are sought in each of the others.
        radius : Quantity, float or str
            How far apart partners may be; in degrees if it has no unit. Or so many errors: `"3*err"` with a column of
            the first table, `"3*sqrt(err^2+pos_err^2)"` with one of the others as well.
        keep : str, optional
            `"nearest"`: rows with partners, with the nearest of each table. `"all"`: every pair. `"none"`: rows without
            a partner. `"left"`: all rows of the first table, with the nearest partner or with nulls; `"left-all"`.
        columns : sequence, optional
            For each table the columns that come along, as for `search`; None for all, an empty text for none.
        same : str, optional
            Of a table that is matched with itself: `"others"` does not take a row for its own partner, `"once"` gives
            each pair once, `"all"` does neither.
        epoch : float, str or Time, optional
            Julian year to which positions are brought where a table has proper motions (by UCD, as Gaia's).
        epochs : sequence, optional
            For each table the year of its positions, where no column (`ref_epoch`) says it.
        at_most : Quantity, float or str, optional
            A bound on a radius that is made of errors.
        where, within : optional
            Only rows of the first table in a cone: its centre, as for `cone`, and its radius.
        chance : bool, optional
            Whether to estimate how many would have a partner by chance: `provenance` has it, with its error.

        Returns
        -------
        rows : ResultTable
            The columns of the first table, those of the others (with `_table` behind names that are taken),
            `separation` in arcsec, and how many partners there are, `n_matches`; one's own table keeps its order.

        Examples
        --------
        >>> archive.crossmatch(mine, "survey.stars", radius=1 * u.arcsec)  # doctest: +SKIP
        >>> archive.crossmatch("gaia.source", "survey.stars", radius="0.5 arcsec", epoch=2005.3)  # doctest: +SKIP
        """
        order = self._crossmatch_order(
            (first, *others),
            (where, within),
            radius=radius,
            keep=keep,
            columns=columns,
            same=same,
            epoch=epoch,
            epochs=epochs,
            at_most=at_most,
            chance=chance,
        )
        return self._shown(self.door.crossmatch(order), _described_match(order))

    def keep_crossmatch(
        self,
        into: str | os.PathLike[str],
        first: Any,
        *others: Any,
        progress: Told | None = None,
        engine: str = "here",
        **options: Any,
    ) -> CrossmatchReport:
        """Match tables of any size, and keep what comes out; interrupted and called again, it goes on where it was.

        Parameters
        ----------
        into : str or path
            `"schema.table"` of the archive, `"mydb.name"`, or a `Path` of a file in the format of its name. A table
            that an earlier match made is replaced, and no other; so is a file.
        first, *others, **options
            As for `crossmatch`.
        progress : callable, optional
            Told how far it is.
        engine : str, optional
            `"here"` for this process; `"spark"` for where the archive's setting `spark` says, with the same outcome.

        Returns
        -------
        report : CrossmatchReport
            How many rows, how many of the first table have partners, and how many would by chance.

        Raises
        ------
        NotOfferedError
            The archive is far away, or seen through a preset.
        """
        if engine not in ("here", "spark"):
            raise BadParameterError("engine", f"is here or spark, not {engine!r}.")
        place = (options.pop("where", None), options.pop("within", None))
        order = self._crossmatch_order((first, *others), place, **options)
        keep = getattr(self.door, "keep_crossmatch", None)
        if keep is None:
            hint = "Take the rows (crossmatch) and write them, or match in an archive directory."
            raise NotOfferedError("keep_crossmatch", self.name, self.verbs, hint=hint)
        report: CrossmatchReport = keep(
            order, into if isinstance(into, str) else Path(into), progress, on_spark=engine == "spark"
        )
        return report

    def _crossmatch_order(self, tables: Sequence[Any], place: tuple[Any, Any], **options: Any) -> CrossmatchOrder:
        from skydex.connection.crossmatching import crossmatch_order

        self._check("crossmatch")
        return crossmatch_order(tables, read=_uploaded, region=self._cone(*place), **options)

    def stream(
        self,
        text: str,
        *,
        maxrec: int | None = None,
        uploads: Mapping[str, Any] | None = None,
        language: str = "ADQL",
        rows: int = 100_000,
    ) -> Stream:
        """Ask a query in ADQL whose answer is too large for memory.

        Parameters
        ----------
        text, uploads, language
            As for `query`.
        maxrec : int, optional
            Most rows; by default as many as the archive gives to anybody, which may be more than `query` has.
        rows : int, optional
            How many rows each table of the stream has.

        Returns
        -------
        stream : Stream
            Looping over it gives a table of some rows after the other; it can write them to a file as well.
        """
        self._check("query")
        order = replace(_query(text, language, maxrec, uploads), is_whole=maxrec is None)
        found = self.door.query(order)
        return Stream(found, rows=rows, **self._provenance(text))

    def submit(
        self, text: str, *, maxrec: int | None = None, uploads: Mapping[str, Any] | None = None, language: str = "ADQL"
    ) -> Job:
        """Have a query in ADQL answered apart, as a job.

        Parameters
        ----------
        text, maxrec, uploads, language
            As for `query`.

        Returns
        -------
        job : Job
            `job.result()` waits for the rows; `archive.job(job.url)` finds it again in another session.
        """
        self._check("submit")
        return self._job(self.door.submit(_query(text, language, maxrec, uploads)), text)

    def job(self, url: str) -> Job:
        """Find a job again that was submitted earlier, by its `url`."""
        self._check("submit")
        return self._job(self.door.job(_text(url, "url", "the address of a job, as job.url has it")), url)

    def sql(self, text: str, context: str | None = None) -> ResultTable:
        """Carry out statements in T-SQL, as CasJobs does.

        Parameters
        ----------
        text : str
            One statement or several; `SELECT ... INTO mydb.t` keeps rows as a table of one's own.
        context : str, optional
            The database in which bare names are looked up; by default that of the preset, and else `MyDB`.

        Returns
        -------
        rows : ResultTable
            The rows of the last SELECT that shows any, else how many were written.
        """
        self._check("sql")
        return self._shown(self.door.sql(_text(text, "text", "a statement in T-SQL"), context), text)

    @property
    def mydb(self) -> MyDB:
        """The tables that the user keeps in the archive."""
        self._check("mydb")
        return MyDB(self.door.own_tables(), self._shown, self.name)

    def light_curve(
        self,
        object: object,
        table: str | None = None,
        bands: str | Sequence[str] | None = None,
        *,
        quality: str | Good | None = None,
        radius: object = "1 arcsec",
        roles: Roles | None = None,
    ) -> LightCurve:
        """Find the measurements of an object over time.

        Parameters
        ----------
        object : int, str, SkyCoord, pair, or row of a table
            The number that the archive has for it (MatchID, objID), also as a row with that column; or a place, by
            name or position, of which the nearest object is taken.
        table : str, optional
            Where its measurements are. By default the tables of HCV, Pan-STARRS1 and HSC, the first that has any.
        bands : str or sequence of str, optional
            Only these.
        quality : str or Good, optional
            `"good"` for what the makers of the catalogue recommend (`psfQfPerfect > 0.9` of Pan-STARRS1, `Flags < 5`
            of HSC), or a rule such as `">= 0.9"`. By default every measurement is there.
        radius : Quantity, Angle, float or str, optional
            How far from a place an object may be; a bare number is in degrees.
        roles : Roles, optional
            What the columns of `table` hold, by default as far as `skydex.lightcurve.roles_of` can tell.

        Returns
        -------
        curve : LightCurve
            Ascending in time; its `rows` are the rows of the archive.

        Raises
        ------
        UnknownObjectError
            There is no such object, or none near the place.
        BadParameterError
            No table of the archive is known to hold light curves; name one.
        """
        from skydex.connection.light_curves import light_curve

        self._check("light_curve")
        return light_curve(self, object, table=table, bands=bands, quality=quality, radius=radius, roles=roles)

    def light_curves(
        self,
        objects: Any,
        table: str | None = None,
        bands: str | Sequence[str] | None = None,
        *,
        quality: str | Good | None = None,
        radius: Any = "1 arcsec",
        roles: Roles | None = None,
    ) -> LightCurveSet:
        """Find the measurements of many objects over time, at once.

        Parameters
        ----------
        objects : sequence of int or str, SkyCoord, or table
            Numbers that the archive has for them; positions, of each of which the nearest object is taken; or a table
            with a column of such numbers (MatchID, objID), or else with `ra` and `dec`.
        table, bands, quality, radius, roles
            As for `light_curve`.

        Returns
        -------
        curves : LightCurveSet
            By object; `curves[number]` is a `LightCurve`, `curves.points` has all measurements, `curves.unknown` is
            what has none there, `curves.nearest` the object of each position.

        Raises
        ------
        BadParameterError
            No table of the archive is known to hold light curves; name one.
        NotOfferedError
            The archive is none of skydex and cannot find the objects of positions in one question.
        """
        from skydex.connection.many_curves import light_curves

        self._check("light_curve")
        return light_curves(self, objects, table=table, bands=bands, quality=quality, radius=radius, roles=roles)

    def download(
        self, things: Any, into: str | os.PathLike[str] = ".", *, bundle: bool = False, progress: Shown = True
    ) -> Manifest:
        """Fetch whole files into a folder, several at once.

        A file that is there already and still what came is not asked for; what was interrupted is gone on with. Ctrl-C
        ends it within seconds, and says what is missing.

        Parameters
        ----------
        things : str, sequence or table
            Addresses, data URIs or names of images; or a table with a column `dataURI`, `dataURL`, `access_url` or
            `URL`.
        into : path, optional
            The folder; made if it is new. Its record is `MANIFEST.jsonl`.
        bundle : bool, optional
            Whether the archive shall pack them: quicker for hundreds of small files, with the same outcome.
        progress : bool or callable, optional
            Whether a bar is shown at a terminal or in a notebook; or who is told instead: the stage, how much is done,
            and of how much.

        Returns
        -------
        manifest : Manifest
            What is there: `paths`, sizes, checksums, `n_fetched`; `table` is the list as a table.

        Raises
        ------
        IncompleteError
            Some did not come: which, and why. The others are there.
        NotOfferedError
            The archive has no files by such names; addresses can be fetched all the same.
        """
        from skydex.connection.downloads import download

        return download(self.door, things, into, bundle=bundle, progress=progress)

    async def download_async(
        self, things: Any, into: str | os.PathLike[str] = ".", *, progress: Shown = True
    ) -> Manifest:
        """Fetch whole files beside other work of an event loop; see `download`."""
        from skydex.connection.downloads import download_async

        return await download_async(self.door, things, into, progress=progress)

    def close(self) -> None:
        """Give up connections that are still open."""
        self.door.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __dir__(self) -> list[str]:
        missing = {name for name, verb in _VERB_OF.items() if verb not in self.door.verbs}
        return [name for name in super().__dir__() if name not in missing]

    def __repr__(self) -> str:
        return f"<archive {self.name}: {', '.join(self.verbs)}>"

    def _check(self, verb: str) -> None:
        if verb not in self.door.verbs:
            self._refuse(verb)

    def _refuse(self, verb: str) -> NoReturn:
        raise NotOfferedError(verb, self.name, self.verbs)

    def _columns(self, table: str, given: object) -> tuple[str, ...]:
        names = listed_names(given)
        return tuple(column.name for column in self.door.table(table).columns) if names == ("*",) else names

    def _cone(self, where: Any, radius: Any) -> Cone | None:
        if where is None and radius is None:
            return None
        if where is None or radius is None:
            missing = "where" if where is None else "radius"
            raise BadParameterError(missing, "is missing: a cone has a place and a radius.")
        ra, dec = place_of(where, self._place)
        return Cone(ra, dec, degrees_of(radius, "radius"))

    def _place(self, name: str) -> Any:
        self._check("resolve")
        return self.door.place(_text(name, "name", 'the name of an object, such as "IC 1613"'))

    def _settled(self, order: RowsOrder) -> RowsOrder:
        """The same with plain values, which ask for the units of a table where there are any."""
        if order.condition is None or not has_units(order.condition):
            return order
        return replace(order, condition=settled(order.condition, self.door.table(order.table)))

    def _job(self, running: RunningJob, query: str) -> Job:
        def streamed(found: Result) -> Stream:
            return Stream(found, **self._provenance(query, job=running.url))

        return Job(running, lambda found: self._shown(found, query, job=running.url), streamed)

    def _shown(self, found: Result, query: str, **more: Any) -> ResultTable:
        return result_table(found, **self._provenance(query, **more))

    def _provenance(self, query: str, **more: Any) -> dict[str, Any]:
        """What is known of an answer."""
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        return {"query": " ".join(query.split()), "target": self.name, "time": now, "versions": _versions(), **more}


def _query(text: str, language: str, maxrec: int | None, uploads: Any) -> Query:
    if uploads is not None and not isinstance(uploads, Mapping):
        kind = type(uploads).__name__
        raise BadParameterError("uploads", f'are tables by their names, as in {{"mine": table}}, not {kind}.')
    tables = {name: _uploaded(name, table) for name, table in (uploads or {}).items()}
    return Query(_text(text, "text", "a query in ADQL"), language, _checked_limit(maxrec), tables)


def _text(given: object, parameter: str, meaning: str) -> str:
    """A text that says something."""
    if not isinstance(given, str) or not given.strip():
        raise BadParameterError(parameter, f"is {meaning}, not {given!r}.")
    return str(given)


def _uploaded(name: str, table: Any) -> Result | Path:
    if not _NAME.fullmatch(name):
        raise BadParameterError(
            "uploads", f'cannot call a table "{name[:60]}": it is a letter, then letters and digits.'
        )
    if not isinstance(table, str | os.PathLike):
        return result_of(table, name=name)
    path = Path(table)
    if not path.is_file():
        raise UnreadableFileError(str(path), "there is no such file")
    return path


def _checked_limit(maxrec: int | None) -> int | None:
    if maxrec is None:
        return None
    if not isinstance(maxrec, SupportsIndex) or operator.index(maxrec) < 0:
        raise BadParameterError("maxrec", f"is a number of rows, 0 or more, not {maxrec!r}.")
    return operator.index(maxrec)


def _is_no_schema(table: Table) -> bool:
    return table.schema_name.lower() != TAP_SCHEMA.lower()


def _region(cone: Cone) -> dict[str, Any]:
    return {"ra_deg": cone.ra_deg, "dec_deg": cone.dec_deg, "radius_deg": cone.radius_deg}


def described(order: RowsOrder) -> str:
    """An order in the words of a query, for people."""
    parts = [f"SELECT {', '.join(order.columns) or '*'} FROM {order.table}"]
    conditions = [] if order.condition is None else [adql(order.condition)]
    if order.cone is not None:
        cone = order.cone
        conditions.insert(0, f"within {cone.radius_deg:g} deg of ({cone.ra_deg:.7f}, {cone.dec_deg:.7f})")
    if conditions:
        parts.append(f"WHERE {' AND '.join(conditions)}")
    if order.sort_by:
        parts.append(f"ORDER BY {', '.join(order.sort_by)}")
    return " ".join(parts)


def _described_match(order: CrossmatchOrder) -> str:
    """A match in a few words, for people."""
    first, *others = (name.removeprefix("TAP_UPLOAD.") for name in order.tables)
    return f"CROSSMATCH {first} WITH {', '.join(others)} WITHIN {order.criteria.radius} KEEP {order.criteria.keep}"


@functools.cache
def _versions() -> dict[str, str]:
    return {"skydex": __version__, **{name: importlib.metadata.version(name) for name in _LIBRARIES}}
