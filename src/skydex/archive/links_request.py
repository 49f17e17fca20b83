"""`LinksRequest`: what there is for an image, or for an object of a catalogue.

DataLink 1.1 (IVOA REC 2023-12-15), section 3. An identifier is ObsCore's `obs_publisher_did`; or the name of a table, a
slash, and the value of its column of identifiers: `hcv.HCVmatch/1234567`. What semantics are called says the core
vocabulary (http://www.ivoa.net/rdf/datalink/core), of which only those terms are used that DataLink 1.0 had: they are
what clients know without asking a network. What the row of an object was made of are its progenitors: its light curve,
and the images in which it lies.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pyarrow as pa
from sqlglot import exp

from skydex.archive.descriptors import LINKS_ID, LINKS_TYPE, cutout_services, links_service
from skydex.archive.images import Images
from skydex.archive.measurements import pointing_column, time_column
from skydex.archive.observations import Observations
from skydex.archive.pictures import Picture, PictureRequest
from skydex.errors import SkydexError, TimeLimitError, UnknownImageError
from skydex.formats import get_format
from skydex.query import Namespace, bind, make_plan
from skydex.query.build import column_node, literal, select_query
from skydex.query.languages.words import spelled
from skydex.store import ImageRecord
from skydex.tables import (
    OBSCORE,
    Column,
    Datatype,
    InputParameter,
    Result,
    ServiceDescriptor,
    Table,
    arrow_schema,
)

if TYPE_CHECKING:
    from skydex.archive.archive import Archive
    from skydex.engines import Deadline

__all__ = ["LINKS_FORMAT", "LinksRequest"]

LINKS_FORMAT = "votable/td"
"""The format that every service of links has (DataLink 1.1, section 2.1.2)."""

_VOTABLE = "application/x-votable+xml"
_MOST_CUTOUTS = 20
"""Images of which an object's links have a cutout each; a query finds all of them."""
_CUTOUT_PIXELS = 32
"""Radius of such a cutout, in pixels of the image."""
_RADIUS_DEG = 5 / 3600
"""Radius where the size of a pixel is not known."""
_SIBLINGS = {"ERR": "#error", "RMS": "#error", "WHT": "#weight", "IVM": "#weight"}
"""What other extensions of the file of an image are to it, by EXTNAME; the others are auxiliary."""
_ALIAS = "t"
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_OF_IMAGE = (
    "access_url", "access_format", "obs_collection", "obs_id", "s_ra", "s_dec", "s_fov", "s_region",
    "em_min", "em_max", "t_min", "t_max",
)  # fmt: skip
_OF_PLACE = ("obs_publisher_did", "obs_id", "calib_level", "s_pixel_scale", "t_min", "t_exptime")


def _text(name: str, ucd: str, description: str) -> Column:
    return Column(name, Datatype.CHAR, "*", ucd=ucd, description=description)


_COLUMNS = (
    _text("ID", "meta.id;meta.main", "Identifier that was asked for"),
    _text("access_url", "meta.ref.url", "Where to get it"),
    _text("service_def", "meta.ref", "Descriptor of the service that gives it"),
    _text("error_message", "meta.code.error", "Why it cannot be had"),
    _text("description", "meta.note", "What it is"),
    _text("semantics", "meta.code", "What it is to what was asked for"),
    _text("content_type", "meta.code.mime", "Media type"),
    Column("content_length", Datatype.LONG, unit="byte", ucd="phys.size;meta.file", description="Size"),
    _text("content_qualifier", "meta.code", "Kind of data product"),
    _text("local_semantics", "meta.id.assoc", "The same word for the same kind of link"),
)


@dataclass(frozen=True)
class _Link:
    """One row of the answer."""

    ID: str
    semantics: str
    description: str
    access_url: str | None = None
    service_def: str | None = None
    error_message: str | None = None
    content_type: str | None = None
    content_length: int | None = None
    content_qualifier: str | None = None
    local_semantics: str | None = None


@dataclass(frozen=True)
class LinksRequest(PictureRequest):
    """The links of some identifiers."""

    ids: tuple[str, ...]
    """Each once; of images, or of objects as `TABLE/ID`."""
    url: str
    """Public address of the server, to which the links lead."""
    table: str = ""
    """Name of a table, if the identifiers are those of objects in it, without its name."""
    format: str = LINKS_FORMAT
    """Name of the format of the table."""
    is_cut: bool = False
    """Whether there were more identifiers than a request may have, which are left out."""
    owner: str | None = None
    """Who asks; None for anybody."""

    def draw(self, archive: Archive, deadline: Deadline | None = None) -> Picture:
        """Look everything up, and write the table."""
        form = get_format(self.format)
        assert form.write is not None, "the service asks for formats that can be written"
        found = _Finder(self, archive, deadline)
        links = [link for identifier in self.ids for link in found.links(identifier)]
        schema = arrow_schema(_COLUMNS)
        rows = pa.RecordBatch.from_pylist([vars(link) for link in links], schema)
        result = Result(
            _COLUMNS,
            iter([rows]),
            "links",
            infos=(("standardID", LINKS_ID),),
            services=(*found.services, links_service(self.url, _ANY_ID, is_this=True)),
            overflow=self.is_cut,
        )
        media_type = LINKS_TYPE if form.media_type.startswith(_VOTABLE) else form.media_type
        return Picture(media_type, form.suffixes[0], form.write(result))


