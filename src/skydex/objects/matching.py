"""Which detections of different images are of the same object.

Pairs of sources closer than a linking length are friends, and whoever is linked by friends may belong together. From
there on evidence decides: sources with Gaussian position errors sigma, w = 1 / sigma² (radians), are of one object
rather than each of its own by a factor B with

    ln B = (n - 1) ln 2 + sum ln w - ln(sum w) - 1/2 sum w |x - mean|²

(Budavari & Szalay 2008, ApJ 679, 301, small angles), so that joining two groups of total weights W1 and W2, a distance
d apart, adds ln 2 + ln h - h d² / 2 with h = W1 W2 / (W1 + W2). Groups grow from single sources: two that are each
other's best partner join if that adds to ln B and no image has a source in both (an object is seen once in an image),
until no such two are left. That is done for all of the sky at once. Compare Budavari & Lubow 2012, ApJ 761, 188.

Sources are first put in an order of their own, so that the order in which they come has no influence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skydex.errors import BadParameterError
from skydex.objects.grouping import Floats, Rows, count_distinct, is_first_of_each
from skydex.objects.reading import errors_of
from skydex.sky import directions_deg, pixels_of, unit_vectors

__all__ = ["LINKING_LENGTH_ARCSEC", "POSITION_ERROR_MAS", "match_evidence", "match_groups"]

LINKING_LENGTH_ARCSEC = 0.3
"""Sources farther apart than this are no friends."""
POSITION_ERROR_MAS = 10.0
"""Position error of a source of which nothing else is said: one sigma in each coordinate."""
MATCHES_PER_PIXEL = 1_000_000
"""Identifiers set aside for each HEALPix pixel of order 12 (nside 4096, 0.86 arcmin)."""

_ID_ORDER = 12
_RAD_PER_MAS = math.radians(1.0 / 3_600_000.0)
_MOST_FRIENDS = 100
"""Friends of a source, on average, that are looked at together; where there are more, near ones are joined first."""
_MOST_HALVINGS = 12

Pairs = tuple[Rows, Rows]


def match_groups(
    ra_deg: ArrayLike,
    dec_deg: ArrayLike,
    images: ArrayLike,
    *,
    error_mas: ArrayLike = POSITION_ERROR_MAS,
    linking_length_arcsec: float = LINKING_LENGTH_ARCSEC,
) -> Rows:
    """The object of each source, as an identifier that depends on nothing but the sources.

    Parameters
    ----------
    ra_deg, dec_deg : (n,) array_like of float
        Positions of sources, ICRS, degrees.
    images : (n,) array_like of int or str
        The image of each source; sources of one image are different objects.
    error_mas : float or (n,) array_like of float
        Errors of the positions: one sigma in each coordinate, milliarcseconds.
    linking_length_arcsec : float
        Friends are no farther apart than this.

    Returns
    -------
    match_ids : (n,) int64 array
        The same number for sources of one object: the HEALPix pixel of order 12 (NESTED) that its mean position is in,
        times a million, plus a number that counts the pixel's objects by declination. Sources without a position have
        -1.

    Raises
    ------
    BadParameterError
        An error or the linking length is not positive.

    Notes
    -----
    Time and memory go with the number of pairs of friends: an object seen in 20 images has 190. Where sources have more
    than a hundred friends on average, groups are made with half the linking length, or less, and then joined further.

    Examples
    --------
    >>> match_groups([10.0, 10.000001, 10.0001], [5.0, 5.0, 5.0], ["a", "b", "a"]).tolist()
    [74346788000000, 74346788000000, 74346788000001]
    """
    ra, dec = np.broadcast_arrays(np.asarray(ra_deg, np.float64), np.asarray(dec_deg, np.float64))
    errors = errors_of(error_mas, len(ra))
    if not linking_length_arcsec > 0.0:
        raise BadParameterError("linking_length_arcsec", "must be positive.")
    has_place = np.isfinite(ra) & (np.abs(dec) <= 90.0)
    if not (errors[has_place] > 0.0).all():
        raise BadParameterError("error_mas", "every error must be positive.")
    _, image = np.unique(np.asarray(images), return_inverse=True)
    ids = np.full(len(ra), -1, dtype=np.int64)
    order = np.flatnonzero(has_place)
    order = order[np.lexsort((errors[order], image[order], ra[order], dec[order]))]
    if len(order):
        sources = _Sources(unit_vectors(ra[order], dec[order]).T, (errors[order] * _RAD_PER_MAS) ** -2.0, image[order])
        ids[order] = _identifiers(sources, _grouped(sources, math.radians(linking_length_arcsec / 3600.0)))
    return ids


def match_evidence(ra_deg: ArrayLike, dec_deg: ArrayLike, *, error_mas: ArrayLike = POSITION_ERROR_MAS) -> float:
    """How much likelier it is that sources are of one object than that each is of its own: ln B.

    Parameters
    ----------
    ra_deg, dec_deg : (n,) array_like of float
        Positions, ICRS, degrees.
    error_mas : float or (n,) array_like of float
        Their errors: one sigma in each coordinate, milliarcseconds.

    Examples
    --------
    >>> round(match_evidence([0.0, 0.1 / 3600.0], [0.0, 0.0], error_mas=100.0), 6)
    28.829002
    """
    vectors = unit_vectors(ra_deg, dec_deg).T
    weights = np.broadcast_to((np.asarray(error_mas, dtype=np.float64) * _RAD_PER_MAS) ** -2.0, len(vectors))
    total = weights.sum()
    mean = weights @ vectors / total
    scatter = (weights * ((vectors - mean) ** 2).sum(axis=1)).sum()
    return float((len(vectors) - 1) * math.log(2.0) + np.log(weights).sum() - math.log(total) - scatter / 2.0)


@dataclass(frozen=True)
class _Sources:
    """What is known of each source."""

    vectors: Floats
    """Unit vectors, (n, 3)."""
    weights: Floats
    """1 / sigma², radians."""
    images: Rows
    """Number of its image, from 0."""

    def means(self, groups: Rows, n_groups: int) -> tuple[Floats, Floats]:
        """Total weights (n_groups,) and mean vectors (n_groups, 3) of groups of sources; 0 for those of none."""
        weights = np.bincount(groups, self.weights, n_groups).astype(np.float64)
        sums = [np.bincount(groups, self.weights * part, n_groups) for part in self.vectors.T]
        return weights, np.stack(sums, axis=1) / np.where(weights > 0.0, weights, 1.0)[:, np.newaxis]


def _grouped(sources: _Sources, radius: float) -> Rows:
    """The group of each source, numbered from 0 without gaps."""
    from scipy.spatial import cKDTree  # takes longer to import than all of skydex

    groups = np.arange(len(sources.weights))
    tree = cKDTree(sources.vectors)
    halvings = 0
    most = len(groups) * (_MOST_FRIENDS + 1)
    while halvings < _MOST_HALVINGS and tree.count_neighbors(tree, _chord(radius, halvings)) > most:
        halvings += 1
    while halvings:
        groups = _joined(sources, groups, _friends(cKDTree(_means(sources, groups)), _chord(radius, halvings)))
        halvings -= 1
    return _joined(sources, groups, _friends(cKDTree(_means(sources, groups)), _chord(radius, 0)))


def _means(sources: _Sources, groups: Rows) -> Floats:
    return sources.means(groups, int(groups.max()) + 1)[1]


def _chord(radius: float, halvings: int) -> float:
    return 2.0 * math.sin(radius / 2.0 ** (halvings + 1))


def _friends(tree: Any, chord: float) -> Pairs:
    pairs = tree.query_pairs(chord, output_type="ndarray").astype(np.int64)
    return pairs[:, 0], pairs[:, 1]


def _joined(sources: _Sources, groups: Rows, friends: Pairs) -> Rows:
    """Larger groups, by joining those that are friends, numbered from 0 in the order of their first sources."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n_groups = int(groups.max()) + 1
    graph = coo_array((np.ones(len(friends[0]), dtype=np.int8), friends), shape=(n_groups, n_groups))
    _, chains = connected_components(graph, directed=False)
    is_whole = _stay_whole(sources, groups, chains.astype(np.int64))
    leaders = np.arange(n_groups)
    first = np.unique(chains, return_index=True)[1]
    leaders[is_whole[chains]] = first[chains][is_whole[chains]]
    in_doubt = ~is_whole[chains[friends[0]]]
    if in_doubt.any():
        leaders = _Joining(sources, leaders[groups], n_groups).of((friends[0][in_doubt], friends[1][in_doubt]))[leaders]
    _, firsts, joined = np.unique(leaders[groups], return_index=True, return_inverse=True)
    ranks = np.empty(len(firsts), dtype=np.int64)
    ranks[np.argsort(firsts)] = np.arange(len(firsts))
    return np.asarray(ranks[joined])


