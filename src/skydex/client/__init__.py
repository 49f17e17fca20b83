"""Archives from afar: the protocols of their services, spoken by a client; and what any archive can be asked."""

from skydex.client.conditions import (
    All,
    Any,
    Comparison,
    Condition,
    Measured,
    Moment,
    Not,
    adql,
    has_units,
    parameters,
    settled,
)
from skydex.client.door import VERBS, Door, FileSource, OpenedFile, OwnTables, RunningJob
from skydex.client.orders import CrossmatchOrder, CurvesOrder, CutoutOrder, NamedPlace, Query, RowsOrder
from skydex.client.presets import Preset, find_preset, get_preset, preset_names
from skydex.client.texts import query_text

__all__ = [
    "VERBS",
    "All",
    "Any",
    "Comparison",
    "Condition",
    "CrossmatchOrder",
    "CurvesOrder",
    "CutoutOrder",
    "Door",
    "FileSource",
    "Measured",
    "Moment",
    "NamedPlace",
    "Not",
    "OpenedFile",
    "OwnTables",
    "Preset",
    "Query",
    "RowsOrder",
    "RunningJob",
    "adql",
    "find_preset",
    "get_preset",
    "has_units",
    "parameters",
    "preset_names",
    "query_text",
    "settled",
]