_ANY_ID = InputParameter("ID", ucd="meta.id;meta.main", description="Identifier of an image, or TABLE/ID of an object")


class _Finder:
    """Finds links, and remembers which services they are about."""

    def __init__(self, request: LinksRequest, archive: Archive, deadline: Deadline | None) -> None:
        self._url, self._archive, self._deadline = request.url, archive, deadline
        self._images: Images = archive.images(request.owner)
        self._namespace: Namespace = archive.namespace(owner=request.owner)
        self._observations = Observations(archive, request.owner, deadline)
        self._table_name = request.table
        self._records = {} if request.table else dict(self._known(request.ids))
        self._rows = self._observations.find(self._records.values(), _OF_IMAGE)
        self.services: list[ServiceDescriptor] = []

    def _known(self, ids: Iterable[str]) -> Iterator[tuple[str, ImageRecord]]:
        for identifier in ids:
            with contextlib.suppress(UnknownImageError):
                yield identifier, self._images.get_did(identifier)

    def links(self, identifier: str) -> list[_Link]:
        """The links of one identifier, or the reason why there are none."""
        try:
            return list(self._links(identifier))
        except TimeLimitError:
            raise
        except SkydexError as error:
            word = "NotFoundFault" if isinstance(error, UnknownImageError) else "DefaultFault"
            return [_failed(identifier, f"{word}: {error}")]

    def _links(self, identifier: str) -> Iterator[_Link]:
        if self._table_name:
            return self._links_of_object(identifier, self._table_name, identifier)
        record = self._records.get(identifier)
        if record is not None:
            return self._links_of_image(identifier, record)
        name, slash, value = identifier.partition("/")
        if ":" in name or not slash:
            raise UnknownImageError(identifier)
        return self._links_of_object(identifier, name, value)

    def _links_of_image(self, did: str, record: ImageRecord) -> Iterator[_Link]:
        row = self._rows.get(did, {})
        address = row.get("access_url")
        if address:
            media_type = row.get("access_format")
            yield _image(did, "#this", f"The image {record.name}", address, media_type, local="image")
            yield _image(
                did, "#preview", "Preview of the image", f"{address}/preview.jpg", "image/jpeg", local="preview"
            )
        yield from self._cutouts(did, row)
        yield self._header(did, record)
        yield from self._siblings(did, record)

    def _cutouts(self, did: str, row: Mapping[str, Any]) -> Iterator[_Link]:
        identifier = InputParameter("ID", ucd="meta.id;meta.main", description="Identifier of the image", value=did)
        services = cutout_services(self._url, identifier, row=row, suffix=str(len(self.services) // 2 + 1))
        self.services += services
        for service in services:
            yield _Link(
                did,
                "#cutout",
                service.description,
                service_def=service.identifier,
                content_type="application/fits" if "sync-1.0" in service.standard_id.replace("async", "") else None,
                content_qualifier="#image",
                local_semantics=service.identifier.rpartition("-")[0],
            )

    def _header(self, did: str, record: ImageRecord) -> _Link:
        cards = f"{spelled(record.collection)}.image_cards"
        query = f"SELECT * FROM {cards} WHERE obs_publisher_did = {_quoted(did)} ORDER BY card"
        return self._table(did, "#auxiliary", "Cards of its header, as a table", query, local="header")

    def _siblings(self, did: str, record: ImageRecord) -> Iterator[_Link]:
        """Other images in the same file."""
        others = [other for other in self._images.find(record.name) if other.did != did]
        rows = self._observations.find(others, ("access_url", "access_format"))
        for other in others:
            row = rows.get(other.did)
            if other.collection == record.collection and row is not None:
                kind = other.extension.partition(",")[0]
                words = f"Extension {other.extension or other.hdu} of the same file"
                semantics = _SIBLINGS.get(kind.upper(), "#auxiliary")
                local = f"extension-{kind.lower()}"
                yield _image(did, semantics, words, row["access_url"], row["access_format"], local=local)

    def _links_of_object(self, identifier: str, name: str, value: str) -> Iterator[_Link]:
        relation = self._namespace.find(name)
        table = None if relation is None else relation.table
        if table is None or table.id_column is None:
            yield _failed(identifier, f'NotFoundFault: there is no table "{name[:100]}" whose rows have identifiers.')
            return
        key = table.get_column(table.id_column)
        if key.datatype.is_integer and not _INTEGER.fullmatch(value):
            yield _failed(identifier, f"UsageFault: identifiers of {table.name} are whole numbers.")
            return
        typed: int | str = int(value) if key.datatype.is_integer else value
        place = self._place(table, key, typed)
        if place is None:
            yield _failed(identifier, f'NotFoundFault: there is no {key.name} "{value[:100]}" in {table.name}.')
            return
        query = f"SELECT * FROM {_spelled(table.name)} WHERE {spelled(key.name)} = {_adql(typed)}"
        yield self._table(identifier, "#this", f"The row of {table.name}", query, local="row")
        yield from self._measurements(identifier, table, key, typed)
        if place:
            yield from self._pictures(identifier, *place)

    def _place(self, table: Table, key: Column, value: int | str) -> tuple[float, ...] | None:
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

    def _measurements(self, identifier: str, table: Table, key: Column, value: int | str) -> Iterator[_Link]:
        """Rows of other tables that point at an object: a light curve, where they have a time."""
        for other in (relation.table for relation in self._namespace):
            column = pointing_column(other, table, key)
            if column is None:
                continue
            time = time_column(other) if (other.n_rows or 0) > (table.n_rows or 0) else None
            order = f" ORDER BY {spelled(time)}" if time else ""
            query = f"SELECT * FROM {_spelled(other.name)} WHERE {spelled(column)} = {_adql(value)}{order}"
            about = f"Light curve: its rows of {other.name}" if time else f"Its rows of {other.name}"
            link = self._table(identifier, "#progenitor", about, query, local="lightcurve" if time else "rows")
            yield replace(link, content_qualifier="#timeseries" if time else None)

    def _pictures(self, identifier: str, ra_deg: float, dec_deg: float) -> Iterator[_Link]:
        """Cutouts of the images that a place lies in, the best and deepest ones first, with a preview of the first."""
        rows = self._observations.around(ra_deg, dec_deg, _OF_PLACE)
        if not rows:
            return
        best = sorted(rows, key=lambda row: (-(row["calib_level"] or 0), -(row["t_exptime"] or 0.0)))[:_MOST_CUTOUTS]
        preview = self._cutout(best[0], ra_deg, dec_deg, RESPONSEFORMAT="image/jpeg")
        words = f"Preview: the object in the image {best[0]['obs_id']}"
        yield _image(identifier, "#preview-image", words, preview, "image/jpeg", local="preview")
        for row in best:
            words = " ".join(filter(None, ("Cutout of the image", row["obs_id"], _when(row))))
            address = self._cutout(row, ra_deg, dec_deg)
            yield _image(identifier, "#progenitor", words, address, "application/fits", local="cutout")
        where = f"CONTAINS(POINT({ra_deg!r}, {dec_deg!r}), s_region) = 1"
        query = f"SELECT * FROM {OBSCORE} WHERE {where} ORDER BY t_min"
        yield self._table(identifier, "#progenitor", f"Images of the place: {len(rows):,}", query, local="images")

    def _cutout(self, row: Mapping[str, Any], ra_deg: float, dec_deg: float, **more: str) -> str:
        scale = row["s_pixel_scale"]
        radius = _CUTOUT_PIXELS * scale / 3600.0 if scale else _RADIUS_DEG
        asked = {"ID": row["obs_publisher_did"], "CIRCLE": f"{ra_deg!r} {dec_deg!r} {radius:.8f}", **more}
        return f"{self._url}/soda/sync?{urlencode(asked, quote_via=quote)}"

    def _table(self, identifier: str, semantics: str, description: str, query: str, *, local: str) -> _Link:
        asked = urlencode({"REQUEST": "doQuery", "LANG": "ADQL", "QUERY": query}, quote_via=quote)
        return _Link(
            identifier,
            semantics,
            description,
            f"{self._url}/tap/sync?{asked}",
            content_type=_VOTABLE,
            local_semantics=local,
        )


def _image(
    identifier: str, semantics: str, description: str, address: str, media_type: str | None, *, local: str
) -> _Link:
    return _Link(
        identifier,
        semantics,
        description,
        address,
        content_type=media_type,
        content_qualifier="#image",
        local_semantics=local,
    )


def _failed(identifier: str, message: str) -> _Link:
    return _Link(identifier, "#this", "", error_message=message)


def _when(row: Mapping[str, Any]) -> str:
    return "" if row["t_min"] is None else f"(MJD {row['t_min']:.3f})"


def _spelled(name: str) -> str:
    return ".".join(map(spelled, name.split(".")))


def _adql(value: int | str) -> str:
    return str(value) if isinstance(value, int) else _quoted(value)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
