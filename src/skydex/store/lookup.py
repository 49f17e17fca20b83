"""`Lookup`: which row groups hold a value of a column by which a table is not sorted.

Tables are sorted by position, so an object's number may stand anywhere and statistics leave nothing out. A look-up is
a table of hashes on the disk: a value's bucket is found by the first bits of its hash, its entries in the bucket by
the next sixteen, and each entry names a row group. Entries are four bytes (six beyond 65,536 row groups), one for each
value and row group in which it stands; a look-up touches three places of the mapped file, however many rows there are.
A hash may be shared, so that a row group is read in vain (once in about a thousand times): rows are compared anyway.

One file covers a range of row groups, those of one ingest or of one later appending, so that it stays as it is when
rows are added. It is an Arrow IPC file of one record batch for each shard of the hashes; shards are sorted one by one
in memory when it is written, those of a large table after they were spilled to the disk. The first touch of a block
compares it with its checksum.
"""

from __future__ import annotations

import shutil
import threading
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from skydex.store.files import new_file
from skydex.store.location import LocalLocation, Location
from skydex.store.manifest import FileFacts
from skydex.store.remote import RemoteLocation

__all__ = ["Lookup", "LookupWriter", "entries_of", "hashes_of", "is_hashable", "open_lookup"]

UInt = NDArray[np.uint64]
Int = NDArray[np.int64]

_GROUP_BITS = 24
"""An entry under way is the first 40 bits of the hash and the number of the row group, in one integer."""
_TAG_BITS = 16
_SPILL_BITS = 6
"""Entries that are many are spilled into so many shards, as a power of two."""
_BUCKET_ENTRIES = 48
"""About so many entries share a bucket."""
_MOST_HELD = 1 << 22
"""Entries in memory before they are spilled: 32 MB."""
_BLOCK = 1 << 14
"""Bytes that have a checksum of their own."""
_MOST_READ = 8
"""Shards that are held of a look-up that cannot be mapped; one of 10^8 entries takes 6.5 MB."""
_SECTIONS = ("starts", "tags", "groups")


def is_hashable(kind: pa.DataType) -> bool:
    """Whether values of a type can be looked up: whole numbers and texts."""
    return bool(pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind))


def hashes_of(values: pa.Array) -> UInt:
    """A hash of 64 bits of each value; equal values of all integer types have the same one.

    Parameters
    ----------
    values : Array
        Integers or texts, without nulls.
    """
    if pa.types.is_integer(values.type):
        numbers = values.to_numpy(zero_copy_only=False)
        unsigned = numbers.astype(np.uint64 if numbers.dtype.kind == "u" else np.int64).view(np.uint64)
        return _mixed(unsigned)
    return _mixed(_of_texts(values))


