"""`ObjectLinks`: what there is for an object of a catalogue: its row, its light curve, a preview, cutouts of it.

What the row of an object was made of are its progenitors, in the words of DataLink: its light curve, and the images in
which it lies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from skydex.archive.links import Link, address_of, adql_name, adql_value, failed_link, image_link, table_link
from skydex.archive.observations import Observations
from skydex.lightcurve.holdings import pointing_column, time_column
from skydex.query import Namespace, bind, make_plan
from skydex.query.build import column_node, literal, select_query
from skydex.query.languages.words import spelled
from skydex.tables import OBSCORE, Column, Table

if TYPE_CHECKING:
    from skydex.archive.archive import Archive
    from skydex.engines import Deadline

__all__ = ["ObjectLinks"]

_MOST_CUTOUTS = 20
"""Images of which an object's links have a cutout each; a query finds all of them."""
_CUTOUT_PIXELS = 32
"""Radius of such a cutout, in pixels of the image."""
_RADIUS_DEG = 5 / 3600
"""Radius where the size of a pixel is not known."""
_ALIAS = "t"
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_COLUMNS = ("obs_publisher_did", "obs_id", "calib_level", "s_pixel_scale", "t_min", "t_exptime")

Value = int | str


class ObjectLinks:
    """Finds the links of objects.

    Parameters
    ----------
    archive : Archive
        Who has the tables.
    namespace : Namespace
        Those that the asker may see.
    observations : Observations
        What is known of images.
    url : str
        Public address of the server.
    deadline : Deadline, optional
        When an answer must be there.
    """

    def __init__(
        self,
        archive: Archive,
        namespace: Namespace,
        observations: Observations,
        url: str,
        *,
        deadline: Deadline | None = None,
    ) -> None:
        self._archive, self._namespace, self._observations = archive, namespace, observations
        self._url, self._deadline = url, deadline

    def links(self, identifier: str, name: str, value: str) -> Iterator[Link]:
        """The links of the object that has a value in the column of identifiers of a table; `identifier` names it."""
        relation = self._namespace.find(name)
        table = None if relation is None else relation.table
        if table is None or table.id_column is None:
            words = f'NotFoundFault: there is no table "{name[:100]}" whose rows have identifiers.'
            yield failed_link(identifier, words)
            return
        key = table.get_column(table.id_column)
        if key.datatype.is_integer and not _INTEGER.fullmatch(value):
            yield failed_link(identifier, f"UsageFault: identifiers of {table.name} are whole numbers.")
            return
        typed: Value = int(value) if key.datatype.is_integer else value
        place = self._place(table, key, typed)
        if place is None:
            words = f'NotFoundFault: there is no {key.name} "{value[:100]}" in {table.name}.'
            yield failed_link(identifier, words)
            return
        query = f"SELECT * FROM {adql_name(table.name)} WHERE {spelled(key.name)} = {adql_value(typed)}"
        yield self._table(identifier, "#this", f"The row of {table.name}", query, local="row")
        yield from self._measurements(identifier, table, key, typed)
        if place:
            yield from self._pictures(identifier, *place)

    def _place(self, table: Table, key: Column, value: Value) -> tuple[float, ...] | None:
        """Position of an object, empty if it has none; None if there is no such object."""
        columns = [column.name for column in table.position_columns()]
        outputs = [column_node(name, _ALIAS) for name in (columns or [key.name])]
        is_it = exp.EQ(this=column_node(key.name, _ALIAS), expression=literal(value))
        query = select_query(outputs, table, alias=_ALIAS, conditions=[is_it])
        with self._archive.run(make_plan(bind(query, self._namespace), 1), self._deadline) as result:
            found = result.to_arrow()
        if not found.num_rows:
            return None
        place = tuple(found.column(number)[0].as_py() for number in range(len(columns)))
        return () if None in place else place

    def _measurements(self, identifier: str, table: Table, key: Column, value: Value) -> Iterator[Link]:
        """Rows of other tables that point at an object: a light curve, where they have a time."""
        for other in (relation.table for relation in self._namespace):
            column = pointing_column(other, table, key)
            if column is None:
                continue
            time = time_column(other) if (other.n_rows or 0) > (table.n_rows or 0) else None
            order = f" ORDER BY {spelled(time)}" if time else ""
            query = f"SELECT * FROM {adql_name(other.name)} WHERE {spelled(column)} = {adql_value(value)}{order}"
            about = f"Light curve: its rows of {other.name}" if time else f"Its rows of {other.name}"
            link = self._table(identifier, "#progenitor", about, query, local="lightcurve" if time else "rows")
            yield replace(link, content_qualifier="#timeseries" if time else None)

    def _pictures(self, identifier: str, ra_deg: float, dec_deg: float) -> Iterator[Link]:
        """Cutouts of the images that a place lies in, the best and deepest ones first, with a preview of the first."""
        rows = self._observations.around(ra_deg, dec_deg, _COLUMNS)
        if not rows:
            return
        best = sorted(rows, key=lambda row: (-(row["calib_level"] or 0), -(row["t_exptime"] or 0.0)))[:_MOST_CUTOUTS]
        preview = self._cutout(best[0], ra_deg, dec_deg, RESPONSEFORMAT="image/jpeg")
        words = f"Preview: the object in the image {best[0]['obs_id']}"
        yield image_link(identifier, "#preview-image", words, preview, "image/jpeg", local="preview")
        for row in best:
            words = " ".join(filter(None, ("Cutout of the image", row["obs_id"], _when(row))))
            address = self._cutout(row, ra_deg, dec_deg)
            yield image_link(identifier, "#progenitor", words, address, "application/fits", local="cutout")
        where = f"CONTAINS(POINT({ra_deg!r}, {dec_deg!r}), s_region) = 1"
        query = f"SELECT * FROM {OBSCORE} WHERE {where} ORDER BY t_min"
        yield self._table(identifier, "#progenitor", f"Images of the place: {len(rows):,}", query, local="images")

    def _cutout(self, row: Mapping[str, Any], ra_deg: float, dec_deg: float, **more: str) -> str:
        scale = row["s_pixel_scale"]
        radius = _CUTOUT_PIXELS * scale / 3600.0 if scale else _RADIUS_DEG
        circle = f"{ra_deg!r} {dec_deg!r} {radius:.8f}"
        return address_of(f"{self._url}/soda/sync", ID=row["obs_publisher_did"], CIRCLE=circle, **more)

    def _table(self, identifier: str, semantics: str, description: str, query: str, *, local: str) -> Link:
        return table_link(identifier, semantics, description, query, url=self._url, local=local)


def _when(row: Mapping[str, Any]) -> str:
    return "" if row["t_min"] is None else f"(MJD {row['t_min']:.3f})"
