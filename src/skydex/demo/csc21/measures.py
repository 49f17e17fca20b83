"""What a catalogue says of counted photons: fluxes, hardness, variability, extent and spectra, as columns by name.

Each function gives some columns of a table: arrays of float64 by name, NaN where there is no value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skydex.demo.csc21.posteriors import (
    Interval,
    flux_counts,
    hardness,
    inter_index,
    intra_index,
    normal_cdf,
)
from skydex.demo.csc21.sources import BANDS, Block, Looks

__all__ = [
    "Columns",
    "Photometry",
    "by_band",
    "extent_columns",
    "first_of_groups",
    "flux_columns",
    "hardness_columns",
    "inter_columns",
    "intra_odds",
    "intra_scores",
    "model_columns",
    "photometry",
    "shortened",
    "spectral_columns",
    "summed",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Columns = dict[str, Floats]
"""Values by column name; NaN is null."""

_EXACT = ("ra", "dec", "gal_l", "gal_b", "hard_")
"""How columns begin whose values need all their digits."""
_LIMITS = ("", "_lolim", "_hilim")
_HARDNESS = {"hm": ("h", "m"), "hs": ("h", "s"), "ms": ("m", "s")}
_FEWEST_FOR_EXTENT, _FEWEST_FOR_SPECTRUM = 12, 150
_MODELS = {"powlaw": (1.0, 0.02), "bb": (0.82, 0.06), "brems": (0.96, 0.03), "apec": (1.03, 0.05)}
"""Flux relative to that in the aperture, and its spread, if a spectrum is assumed."""


@dataclass(frozen=True)
class Photometry:
    """Photons of some sources in an aperture, by band: (n, 6) each, NaN where an instrument has no such band."""

    counts: Floats
    """Counts in the aperture."""
    background: Floats
    """How many of them are expected of the background."""
    exposure: Floats
    """cm2 s; 0 where there is no such band."""
    net: Interval
    """Counts of the source, most probable and 68 % limits."""
    flux: Interval
    """Energy flux, erg/s/cm2."""
    photon_flux: Interval
    """photons/s/cm2."""

    @property
    def significance(self) -> Floats:
        """The flux over its standard deviation."""
        value, low, high = self.net
        result: Floats = 2.0 * value / np.maximum(high - low, 1e-9)
        return result


def photometry(counts: Floats, background: Floats, exposure: Floats, erg_per_photon: Floats) -> Photometry:
    """Measure fluxes by band."""
    blind = np.where(exposure > 0, 1.0, np.nan)
    net = _blinded(flux_counts(counts.ravel(), background.ravel()), blind)
    with np.errstate(divide="ignore", invalid="ignore"):
        photons = _times(net, 1.0 / exposure)
    return Photometry(counts, background, exposure, net, _times(photons, erg_per_photon), photons)


def _blinded(interval: Interval, blind: Floats) -> Interval:
    value, low, high = (part.reshape(blind.shape) * blind for part in interval)
    return value, low, high


def _times(interval: Interval, factor: Floats) -> Interval:
    value, low, high = interval
    return value * factor, low * factor, high * factor


def first_of_groups(*keys: Integers) -> Integers:
    """Where runs of equal keys begin."""
    is_first = np.zeros(len(keys[0]), bool)
    is_first[:1] = True
    for key in keys:
        is_first[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(is_first)


def summed(values: Floats, firsts: Integers) -> Floats:
    """Sums over runs of rows."""
    return np.add.reduceat(values, firsts, axis=0) if len(firsts) else values[:0]


def by_band(stem: str, values: Floats, bands: str = BANDS) -> Columns:
    """One column for each band."""
    return {f"{stem}_{band}": values[:, BANDS.index(band)] for band in bands}


def flux_columns(stem: str, interval: Interval, bands: str = BANDS) -> Columns:
    """A value and two limits for each band."""
    return {
        name: array
        for limit, values in zip(_LIMITS, interval, strict=True)
        for name, array in by_band(f"{stem}{limit}", values, bands).items()
    }


def hardness_columns(photometry: Photometry, kinds: tuple[str, ...] = ("hm", "ms")) -> Columns:
    """Hardness ratios with limits, where there are photons in either band."""
    columns = {}
    for kind in kinds:
        hard, soft = (BANDS.index(band) for band in _HARDNESS[kind])
        net, exposure = photometry.net[0], photometry.exposure
        known = np.flatnonzero(net[:, hard] + net[:, soft] > 0)
        found = hardness(net[known, hard], net[known, soft], exposure[known, hard], exposure[known, soft])
        for limit, values in zip(_LIMITS, found, strict=True):
            columns[f"hard_{kind}{limit}"] = np.full(len(net), np.nan)
            columns[f"hard_{kind}{limit}"][known] = values
    return columns


def intra_odds(rng: np.random.Generator, looks: Looks, varies: NDArray[np.bool_]) -> Floats:
    """(n, 6): decimal logarithms of the odds that a source varied while it was looked at."""
    shared = rng.normal(-0.9, 0.45, (len(looks), 1)) + rng.normal(0.0, 0.15, (len(looks), len(BANDS)))
    strength = rng.gamma(2.0, 0.5, (len(looks), 1)) * np.sqrt(np.maximum(looks.counts - 4.0, 0.0))
    odds = np.where(varies[looks.source][:, None], shared + strength, shared)
    return np.where(looks.exposure > 0, odds, np.nan)


def intra_scores(rng: np.random.Generator, odds: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Degree, and the probabilities after Gregory and Loredo, Kolmogorov and Smirnov, and Kuiper."""
    outliers = np.where(rng.random(odds.shape) < 0.3, rng.random(odds.shape) * 0.02, 0.0)
    degree = intra_index(odds, 1.0 - outliers, np.where(outliers > 0.015, 0.99, 1.0)).astype(np.float64)
    probability = 1.0 / (1.0 + 10.0**-odds)
    ks, kp = (np.clip(probability + rng.normal(0.0, 0.08, odds.shape), 0.0, 1.0) for _ in range(2))
    return np.where(np.isnan(odds), np.nan, degree), probability, ks, kp


