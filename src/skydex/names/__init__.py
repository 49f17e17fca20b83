"""Names of objects: a name becomes a position."""

from skydex.names.authorities import best_of, said_by
from skydex.names.coordinates import split_radius
from skydex.names.index import NameIndex
from skydex.names.memory import NameMemory
from skydex.names.named import NamedObject
from skydex.names.resolver import LONGEST_NAME, find_objects, near_objects, resolve, unknown
from skydex.names.spellings import key_of

__all__ = [
    "LONGEST_NAME",
    "NameIndex",
    "NameMemory",
    "NamedObject",
    "best_of",
    "find_objects",
    "key_of",
    "near_objects",
    "resolve",
    "said_by",
    "split_radius",
    "unknown",
]
