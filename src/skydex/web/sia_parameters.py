"""What the parameters of image searches mean: those of SIA 2.0 (IVOA REC 2015-12-23, section 2.1).

Each may be given several times, which means any of the values (2.1). Regions and intervals are read by `dali_values`.
"""

from __future__ import annotations

from collections.abc import Iterator

from skydex.archive import Chosen, Spanning, Words
from skydex.errors import BadParameterError
from skydex.sky import Region
from skydex.web import dali
from skydex.web.dali_values import parse_interval, parse_pos

__all__ = ["Fact", "facts_in", "regions_in"]

Fact = Spanning | Words | Chosen

_MOST_VALUES = 100
"""Values of one parameter."""
_SPANS = {
    "BAND": ("em_min", "em_max"),
    "TIME": ("t_min", "t_max"),
    "FOV": ("s_fov", "s_fov"),
    "SPATRES": ("s_resolution", "s_resolution"),
    "SPECRP": ("em_res_power", "em_res_power"),
    "EXPTIME": ("t_exptime", "t_exptime"),
    "TIMERES": ("t_resolution", "t_resolution"),
}
_WORDS = {
    "ID": "obs_publisher_did",
    "COLLECTION": "obs_collection",
    "FACILITY": "facility_name",
    "INSTRUMENT": "instrument_name",
    "TARGET": "target_name",
    "FORMAT": "access_format",
}
_KINDS = ("image", "cube")
"""Data products that SIA finds (2.1.16)."""
_STATES = ("I", "Q", "U", "V", "RR", "LL", "RL", "LR", "XX", "YY", "XY", "YX", "POLI", "POLA")
"""States of polarization, as ObsCore 1.1 has them (section B.6.6)."""
_LEVELS = ("0", "1", "2", "3", "4")


def regions_in(parameters: dali.Parameters) -> tuple[Region, ...]:
    """The regions of POS.

    Raises
    ------
    BadParameterError
        One of them is none.
    """
    return tuple(parse_pos("POS", text) for text in _values(parameters, "POS"))


def facts_in(parameters: dali.Parameters) -> tuple[Fact, ...]:
    """What all other parameters ask.

    Raises
    ------
    BadParameterError
        One of them has a value that it cannot have.
    """
    return tuple(_facts(parameters))


def _facts(parameters: dali.Parameters) -> Iterator[Fact]:
    for name, (low, high) in _SPANS.items():
        intervals = tuple(parse_interval(name, text) for text in _values(parameters, name))
        if intervals:
            yield Spanning(low, high, intervals)
    for name, column in _WORDS.items():
        words = _values(parameters, name)
        if words:
            yield Words(column, words)
    states = tuple(_checked("POL", text.upper(), _STATES) for text in _values(parameters, "POL"))
    if states:
        yield Words("pol_states", tuple(f"/{state}/" for state in states), is_part=True)
    levels = tuple(_checked("CALIB", text, _LEVELS) for text in _values(parameters, "CALIB"))
    if levels:
        yield Chosen("calib_level", tuple(map(int, levels)))
    kinds = tuple(_checked("DPTYPE", text.lower(), _KINDS) for text in _values(parameters, "DPTYPE"))
    yield Words("dataproduct_type", kinds or _KINDS)


def _values(parameters: dali.Parameters, name: str) -> tuple[str, ...]:
    values = tuple(value.strip() for value in parameters.values(name) if value.strip())
    if len(values) > _MOST_VALUES:
        raise BadParameterError(name, f"is given more than {_MOST_VALUES} times.")
    if any("\0" in value for value in values):
        raise BadParameterError(name, "must not hold the character NUL.")
    return values


def _checked(name: str, text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        raise BadParameterError(name, f'must be one of {", ".join(known)}, not "{text[:40]}".')
    return text
