"""The tables of the Pan-STARRS1 collection: columns, keys, examples, and rows field by field.

Tables and columns are those of Pan-STARRS1 DR2 as far as they are documented. What is missing is null, where the
survey's own database has -999. Views are stored as tables.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skydex.demo.columns import read_columns
from skydex.demo.ps1.exposures import BANDS
from skydex.demo.ps1.fields import Field, fields_of
from skydex.demo.ps1.means import Means, means_of
from skydex.demo.ps1.published import published_detections
from skydex.demo.ps1.rows import (
    FILTERS,
    detection_rows,
    mean_rows,
    object_rows,
    truth_of_detections,
    truth_of_objects,
)
from skydex.demo.ps1.sky import Sky, simulate_field
from skydex.demo.ps1.stacks import Stacks, forced_rows, stack_rows, stacks_of
from skydex.demo.publications import printed_in, read_source
from skydex.demo.simulation import TRUTH, Printed, SimulatedTable, batch_of
from skydex.demo.size import Size
from skydex.tables import Column, Datatype

__all__ = ["simulate_ps1"]

_Ints = NDArray[np.int64]

_MEAN_VIEW = read_columns("ps1/MeanObjectView")
_STACK_VIEW = read_columns("ps1/StackObjectView")
_FORCED_VIEW = read_columns("ps1/ForcedMeanObjectView")
_DETECTION = read_columns("ps1/Detection")
_FILTER = read_columns("ps1/Filter")

_N_THIN = 1 + next(place for place, column in enumerate(_MEAN_VIEW) if column.name == "ny")
_THIN = _MEAN_VIEW[:_N_THIN]
_MEAN = tuple(column for column in _MEAN_VIEW if column.name in ("objID", "uniquePspsOBid")) + _MEAN_VIEW[_N_THIN:]
_STACK_KEYS = ("objID", "uniquePspsSTid", "primaryDetection", "bestDetection")
_STACK_OBJECT = (
    "ippObjID", "surveyID", "tessID", "projectionID", "skyCellID", "batchID", "dvoRegionID", "processingVersion"
)  # fmt: skip
_N_BAND_THIN = 18
"""Of the columns of a band in StackObjectView those in StackObjectThin; the others are in StackObjectAttributes."""

_POSITION = {"ra": "raMean", "dec": "decMean", "id": "objID"}
_SHOWN = ("objID", "raMean", "decMean", "nDetections", "ng", "nr", "ni", "nz", "ny")
_SHOWN_MEAN = (*_SHOWN, *(f"{band}MeanPSFMag" for band in BANDS))
"""What a cone search gives unless it asks for all: the columns that the document asks for."""
_AS_GIVEN = {"posMeanChisq": {"ucd": ""}}
"""Columns whose meaning is not to be guessed, since the survey leaves it open."""
_ALONE = {"position": "none", "sort_by": ["objID"]}

_FIELDS_KEPT = 6
_PRINTED_IN_Z = ("objID", "filterID", "obsTime", "psfFlux", "psfQfPerfect")
"""Of detections of which a magnitude in z was printed, and no identifier."""


@dataclass(frozen=True)
class _Made:
    """One field, and what follows from it, for the tables that ask for it."""

    sky: Sky

    @functools.cached_property
    def means(self) -> Means:
        return means_of(self.sky)

    @functools.cached_property
    def stacks(self) -> Stacks:
        return stacks_of(self.sky)

    @functools.cached_property
    def objects(self) -> dict[str, Any]:
        return object_rows(self.sky, self.means, self.stacks.n_stack)


def simulate_ps1(size: Size, seed: int) -> Iterator[SimulatedTable]:
    """The tables of `ps1`, and their truth."""

    @functools.lru_cache(_FIELDS_KEPT)
    def made(field: Field) -> _Made:
        return _Made(simulate_field(field, seed))

    def rows(columns: tuple[Column, ...], of: Callable[[_Made], Mapping[str, Any]]) -> Iterator[pa.RecordBatch]:
        for field in fields_of(size):
            batch = _batch(columns, of(made(field)))
            if batch.num_rows:
                yield batch

    for table in _TABLES:
        printed: tuple[Printed, ...] = ()
        if table.has_printed_objects:
            printed = (printed_in(table.columns, "ps1_mean", identifier="objID"),)
        if table.name == "ps1.Detection":
            printed = _printed_detections()
        batches = rows(table.columns, table.rows)
        yield SimulatedTable(table.name, table.description, table.columns, batches, table.options, printed)
    yield SimulatedTable("ps1.Filter", _FILTER_IS, _FILTER, iter([_batch(_FILTER, FILTERS)]), _OPTIONS_OF_FILTER)


def _batch(columns: tuple[Column, ...], values: Mapping[str, Any]) -> pa.RecordBatch:
    """The columns of a table among the values of a field."""
    n_rows = next(len(value) for value in values.values() if isinstance(value, np.ndarray | pa.Array))
    names = {column.name for column in columns}
    return batch_of(columns, {name: value for name, value in values.items() if name in names}, n_rows)


def _printed_detections() -> tuple[Printed, ...]:
    known = published_detections()
    is_whole = known.detection_id > 0
    moments = [repr(float(mjd)) for mjd in known.values["obsTime"][~is_whole]]
    partly = Printed("obsTime", moments, read_source("ps1_kq_uma_z"), _PRINTED_IN_Z)
    return printed_in(_DETECTION, "ps1_detections", identifier="detectID"), partly


def _stack_columns(places: slice, *further: str) -> tuple[Column, ...]:
    """Keys, further columns of the object, and some of each band's columns of StackObjectView."""
    by_name = {column.name: column for column in _STACK_VIEW}
    first = next(place for place, column in enumerate(_STACK_VIEW) if column.name == "gippDetectID")
    n_bands = len(BANDS)
    step = (len(_STACK_VIEW) - first) // n_bands
    blocks = (_STACK_VIEW[first + band * step : first + (band + 1) * step][places] for band in range(n_bands))
    keys = (by_name[name] for name in (*_STACK_KEYS, *further))
    return (*keys, *(column for block in blocks for column in block))


