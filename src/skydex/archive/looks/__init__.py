"""Looks: impressions of a table instead of its rows."""

from skydex.archive.looks.cells import Axis
from skydex.archive.looks.columns import ColumnsRequest
from skydex.archive.looks.density import DensityRequest
from skydex.archive.looks.facets import FacetsRequest
from skydex.archive.looks.histogram import HistogramRequest
from skydex.archive.looks.look import Look
from skydex.archive.looks.sky import SkyRequest
from skydex.archive.looks.subject import Subject

__all__ = [
    "Axis",
    "ColumnsRequest",
    "DensityRequest",
    "FacetsRequest",
    "HistogramRequest",
    "Look",
    "SkyRequest",
    "Subject",
]
