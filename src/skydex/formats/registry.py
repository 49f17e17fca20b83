"""Which formats there are, and how one is found: by name, by media type, by suffix, by its first bytes.

Media types follow DALI 1.1, section 3.4.3 (RESPONSEFORMAT): compared without regard to case, and with parameters. Only
`serialization` tells formats apart; others (`content=datalink`, `charset`, `header`) leave the format as it is.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from importlib.metadata import entry_points
from pathlib import Path

from skydex.errors import UnreadableFileError, UnsupportedFormatError
from skydex.formats.compressed import first_bytes
from skydex.formats.format import Format

__all__ = ["Registry"]

ENTRY_POINTS = "skydex.formats"
_DECISIVE = ("serialization",)
_COMPRESSIONS = (".gz", ".bz2", ".xz")


class Registry:
    """The formats of this installation: the built-ins, then those of outside packages."""

    def __init__(self, builtin: Iterable[Format]) -> None:
        self._builtin = tuple(builtin)

    @functools.cached_property
    def all(self) -> tuple[Format, ...]:
        """Every format; the first of several with the same name or suffix is the one that is found."""
        return (*self._builtin, *_outside())

    def writable(self) -> tuple[Format, ...]:
        """Formats in which a result can be written for anybody."""
        return tuple(kind for kind in self.all if kind.write and not kind.service)

    def readable(self) -> tuple[Format, ...]:
        """Formats that can be read."""
        return tuple(kind for kind in self.all if kind.read)

    def get_format(self, name: str) -> Format:
        """Find a format by its name, an alias or a media type.

        Raises
        ------
        UnsupportedFormatError
            Nothing is called so; the error lists what is offered.
        """
        found = self._by_name.get(_normalised(name))
        if found is None:
            raise UnsupportedFormatError(name, [kind.name for kind in self.all if not kind.service])
        return found

    def format_of_suffix(self, file_name: str) -> Format:
        """Find the format that a file name asks for: `x.vot`, `x.csv.gz`.

        Raises
        ------
        UnsupportedFormatError
            No format has that suffix.
        """
        found = self._find_by_suffix(file_name)
        if found is None:
            raise UnsupportedFormatError(file_name, sorted({suffix for kind in self.all for suffix in kind.suffixes}))
        return found

    def format_of_file(self, file: Path) -> Format:
        """Find the format of a file that exists, or of a directory of Parquet files.

        What the first bytes surely are outweighs the suffix: a VOTable called `x.csv` is read as a VOTable.

        Raises
        ------
        UnreadableFileError
            Neither the suffix nor the content is known.
        """
        if file.is_dir():
            return self.get_format("parquet")
        named = self._find_by_suffix(file.name)
        head = first_bytes(file)
        sniffed = [kind for kind in self.readable() if kind.sniff and kind.sniff(head)]
        found = named if named in sniffed or not sniffed else sniffed[0]
        if found is None and b"\n" in head and b"\0" not in head and "ascii" in self._by_name:
            found = self.get_format("ascii")  # any text may be a table: hst1pass has suffixes of its own
        if found is None:
            raise UnreadableFileError(file.name, "neither its suffix nor its content is of a known format")
        return found

    @functools.cached_property
    def _by_name(self) -> dict[str, Format]:
        names = [(name, kind) for kind in self.all for name in _names(kind)]
        return {_normalised(name): kind for name, kind in reversed(names)}

    def _find_by_suffix(self, file_name: str) -> Format | None:
        lower = file_name.lower()
        plain = next((lower.removesuffix(end) for end in _COMPRESSIONS if lower.endswith(end)), lower)
        for candidate in (lower, plain):
            found = [(len(end), kind) for kind in self.all for end in kind.suffixes if candidate.endswith(end)]
            if found:
                return max(found, key=lambda pair: pair[0])[1]
        return None


def _names(kind: Format) -> tuple[str, ...]:
    """What a format can be asked for by; one of a single service only by its own name."""
    return (kind.name,) if kind.service else (kind.name, kind.media_type, *kind.aliases)


def _outside() -> Iterator[Format]:
    for point in entry_points(group=ENTRY_POINTS):
        brought = point.load()
        yield from [brought] if isinstance(brought, Format) else brought


def _normalised(name: str) -> str:
    base, *parameters = (part.strip().lower() for part in name.split(";"))
    kept = sorted(part.replace(" ", "").replace('"', "") for part in parameters if part.startswith(_DECISIVE))
    base = base.replace(" ", "+")  # a plus sign that was not escaped in an address arrives as a blank
    return ";".join([base, *kept])
