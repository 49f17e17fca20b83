"""Archives from afar: the protocols of their services, spoken by a client; and what any archive can be asked."""

from skydex.client.conditions import All, Any, Comparison, Condition, Not
from skydex.client.door import VERBS, Door, FileSource, OpenedFile, OwnTables, RunningJob
from skydex.client.orders import CutoutOrder, NamedPlace, Query, RowsOrder
from skydex.client.presets import Preset, find_preset, get_preset, preset_names

__all__ = [
    "VERBS",
    "All",
    "Any",
    "Comparison",
    "Condition",
    "CutoutOrder",
    "Door",
    "FileSource",
    "NamedPlace",
    "Not",
    "OpenedFile",
    "OwnTables",
    "Preset",
    "Query",
    "RowsOrder",
    "RunningJob",
    "find_preset",
    "get_preset",
    "preset_names",
]
