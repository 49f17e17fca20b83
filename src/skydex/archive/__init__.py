"""Everything an archive can be asked."""

from skydex.archive.answer import Answer, Explanation
from skydex.archive.archive import Archive
from skydex.archive.batch import ROWS_AFFECTED, BatchRequest
from skydex.archive.bundle_containers import CONTAINERS
from skydex.archive.bundle_request import BundleFile, BundleRequest
from skydex.archive.catalog_columns import described_columns
from skydex.archive.catalog_request import CatalogRequest, CounterpartsRequest
from skydex.archive.catalog_search import PARAMETERS, Search, SortKey
from skydex.archive.constraints import OPERATORS, Constraint
from skydex.archive.count_request import CountRequest
from skydex.archive.cutout_request import CUTOUT_FORMATS, CutoutRequest, ImageName, PixelPlace, SkyPlace
from skydex.archive.data_uris import DataURI
from skydex.archive.deposits import Deposit, Manner, own_name, own_table_request
from skydex.archive.examples import ReadyExample
from skydex.archive.filters import ColumnFilter, column_filters
from skydex.archive.fitscut_words import cutout_request, is_wanted
from skydex.archive.hips import (
    AllskyRequest,
    CoverageRequest,
    HipsListRequest,
    HipsRequest,
    PropertiesRequest,
    TileRequest,
)
from skydex.archive.hla_images import HlaImagesRequest
from skydex.archive.image_request import ImageFileRequest, PreviewRequest
from skydex.archive.image_search import Chosen, ImageSearch, Spanning, Touch, Words
from skydex.archive.images import Images, Original, find_original
from skydex.archive.index_request import IndexRequest
from skydex.archive.intervals import Interval
from skydex.archive.light_curves import LARGEST_RADIUS_DEG, LightCurvesRequest
from skydex.archive.links_request import LINKS_FORMAT, LinksRequest
from skydex.archive.looks import (
    Axis,
    ColumnsRequest,
    DensityRequest,
    FacetsRequest,
    HistogramRequest,
    Look,
    SkyRequest,
    Subject,
)
from skydex.archive.mashup import MashupCount, MashupRequest, Output
from skydex.archive.matching import CrossmatchReport, CrossmatchRequest
from skydex.archive.offers import (
    MYDB_CONTEXT,
    OFFERS_FILE,
    CatalogOffer,
    CitationOffer,
    ConeOffer,
    ContextOffer,
    NamesOffer,
    Offers,
    Place,
    PrivateOffer,
    TableFunction,
    TapOffer,
    read_offers,
)
from skydex.archive.old_image_search import OLD_COLUMNS, OldImageSearch
from skydex.archive.parameters import MOST_FIELDS, NUMBER, Parameters, parse_pairs
from skydex.archive.periodogram_request import PeriodogramRequest
from skydex.archive.pictures import Picture, PictureRequest, plain_name
from skydex.archive.product_request import ProductRequest
from skydex.archive.products import product_files, product_request
from skydex.archive.requests import ConeRequest, QueryRequest, TableRequest, Upload
from skydex.archive.sharing import readers
from skydex.archive.skycell_files import SkycellFilesRequest
from skydex.archive.soda_request import SODA_FORMATS, SodaJob, SodaRequest
from skydex.archive.stamp_median import MOST_STAMPS, StampMedianRequest
from skydex.archive.uploads import TAP_UPLOAD
from skydex.archive.views import Schema, View
from skydex.engines import Deadline

__all__ = [
    "CONTAINERS",
    "CUTOUT_FORMATS",
    "LARGEST_RADIUS_DEG",
    "LINKS_FORMAT",
    "MOST_FIELDS",
    "MOST_STAMPS",
    "MYDB_CONTEXT",
    "NUMBER",
    "OFFERS_FILE",
    "OLD_COLUMNS",
    "OPERATORS",
    "PARAMETERS",
    "ROWS_AFFECTED",
    "SODA_FORMATS",
    "TAP_UPLOAD",
    "AllskyRequest",
    "Answer",
    "Archive",
    "Axis",
    "BatchRequest",
    "BundleFile",
    "BundleRequest",
    "CatalogOffer",
    "CatalogRequest",
    "Chosen",
    "CitationOffer",
    "ColumnFilter",
    "ColumnsRequest",
    "ConeOffer",
    "ConeRequest",
    "Constraint",
    "ContextOffer",
    "CountRequest",
    "CounterpartsRequest",
    "CoverageRequest",
    "CrossmatchReport",
    "CrossmatchRequest",
    "CutoutRequest",
    "DataURI",
    "Deadline",
    "DensityRequest",
    "Deposit",
    "Explanation",
    "FacetsRequest",
    "HipsListRequest",
    "HipsRequest",
    "HistogramRequest",
    "HlaImagesRequest",
    "ImageFileRequest",
    "ImageName",
    "ImageSearch",
    "Images",
    "IndexRequest",
    "Interval",
    "LightCurvesRequest",
    "LinksRequest",
    "Look",
    "Manner",
    "MashupCount",
    "MashupRequest",
    "NamesOffer",
    "Offers",
    "OldImageSearch",
    "Original",
    "Output",
    "Parameters",
    "PeriodogramRequest",
    "Picture",
    "PictureRequest",
    "PixelPlace",
    "Place",
    "PreviewRequest",
    "PrivateOffer",
    "ProductRequest",
    "PropertiesRequest",
    "QueryRequest",
    "ReadyExample",
    "Schema",
    "Search",
    "SkyPlace",
    "SkyRequest",
    "SkycellFilesRequest",
    "SodaJob",
    "SodaRequest",
    "SortKey",
    "Spanning",
    "StampMedianRequest",
    "Subject",
    "TableFunction",
    "TableRequest",
    "TapOffer",
    "TileRequest",
    "Touch",
    "Upload",
    "View",
    "Words",
    "column_filters",
    "cutout_request",
    "described_columns",
    "find_original",
    "is_wanted",
    "own_name",
    "own_table_request",
    "parse_pairs",
    "plain_name",
    "product_files",
    "product_request",
    "read_offers",
    "readers",
]
