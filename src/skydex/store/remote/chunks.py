"""Which bytes of a Parquet file hold some columns of some row groups, and in which requests they come.

A column chunk is the smallest thing that is asked for and kept. Chunks that lie close to each other come in one
request, since a journey costs more than the bytes between them; long stretches come in several at once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

import pyarrow.parquet as pq

from skydex.store.remote.seekable import Seekable
from skydex.store.remote.source import Span

__all__ = ["Pieces", "chunk_spans", "joined"]

_GAP_BYTES = 32 << 10
"""Gaps up to this are read along."""
_LONGEST_BYTES = 4 << 20
"""Longer stretches come in several requests."""


def chunk_spans(metadata: pq.FileMetaData, groups: Iterable[int], columns: Iterable[str]) -> list[Span]:
    """Find the column chunks of some columns, nested ones whole, in some row groups; ascending."""
    wanted = set(columns)
    names = (metadata.schema.column(number).path.partition(".")[0] for number in range(metadata.num_columns))
    numbers = [number for number, name in enumerate(names) if name in wanted]
    found = []
    for group in map(metadata.row_group, groups):
        for chunk in map(group.column, numbers):
            start = chunk.data_page_offset
            if chunk.has_dictionary_page and 0 < chunk.dictionary_page_offset < start:
                start = chunk.dictionary_page_offset
            found.append(Span(start, start + chunk.total_compressed_size))
    return sorted(found, key=lambda span: span.start)


def joined(spans: Sequence[Span]) -> list[Span]:
    """The requests that bring some ascending spans."""
    stretches: list[Span] = []
    for span in spans:
        if stretches and span.start - stretches[-1].stop <= _GAP_BYTES:
            stretches[-1] = Span(stretches[-1].start, max(stretches[-1].stop, span.stop))
        else:
            stretches.append(span)
    return [part for stretch in stretches for part in _parts(stretch)]


def _parts(stretch: Span) -> Iterable[Span]:
    n_parts = -(-stretch.length // _LONGEST_BYTES)
    step = -(-stretch.length // max(1, n_parts))
    for start in range(stretch.start, stretch.stop, max(1, step)):
        yield Span(start, min(start + step, stretch.stop))


class Pieces(Seekable):
    """A file of which only some stretches are there, as Parquet readers want to see it.

    Parameters
    ----------
    size : int
        Bytes of the whole file.
    contents : mapping of int to bytes
        Stretches by their first byte.
    """

    def __init__(self, size: int, contents: Mapping[int, bytes]) -> None:
        super().__init__(size)
        self._starts = sorted(contents)
        self._contents = contents

    def read(self, size: int = -1) -> bytes:
        stop = self._stop(size)
        found = b""
        while self._at < stop:
            found = self._next(stop) if not found else found + self._next(stop)
        return found

    def _next(self, stop: int) -> bytes:
        """What is there from here on."""
        number = bisect_right(self._starts, self._at) - 1
        start = self._starts[number] if number >= 0 else 0
        content = self._contents[start] if number >= 0 else b""
        if self._at >= start + len(content):
            raise OSError("The reader wants bytes that were not foreseen.")
        part = content[self._at - start : stop - start]
        self._at += len(part)
        return part
