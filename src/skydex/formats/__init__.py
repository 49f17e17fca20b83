"""File formats: batches in, batches out, always streaming; one module each."""

from skydex.formats import arrow, ascii, dataset, delimited, ecsv, fits, html, jsontable, parquet, text, typed, votable
from skydex.formats.format import Format, Reader, Source, Writer
from skydex.formats.registry import Registry

__all__ = [
    "REGISTRY",
    "Format",
    "Reader",
    "Registry",
    "Source",
    "Writer",
    "format_of_file",
    "format_of_suffix",
    "get_format",
    "readable",
    "writable",
]

_BUILT_IN = (
    *votable.FORMATS,
    fits.FORMAT,
    *delimited.FORMATS,
    ecsv.FORMAT,
    jsontable.FORMAT,
    parquet.FORMAT,
    arrow.FORMAT,
    ascii.FORMAT,
    text.FORMAT,
    html.FORMAT,
    *typed.FORMATS,
    dataset.FORMAT,
)

REGISTRY = Registry(_BUILT_IN)

get_format = REGISTRY.get_format
format_of_suffix = REGISTRY.format_of_suffix
format_of_file = REGISTRY.format_of_file
writable = REGISTRY.writable
readable = REGISTRY.readable
