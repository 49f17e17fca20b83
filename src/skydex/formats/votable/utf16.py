"""Text as the big-endian UTF-16 of `unicodeChar`, and back, a whole column at a time (VOTable 1.4, section 2.1)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["text_of_utf16", "utf16_of"]

_CONTINUATION, _FOUR_BYTES = 0xC0, 0xF0


def utf16_of(texts: pa.StringArray) -> tuple[NDArray[np.uint16], NDArray[np.int32]]:
    """Encode a column.

    Returns
    -------
    units : (m,) big-endian uint16 array
        All code units, text after text; nulls are empty.
    n_units : (n,) int32 array
        How many belong to each text.
    """
    texts = texts.fill_null("")
    offsets = np.frombuffer(texts.buffers()[1], np.int32, len(texts) + 1, texts.offset * 4)
    whole = memoryview(texts.buffers()[2] or b"")[offsets[0] : offsets[-1]]
    units = np.frombuffer(bytes(whole).decode().encode("utf-16-be"), ">u2")
    if len(units) == len(whole):
        return units, np.diff(offsets)
    octets = np.frombuffer(whole, np.uint8)
    begins = ((octets & _CONTINUATION) != 0x80).astype(np.int32) + (octets >= _FOUR_BYTES)
    n_before = np.concatenate([[0], np.cumsum(begins, dtype=np.int32)])
    return units, np.diff(n_before[offsets - offsets[0]]).astype(np.int32)


def text_of_utf16(units: NDArray[np.uint16], offsets: NDArray[np.int64]) -> pa.StringArray:
    """Decode a column.

    Parameters
    ----------
    units : (m,) big-endian uint16 array
        All code units, text after text.
    offsets : (n + 1,) int64 array
        Where each text begins among them.

    Returns
    -------
    texts : (n,) Arrow string array
        Halves of a surrogate pair that stand alone become U+FFFD.
    """
    values = units.astype(np.uint16)
    is_high = (values & 0xFC00) == 0xD800
    is_low = (values & 0xFC00) == 0xDC00
    is_paired = np.zeros(len(values), bool)
    pairs = np.flatnonzero(is_high[:-1] & is_low[1:])
    pairs = pairs[~np.isin(pairs + 1, offsets)]
    is_paired[pairs] = is_paired[pairs + 1] = True
    values[(is_high | is_low) & ~is_paired] = 0xFFFD
    n_bytes = np.where(is_paired, 2, 1 + (values >= 0x80) + (values >= 0x800))
    before = np.concatenate([[0], np.cumsum(n_bytes)])[offsets]
    data = values.astype(">u2").tobytes().decode("utf-16-be").encode()
    buffers = [None, pa.py_buffer(before), pa.py_buffer(data)]
    return pc.cast(pa.Array.from_buffers(pa.large_string(), len(offsets) - 1, buffers), pa.string())
