"""Which columns of a table are its positions, where nobody says so: by their UCDs, or else by their names.

For tables whose rows are not looked at first: those that come along with a query, and those that users make. Only
degrees count, and only one pair without doubt. (Ingest, which may ask its user, reads more spellings.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from skydex.tables.column import Column
from skydex.tables.table import Position

__all__ = ["PLAIN_NAMES", "POSITION_NAMES", "likely_position"]

_DEGREES = ("", "deg", "degree", "degrees")
_UCDS = (
    ("pos.eq.ra;meta.main", "pos.eq.dec;meta.main"),
    ("pos.eq.ra", "pos.eq.dec"),
    ("pos_eq_ra_main", "pos_eq_dec_main"),
)
PLAIN_NAMES = (("ra", "dec"),)
"""The names that say by themselves what they are."""
POSITION_NAMES = (
    *PLAIN_NAMES,
    ("raj2000", "dej2000"),
    ("raj2000", "decj2000"),
    ("ra_icrs", "de_icrs"),
    ("radeg", "decdeg"),
    ("ra_deg", "dec_deg"),
    ("matchra", "matchdec"),
    ("ramean", "decmean"),
    ("ra_mean", "dec_mean"),
    ("rastack", "decstack"),
    ("objra", "objdec"),
    ("sourcera", "sourcedec"),
    ("alpha_j2000", "delta_j2000"),
)
"""The names of positions in the catalogues that users make tables of, the likeliest first."""


def likely_position(columns: Sequence[Column], names: Sequence[tuple[str, str]] = PLAIN_NAMES) -> Position | None:
    """The columns that hold positions, if there is no doubt about it.

    Parameters
    ----------
    columns : sequence of Column
        The table's.
    names : sequence of (str, str)
        Names in lower case that count as right ascension and declination, the likeliest first.
    """
    for ra_ucd, dec_ucd in _UCDS:
        pair = _pair(columns, lambda column: (column.ucd or "").lower(), ra_ucd, dec_ucd)
        if pair is not None:
            return pair
    pairs = (_pair(columns, lambda column: column.name.lower(), ra, dec) for ra, dec in names)
    return next((pair for pair in pairs if pair is not None), None)


def _pair(columns: Sequence[Column], word: Callable[[Column], str], ra_word: str, dec_word: str) -> Position | None:
    angles = [column for column in columns if column.datatype.is_floating and not column.is_array]
    degrees = [column for column in angles if (column.unit or "").lower() in _DEGREES]
    ra = [column.name for column in degrees if word(column) == ra_word]
    dec = [column.name for column in degrees if word(column) == dec_word]
    return Position(ra[0], dec[0]) if len(ra) == len(dec) == 1 else None