def _mixed(numbers: UInt) -> UInt:
    """Spread numbers over all bits; the finalizer of splitmix64 (Steele et al. 2014, OOPSLA)."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def _of_texts(values: pa.Array) -> UInt:
    """A polynomial in the bytes of each text, with its length."""
    texts = pc.cast(values, pa.large_string())
    lengths = pc.binary_length(texts).to_numpy(zero_copy_only=False).astype(np.int64)
    content = np.frombuffer(texts.buffers()[2] or b"", np.uint8)
    offsets = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + len(texts) + 1]
    content = content[offsets[0] : offsets[-1]] if len(texts) else content[:0]
    powers = np.cumprod(np.full(int(lengths.max(initial=0)) + 1, 0xD6E8FEB86659FD93, np.uint64))
    places = np.arange(len(content)) - np.repeat(offsets[:-1] - offsets[0], lengths)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum((content + np.uint64(1)) * powers[places])])
    ends = offsets - offsets[0]
    return np.asarray(sums[ends[1:]] - sums[ends[:-1]] + lengths.astype(np.uint64))


class LookupWriter:
    """A look-up being made, of rows that come row group by row group.

    Parameters
    ----------
    folder : Path
        Where entries are spilled if they are many; it is made and removed again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: list[UInt] = []
        self._n_held = 0
        self._is_spilled = False
        self._n_groups = 0

    def __enter__(self) -> LookupWriter:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, entries: UInt, *, first_group: int) -> None:
        """Add what `entries_of` made of some row groups, of which the first has this number."""
        self._held.append(entries + np.uint64(first_group))
        self._n_held += len(entries)
        if self._n_held > _MOST_HELD:
            self._spill()

    def finish(self, path: Path, *, n_groups: int) -> FileFacts:
        """Write the file, for so many row groups in all."""
        self._n_groups = n_groups
        about = {"n_groups": str(n_groups), "shard_bits": str(_SPILL_BITS if self._is_spilled else 0)}
        schema = pa.schema([(name, pa.large_binary()) for name in (*_SECTIONS, "checks")], about)
        vouchers = bytearray()
        with new_file(path) as file, pa.ipc.new_file(file, schema) as writer:
            for entries in self._shards():
                sections = self._sections(np.unique(entries))
                checks = _checks(sections)
                vouchers += checks
                row = [pa.array([section], pa.large_binary()) for section in (*sections, checks)]
                writer.write_batch(pa.record_batch(row, schema=schema))
        return FileFacts(file.written.size, file.written.sha256, zlib.crc32(bytes(vouchers)))

    def _spill(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        entries = np.sort(np.concatenate([np.empty(0, np.uint64), *self._held]))
        bounds = np.searchsorted(entries >> np.uint64(64 - _SPILL_BITS), np.arange((1 << _SPILL_BITS) + 1))
        for shard, (start, stop) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)):
            with open(self._folder / str(shard), "ab") as file:
                file.write(entries[start:stop].data)
        self._held, self._n_held, self._is_spilled = [], 0, True

    def _shards(self) -> Iterable[UInt]:
        if not self._is_spilled:
            yield np.concatenate([np.empty(0, np.uint64), *self._held])
            return
        self._spill()
        for shard in range(1 << _SPILL_BITS):
            yield np.fromfile(self._folder / str(shard), np.uint64)
            (self._folder / str(shard)).unlink()

    def _sections(self, entries: UInt) -> list[bytes]:
        """Where each bucket begins, and the tags and row groups of the entries."""
        shard_bits = _SPILL_BITS if self._is_spilled else 0
        most = 64 - _GROUP_BITS - _TAG_BITS - shard_bits
        bits = min(most, max(0, int(np.ceil(np.log2(max(len(entries), 1) / _BUCKET_ENTRIES)))))
        inside = entries << np.uint64(shard_bits)
        buckets = inside >> np.uint64(64 - bits) if bits else np.zeros(len(entries), np.uint64)
        starts = np.searchsorted(buckets, np.arange((1 << bits) + 1, dtype=np.uint64)).astype(np.uint32)
        tags = (inside >> np.uint64(64 - bits - _TAG_BITS)).astype(np.uint16)
        groups = entries & np.uint64((1 << _GROUP_BITS) - 1)
        return [starts.tobytes(), tags.tobytes(), groups.astype(_group_type(self._n_groups)).tobytes()]


def entries_of(values: pa.ChunkedArray, sizes: Int) -> UInt:
    """Entries of consecutive row groups of some sizes, numbered from 0.

    Neighbours that are equal, as the detections of an object are, make one entry.
    """
    column = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], values.type)
    groups = np.repeat(np.arange(len(sizes), dtype=np.uint64), sizes)
    if column.null_count:
        is_valid = column.is_valid()
        column, groups = column.filter(is_valid), groups[is_valid.to_numpy(zero_copy_only=False)]
    entries = hashes_of(column) >> np.uint64(_GROUP_BITS) << np.uint64(_GROUP_BITS) | groups
    return entries[np.flatnonzero(np.diff(entries, prepend=~entries[:1]))] if len(entries) else entries


def _group_type(n_groups: int) -> type[np.uint16 | np.uint32]:
    return np.uint16 if n_groups <= 1 << 16 else np.uint32


def _checks(sections: Iterable[bytes]) -> bytes:
    """The checksum of each block of each section."""
    views = [memoryview(section) for section in sections]
    sums = [zlib.crc32(view[start : start + _BLOCK]) for view in views for start in range(0, len(view), _BLOCK)]
    return np.array(sums, np.uint32).tobytes()


class _Section:
    """One array of a shard, mapped; its blocks are compared with their checksums when they are touched first."""

    def __init__(self, buffer: pa.Buffer, kind: type[np.unsignedinteger], checks: NDArray[np.uint32]) -> None:
        self.values = np.frombuffer(buffer, kind)
        self._bytes = memoryview(buffer)
        self._checks = checks
        self._is_checked = np.zeros(len(checks), np.bool_)

    def at(self, places: Int) -> NDArray[np.unsignedinteger]:
        """Values at some places.

        Raises
        ------
        OSError
            The bytes are not what was written.
        """
        blocks = places * self.values.itemsize // _BLOCK
        fresh = blocks[~self._is_checked[blocks]]
        for block in np.unique(fresh).tolist() if len(fresh) else ():
            if zlib.crc32(self._bytes[block * _BLOCK : (block + 1) * _BLOCK]) != self._checks[block]:
                raise OSError("A block is not what was written.")
            self._is_checked[block] = True
        return self.values[places]


