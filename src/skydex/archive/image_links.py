"""`ImageLinks`: what there is for an image: its file, a preview, cutouts, its header, its neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from skydex.archive.descriptors import cutout_services
from skydex.archive.images import Images
from skydex.archive.links import Link, adql_name, adql_value, image_link, table_link
from skydex.archive.observations import Observations
from skydex.store import ImageRecord
from skydex.tables import InputParameter, ServiceDescriptor

__all__ = ["ImageLinks"]

_SIBLINGS = {"ERR": "#error", "RMS": "#error", "WHT": "#weight", "IVM": "#weight"}
"""What other extensions of the file of an image are to it, by EXTNAME; the others are auxiliary."""
_COLUMNS = (
    "access_url", "access_format", "s_ra", "s_dec", "s_fov", "s_region", "em_min", "em_max", "t_min", "t_max",
)  # fmt: skip
_CONTENT = {"sync": "application/fits", "async": None}
"""What the services give that cut images."""


class ImageLinks:
    """Finds the links of some images, and remembers the services that they name.

    Parameters
    ----------
    images : Images
        Those that the asker may see.
    observations : Observations
        What is known of them.
    records : iterable of ImageRecord
        The images.
    url : str
        Public address of the server.
    """

    def __init__(self, images: Images, observations: Observations, records: Iterable[ImageRecord], url: str) -> None:
        self._images, self._observations, self._url = images, observations, url
        self._rows = observations.find(records, _COLUMNS)
        self._n_cut = 0
        self.services: list[ServiceDescriptor] = []
        """What the links name in `service_def`."""

    def links(self, record: ImageRecord) -> Iterator[Link]:
        """The links of one of the images."""
        did, row = record.did, self._rows.get(record.did, {})
        address = row.get("access_url")
        if address:
            preview = f"{address}/preview.jpg"
            yield image_link(did, "#this", f"The image {record.name}", address, row["access_format"], local="image")
            yield image_link(did, "#preview", "Preview of the image", preview, "image/jpeg", local="preview")
        yield from self._cutouts(did, row)
        yield self._header(record)
        yield from self._siblings(record)

    def _cutouts(self, did: str, row: Mapping[str, Any]) -> Iterator[Link]:
        self._n_cut += 1
        identifier = InputParameter("ID", ucd="meta.id;meta.main", description="Identifier of the image", value=did)
        services = cutout_services(self._url, identifier, row=row, suffix=str(self._n_cut))
        self.services += services
        for service, (manner, media_type) in zip(services, _CONTENT.items(), strict=True):
            yield Link(
                did,
                "#cutout",
                service.description,
                service_def=service.identifier,
                content_type=media_type,
                content_qualifier="#image",
                local_semantics=f"soda-{manner}",
            )

    def _header(self, record: ImageRecord) -> Link:
        cards = adql_name(f"{record.collection}.image_cards")
        query = f"SELECT * FROM {cards} WHERE obs_publisher_did = {adql_value(record.did)} ORDER BY card"
        words = "Cards of its header, as a table"
        return table_link(record.did, "#auxiliary", words, query, url=self._url, local="header")

    def _siblings(self, record: ImageRecord) -> Iterator[Link]:
        others = [other for other in self._images.find_in(record.collection, record.name) if other.did != record.did]
        rows = self._observations.find(others, ("access_url", "access_format"))
        for other in others:
            row = rows.get(other.did)
            if row is not None:
                kind = other.extension.partition(",")[0]
                words = f"Extension {other.extension or other.hdu} of the same file"
                semantics = _SIBLINGS.get(kind.upper(), "#auxiliary")
                address, media_type = row["access_url"], row["access_format"]
                local = f"extension-{kind.lower()}"
                yield image_link(record.did, semantics, words, address, media_type, local=local)
