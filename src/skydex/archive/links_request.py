"""`LinksRequest`: what there is for images, and for objects of catalogues.

DataLink 1.1 (IVOA REC 2023-12-15), section 3. An identifier is ObsCore's `obs_publisher_did`; or the name of a table, a
slash, and the value of its column of identifiers: `hcv.HCVmatch/1234567`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from skydex.archive.descriptors import LINKS_ID, LINKS_TYPE, links_service
from skydex.archive.image_links import ImageLinks
from skydex.archive.images import Images
from skydex.archive.links import LINK_COLUMNS, VOTABLE_TYPE, Link, failed_link
from skydex.archive.object_links import ObjectLinks
from skydex.archive.observations import Observations
from skydex.archive.pictures import Picture, PictureRequest
from skydex.errors import SkydexError, TimeLimitError, UnknownImageError
from skydex.formats import get_format
from skydex.store import ImageRecord
from skydex.tables import InputParameter, Result, ServiceDescriptor, arrow_schema

if TYPE_CHECKING:
    from skydex.archive.archive import Archive
    from skydex.engines import Deadline

__all__ = ["LINKS_FORMAT", "LinksRequest"]

LINKS_FORMAT = "votable/td"
"""The format that every service of links has (DataLink 1.1, section 2.1.2)."""

_ANY_ID = InputParameter("ID", ucd="meta.id;meta.main", description="Identifier of an image, or TABLE/ID of an object")


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
        finder = _Finder(self, archive, deadline)
        links = [link for identifier in self.ids for link in finder.links(identifier)]
        rows = pa.RecordBatch.from_pylist([vars(link) for link in links], arrow_schema(LINK_COLUMNS))
        result = Result(
            LINK_COLUMNS,
            iter([rows]),
            "links",
            infos=(("standardID", LINKS_ID),),
            services=(*finder.services, links_service(self.url, _ANY_ID, is_this=True)),
            overflow=self.is_cut,
        )
        media_type = LINKS_TYPE if form.media_type.startswith(VOTABLE_TYPE) else form.media_type
        return Picture(media_type, form.suffixes[0], form.write(result))


class _Finder:
    """Finds the links of whatever an identifier names."""

    def __init__(self, request: LinksRequest, archive: Archive, deadline: Deadline | None) -> None:
        images, observations = archive.images(request.owner), Observations(archive, request.owner, deadline)
        namespace = archive.namespace(owner=request.owner)
        self._table = request.table
        self._records = {} if request.table else dict(_known(images, request.ids))
        self._of_images = ImageLinks(images, observations, self._records.values(), request.url)
        self._of_objects = ObjectLinks(archive, namespace, observations, request.url, deadline=deadline)

    @property
    def services(self) -> list[ServiceDescriptor]:
        """What the links that were found name in `service_def`."""
        return self._of_images.services

    def links(self, identifier: str) -> list[Link]:
        """The links of one identifier, or the reason why there are none."""
        try:
            return list(self._links(identifier))
        except TimeLimitError:
            raise
        except SkydexError as error:
            word = "NotFoundFault" if isinstance(error, UnknownImageError) else "DefaultFault"
            return [failed_link(identifier, f"{word}: {error}")]

    def _links(self, identifier: str) -> Iterator[Link]:
        if self._table:
            return self._of_objects.links(identifier, self._table, identifier)
        record = self._records.get(identifier)
        if record is not None:
            return self._of_images.links(record)
        name, slash, value = identifier.partition("/")
        if ":" in name or not slash:
            raise UnknownImageError(identifier)
        return self._of_objects.links(identifier, name, value)


def _known(images: Images, ids: Iterable[str]) -> Iterator[tuple[str, ImageRecord]]:
    for identifier in ids:
        with contextlib.suppress(UnknownImageError):
            yield identifier, images.get_did(identifier)