def _stay_whole(sources: _Sources, groups: Rows, chains: Rows) -> NDArray[np.bool_]:
    """Which chains of friends are one object beyond doubt: no image twice, and no way to split them adds to ln B.

    A split takes half the scatter at most from -ln B, and costs more than the logarithm of the smallest weight.
    """
    n_chains = int(chains.max()) + 1
    chain = chains[groups]
    is_once = count_distinct(sources.images, chain, n_chains) == np.bincount(chain, minlength=n_chains)
    _, means = sources.means(chain, n_chains)
    scatter = np.bincount(chain, sources.weights * ((sources.vectors - means[chain]) ** 2).sum(axis=1), n_chains)
    least = np.full(n_chains, np.inf)
    np.minimum.at(least, chains, np.bincount(groups, sources.weights))
    return np.asarray(is_once & (scatter / 2.0 <= np.log(least)))


class _Joining:
    """Groups that grow: each round, pairs of groups that are each other's best partner join."""

    def __init__(self, sources: _Sources, groups: Rows, n_groups: int) -> None:
        self.images, self.n_images = sources.images, int(sources.images.max()) + 1
        self.weights, self.means = sources.means(groups, n_groups)
        self.groups = groups

    def of(self, friends: Pairs) -> Rows:
        """The group that each group ends in, named by one of its members."""
        leaders = np.arange(len(self.weights))
        is_concerned = np.zeros(len(leaders), dtype=np.bool_)
        is_concerned[friends[0]] = is_concerned[friends[1]] = True
        is_member = is_concerned[self.groups]
        self.groups, self.images = self.groups[is_member], self.images[is_member]
        friends = _ordered(friends, len(leaders))
        while len(friends[0]):
            gain = self.gains(friends)
            hopeful = np.flatnonzero(gain > 0.0)
            clashes = self.clash((friends[0][hopeful], friends[1][hopeful]))
            possible = hopeful[~clashes]
            if not len(possible):
                break
            joining = _best_of_both((friends[0][possible], friends[1][possible]), gain[possible])
            step = self.join(joining)
            leaders = step[leaders]
            is_left = np.ones(len(gain), dtype=np.bool_)
            is_left[hopeful[clashes]] = False
            friends = _ordered((step[friends[0][is_left]], step[friends[1][is_left]]), len(leaders))
        return leaders

    def gains(self, friends: Pairs) -> Floats:
        """What each join adds to ln B."""
        one, other = friends
        harmonic = 1.0 / (1.0 / self.weights[one] + 1.0 / self.weights[other])
        distance2 = ((self.means[one] - self.means[other]) ** 2).sum(axis=1)
        return np.asarray(math.log(2.0) + np.log(harmonic) - harmonic * distance2 / 2.0)

    def clash(self, friends: Pairs) -> NDArray[np.bool_]:
        """Which pairs have sources in the same image."""
        keys = np.sort(self.groups * self.n_images + self.images)
        sizes = np.bincount(self.groups, minlength=len(self.weights))
        starts = np.cumsum(sizes) - sizes
        is_swapped = sizes[friends[0]] > sizes[friends[1]]
        small, large = np.where(is_swapped, friends[::-1], friends)
        pair = np.repeat(np.arange(len(small)), sizes[small])
        within = np.arange(len(pair)) - np.repeat(np.cumsum(sizes[small]) - sizes[small], sizes[small])
        wanted = large[pair] * self.n_images + keys[starts[small][pair] + within] % self.n_images
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.asarray(np.bincount(pair[keys[place] == wanted], minlength=len(small)) > 0)

    def join(self, pairs: Pairs) -> Rows:
        """Join the second group of each pair to the first; gives the new name of each group."""
        one, other = pairs
        total = self.weights[one] + self.weights[other]
        share = (self.weights[other] / total)[:, np.newaxis]
        self.means[one] += share * (self.means[other] - self.means[one])
        self.weights[one] = total
        step = np.arange(len(self.weights))
        step[other] = one
        self.groups = step[self.groups]
        return step


