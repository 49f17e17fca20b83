"""`Look`: what gives an impression of a table rather than its rows.

A look is made of one query over the rows of one table, and what comes of it is small however large the table is. It may
ask a sample of the rows first. Everything else about it, from who may see the table to the formats of the answer, is
that of any request for a table.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeVar

import pyarrow as pa

from skydex.archive.looks.subject import Subject
from skydex.archive.requests import Upload
from skydex.formats import Format, get_format
from skydex.query import Namespace, Plan
from skydex.tables import Column, Result, arrow_schema

__all__ = ["Infos", "Look", "Rows", "whole_result"]

_Made = TypeVar("_Made")


class Rows(Protocol):
    """Reads rows, within the time that the request has."""

    def each(self, plan: Plan, work: Callable[[pa.RecordBatch], _Made]) -> Iterator[_Made]:
        """What some work makes of the rows of a plan, part by part, perhaps in several threads."""
        ...


Infos = Iterable[tuple[str, object]]


@dataclass(frozen=True, kw_only=True)
class Look(ABC):
    """A request whose answer is made of what several queries find, or one that is walked through whole."""

    subject: Subject
    """The rows that are looked at."""
    sample_rows: int
    """How many of them may be read for what need not be exact."""
    owner: str | None = None
    """Who asks; None for anybody."""
    max_rows: ClassVar[int | None] = None
    collection: ClassVar[str | None] = None
    uploads: ClassVar[tuple[Upload, ...]] = ()

    @abstractmethod
    def plan(self, namespace: Namespace) -> Plan:
        """The query over the rows; all that a user can do wrong in it shows here."""

    @abstractmethod
    def seen(self, plan: Plan, namespace: Namespace, rows: Rows) -> Result:
        """Make the answer of what the plan finds; all of it is there, so that its infos can tell how much was read."""

    def shaped(self, result: Result, namespace: Namespace) -> Result:
        return result

    def form(self, name: str, namespace: Namespace) -> Format:
        return get_format(name)


def whole_result(
    look: Look, columns: Sequence[Column], arrays: Sequence[object], *, infos: Infos, description: str
) -> Result:
    """A small answer that is in memory, under the name of the table that was looked at."""
    schema = arrow_schema(tuple(columns))
    made = [pa.array(values, kind, from_pandas=True) for values, kind in zip(arrays, schema.types, strict=True)]
    batch = pa.RecordBatch.from_arrays(made, schema=schema)
    return Result(
        tuple(columns),
        iter([batch]),
        name=look.subject.table,
        description=description,
        infos=tuple((name, _spoken(value)) for name, value in infos),
        is_held=True,
    )


def _spoken(value: object) -> str:
    return repr(float(value)) if isinstance(value, float) else str(value)
