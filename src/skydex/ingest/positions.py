"""Finding the position columns of a table that does not say which they are.

UCDs are asked first (`pos.eq.ra;meta.main`, then `pos.eq.ra`), then names (`ra`, `RAJ2000`, `raMean`, ...), then the
column sets of machine-readable tables (RAh, RAm, RAs, ...), then galactic coordinates. Units and a sample of values
say how the angles are spelled. A position is taken only when exactly one reading is left; otherwise the finding says
what was seen and which option settles it, because a wrong guess would move every object of a catalogue.

Impossible values never speak against a UCD or a unit: they are bad rows, the affair of `checks`. Against a bare name
they do if no row of the sample can be a position, against a part of a name if most cannot.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from skydex.ingest.angles import degrees, share_of_angles
from skydex.ingest.recipe import AngleUnit, Frame, PositionRecipe
from skydex.ingest.units import angle_unit
from skydex.ingest.vocabulary import ERROR_NAME, GALACTIC_NAMES, POSITION_NAMES, UCD1, plain_name
from skydex.tables import Column

__all__ = ["PositionFinding", "find_position", "spelled", "system_hints"]

Pair = tuple[Column, Column]
_Test = Callable[[Column], bool]

_RA_IN_NAME = re.compile(
    r"(?<![A-Za-z])(?i:ra)(?=$|[^A-Za-z]|(?i:j2000|icrs|deg))|(?<![A-Za-z])ra(?=[A-Z])|(?<=[a-z])RA(?![a-z])"
)
_HARMLESS_WORDS = frozenset({"meta.main", "stat.mean", "stat.median"})
_SYSTEM_FACTS = ("COOSYS.system", "COOSYS.equinox", "RADESYS", "RADECSYS", "EQUINOX")
_MOSTLY = 0.5
_NEARLY_ALL = 0.8
_ENOUGH_ROWS = 100
_FULL_TURN = 360.0


@dataclass(frozen=True)
class PositionFinding:
    """What was found out about a table's positions."""

    position: PositionRecipe | None = None
    """The columns, if they are sure."""
    confidence: float = 0.0
    """How sure, 0 to 1."""
    how: str = ""
    """What told: a phrase for people."""
    hints: tuple[str, ...] = ()
    """What is odd, or which option would settle an open question."""
    contradicted: bool = False
    """Whether there is none because columns with the names of one hold values that cannot be one."""


def find_position(columns: Sequence[Column], sample: pa.Table) -> PositionFinding:
    """Find the columns that hold positions.

    Parameters
    ----------
    columns : sequence of Column
        The file's columns.
    sample : Table
        Some of its rows, with the same column names.
    """
    hints: list[str] = []
    contradicted: list[PositionRecipe] = []
    for how, confidence, frame, pairs in _readings(columns):
        spelled_pairs = [(pair, recipe) for pair in pairs if (recipe := _spelled_pair(pair, frame, sample, hints))]
        readable = [recipe for pair, recipe in spelled_pairs if _is_possible(recipe, sample, _least(how, pair))]
        contradicted += [recipe for _, recipe in spelled_pairs if recipe not in readable]
        if len(readable) == 1 or (readable and how == "name"):
            found = readable[0]
            return PositionFinding(found, confidence, how, tuple(_oddities(found, columns, sample)))
        if readable:
            return PositionFinding(hints=(_choice(how, readable),))
    hints += map(_contradiction, contradicted)
    return PositionFinding(
        hints=tuple(dict.fromkeys((*hints, *_near_misses(columns)))), contradicted=bool(contradicted)
    )


def spelled(position: PositionRecipe, columns: Sequence[Column], sample: pa.Table) -> PositionRecipe:
    """Fill in how the angles of named columns are spelled, from unit and values; degrees if nothing tells."""
    if position.unit is not None:
        return position
    if len(position.ra) > 1 or len(position.dec) > 1:
        return replace(position, unit=AngleUnit.PARTS)
    by_name = {column.name: column for column in columns}
    unit = _spelling(by_name[position.ra[0]], by_name[position.dec[0]], sample)
    return replace(position, unit=unit or AngleUnit.DEG)


def system_hints(finding: PositionFinding, facts: Mapping[str, str]) -> list[str]:
    """What to say if the file speaks of another system than the one its positions are taken for.

    FK5 at J2000 goes as ICRS: they agree within 0.1 arcsec (Feissel and Mignard 1998, A&A 331, L33).
    """
    if finding.position is None or finding.position.frame is not Frame.ICRS or finding.how == "recipe":
        return []
    said = " ".join(facts[key] for key in _SYSTEM_FACTS if key in facts)
    if "FK4" not in said.upper() and "1950" not in said:
        return []
    names = " and ".join(finding.position.columns)
    return [f"The file speaks of {said}, but {names} are taken as ICRS. If they are B1950, say --frame fk4."]


