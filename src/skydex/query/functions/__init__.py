"""The functions that a query may call, but for those of geometry: shapes have a room of their own, `geometric`."""

from skydex.query.functions.aggregates import SET_FUNCTIONS
from skydex.query.functions.catalogued import CATALOGUED
from skydex.query.functions.function import Function
from skydex.query.functions.mathematics import MATHEMATICS
from skydex.query.functions.texts import CHOICES, TEXTS

__all__ = ["AGGREGATES", "SCALARS", "USER_DEFINED", "Function"]

SCALARS: dict[str, Function] = {
    function.name: function for group in (MATHEMATICS, TEXTS, CHOICES, CATALOGUED) for function in group
}
"""Functions of the values of a row, by name in capitals."""

AGGREGATES: dict[str, Function] = {function.name: function for function in SET_FUNCTIONS}
"""Functions of the rows of a group, by name in capitals."""

USER_DEFINED: tuple[Function, ...] = tuple(
    form for function in (*SCALARS.values(), *AGGREGATES.values()) for form in function.forms if form.signature
)
"""Every form of the functions beyond ADQL's own."""
