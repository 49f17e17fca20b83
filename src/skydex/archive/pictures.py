"""`PictureRequest`: what is asked of images, answered by a worker like a request for a table; `Picture`: its answer."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skydex.archive.archive import Archive
    from skydex.archive.images import Images
    from skydex.engines import Deadline
    from skydex.store import ImageRecord

__all__ = ["Picture", "PictureRequest", "plain_name"]

_UNSAFE = re.compile(r"[^A-Za-z0-9._+-]+")
_LONGEST_NAME = 150


@dataclass(frozen=True)
class Picture:
    """Bytes of one answer, to be walked through once."""

    media_type: str
    """What the bytes are."""
    suffix: str
    """File name ending that fits, with its dot."""
    chunks: Iterator[bytes]
    """The bytes, as they become known."""
    file_name: str = ""
    """What a file of them may be called, in letters, digits and `._+-` alone; empty if that is up to the receiver."""


def plain_name(text: str) -> str:
    """A file name without anything that a header, a shell or a directory could misread; it may be empty.

    Of a path it is the last part, of a long name the beginning.
    """
    return _UNSAFE.sub("_", text.rpartition("/")[2]).lstrip(".-")[:_LONGEST_NAME]


class PictureRequest(ABC):
    """Something that an archive can be asked of its images; its subclasses are frozen and can be pickled."""

    def check(self, archive: Archive) -> None:  # noqa: B027  most have nothing to see to before they are answered
        """See whether it could be answered, without doing so: for jobs, before they are accepted.

        Raises
        ------
        SkydexError
            It could not.
        """

    def images_read(self, images: Images) -> Sequence[ImageRecord] | None:
        """The images whose files alone make the answer what it is; `None` if it hangs on something else as well.

        Raises
        ------
        SkydexError
            One of them is not there.
        """
        return None

    @abstractmethod
    def draw(self, archive: Archive, deadline: Deadline | None = None) -> Picture:
        """Answer it.

        Raises
        ------
        SkydexError
            Before the first chunk for everything wrong with the request.
        """
