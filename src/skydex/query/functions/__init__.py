"""The functions that a query may call, but for ADQL's own of geometry, which have a room of their own: `geometric`."""

from skydex.query.functions.aggregates import SET_FUNCTIONS
from skydex.query.functions.astrometry import ASTROMETRY
from skydex.query.functions.bits import BITS
from skydex.query.functions.function import Function
from skydex.query.functions.mathematics import MATHEMATICS
from skydex.query.functions.objects import OBJECTS
from skydex.query.functions.pixels import PIXELS
from skydex.query.functions.sexagesimal import SEXAGESIMAL
from skydex.query.functions.spans import SPANS
from skydex.query.functions.statistics import GATHERINGS, RANDOM
from skydex.query.functions.texts import CHOICES, TEXTS
from skydex.query.functions.time_domain import MAGNITUDES, VARIABILITY
from skydex.query.functions.times import TIMES
from skydex.query.functions.transforms import TRANSFORMS
from skydex.query.functions.units import UNITS
from skydex.query.functions.words import WORDS

__all__ = ["AGGREGATES", "GROUPS", "SCALARS", "USER_DEFINED", "Function"]

GROUPS: dict[str, tuple[Function, ...]] = {
    "Numbers": MATHEMATICS,
    "Bits": BITS,
    "Units": UNITS,
    "Texts": TEXTS,
    "Choices": CHOICES,
    "Rows of a group": SET_FUNCTIONS,
    "HEALPix": PIXELS,
    "Astrometry": ASTROMETRY,
    "Frames of reference": TRANSFORMS,
    "Objects by name": OBJECTS,
    "Dates": TIMES,
    "Searching in texts": WORDS,
    "Intervals": SPANS,
    "Sexagesimal angles": SEXAGESIMAL,
    "Random numbers": RANDOM,
    "Lists and histograms of a group": GATHERINGS,
    "Magnitudes and phases": MAGNITUDES,
    "Variability of a group": VARIABILITY,
}
"""Every function, as documentation orders them."""

AGGREGATES: dict[str, Function] = {
    function.name: function for group in (SET_FUNCTIONS, GATHERINGS, VARIABILITY) for function in group
}
"""Functions of the rows of a group, by name in capitals."""

SCALARS: dict[str, Function] = {
    function.name: function for group in GROUPS.values() for function in group if function.name not in AGGREGATES
}
"""Functions of the values of a row, by name in capitals."""

USER_DEFINED: tuple[Function, ...] = tuple(
    form for group in GROUPS.values() for function in group for form in function.forms if form.signature
)
"""Every form of the functions beyond ADQL's own."""