class _Shard:
    """The buckets of some of the hashes."""

    def __init__(self, batch: pa.RecordBatch, n_groups: int, shard_bits: int) -> None:
        kinds = (np.uint32, np.uint16, _group_type(n_groups))
        buffers = [batch.column(name)[0].as_buffer() for name in _SECTIONS]
        checks = np.frombuffer(batch.column("checks")[0].as_buffer(), np.uint32)
        sections = []
        for buffer, kind in zip(buffers, kinds, strict=True):
            n_blocks = -(-buffer.size // _BLOCK)
            sections.append(_Section(buffer, kind, checks[:n_blocks]))
            checks = checks[n_blocks:]
        self._starts, self._tags, self._groups = sections
        self._shard_bits = shard_bits
        self._bits = (len(self._starts.values) - 1).bit_length() - 1

    def find(self, hashes: UInt) -> tuple[Int, Int]:
        """The entries of some hashes: which hash it is, and the row group."""
        inside = hashes << np.uint64(self._shard_bits)
        buckets = (inside >> np.uint64(64 - self._bits)).astype(np.int64) if self._bits else np.zeros(len(hashes), int)
        first, last = (self._starts.at(buckets + more).astype(np.int64) for more in (0, 1))
        counts = last - first
        whose = np.repeat(np.arange(len(hashes)), counts)
        places = np.arange(len(whose)) + np.repeat(first - (np.cumsum(counts) - counts), counts)
        tags = (inside >> np.uint64(64 - self._bits - _TAG_BITS)).astype(np.uint16)
        hits = np.flatnonzero(self._tags.at(places) == tags[whose])
        return whose[hits], self._groups.at(places[hits]).astype(np.int64)


def open_lookup(location: Location, file: str, facts: FileFacts) -> Lookup:
    """Open a look-up: mapped where that is possible, else read shard by shard; far away, no more than is needed.

    Raises
    ------
    OSError, ArrowException
        The file is missing, or is not what was written.
    """
    if isinstance(location, LocalLocation):
        with suppress(MemoryError, OSError):  # what is mapped counts as memory of the process, which may be bounded
            return Lookup(pa.memory_map(location.path(file)), facts, is_mapped=True)
    path = location.path(file)
    if isinstance(location, RemoteLocation):
        return Lookup(location.open_for_little(path), facts, is_mapped=False)
    return Lookup(location.open(path), facts, is_mapped=False)


class Lookup:
    """A look-up, open for reading; safe to share between threads."""

    def __init__(self, source: pa.NativeFile, facts: FileFacts, *, is_mapped: bool) -> None:
        if source.size() != facts.size:
            raise OSError("It has another size than what was written.")
        self._source = source
        self._reader = pa.ipc.open_file(source)
        about = self._reader.schema.metadata
        self.n_groups = int(about[b"n_groups"])
        """Row groups that it covers."""
        self._shard_bits = int(about[b"shard_bits"])
        self._shards: dict[int, _Shard] = {}
        self._most_shards = (1 << _SPILL_BITS) if is_mapped else _MOST_READ
        self._lock = threading.Lock()
        alone = pa.ipc.open_file(source, options=pa.ipc.IpcReadOptions(included_fields=[len(_SECTIONS)]))
        checks = (alone.get_batch(number).column("checks")[0].as_buffer() for number in self._numbers())
        if zlib.crc32(b"".join(checks)) != facts.footer:
            raise OSError("Its checksums are not what was written.")

    def __enter__(self) -> Lookup:
        return self

    def __exit__(self, *_: object) -> None:
        self._shards.clear()
        self._source.close()

    def groups_of(self, hashes: UInt) -> Int:
        """The row groups in which some hashes stand, ascending, each once; a few may be in vain."""
        found = [self._shard(number).find(part)[1] for number, part in self._parted(hashes)]
        return np.unique(np.concatenate([np.empty(0, np.int64), *found]))

    def _parted(self, hashes: UInt) -> Iterable[tuple[int, UInt]]:
        if not self._shard_bits:
            yield 0, hashes
            return
        numbers = (hashes >> np.uint64(64 - self._shard_bits)).astype(np.int64)
        for number in np.unique(numbers).tolist():
            yield number, hashes[numbers == number]

    def _shard(self, number: int) -> _Shard:
        with self._lock:
            if number not in self._shards:
                while len(self._shards) >= self._most_shards:
                    self._shards.popitem()
                self._shards[number] = _Shard(self._reader.get_batch(number), self.n_groups, self._shard_bits)
            return self._shards[number]

    def _numbers(self) -> range:
        return range(self._reader.num_record_batches)