def _stacked(made: _Made) -> dict[str, Any]:
    """Rows of stacked images, with the columns of their objects."""
    return _with_objects(made, made.stacks.owner, stack_rows(made.sky, made.stacks))


def _forced(made: _Made) -> dict[str, Any]:
    """Rows of forced means, with the columns of their objects."""
    return _with_objects(made, made.stacks.owner[made.stacks.is_primary], forced_rows(made.sky, made.stacks))


def _with_objects(made: _Made, owner: _Ints, rows: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: _taken(values, owner) for name, values in made.objects.items()}, **rows}


def _taken(values: Any, owner: _Ints) -> Any:
    if isinstance(values, pa.Array):
        return values.take(pa.array(owner))
    return values[owner] if isinstance(values, np.ndarray) else values


@dataclass(frozen=True)
class _Table:
    """A table with a row or more for each object of a field."""

    name: str
    description: str
    columns: tuple[Column, ...]
    rows: Callable[[_Made], Mapping[str, Any]]
    options: Mapping[str, Any]
    has_printed_objects: bool = False


def _key(target: str, column: str, description: str) -> dict[str, object]:
    return {"target_table": target, "columns": {column: column}, "description": description}


_OF_OBJECT = _key("ps1.ObjectThin", "objID", "Position of the object, and how often it was detected")
_ADVICE = (
    "nDetections counts detections in single exposures, in any band at any time; objects with one detection only are "
    "mostly artefacts, so that most queries ask for nDetections > 1."
)
_PRINTED_PARTLY = "Of printed objects identifier, position, counts and mean PSF magnitudes are printed."
_EXAMPLES_OF_OBJECTS = (
    {
        "name": "Objects within 0.2 degrees of M87",
        "query": f"""
SELECT {", ".join(_SHOWN_MEAN)}
FROM ps1.MeanObjectView
WHERE CONTAINS(POINT('ICRS', raMean, decMean), CIRCLE('ICRS', 187.706, 12.391, .2)) = 1
  AND nDetections > 1""",
        "description": _ADVICE,
    },
)
_EXAMPLES_OF_DETECTIONS = (
    {
        "name": "Light curve of the RR Lyrae star KQ UMa",
        "query": """
SELECT objID, detectID, Detection.filterID AS filterID, Filter.filterType, obsTime, ra, dec, psfFlux, psfFluxErr,
  psfMajorFWHM, psfMinorFWHM, psfQfPerfect, apFlux, apFluxErr, infoFlag, infoFlag2, infoFlag3
FROM ps1.Detection
NATURAL JOIN ps1.Filter
WHERE objID = 190361393344112894 AND psfQfPerfect >= 0.9
ORDER BY filterID, obsTime""",
        "description": "m(AB) = -2.5 log10(psfFlux) + 8.90; its period is 0.48636 days. Detections with a small "
        "psfQfPerfect lie on masked pixels and can be off by magnitudes.",
    },
)
_FILTER_IS = "The five bands, by the number that Detection has."
_OPTIONS_OF_FILTER = {"position": "none", "id": "filterID"}
_TRUTH_OF_OBJECTS = (
    Column("objID", Datatype.LONG, ucd="meta.id;meta.main", description="Identifier of the object"),
    Column("ra", Datatype.DOUBLE, unit="deg", ucd="pos.eq.ra;meta.main", description="True right ascension"),
    Column("dec", Datatype.DOUBLE, unit="deg", ucd="pos.eq.dec;meta.main", description="True declination"),
    Column("kind", Datatype.CHAR, "8*", ucd="src.class", description="constant, RRab, EB, or junk"),
    Column("is_published", Datatype.BOOLEAN, description="Whether a publication printed it"),
    Column("size", Datatype.FLOAT, unit="arcsec", ucd="phys.angSize", description="Half-light radius; 0 for stars"),
    Column("period", Datatype.DOUBLE, unit="d", ucd="time.period", description="Period"),
    Column("epoch", Datatype.DOUBLE, unit="d", ucd="time.epoch", description="MJD of maximum light or primary eclipse"),
    Column("amplitude", Datatype.DOUBLE, unit="mag", description="Amplitude in g, or depth of the primary eclipse"),
    *(Column(f"mag_{b}", Datatype.DOUBLE, unit="mag", description=f"True mean magnitude in {b}") for b in BANDS),
)
_TRUTH_OF_DETECTIONS = (
    Column("detectID", Datatype.LONG, ucd="meta.id;meta.main", description="Identifier of the detection"),
    Column("objID", Datatype.LONG, ucd="meta.id", description="Identifier of the object"),
    Column("mag", Datatype.DOUBLE, unit="mag", description="Magnitude at that moment, without noise"),
    Column("flux", Datatype.DOUBLE, unit="Jy", description="Flux at that moment, without noise"),
    Column("artifact", Datatype.CHAR, "8*", description="What is wrong with it: none, masked, junk"),
)
_TABLES = (
    _Table(
        "ps1.MeanObjectView",
        f"Objects with their mean photometry in single exposures: ObjectThin and MeanObject as one table. {_ADVICE} "
        f"{_PRINTED_PARTLY}",
        _MEAN_VIEW,
        lambda made: {**made.objects, **mean_rows(made.sky, made.means)},
        {**_POSITION, "columns": _AS_GIVEN, "principal": _SHOWN_MEAN, "examples": _EXAMPLES_OF_OBJECTS},
        has_printed_objects=True,
    ),
    _Table(
        "ps1.ObjectThin",
        f"Objects: positions, and how often they were detected. {_ADVICE} {_PRINTED_PARTLY}",
        _THIN,
        lambda made: made.objects,
        {**_POSITION, "principal": _SHOWN},
        has_printed_objects=True,
    ),
    _Table(
        "ps1.MeanObject",
        f"Mean photometry of objects in single exposures, derived from Detection. {_PRINTED_PARTLY}",
        _MEAN,
        lambda made: mean_rows(made.sky, made.means),
        {**_ALONE, "id": "objID", "foreign_keys": [_OF_OBJECT]},
        has_printed_objects=True,
    ),
    _Table(
        "ps1.StackObjectThin",
        "Objects in stacked images: positions, magnitudes and flags in each band. primaryDetection = 1 picks one row "
        "of each object.",
        _stack_columns(slice(None, _N_BAND_THIN), *_STACK_OBJECT),
        _stacked,
        {**_ALONE, "id": "uniquePspsSTid", "foreign_keys": [_OF_OBJECT]},
    ),
    _Table(
        "ps1.StackObjectAttributes",
        "Objects in stacked images: fluxes, moments and PSF in each band.",
        _stack_columns(slice(_N_BAND_THIN, None)),
        lambda made: stack_rows(made.sky, made.stacks),
        {
            **_ALONE,
            "id": "uniquePspsSTid",
            "foreign_keys": [_key("ps1.StackObjectThin", "uniquePspsSTid", "Magnitudes of the same row"), _OF_OBJECT],
        },
    ),
    _Table(
        "ps1.StackObjectView",
        "Objects in stacked images: ObjectThin, StackObjectThin and StackObjectAttributes as one table. "
        "primaryDetection = 1 picks one row of each object.",
        _STACK_VIEW,
        _stacked,
        {**_POSITION, "principal": (*_SHOWN, *(f"{band}PSFMag" for band in BANDS))},
    ),
    _Table(
        "ps1.ForcedMeanObjectView",
        "Mean photometry at the places of objects that stacked images show, whether single exposures show them or "
        "not, with the columns of ObjectThin.",
        _FORCED_VIEW,
        _forced,
        {**_POSITION, "principal": (*_SHOWN, *(f"{band}FPSFMag" for band in BANDS))},
    ),
    _Table(
        "ps1.Detection",
        "Measurements in single exposures. psfQfPerfect below 0.95 is suspicious. What was not printed of printed "
        "detections is null, or simulated where not even an identifier was printed.",
        _DETECTION,
        lambda made: detection_rows(made.sky),
        {
            "ra": "ra",
            "dec": "dec",
            "id": "detectID",
            "foreign_keys": [_OF_OBJECT, _key("ps1.Filter", "filterID", "Letter of the band")],
            "examples": _EXAMPLES_OF_DETECTIONS,
        },
    ),
    _Table(
        f"{TRUTH}.ps1_objects",
        "What the objects of ps1 really are.",
        _TRUTH_OF_OBJECTS,
        lambda made: truth_of_objects(made.sky),
        {},
    ),
    _Table(
        f"{TRUTH}.ps1_detections",
        "What the detections of ps1 would be without noise and mishaps.",
        _TRUTH_OF_DETECTIONS,
        lambda made: truth_of_detections(made.sky),
        {},
    ),
)
