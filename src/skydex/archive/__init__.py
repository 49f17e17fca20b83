"""Everything an archive can be asked."""

from skydex.archive.answer import Answer, Explanation
from skydex.archive.archive import Archive
from skydex.archive.examples import ReadyExample
from skydex.archive.offers import OFFERS_FILE, CatalogOffer, Offers, Place, TapOffer, read_offers
from skydex.archive.requests import ConeRequest, QueryRequest, TableRequest, Upload
from skydex.archive.uploads import TAP_UPLOAD
from skydex.archive.views import Schema, View
from skydex.engines import Deadline

__all__ = [
    "OFFERS_FILE",
    "TAP_UPLOAD",
    "Answer",
    "Archive",
    "CatalogOffer",
    "ConeRequest",
    "Deadline",
    "Explanation",
    "Offers",
    "Place",
    "QueryRequest",
    "ReadyExample",
    "Schema",
    "TableRequest",
    "TapOffer",
    "Upload",
    "View",
    "read_offers",
]
