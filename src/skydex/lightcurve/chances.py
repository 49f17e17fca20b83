"""How likely noise alone makes a peak of a periodogram.

The estimate of Baluev 2008, MNRAS 385, 1279, for the highest peak among all frequencies up to a highest one; of several
harmonics as Baluev 2009, MNRAS 395, 1541. It is an upper bound, close to the truth where it is small, for noise that
knows nothing of its neighbours (white noise): slow trends and systematic errors make higher peaks.
"""

from __future__ import annotations

from math import comb, exp, factorial, lgamma, log, log1p, prod, sqrt

__all__ = ["false_alarm"]


def false_alarm(power: float, *, n_points: int, n_bands: int, n_terms: int, n_independent: float) -> float:
    """Probability that noise alone has a peak so high.

    Parameters
    ----------
    power : float
        In the standard normalisation, 0 to 1.
    n_points, n_bands, n_terms : int
        Points, constants that were fitted to them, and sinusoids.
    n_independent : float
        Highest frequency times the effective length of the series (`Series.width_d`).

    Returns
    -------
    probability : float
        From 0 to 1.
    """
    n_free = n_points - n_bands
    n_left = n_free - 2 * n_terms
    if n_left <= 0 or power <= 0.0:
        return 1.0
    if power >= 1.0:
        return 0.0
    single = _single(power, 0.5 * n_left, n_terms)
    gamma = sqrt(2.0 / n_free) * exp(lgamma(0.5 * n_free) - lgamma(0.5 * (n_free - 1)))
    height = exp(0.5 * (n_left - 1) * log1p(-power) + (n_terms - 0.5) * log(0.5 * n_free * power))
    expected = _factor(n_terms) * gamma * n_independent * height
    return 1.0 - (1.0 - single) * exp(-expected) if expected > 1e-12 else single + expected


def _single(power: float, half: float, n_terms: int) -> float:
    """Probability of such a power at one frequency: that of the beta distribution, for whole numbers of sinusoids."""
    terms = (exp(lgamma(half + k) - lgamma(half)) / factorial(k) * power**k for k in range(n_terms))
    return exp(half * log1p(-power)) * sum(terms)


def _factor(n_terms: int) -> float:
    """By how much a peak of several harmonics is narrower than that of one (Baluev 2009): 1, 1.56, ..."""
    odd = float(prod(range(1, 2 * n_terms, 2)))
    terms = (
        (-1) ** (n_terms - k) * k ** (2 * n_terms + 1) * comb(2 * n_terms, n_terms - k) for k in range(1, n_terms + 1)
    )
    return float(2.0**n_terms / odd * sum(terms) / factorial(2 * n_terms))
