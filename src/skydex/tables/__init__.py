"""What data mean: columns, tables, and rows in motion."""

from skydex.tables.axes import Axis, axes_of, chosen_axes, has_colours, plottable, shown_columns
from skydex.tables.column import (
    BIT,
    INDEX_COLUMN,
    Column,
    Datatype,
    arrow_schema,
    arrow_type,
    column_of_arrow,
    longest_text,
    uniquely_named,
)
from skydex.tables.fields import columns_from_metadata, field_xml, metadata_of_columns, xml_attribute, xml_text
from skydex.tables.identifiers import RESERVED, spelled
from skydex.tables.obscore import OBSCORE, OBSCORE_COLUMNS, OBSCORE_MODEL, OBSCORE_UTYPE
from skydex.tables.positions import POSITION_NAMES, likely_position
from skydex.tables.result import Result, conform, conformed, counted, limited
from skydex.tables.services import InputParameter, ServiceDescriptor
from skydex.tables.table import Example, ForeignKey, Position, Table

__all__ = [
    "BIT",
    "INDEX_COLUMN",
    "OBSCORE",
    "OBSCORE_COLUMNS",
    "OBSCORE_MODEL",
    "OBSCORE_UTYPE",
    "POSITION_NAMES",
    "RESERVED",
    "Axis",
    "Column",
    "Datatype",
    "Example",
    "ForeignKey",
    "InputParameter",
    "Position",
    "Result",
    "ServiceDescriptor",
    "Table",
    "arrow_schema",
    "arrow_type",
    "axes_of",
    "chosen_axes",
    "column_of_arrow",
    "columns_from_metadata",
    "conform",
    "conformed",
    "counted",
    "field_xml",
    "has_colours",
    "likely_position",
    "limited",
    "longest_text",
    "metadata_of_columns",
    "plottable",
    "shown_columns",
    "spelled",
    "uniquely_named",
    "xml_attribute",
    "xml_text",
]
