"""`unpack`: the files of a tar or ZIP that somebody else has made.

Nothing in it is trusted: names that lead out of the folder, links, devices and odd modes are refused (the filter `data`
of PEP 706), and so is what unpacks to more than is taken. All is unpacked beside the folder first, so that a damaged
bundle leaves nothing behind.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp
from types import MappingProxyType
from typing import IO, Any, cast

from skydex.client.transfers.limits import TransferLimits
from skydex.errors import BadAnswerError, BadParameterError

__all__ = ["DAMAGES", "Member", "unpack", "unpacked"]

_PIECE = 1 << 18
DAMAGES = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    OverflowError,
)
"""What the readers of tar and ZIP raise over what is damaged, or meant to be."""
_HEADERS = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)
_MOST_HEADER = 1 << 20
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_COMPRESSIONS: Mapping[bytes, Callable[[IO[bytes]], Any]] = MappingProxyType(
    {
        b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file, mode="rb"),
        b"BZh": lambda file: bz2.BZ2File(file, "rb"),
        b"\xfd7zXZ": lambda file: lzma.LZMAFile(file, "rb"),  # noqa: SIM115 (closed by `_members`)
    }
)


def unpack(bundle: Path | str, into: Path | str | None = None, *, limits: TransferLimits | None = None) -> list[Path]:
    """Unpack a tar (compressed or not) or ZIP.

    Parameters
    ----------
    bundle : path
        The file.
    into : path, optional
        The folder, made if it is new; by default the one in which the bundle is.
    limits : TransferLimits, optional
        How much is taken.

    Returns
    -------
    paths : list of Path
        The files, in the order of the bundle. One of the same name that was there before is replaced.

    Raises
    ------
    BadAnswerError
        It is damaged, not whole, hostile, or larger than is taken; nothing is there of it then.
    """
    source, folder = Path(bundle), Path(into) if into is not None else Path(bundle).parent
    folder.mkdir(parents=True, exist_ok=True)
    with unpacked(source, folder, limits or TransferLimits()) as (room, names):
        return [_moved(room, folder, name) for name in names]


@contextmanager
def unpacked(bundle: Path, beside: Path, limits: TransferLimits) -> Iterator[tuple[Path, list[str]]]:
    """A folder within another, for a while, with the files of a bundle; and their names in it."""
    room = Path(mkdtemp(prefix=".skydex-", suffix=".part", dir=beside))
    try:
        try:
            names = list(_members(bundle, room, limits))
        except tarfile.FilterError as error:
            raise BadAnswerError(bundle.name, f"it holds what a bundle may not: {error}") from error
        except DAMAGES as error:
            if getattr(error, "errno", None) in _NO_ROOM:
                raise BadParameterError("into", f"cannot hold what {bundle.name} unpacks to: {error}.") from error
            raise BadAnswerError(bundle.name, f"it is damaged, or not whole: {error}") from error
        yield room, names
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _members(bundle: Path, room: Path, limits: TransferLimits) -> Iterator[str]:
    allowance = _Allowance(bundle.name, limits)
    with bundle.open("rb") as file:
        head = file.read(6)
        file.seek(0)
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            yield from _from_zip(file, room, allowance)
            return
        opened = next((open_ for start, open_ in _COMPRESSIONS.items() if head.startswith(start)), None)
        with nullcontext(file) if opened is None else opened(file) as plain:
            yield from _from_tar(_Tail(plain), room, allowance)


class _Allowance:
    """What may still be unpacked."""

    def __init__(self, name: str, limits: TransferLimits) -> None:
        self._name, self._n_files, self._n_bytes = name, limits.max_unpacked_files, limits.max_unpacked_bytes

    def take(self, n_bytes: int, *, n_files: int = 0) -> None:
        self._n_files -= n_files
        self._n_bytes -= n_bytes
        if self._n_files < 0 or self._n_bytes < 0:
            raise BadAnswerError(self._name, "it unpacks to more than is taken.")


class Member(tarfile.TarInfo):
    """A member of a tar from elsewhere, whose further headers, which are read into memory, are not endless."""

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _HEADERS and self.size > _MOST_HEADER:
            raise tarfile.ReadError("a header of it is too large")
        proceed = super()._proc_member  # type: ignore[misc]
        return cast(tarfile.TarInfo, proceed(tar))


class _Tail:
    """A stream that remembers how it ended."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.last = file, b""

    def read(self, size: int) -> bytes:
        piece = self._file.read(size)
        if piece:
            self.last = (self.last + piece)[-tarfile.BLOCKSIZE :]
        return piece


def _from_tar(stream: _Tail, room: Path, allowance: _Allowance) -> Iterator[str]:
    with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|", tarinfo=Member) as tar:
        for member in tar:
            allowance.take(max(member.size, 0), n_files=1)
            if member.issym() or member.islnk():  # in bundles they are of no use, and the start of many tricks
                raise tarfile.SpecialFileError(member)
            tar.extract(member, room, filter="data")
            if member.isfile():
                yield tarfile.data_filter(member, str(room)).name
    while piece := stream.read(_PIECE):  # to the end, where gzip has its checksum
        allowance.take(len(piece))
    if len(stream.last) < tarfile.BLOCKSIZE or any(stream.last):
        raise tarfile.ReadError("its end is missing")


def _from_zip(file: IO[bytes], room: Path, allowance: _Allowance) -> Iterator[str]:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            allowance.take(0, n_files=1)
            target = _inside(room, member)
            if member.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, target.open("xb") as copy:
                while piece := source.read(_PIECE):
                    allowance.take(len(piece))
                    copy.write(piece)
            yield target.relative_to(room).as_posix()


def _inside(room: Path, member: zipfile.ZipInfo) -> Path:
    name = PurePosixPath(member.filename.replace("\\", "/"))
    kind = stat.S_IFMT(member.external_attr >> 16)
    if name.is_absolute() or ".." in name.parts or not name.parts or ":" in name.parts[0]:
        raise zipfile.BadZipFile(f"the name {member.filename[:80]!r} leads out of it")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise zipfile.BadZipFile(f"{member.filename[:80]!r} is no plain file")
    return room.joinpath(*name.parts)


def _moved(room: Path, folder: Path, name: str) -> Path:
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    return (room / name).replace(target)