def _readings(columns: Sequence[Column]) -> Iterator[tuple[str, float, Frame, list[Pair]]]:
    """Ways of finding a pair, the surest first: (what tells, confidence, frame, pairs)."""
    values = [column for column in columns if not column.is_array]
    named = [column for column in values if not ERROR_NAME.search(column.name)]
    name_of = _names_without_common_end(columns)
    yield "UCD (meta.main)", 1.0, Frame.ICRS, _pairs_by(values, _is_main("pos.eq.ra"), _is_main("pos.eq.dec"))
    yield "name", 0.9, Frame.ICRS, _pairs_by_name(named, POSITION_NAMES, name_of)
    yield "UCD", 0.9, Frame.ICRS, _pairs_by(values, _is_plain("pos.eq.ra"), _is_plain("pos.eq.dec"))
    yield "part of the name", 0.7, Frame.ICRS, _pairs_by_pattern(named)
    yield "names of parts", 0.95, Frame.ICRS, _pairs_of_parts(values)
    longitude, latitude = _is_plain("pos.galactic.lon"), _is_plain("pos.galactic.lat")
    yield "UCD (galactic)", 0.9, Frame.GALACTIC, _pairs_by(values, longitude, latitude)
    yield "name", 0.8, Frame.GALACTIC, _pairs_by_name(named, GALACTIC_NAMES, name_of)


def _ucd_words(column: Column) -> list[str]:
    ucd = column.ucd or ""
    return UCD1.get(ucd.upper(), ucd).lower().replace(" ", "").split(";")


def _is_main(word: str) -> _Test:
    return lambda column: _ucd_words(column)[0] == word and "meta.main" in _ucd_words(column)


def _is_plain(word: str) -> _Test:
    return lambda column: set(_ucd_words(column)) - _HARMLESS_WORDS == {word}


def _pairs_by(columns: Sequence[Column], is_ra: _Test, is_dec: _Test) -> list[Pair]:
    ras = [column for column in columns if is_ra(column)]
    decs = [column for column in columns if is_dec(column)]
    return list(zip(ras, decs, strict=True)) if len(ras) == len(decs) else []


def _names_without_common_end(columns: Sequence[Column]) -> Callable[[Column], str]:
    """Plain names, less the `_gaia` that a cross-match has put to nearly all of them."""
    ends = Counter(column.name.rpartition("_")[2] for column in columns if "_" in column.name)
    end, n_columns = ends.most_common(1)[0] if ends else ("", 0)
    is_common = len(columns) > 3 and n_columns >= _NEARLY_ALL * len(columns)
    return lambda column: plain_name(column.name.removesuffix(f"_{end}") if is_common else column.name)


def _pairs_by_name(
    columns: Sequence[Column], names: Sequence[tuple[str, str]], name_of: Callable[[Column], str]
) -> list[Pair]:
    """Pairs in the order of `names`; of several with one plain name (`RAJ2000`, `_RAJ2000`), numbers first."""
    found: list[Pair] = []
    for ra_name, dec_name in names:
        ras = [column for column in columns if name_of(column) == ra_name]
        decs = [column for column in columns if name_of(column) == dec_name]
        pairs = list(zip(ras, decs, strict=False))
        found += sorted(pairs, key=lambda pair: pair[0].datatype.is_text)
    return found


def _pairs_by_pattern(columns: Sequence[Column]) -> list[Pair]:
    by_lower = {column.name.lower(): column for column in columns}
    found = []
    for column in columns:
        partners = [_RA_IN_NAME.sub(dec, column.name, count=1).lower() for dec in ("dec", "de", "decl")]
        partner = next((by_lower[name] for name in partners if name in by_lower and name != column.name.lower()), None)
        if partner is not None:
            found.append((column, partner))
    return found


def _pairs_of_parts(columns: Sequence[Column]) -> list[Pair]:
    """The columns RAh and DEd of machine-readable tables stand for their sets (CDS standards for catalogues, 3.2)."""
    by_name = {column.name.lower(): column for column in columns}
    whole = [by_name.get("rah"), by_name.get("ded")]
    return [(whole[0], whole[1])] if whole[0] and whole[1] and {"ram", "dem"} <= by_name.keys() else []


def _spelled_pair(pair: Pair, frame: Frame, sample: pa.Table, hints: list[str]) -> PositionRecipe | None:
    """The pair as a recipe if its angles can be read; otherwise a hint says why not."""
    ra, dec = pair
    if ra.name.lower() == "rah" and dec.name.lower() == "ded":
        return _parts(sample.column_names)
    unit = _spelling(ra, dec, sample)
    if unit is None:
        hints.append(f"{ra.name} and {dec.name} look like a position by name, but not by unit or type.")
        return None
    return PositionRecipe((ra.name,), (dec.name,), unit, frame)


