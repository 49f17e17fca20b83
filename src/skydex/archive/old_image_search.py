"""`OldImageSearch`: what an image search finds, in the columns that SIA 1.0 has for it.

Simple Image Access 1.0 (IVOA REC 2009-11-11, section 4.2): the UCD1 words of the namespace VOX by which clients know
the columns. The rows are those of an `ImageSearch`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skydex.archive.image_search import ImageSearch
from skydex.archive.requests import Upload
from skydex.formats import Format, get_format
from skydex.query import Namespace, Plan
from skydex.tables import Column, Datatype, Result, arrow_schema

__all__ = ["OLD_COLUMNS", "OldImageSearch"]

_READ = (
    "obs_publisher_did", "obs_id", "obs_title", "obs_collection", "instrument_name", "s_ra", "s_dec", "s_fov",
    "s_region", "s_xel1", "s_xel2", "s_pixel_scale", "t_min", "t_max", "t_exptime", "em_min", "em_max", "access_url",
    "access_format", "access_estsize",
)  # fmt: skip
"""What is taken from ObsCore, as far as it is there."""

_PREVIEWS = {"image/jpeg": ".jpg", "image/png": ".png"}
"""What the addresses of pictures of images end in."""

_Values = dict[str, pa.Array]
_Made = Callable[[_Values, int], pa.Array]


@dataclass(frozen=True)
class OldImageSearch:
    """An image search of SIA 1."""

    search: ImageSearch
    """What is looked for."""
    preview: str = ""
    """Media type of the pictures that are wanted in place of the images: `image/jpeg` or `image/png`."""
    collection: ClassVar[str | None] = None
    uploads: ClassVar[tuple[Upload, ...]] = ()

    @property
    def max_rows(self) -> int | None:
        return self.search.max_rows

    @property
    def owner(self) -> str | None:
        return self.search.owner

    def plan(self, namespace: Namespace) -> Plan:
        """What the search means, for the columns that are needed."""
        return replace(self.search, columns=_READ).plan(namespace)

    def shaped(self, result: Result, namespace: Namespace) -> Result:
        """The same images in other columns."""
        result.batches = _reshaped(result.batches, self.preview)
        result.columns = OLD_COLUMNS
        return result

    def form(self, name: str, namespace: Namespace) -> Format:
        return get_format(name)


def _reshaped(batches: Iterator[pa.RecordBatch], preview: str) -> Iterator[pa.RecordBatch]:
    schema = arrow_schema(OLD_COLUMNS)
    for batch in batches:
        values = dict(zip(batch.schema.names, batch.columns, strict=True))
        if preview:
            values |= _of_preview(values, preview)
        arrays = [
            make(values, batch.num_rows).cast(field.type) for (_, make), field in zip(_COLUMNS, schema, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _of_preview(values: _Values, media_type: str) -> _Values:
    """What is different for a picture of an image: its address, and that its size is not known."""
    address = pc.binary_join_element_wise(values["access_url"], f"/preview{_PREVIEWS[media_type]}", "")
    n_rows = len(address)
    return {
        "access_url": address,
        "access_format": pa.array([media_type] * n_rows),
        "access_estsize": pa.nulls(n_rows, pa.int64()),
    }


def _same(*names: str) -> _Made:
    """The first of some columns that is there; of several, where one is null, the next."""

    def make(values: _Values, n_rows: int) -> pa.Array:
        found = [values[name] for name in names if name in values]
        return pc.coalesce(*found) if found else pa.nulls(n_rows)

    return make


def _constant(value: str | int) -> _Made:
    return lambda values, n_rows: pa.array([value] * n_rows)


def _middle(low: str, high: str) -> _Made:
    def make(values: _Values, n_rows: int) -> pa.Array:
        if low not in values or high not in values:
            return pa.nulls(n_rows)
        return pc.divide(pc.add(values[low], values[high]), 2.0)

    return make


def _sizes(values: _Values, n_rows: int) -> pa.Array:
    x, y = (_floats(values, name, n_rows) for name in ("s_xel1", "s_xel2"))
    return _pairs(x, y).cast(pa.list_(pa.int32()))


def _scales(values: _Values, n_rows: int) -> pa.Array:
    """Degrees a pixel; where that is not known, the diagonal of the field over that of the image."""
    x, y, fov, scale = (_floats(values, name, n_rows) for name in ("s_xel1", "s_xel2", "s_fov", "s_pixel_scale"))
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.where(np.isfinite(scale), scale / 3600.0, fov / np.hypot(x, y))
    return _pairs(-scale, scale)


def _pairs(first: np.ndarray, second: np.ndarray) -> pa.Array:
    is_known = np.isfinite(first) & np.isfinite(second)
    both = np.stack([first, second], axis=1)[is_known].ravel()
    offsets = np.concatenate([[0], np.cumsum(2 * is_known)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(both), mask=pa.array(~is_known))


def _floats(values: _Values, name: str, n_rows: int) -> np.ndarray:
    if name not in values:
        return np.full(n_rows, np.nan)
    return np.asarray(values[name].cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _n_bytes(values: _Values, n_rows: int) -> pa.Array:
    """ObsCore counts kilobytes."""
    return pc.multiply(values["access_estsize"], 1000) if "access_estsize" in values else pa.nulls(n_rows)


def _text(name: str, ucd: str | None, about: str) -> Column:
    return Column(name, Datatype.CHAR, arraysize="*", ucd=ucd, description=about)


def _double(name: str, ucd: str | None, unit: str | None, about: str) -> Column:
    return Column(name, Datatype.DOUBLE, unit=unit, ucd=ucd, description=about)


_COLUMNS: tuple[tuple[Column, _Made], ...] = (
    (_text("title", "VOX:Image_Title", "Name of the image"), _same("obs_title", "obs_id")),
    (_text("instrument", "INST_ID", "Instrument"), _same("instrument_name")),
    (_double("date_obs", "VOX:Image_MJDateObs", "d", "Middle of the observation, MJD"), _middle("t_min", "t_max")),
    (_double("ra", "POS_EQ_RA_MAIN", "deg", "Right ascension of the centre, ICRS"), _same("s_ra")),
    (_double("dec", "POS_EQ_DEC_MAIN", "deg", "Declination of the centre, ICRS"), _same("s_dec")),
    (Column("naxes", Datatype.INT, ucd="VOX:Image_Naxes", description="Number of axes"), _constant(2)),
    (
        Column("naxis", Datatype.INT, arraysize="*", unit="pixel", ucd="VOX:Image_Naxis", description="Their lengths"),
        _sizes,
    ),
    (
        Column("scale", Datatype.DOUBLE, arraysize="*", unit="deg", ucd="VOX:Image_Scale", description="Pixel sizes"),
        _scales,
    ),
    (_text("format", "VOX:Image_Format", "Media type"), _same("access_format")),
    (_text("frame", "VOX:STC_CoordRefFrame", "Frame of the position"), _constant("ICRS")),
    (_text("bandpass_unit", "VOX:BandPass_Unit", "Unit of wavelengths"), _constant("m")),
    (_double("bandpass", "VOX:BandPass_RefValue", "m", "Middle of the wavelengths"), _middle("em_min", "em_max")),
    (_double("bandpass_hi", "VOX:BandPass_HiLimit", "m", "Longest wavelength"), _same("em_max")),
    (_double("bandpass_lo", "VOX:BandPass_LoLimit", "m", "Shortest wavelength"), _same("em_min")),
    (_text("access_url", "VOX:Image_AccessReference", "Where to get it"), _same("access_url")),
    (Column("size", Datatype.LONG, unit="byte", ucd="VOX:Image_FileSize", description="Estimated size"), _n_bytes),
    (_text("collection", None, "Collection that it belongs to"), _same("obs_collection")),
    (_text("obs_publisher_did", None, "Its identifier"), _same("obs_publisher_did")),
    (_double("exptime", None, "s", "Exposure time"), _same("t_exptime")),
    (_text("s_region", None, "Its outline"), _same("s_region")),
)
"""The columns of an answer, and how each is made."""

OLD_COLUMNS = tuple(column for column, _ in _COLUMNS)
"""The columns of an answer."""
