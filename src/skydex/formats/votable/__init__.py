"""VOTable: the format that every VO client reads, and the default of every answer."""

import functools

from skydex.formats.format import Format
from skydex.formats.votable.document import (
    VOTABLE_1_1,
    VOTABLE_1_2,
    VOTABLE_1_4,
    Info,
    Serialization,
    Version,
    error_votable,
    footer,
    header,
    scs_error_votable,
)
from skydex.formats.votable.reader import read, read_answer, read_votable, sniff
from skydex.formats.votable.writer import write_votable

__all__ = [
    "FORMATS",
    "VOTABLE_1_1",
    "VOTABLE_1_2",
    "VOTABLE_1_4",
    "Info",
    "Serialization",
    "Version",
    "error_votable",
    "footer",
    "header",
    "read_answer",
    "read_votable",
    "scs_error_votable",
    "write_votable",
]

_MEDIA_TYPE = "application/x-votable+xml"

FORMATS = (
    Format(
        name="votable",
        media_type=_MEDIA_TYPE,
        suffixes=(".vot", ".votable", ".xml"),
        aliases=("text/xml", "application/xml", "votable/b2", f"{_MEDIA_TYPE};serialization=BINARY2"),
        read=read,
        write=write_votable,
        sniff=sniff,
    ),
    Format(
        name="votable/td",
        media_type=f"{_MEDIA_TYPE};serialization=TABLEDATA",
        suffixes=(".vot", ".votable", ".xml"),
        aliases=("tabledata", "votable-td"),
        write=functools.partial(write_votable, serialization=Serialization.TABLEDATA),
    ),
    Format(
        name="votable/b",
        media_type=f"{_MEDIA_TYPE};serialization=BINARY",
        suffixes=(".vot", ".votable", ".xml"),
        aliases=("votable-b",),
        write=functools.partial(write_votable, serialization=Serialization.BINARY),
    ),
)