def inter_columns(rng: np.random.Generator, looks: Looks, firsts: Integers) -> Columns:
    """Variability between the looks at each source; none where there was one."""
    seen = looks.exposure > 0
    net = np.where(seen, looks.counts - looks.background, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.maximum(summed(net, firsts), 0.0) / summed(looks.exposure, firsts)
        rate = np.where(seen, net / looks.exposure, np.nan)
        apart = rate - mean[looks.source]
        spread = np.sqrt(mean[looks.source] * looks.exposure + looks.background + 0.75) / looks.exposure
        chi2 = summed(np.where(seen, apart / spread, 0.0) ** 2, firsts)
        freedom = summed(seen.astype(np.float64), firsts) - 1.0
        freedom[freedom < 1] = np.nan
        step = 2.0 / (9.0 * freedom)
        probability = normal_cdf((np.cbrt(chi2 / freedom) - (1.0 - step)) / np.sqrt(step))
        sigma = np.sqrt(summed(np.where(seen, apart, 0.0) ** 2, firsts) / freedom)
    degree = np.where(np.isnan(probability), np.nan, inter_index(np.nan_to_num(probability)).astype(np.float64))
    columns = {
        **by_band("var_inter_index", degree),
        **by_band("var_inter_prob", probability),
        **by_band("var_inter_sigma", sigma),
    }
    several = np.where(np.isnan(freedom[:, 0]), np.nan, 1.0)
    for kind in _HARDNESS:
        columns[f"var_inter_hard_prob_{kind}"] = several * rng.beta(1.5, 2.0, len(several))
        columns[f"var_inter_hard_sigma_{kind}"] = several * np.abs(rng.normal(0.0, 0.12, len(several)))
    columns["var_inter_hard_flag"] = np.where(columns["var_inter_hard_prob_hm"] > 0.97, 1.0, 0.0)
    return columns


def extent_columns(
    rng: np.random.Generator,
    net: Floats,
    is_extended: NDArray[np.bool_],
    bands: str = BANDS,
    *,
    has_limits: bool = True,
) -> Columns:
    """Axes and position angle of the source itself, where there are photons enough."""
    columns: Columns = {}
    size = np.where(is_extended, rng.gamma(4.0, 2.5, len(net)), np.abs(rng.normal(0.0, 0.25, len(net))))
    ratio, angle = rng.uniform(0.5, 1.0, len(net)), rng.uniform(0.0, 180.0, len(net))
    for band in bands:
        photons = net[:, BANDS.index(band)]
        known = np.where(photons > _FEWEST_FOR_EXTENT, 1.0, np.nan)
        error = known / np.sqrt(np.maximum(photons, 1.0))
        major = size * known * np.exp(rng.normal(0.0, 0.1, len(net)))
        for name, value, scale in (
            ("major_axis", major, 1.0),
            ("minor_axis", major * ratio, 1.0),
            ("pos_angle", angle * known, 30.0),
        ):
            columns[f"{name}_{band}"] = value
            if has_limits:
                columns[f"{name}_lolim_{band}"] = np.maximum(value - scale * error, 0.0)
                columns[f"{name}_hilim_{band}"] = value + scale * error
    return columns


def model_columns(rng: np.random.Generator, flux: Interval, models: tuple[str, ...]) -> Columns:
    """Fluxes under the assumption of a spectrum, in the bands b and w."""
    columns: Columns = {}
    for model in models:
        middle, spread = _MODELS[model]
        factor = middle * np.exp(rng.normal(0.0, spread, (len(flux[0]), 1)))
        columns |= flux_columns(f"flux_{model}_aper", _times(flux, factor), "bw")
    return columns


def spectral_columns(rng: np.random.Generator, block: Block, net: Floats) -> Columns:
    """Parameters of fits of four spectra to sources with many photons, with limits."""
    known = np.where(net[:, 0] > _FEWEST_FOR_SPECTRUM, 1.0, np.nan)
    error = known / np.sqrt(np.maximum(net[:, 0], 1.0))
    temperature = 6.0 * np.exp(-1.2 * (block.gamma - 1.5))
    truths = {
        "powlaw": {"gamma": (block.gamma, 1.6), "nh": (block.nh, 40.0), "ampl": (block.flux * 2e8, 0.0)},
        "bb": {"kt": (0.2 * temperature, 0.6), "nh": (0.3 * block.nh, 30.0), "ampl": (block.flux * 5e7, 0.0)},
        "brems": {"kt": (temperature, 12.0), "nh": (0.7 * block.nh, 40.0), "ampl": (block.flux * 3e8, 0.0)},
        "apec": {"kt": (0.8 * temperature, 8.0), "nh": (0.8 * block.nh, 40.0), "ampl": (block.flux * 1e9, 0.0)},
    }
    columns: Columns = {}
    for model, parameters in truths.items():
        for name, (truth, scale) in parameters.items():
            width = (scale or 2.0 * truth) * error
            value = np.maximum(truth + width * rng.normal(0.0, 1.0, len(net)), 0.0)
            columns[f"{model}_{name}"] = value * known
            columns[f"{model}_{name}_lolim"] = np.maximum(value - width, 0.0)
            columns[f"{model}_{name}_hilim"] = value + width
        columns[f"{model}_stat"] = known * rng.gamma(20.0, 0.05, len(net)) * (1.0 if model == "powlaw" else 1.3)
    return columns


def shortened(rows: Mapping[str, Any]) -> dict[str, Any]:
    """Simulated values with the digits of single precision, which take half the disk, but for positions and ratios."""
    return {
        name: values.astype(np.float32).astype(np.float64) if _is_short(name, values) else values
        for name, values in rows.items()
    }


def _is_short(name: str, values: Any) -> bool:
    return isinstance(values, np.ndarray) and values.dtype == np.float64 and not name.startswith(_EXACT)