def _ordered(pairs: Pairs, n_groups: int) -> Pairs:
    """Each pair of different groups once, the lower first."""
    lower, upper = np.minimum(*pairs), np.maximum(*pairs)
    keys = np.sort(lower[lower < upper] * n_groups + upper[lower < upper])
    keys = keys[is_first_of_each(keys)] if len(keys) else keys
    return keys // n_groups, keys % n_groups


def _best_of_both(pairs: Pairs, gain: Floats) -> Pairs:
    """Pairs of which each is the other's best partner; of equally good ones, that of the lowest number."""
    ends, partners = np.concatenate(pairs), np.concatenate(pairs[::-1])
    order = np.argsort(ends, kind="stable")
    ends, partners, gains = ends[order], partners[order], np.concatenate([gain, gain])[order]
    starts = np.flatnonzero(is_first_of_each(ends))
    counts = np.diff(starts, append=len(ends))
    is_best = gains == np.repeat(np.maximum.reduceat(gains, starts), counts)
    best = np.minimum.reduceat(np.where(is_best, partners, np.iinfo(np.int64).max), starts)
    ends = ends[starts]
    is_mutual = (best[np.searchsorted(ends, best)] == ends) & (ends < best)
    return ends[is_mutual], best[is_mutual]


def _identifiers(sources: _Sources, groups: Rows) -> Rows:
    ra, dec = directions_deg(_means(sources, groups).T)
    pixels = pixels_of(ra, dec, _ID_ORDER)
    order = np.lexsort((ra, dec, pixels))
    first = np.flatnonzero(is_first_of_each(pixels[order]))
    numbers = np.empty(len(order), dtype=np.int64)
    numbers[order] = np.arange(len(order)) - np.repeat(first, np.diff(first, append=len(order)))
    if (numbers >= MATCHES_PER_PIXEL).any():
        raise BadParameterError("linking_length_arcsec", "leaves over a million objects in one square arcminute.")
    return np.asarray((pixels * MATCHES_PER_PIXEL + numbers)[groups])
