"""Proper motions of the stars of SWEEPS, the one field of which the Hubble Source Catalog has them.

They are derived from the detections by `skydex.objects`. In the rows that were printed, the printed numbers take the
places of those that come out of simulated positions.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from skydex.demo.hsc.fields import Field
from skydex.demo.htm import htm_ids
from skydex.demo.publications import read_printed, read_source
from skydex.demo.simulation import Printed
from skydex.objects import motion_columns, position_columns, proper_motions, source_positions

__all__ = ["MOTIONS", "POSITIONS", "has_motions", "motion_rows", "position_rows", "printed_motions"]

MOTIONS = motion_columns()
"""Columns of the proper motions."""
POSITIONS = position_columns()
"""Columns of the source positions."""
_TARGET = "SWEEPS"
_MJD_OF_1990, _YEAR_D = 47_892.0, 365.25
_PRINTED = {
    "raMean": "RA",
    "decMean": "Dec",
    "raMeanErr": "RAerr",
    "decMeanErr": "Decerr",
    "pmLat": "bpm",
    "pmLon": "lpm",
    "pmLatErr": "bpmerr",
    "pmLonErr": "lpmerr",
    "NumFilters": "NumFilters",
    "NumVisits": "NumVisits",
}
_PRINTED_YEARS = {"epochMean": "yr", "epochStart": "yrStart", "epochEnd": "yrEnd"}


def has_motions(field: Field) -> bool:
    """Whether proper motions of its stars are published."""
    return field.target == _TARGET


def printed_motions() -> Printed:
    """Which of the proper motions are real, and what of them."""
    ids = read_printed("hsc_sweeps")["ObjID"].to_pylist()
    return Printed("objID", ids, read_source("hsc_sweeps"), ("objID", *_PRINTED, *_PRINTED_YEARS))


def motion_rows(detailed: pa.Table) -> pa.Table:
    """Proper motions of the objects of detailed rows."""
    motions = proper_motions(detailed)
    cells = htm_ids(motions["raMean"].to_numpy(), motions["decMean"].to_numpy())
    motions = motions.set_column(motions.schema.get_field_index("HTMID"), "HTMID", pa.array(cells))
    return _with_printed(motions)


def position_rows(detailed: pa.Table) -> pa.Table:
    """Where the sources of each object lie about its mean position."""
    return source_positions(detailed)


def _with_printed(motions: pa.Table) -> pa.Table:
    """With the numbers of printed rows; the two deviations, of which only their sum was printed, share it as before."""
    printed = read_printed("hsc_sweeps")
    place = pc.index_in(motions["objID"].combine_chunks(), printed["ObjID"].combine_chunks())
    is_printed = place.is_valid().to_numpy(zero_copy_only=False)
    places = place.fill_null(0).to_numpy()
    values: dict[str, NDArray[np.float64]] = {
        name: printed[column].to_numpy()[places] for name, column in _PRINTED.items()
    }
    for name, column in _PRINTED_YEARS.items():
        values[name] = _MJD_OF_1990 + (printed[column].to_numpy()[places] - 1990.0) * _YEAR_D
    ours = np.hypot(motions["pmLonDev"].to_numpy(), motions["pmLatDev"].to_numpy())
    for name in ("pmLonDev", "pmLatDev"):
        with np.errstate(invalid="ignore", divide="ignore"):
            values[name] = motions[name].to_numpy() * printed["pmdev"].to_numpy()[places] / ours
    for name, numbers in values.items():
        index = motions.schema.get_field_index(name)
        mixed = np.where(is_printed, numbers, motions[name].to_numpy())
        column = pa.array(mixed, from_pandas=True).cast(motions.schema.field(name).type)
        motions = motions.set_column(index, motions.schema.field(name), column)
    return motions
