"""Searching in texts: Catalogue of ADQL User Defined Functions 1.2 (IVOA Endorsed Note), section 2.4.

What `ivo_hasword` takes for a word the note leaves open: here it is a run of letters and digits, compared without
regard to case and accents; words must be whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import types
from skydex.query.functions.function import Function, Nodes
from skydex.query.functions.meanings import is_integer
from skydex.query.kernels import Kernel, computed
from skydex.query.tree import call, integer, one_or_zero, string
from skydex.query.values import Value
from skydex.tables import Column

__all__ = ["WORDS"]


def _matches_anyhow(nodes: Nodes) -> exp.Expression:
    return one_or_zero(exp.ILike(this=exp.Paren(this=nodes[0].copy()), expression=nodes[1].copy()))


def _is_listed(nodes: Nodes) -> exp.Expression:
    """Both sides between hashes, so that only whole items are found; an item with a hash in it is in no list."""
    listed, item = (call(exp.Lower, node.copy()) for node in nodes)
    found = exp.GT(this=exp.StrPosition(this=_hashed(listed), substr=_hashed(item)), expression=integer(0))
    single = exp.EQ(this=exp.StrPosition(this=item.copy(), substr=string("#")), expression=integer(0))
    return one_or_zero(exp.And(this=found, expression=single))


def _hashed(node: exp.Expression) -> exp.Expression:
    return exp.DPipe(this=exp.DPipe(this=string("#"), expression=node), expression=string("#"))


def _has_words(haystack: pa.Array, needle: pa.Array) -> pa.Array:
    """Whether all words of the second text are in the first: each row's wanted words, looked up among its own."""
    own, wanted = _words(haystack), _words(needle)
    codes = pa.chunked_array([own.flatten(), wanted.flatten()]).combine_chunks().dictionary_encode().indices
    keys = codes.to_numpy().astype(np.int64)
    rows = np.concatenate([_rows(own), _rows(wanted)])
    pairs = rows * (keys.max(initial=0) + 1) + keys
    n_own = len(own.flatten())
    is_missing = ~np.isin(pairs[n_own:], pairs[:n_own])
    n_missing = np.bincount(_rows(wanted)[is_missing], minlength=len(own))
    n_wanted = wanted.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    is_unknown = pc.or_(haystack.is_null(), needle.is_null()).to_numpy(zero_copy_only=False)
    return pa.array((n_missing == 0) & (n_wanted > 0), mask=is_unknown).cast(pa.int64())


def _words(texts: pa.Array) -> pa.Array:
    plain = pc.replace_substring_regex(pc.utf8_normalize(texts, "NFKD"), r"\p{M}+", "")
    spaced = pc.replace_substring_regex(pc.utf8_lower(plain), r"[^\p{L}\p{N}]+", " ")
    return pc.utf8_split_whitespace(pc.utf8_trim_whitespace(spaced))


def _rows(lists: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    lengths = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    return np.repeat(np.arange(len(lists)), lengths)


_HAS_WORDS = Kernel("hasword", (pa.string(), pa.string()), pa.int64(), _has_words)


def _matches_pattern(nodes: Nodes) -> exp.Expression:
    try:
        pc.match_substring_regex(pa.array([""]), nodes[0].name)
    except pa.ArrowInvalid as error:
        raise BadQueryError(f"The pattern '{nodes[0].name}' is no regular expression.") from error
    return one_or_zero(exp.RegexpLike(this=exp.Paren(this=nodes[1].copy()), expression=nodes[0].copy()))


def _authority(nodes: Nodes) -> exp.Expression:
    pattern = string("^[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")
    found = exp.RegexpExtract(this=nodes[0].copy(), expression=pattern, group=integer(1))
    return exp.Nullif(this=found, expression=string(""))


def _like_text(arguments: Sequence[Value]) -> Column:
    return types.text(arguments[0].column.max_length, datatype=arguments[0].column.datatype)


WORDS = (
    Function(
        "IVO_NOCASEMATCH",
        "ss",
        2,
        _matches_anyhow,
        is_integer,
        "ivo_nocasematch(value, pattern)",
        "1 if a text matches a pattern of LIKE without regard to case, else 0.",
        "ivo_nocasematch(value VARCHAR, pattern VARCHAR) -> INTEGER",
    ),
    Function(
        "IVO_HASWORD",
        "ss",
        2,
        lambda n: computed(_HAS_WORDS, *n),
        is_integer,
        "ivo_hasword(haystack, needle)",
        "1 if all words of needle are words of haystack, without regard to case and accents, else 0.",
        "ivo_hasword(haystack VARCHAR, needle VARCHAR) -> INTEGER",
    ),
    Function(
        "IVO_HASHLIST_HAS",
        "ss",
        2,
        _is_listed,
        is_integer,
        "ivo_hashlist_has(hashlist, item)",
        "1 if an item is in a list of items separated by #, without regard to case, else 0.",
        "ivo_hashlist_has(hashlist VARCHAR, item VARCHAR) -> INTEGER",
    ),
    Function(
        "GAVO_MATCH",
        "Ss",
        2,
        _matches_pattern,
        is_integer,
        "gavo_match('pattern', text)",
        "1 if a regular expression matches anything in a text, else 0.",
        "gavo_match(pattern VARCHAR, string VARCHAR) -> INTEGER",
    ),
    Function(
        "GAVO_GETAUTHORITY",
        "s",
        1,
        _authority,
        _like_text,
        "gavo_getauthority(ivoid)",
        "The authority of a URI: org.gavo.dc of ivo://org.gavo.dc/foo/bar#baz; null for what is no full URI.",
        "gavo_getauthority(ivoid VARCHAR) -> VARCHAR",
    ),
)
