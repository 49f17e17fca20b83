"""What can be done with an image elsewhere, as answers describe it: its links, and cutouts of it.

Service descriptors (DataLink 1.1, section 4) of DataLink itself and of SODA 1.0 (section 4.1), either for all images of
a table, by the column that names them, or for one image, with the limits within which its cutouts lie (section 4.2).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from skydex.lightcurve.holdings import pointing_column
from skydex.query import Namespace, Relation
from skydex.tables import OBSCORE, Column, InputParameter, ServiceDescriptor, Table

__all__ = ["LINKS_ID", "LINKS_TYPE", "cutout_services", "has_links", "links_service", "services_of"]

LINKS_ID = "ivo://ivoa.net/std/DataLink#links-1.1"
LINKS_TYPE = "application/x-votable+xml;content=datalink"
"""Media type of a table of links (DataLink 1.1, section 3.1)."""

_SODA = "ivo://ivoa.net/std/SODA#"
_DID_UTYPE = "obscore:curation.publisherdid"
_FORMATS = ("application/fits", "image/png", "image/jpeg")
_OUTLINE = "pos.outline;obs"
_MANNERS = (
    ("sync", "soda-sync", "A cutout of the image, at once"),
    ("async", "soda-uws", "Cutouts of the image, by a job (UWS)"),
)
"""How cutouts are asked for, and labels in alphabetical order: pyvo's `iter_datalinks` sorts links by their cells, and
its `get_first_proc` takes the first, which should be the one that answers at once."""
_POLYGON = re.compile(r"\s*POLYGON\s+(?:ICRS\s+)?([-+0-9.eE\s]+)", re.IGNORECASE)


def services_of(
    relations: Sequence[Relation], columns: Sequence[Column], namespace: Namespace, url: str
) -> tuple[ServiceDescriptor, ...]:
    """What can be done with the rows of an answer: with images, or with the objects of one table.

    Parameters
    ----------
    relations : sequence of Relation
        What the answer was made of.
    columns : sequence of Column
        Of the answer.
    namespace : Namespace
        Everything that the asker sees.
    url : str
        Public address of the server.
    """
    if any(relation.links for relation in relations):
        return _services_of_images(columns, url)
    return _services_of_objects(relations[0], columns, namespace, url) if len(relations) == 1 else ()


def _services_of_images(columns: Sequence[Column], url: str) -> tuple[ServiceDescriptor, ...]:
    did = next((column for column in columns if (column.utype or "").lower() == _DID_UTYPE), None)
    if did is None or did.is_array:
        return ()
    identifier = InputParameter("ID", ucd="meta.id;meta.main", column=did.name, description="Identifier of the image")
    return links_service(url, identifier), *cutout_services(url, identifier)


def _services_of_objects(
    relation: Relation, columns: Sequence[Column], namespace: Namespace, url: str
) -> tuple[ServiceDescriptor, ...]:
    """The links of the objects of a table that has identifiers, if there is more of them than their row."""
    table = None if relation.dataset is None else relation.dataset.table
    own = None if table is None or table.id_column is None else table.get_column(table.id_column)
    shown = next((column for column in columns if own and (column.name, column.ucd) == (own.name, own.ucd)), None)
    if table is None or own is None or shown is None:
        return ()
    if not has_links(relation, namespace):
        return ()
    identifier = InputParameter(
        "ID", ucd="meta.id;meta.main", column=shown.name, description="Identifier of the object"
    )
    where = InputParameter("TABLE", value=table.name, description="Table that the object is in")
    return (links_service(url, identifier, where),)


def has_links(relation: Relation, namespace: Namespace) -> bool:
    """Whether there is more of the objects of a stored table than their row, in whatever else is published."""
    table = None if relation.dataset is None else relation.dataset.table
    if table is None or table.id_column is None:
        return False
    own = table.get_column(table.id_column)
    return namespace.kept((_has_more, table.name), lambda: _has_more(table, own, namespace))


def _has_more(table: Table, key: Column, namespace: Namespace) -> bool:
    has_images = table.position is not None and namespace.find(OBSCORE) is not None
    return has_images or any(pointing_column(other.table, table, key) for other in namespace)


def links_service(url: str, *inputs: InputParameter, is_this: bool = False) -> ServiceDescriptor:
    """The service that tells what there is for an identifier."""
    return ServiceDescriptor(
        f"{url}/datalink",
        inputs,
        LINKS_ID,
        description="What there is for an image: its file, a preview, cutouts; or for an object of a catalogue",
        content_type=LINKS_TYPE,
        is_this=is_this,
    )


def cutout_services(
    url: str, identifier: InputParameter, *, row: Mapping[str, Any] | None = None, suffix: str = ""
) -> tuple[ServiceDescriptor, ...]:
    """The services that cut images, at once and by a job.

    Parameters
    ----------
    url : str
        Public address of the server.
    identifier : InputParameter
        Where the identifier comes from.
    row : mapping, optional
        Row of ObsCore of the one image that is meant.
    suffix : str, optional
        What tells the XML IDs of these descriptors from those of others; without it they have none.
    """
    inputs = (identifier, *_filters(row or {}))
    return tuple(
        ServiceDescriptor(
            f"{url}/soda/{manner}",
            inputs,
            f"{_SODA}{manner}-1.0",
            f"{label}-{suffix}" if suffix else "",
            description,
        )
        for manner, label, description in _MANNERS
    )


def _filters(row: Mapping[str, Any]) -> tuple[InputParameter, ...]:
    """The parameters of SODA, with their limits as far as an image has some."""
    return (
        InputParameter(
            "CIRCLE", "double", "3", "deg", _OUTLINE, "circle", "A circle that the cutout has to cover",
            most=_circle(row),
        ),
        InputParameter(
            "POLYGON", "double", "*", "deg", _OUTLINE, "polygon", "A polygon that the cutout has to cover",
            most=_polygon(row),
        ),
        InputParameter("POS", ucd=_OUTLINE, description="The same in words: CIRCLE, RANGE or POLYGON with its numbers"),
        InputParameter(
            "BAND", "double", "2", "m", "em.wl;stat.interval", "interval", "Wavelengths that it must touch",
            least=_number(row.get("em_min")), most=_number(row.get("em_max")),
        ),
        InputParameter(
            "TIME", "double", "2", "d", "time.interval;obs.exposure", "interval", "Times (MJD) that it must touch",
            least=_number(row.get("t_min")), most=_number(row.get("t_max")),
        ),
        InputParameter(
            "RESPONSEFORMAT", ucd="meta.code.mime", description="What the cutout is to be; by default FITS",
            options=_FORMATS,
        ),
    )  # fmt: skip


def _circle(row: Mapping[str, Any]) -> str:
    fov = row.get("s_fov")
    numbers = [_number(value) for value in (row.get("s_ra"), row.get("s_dec"), None if fov is None else fov / 2.0)]
    return " ".join(numbers) if all(numbers) else ""


def _polygon(row: Mapping[str, Any]) -> str:
    """The outline, if it is one polygon."""
    found = _POLYGON.fullmatch(row.get("s_region") or "")
    return " ".join(found[1].split()) if found else ""


def _number(value: float | None) -> str:
    return "" if value is None or not math.isfinite(value) else repr(float(value))
