"""Kernels on Spark: functions on Arrow arrays that the executors call on their own batches.

Spark hands over what it read as Arrow and takes Arrow back, so a kernel runs as it does everywhere. Beside the kernels
of queries there are some of this engine, for what Spark's own SQL means differently: regular expressions are RE2's
here, whose time grows with the text and nothing else, and a number becomes the text that reads back as it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skydex.query.kernels import Kernel

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from pyspark.sql.types import DataType, StructType

__all__ = [
    "COUNTED",
    "REPLACED",
    "TEXT_OF_DOUBLE",
    "TEXT_OF_FLOAT",
    "extracted",
    "matching",
    "register",
    "schema_of",
    "spark_type",
]


def register(session: SparkSession, name: str, kernel: Kernel) -> None:
    """Make a kernel a function of a session's SQL."""
    from pyspark.sql.functions import arrow_udf

    function = arrow_udf(_applied(kernel), spark_type(kernel.gives))
    session.udf.register(name, function if kernel.is_repeatable else function.asNondeterministic())


def _applied(kernel: Kernel) -> Callable[..., pa.Array]:
    """A kernel that takes whatever number of arrays there are, and widens them to its types."""
    compute, takes, gives = kernel.compute, kernel.takes, kernel.gives

    def apply(*arrays: pa.Array) -> pa.Array:
        given = (array if array.type == kind else array.cast(kind) for array, kind in zip(arrays, takes, strict=True))
        made = compute(*given)
        return made if made.type == gives else made.cast(gives)

    apply.__annotations__ = {"arrays": pa.Array, "return": pa.Array}  # by which Spark knows what kind of function it is
    return apply


def schema_of(fields: list[pa.Field]) -> StructType:
    """A schema as Spark spells it."""
    from pyspark.sql import types

    return types.StructType([types.StructField(field.name, spark_type(field.type)) for field in fields])


def spark_type(kind: pa.DataType) -> DataType:
    """The type as which Spark reads an Arrow type from a file; it has no unsigned ones, and reads them wider."""
    from pyspark.sql import types

    if pa.types.is_dictionary(kind):
        return spark_type(kind.value_type)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return types.ArrayType(spark_type(kind.value_type))
    if pa.types.is_struct(kind):
        return types.StructType([types.StructField(field.name, spark_type(field.type)) for field in kind])
    if pa.types.is_timestamp(kind):
        return types.TimestampNTZType() if kind.tz is None else types.TimestampType()
    if pa.types.is_decimal(kind):
        return types.DecimalType(kind.precision, kind.scale)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return types.BinaryType()
    made: Any = {
        pa.bool_(): types.BooleanType,
        pa.int8(): types.ByteType,
        pa.int16(): types.ShortType,
        pa.uint8(): types.ShortType,
        pa.int32(): types.IntegerType,
        pa.uint16(): types.IntegerType,
        pa.int64(): types.LongType,
        pa.uint32(): types.LongType,
        pa.uint64(): lambda: types.DecimalType(20, 0),
        pa.float32(): types.FloatType,
        pa.float64(): types.DoubleType,
        pa.date32(): types.DateType,
    }.get(kind, types.StringType)
    return made()


@lru_cache(maxsize=64)
def matching(pattern: str) -> Kernel:
    """Whether a pattern matches anything in a text."""

    def compute(texts: pa.Array) -> pa.Array:
        return pc.match_substring_regex(texts, pattern)

    return Kernel(_name("matching", pattern), (pa.string(),), pa.bool_(), compute)


@lru_cache(maxsize=64)
def extracted(pattern: str, group: int) -> Kernel:
    """What a group of a pattern matches in a text; an empty text where nothing does."""
    groups = f"(?P<g0>{_named(pattern)})"

    def compute(texts: pa.Array) -> pa.Array:
        found = pc.struct_field(pc.extract_regex(texts, groups), f"g{group}")
        return pc.if_else(texts.is_null(), None, pc.fill_null(found, ""))

    return Kernel(_name(f"extracted_{group}", pattern), (pa.string(),), pa.string(), compute)


def _named(pattern: str) -> str:
    """A pattern whose groups are called g1, g2, ...: Arrow wants names."""
    count = iter(range(1, 100))
    return re.sub(r"(\\.)|\((?!\?)", lambda found: found[1] or f"(?P<g{next(count)}>", pattern)


def _name(word: str, pattern: str) -> str:
    return f"{word}_{blake2b(pattern.encode(), digest_size=16).hexdigest()}"


def _replaced(texts: pa.Array, patterns: pa.Array, news: pa.Array) -> pa.Array:
    """Every match replaced; patterns and replacements are few, so that each pair takes one call."""
    made = pa.nulls(len(texts), pa.string())
    pairs = pa.table({"pattern": patterns, "new": news}).group_by(["pattern", "new"]).aggregate([])
    for pattern, new in zip(*(column.to_pylist() for column in pairs.columns), strict=True):
        if pattern is None or new is None:
            continue
        here = pc.and_(pc.equal(patterns, pattern), pc.equal(news, new))
        made = pc.if_else(pc.fill_null(here, False), pc.replace_substring_regex(texts, pattern, new), made)
    return made


def _counted(lists: pa.Array, most: pa.Array) -> pa.Array:
    """How often each of the numbers from 0 stands in lists."""
    rows = np.repeat(np.arange(len(lists)), lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False))
    sizes = most.to_numpy(zero_copy_only=False).astype(np.int64)
    offsets = np.concatenate([[0], sizes.cumsum()])
    values = lists.flatten().to_numpy(zero_copy_only=False).astype(np.int64)
    counts = np.bincount(offsets[rows] + values, minlength=offsets[-1])
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(counts, pa.int64()))


def _shown(array: pa.Array) -> pa.Array:
    """The shortest texts that read back as the numbers: 0.1, 1e-05, 15000000000.0."""
    missing = array.is_null().to_numpy(zero_copy_only=False)
    values = array.to_numpy(zero_copy_only=False)
    return pa.array([None if none else str(value) for none, value in zip(missing, values, strict=True)], pa.string())


REPLACED = Kernel("replaced", (pa.string(),) * 3, pa.string(), _replaced)
"""A text in which all that matches a pattern is replaced."""
COUNTED = Kernel("counted", (pa.list_(pa.int64()), pa.int64()), pa.list_(pa.int64()), _counted)
"""How often the numbers 0, 1, ... stand in a list, below a number."""
TEXT_OF_DOUBLE = Kernel("text_of_double", (pa.float64(),), pa.string(), _shown)
"""A double as text."""
TEXT_OF_FLOAT = Kernel("text_of_float", (pa.float32(),), pa.string(), _shown)
"""A number of single precision as text."""
