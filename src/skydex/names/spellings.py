"""Spellings: what the ways of writing one name have in common."""

from __future__ import annotations

import re
import unicodedata

from skydex.names.constellations import ABBREVIATIONS

__all__ = ["key_of"]

_LETTERS = "αβγδεζηθικλμνξοπρστυφχψω"
_ABBREVIATIONS = "alf bet gam del eps zet eta tet iot kap lam mu nu ksi omi pi rho sig tau ups phi chi psi ome"
_GREEK = dict(zip(_LETTERS, _ABBREVIATIONS.split(), strict=True))
_WORDS = {
    **{"alpha": "alf", "beta": "bet", "gamma": "gam", "delta": "del", "epsilon": "eps", "zeta": "zet"},
    **{"theta": "tet", "iota": "iot", "kappa": "kap", "lambda": "lam", "xi": "ksi", "omicron": "omi"},
    **{"sigma": "sig", "upsilon": "ups", "omega": "ome"},
    **{"messier": "m", "caldwell": "c", "melotte": "mel", "gliese": "gj", "gl": "gj"},
}
"""Long forms at the beginning of a name; catalogues and questions are shortened alike."""


def key_of(name: str) -> str:
    """A name without case, accents, blanks, apostrophes, leading zeros and an article, constellations in three letters.

    Examples
    --------
    >>> key_of("NGC 0224"), key_of("ngc224"), key_of("Alpha  Centauri"), key_of("the Witch Head Nebula")
    ('ngc224', 'ngc224', 'alfcen', 'witchheadnebula')
    """
    plain = name.lower() if name.isascii() else _in_latin(name)
    words = _DIGITS.sub(" ", plain).split()
    if len(words) > 1 and words[0] == "the":
        words = words[1:]
    if words:
        words[0] = _WORDS.get(words[0], words[0])
        words = _with_constellation(words)
    return _ZEROS.sub("", "".join(words).translate(_MARKS))


def _with_constellation(words: list[str]) -> list[str]:
    """With three letters for a constellation that ends a name."""
    for n_words in (2, 1):
        short = ABBREVIATIONS.get(" ".join(words[-n_words:])) if len(words) > n_words else None
        if short:
            return [*words[:-n_words], short]
    return words


def _in_latin(name: str) -> str:
    """Small letters without accents, the Greek ones as catalogues abbreviate them."""
    folded = unicodedata.normalize("NFKD", name.casefold())
    return "".join(_GREEK.get(letter, letter) for letter in folded if not unicodedata.combining(letter))


_DIGITS = re.compile(r"(?<=[a-z])(?=\d)")
"""Between letters and digits."""
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_MARKS = str.maketrans("", "", "'’`_.")