def _parts(names: Sequence[str]) -> PositionRecipe:
    by_lower = {name.lower(): name for name in names}
    ra = tuple(by_lower[part] for part in ("rah", "ram", "ras") if part in by_lower)
    dec = tuple(by_lower[part] for part in ("de-", "ded", "dem", "des") if part in by_lower)
    return PositionRecipe(ra, dec, AngleUnit.PARTS)


def _spelling(ra: Column, dec: Column, sample: pa.Table) -> AngleUnit | None:
    """How a pair's angles are spelled; None if they are no angles."""
    if ra.datatype.is_text or dec.datatype.is_text:
        return _text_spelling(ra, dec, sample)
    if not (ra.datatype.is_numeric and dec.datatype.is_numeric):
        return None
    return angle_unit(ra.unit) if ra.unit else angle_unit(dec.unit or "deg")


def _text_spelling(ra: Column, dec: Column, sample: pa.Table) -> AngleUnit | None:
    if not (ra.datatype.is_text and dec.datatype.is_text):
        return None
    texts = [sample[column.name].cast(pa.string()) for column in (ra, dec)]
    for unit in (AngleUnit.SEXAGESIMAL, AngleUnit.DEG):
        if all(share_of_angles(text, unit) >= _MOSTLY for text in texts):
            return unit
    return None


def _sample_degrees(position: PositionRecipe, sample: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    unit, is_hours = position.unit or AngleUnit.DEG, position.frame not in (Frame.GALACTIC, Frame.ECLIPTIC)
    lon_deg = degrees([sample[name].combine_chunks() for name in position.ra], unit, is_hours=is_hours)
    latitude = AngleUnit.DEG if unit is AngleUnit.HOURANGLE else unit
    lat_deg = degrees([sample[name].combine_chunks() for name in position.dec], latitude, is_hours=False)
    present = (lon_deg > -_FULL_TURN) & (lat_deg > -_FULL_TURN)  # neither NaN nor a sentinel such as -999
    return lon_deg[present], lat_deg[present]


def _least(how: str, pair: Pair) -> float:
    """Which part of the sample must exceed for a pair to be believed: nothing where UCD or unit say what it is."""
    if how.startswith("UCD") or any(angle_unit(column.unit) for column in pair):
        return -1.0
    return _MOSTLY if how == "part of the name" else 0.0


def _is_possible(position: PositionRecipe, sample: pa.Table, least: float) -> bool:
    """Whether more than a part of the sample lies on the sky."""
    if least < 0:
        return True
    lon_deg, lat_deg = _sample_degrees(position, sample)
    possible = (lon_deg <= _FULL_TURN) & (np.abs(lat_deg) <= 90.0)
    return len(lon_deg) == 0 or bool(possible.mean() > least)


def _contradiction(position: PositionRecipe) -> str:
    ra, dec = position.ra[0], position.dec[0]
    return f"{ra} and {dec} look like a position, but most values are outside 0..360 and ±90."


def _oddities(position: PositionRecipe, columns: Sequence[Column], sample: pa.Table) -> list[str]:
    """What makes one doubt that unlabelled numbers are degrees."""
    by_name = {column.name: column for column in columns}
    if position.unit is not AngleUnit.DEG or by_name[position.ra[0]].unit:
        return []
    lon, lat = _sample_degrees(position, sample)
    if len(lon) < _ENOUGH_ROWS or np.ptp(lat) == 0:
        return []
    ra = position.ra[0]
    if lon.max() <= 2 * np.pi and lon.max() > np.pi and abs(lat).max() <= np.pi / 2:
        return [f"{ra} has no unit and never exceeds 2 pi: if these are radians, say unit: rad (--unit rad)."]
    if lon.max() <= 24.0 and lon.max() > 20.0 and np.ptp(lat) > 60.0:
        return [f"{ra} has no unit and never exceeds 24: if these are hours, say unit: hourangle (--unit hourangle)."]
    return []


def _choice(how: str, readable: Sequence[PositionRecipe]) -> str:
    pairs = ", ".join(f"({recipe.ra[0]}, {recipe.dec[0]})" for recipe in readable)
    first = readable[0]
    return (
        f"Several pairs of columns may be the position, by {how}: {pairs}. "
        f"Choose one, as in --ra {first.ra[0]} --dec {first.dec[0]}."
    )


def _near_misses(columns: Sequence[Column]) -> list[str]:
    names = {column.name.lower(): column.name for column in columns}
    if {"l", "b"} <= names.keys():
        lon, lat = names["l"], names["b"]
        return [f"{lon} and {lat} may be galactic: --ra {lon} --dec {lat} --frame galactic."]
    old = [column.name for column in columns if "1950" in column.name and not column.is_array]
    if len(old) == 2:
        return [f"{old[0]} and {old[1]} may be B1950 positions: --ra {old[0]} --dec {old[1]} --frame fk4."]
    return []
