"""`Card`: what the header of a simulated image says, card by card; `made_of` makes the header of them.

Thousands of images are registered by their cards alone: astropy takes a millisecond to make a header.
"""

from __future__ import annotations

from astropy.io import fits

__all__ = ["Card", "made_of"]

Card = tuple[str, str | int | float | bool, str]
"""Keyword, value and comment."""
_LONGEST = 8
"""Characters of a keyword; longer ones are written as HIERARCH cards."""


def made_of(cards: tuple[Card, ...]) -> fits.Header:
    """The header that consists of some cards."""
    return fits.Header([(_written(keyword), value, comment or None) for keyword, value, comment in cards])


def _written(keyword: str) -> str:
    return f"HIERARCH {keyword}" if len(keyword) > _LONGEST else keyword
