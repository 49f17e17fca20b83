"""Rows of master sources: what all observations of a source tell together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from skydex.demo.csc21.detections import Pairs, flag_columns, pairs_of
from skydex.demo.csc21.fields import Sky, offset
from skydex.demo.csc21.measures import (
    Columns,
    Photometry,
    by_band,
    extent_columns,
    first_of_groups,
    flux_columns,
    hardness_columns,
    inter_columns,
    intra_odds,
    intra_scores,
    model_columns,
    photometry,
    shortened,
    spectral_columns,
    summed,
)
from skydex.demo.csc21.posteriors import Interval
from skydex.demo.csc21.sources import Block, Looks
from skydex.demo.publications import read_printed
from skydex.sky import rotated

__all__ = ["association_rows", "master_rows"]

Floats = NDArray[np.float64]

_HIDDEN, _UPPER_LIMIT = 0.08, 0.15
"""Shares of sources without photometry, and with no more than an upper limit."""
_SIGMAS_OF_95 = 2.4477
"""Semi-axis of an ellipse that holds 95 % of a normal distribution in the plane, in standard deviations."""
_CERTAIN = 14.0
"""Log likelihood from which a detection is called TRUE."""
_BY_HAND = ("add", "inc", "reg", "match", "pos", "astrom")


def master_rows(rng: np.random.Generator, sky: Sky, block: Block, looks: Looks) -> Mapping[str, Any]:
    """Rows of `master_source`; printed values where there are some."""
    pairs = pairs_of(sky, block, looks)
    firsts = first_of_groups(looks.source)
    counts, background, exposure = (summed(a, firsts) for a in (looks.counts, looks.background, looks.exposure))
    told = photometry(counts, background, exposure, block.erg_per_photon)
    shown = _as_published(rng, block, told)
    significance = np.maximum(np.nanmax(told.significance, axis=1), 2.0 + rng.exponential(0.5, len(block)))
    likelihood = 3.0 + significance**2
    degree, probability, ks, kp = intra_scores(
        rng, np.fmax.reduceat(intra_odds(rng, looks, block.varies_within), firsts, axis=0)
    )
    between = inter_columns(rng, looks, firsts)
    times = _times(sky, looks, firsts)
    rate = told.net[0] / (times["acis_time"] + times["hrc_time"])[:, None]
    changes = np.fmax(np.nanmax(degree, axis=1), _largest(between, "var_inter_index"))
    rows: dict[str, Any] = {
        "name": block.names,
        **_position(rng, block, looks, firsts, told),
        **flag_columns(rng, len(block), rate),
        **_flags(rng, block),
        "pileup_flag": (np.nan_to_num(rate).max(axis=1) > 0.2).astype(float),
        "var_flag": (changes >= 6).astype(float),
        "significance": significance,
        "likelihood": likelihood,
        "likelihood_class": pa.array(["MARGINAL", "TRUE"]).take(pa.array((likelihood >= _CERTAIN).astype(np.int64))),
        **times,
        **flux_columns("flux_aper", shown.flux),
        **flux_columns("photflux_aper", shown.photon_flux),
        **flux_columns("flux_aper_avg", _averaged(pairs, shown)),
        **model_columns(rng, shown.flux, ("powlaw", "bb", "brems", "apec")),
        **hardness_columns(shown, ("hm", "hs", "ms")),
        **by_band("var_intra_index", degree),
        **by_band("var_intra_prob", probability),
        **by_band("ks_intra_prob", ks),
        **by_band("kp_intra_prob", kp),
        **between,
        **extent_columns(rng, told.net[0], block.is_extended),
        **spectral_columns(rng, block, told.net[0]),
    }
    rows = shortened(rows)
    return _with_printed(rows, block) if (block.printed >= 0).any() else rows


def association_rows(rng: np.random.Generator, sky: Sky, block: Block, looks: Looks) -> Mapping[str, Any]:
    """Rows of `master_stack_assoc`: also for stacks that do not show the source, and then without a detection."""
    pairs = pairs_of(sky, block, looks)
    is_ambiguous = rng.random(len(pairs)) < 0.04
    kind = np.where(pairs.is_detected, np.where(is_ambiguous, 1, 0), 2)
    return {
        "name": pc.take(block.names, pa.array(pairs.source)),
        "detect_stack_id": sky.stacks.ids.take(pa.array(pairs.stack)),
        "region_id": np.where(pairs.is_detected, block.place[pairs.source] + 1.0, np.nan),
        "match_type": pa.array(["u", "a", "n"]).take(pa.array(kind)),
    }


def _as_published(rng: np.random.Generator, block: Block, told: Photometry) -> Photometry:
    """Photometry as the catalogue has it: of some sources none, of some no more than upper limits."""
    draw = rng.random((len(block), 1))
    is_limit = (draw >= _HIDDEN) & (draw < _HIDDEN + _UPPER_LIMIT)
    counts = np.where(is_limit, np.minimum(told.counts, np.floor(told.background)), told.counts)
    return photometry(counts, told.background, np.where(draw < _HIDDEN, 0.0, told.exposure), block.erg_per_photon)


def _averaged(pairs: Pairs, shown: Photometry) -> Interval:
    """The mean of the fluxes in all stacks, where there is photometry."""
    value, low, high = pairs.measured.flux
    firsts = first_of_groups(pairs.source)
    n_stacks = np.maximum(summed((~np.isnan(value)).astype(float), firsts), 1.0)
    mean = summed(np.nan_to_num(value), firsts) / n_stacks
    width = np.sqrt(summed(np.nan_to_num(high - low) ** 2, firsts)) / n_stacks / 2.0
    is_limit, is_hidden = shown.flux[0] == 0, np.isnan(shown.flux[0])
    mean = np.where(is_limit, 0.0, mean)
    low, high = np.maximum(mean - width, 0.0), np.where(is_limit, shown.flux[2], mean + width)
    blind = np.where(is_hidden, np.nan, 1.0)
    return mean * blind, low * blind, high * blind


def _position(
    rng: np.random.Generator, block: Block, looks: Looks, firsts: NDArray[np.int64], told: Photometry
) -> Columns:
    """Where the source was found, and the ellipse that holds the truth in 95 of 100 cases."""
    theta = np.minimum.reduceat(looks.theta, firsts)
    photons = np.maximum(np.nanmax(told.net[0], axis=1), 1.0)
    major = 0.3 + (theta / 5.0) ** 2 / np.sqrt(photons)
    scatter = major / _SIGMAS_OF_95 / 3600.0 * np.hypot(*rng.normal(0.0, 1.0, (2, len(block))))
    ra, dec = offset(block.ra, block.dec, scatter, rng.uniform(0.0, 2 * np.pi, len(block)))
    longitude, latitude = rotated(ra, dec, origin="ICRS", target="GALACTIC")
    return {
        "ra": ra,
        "dec": dec,
        "gal_l": longitude,
        "gal_b": latitude,
        "err_ellipse_r0": major,
        "err_ellipse_r1": major * rng.uniform(0.7, 1.0, len(block)),
        "err_ellipse_ang": rng.uniform(0.0, 180.0, len(block)),
    }


def _times(sky: Sky, looks: Looks, firsts: NDArray[np.int64]) -> Columns:
    is_hrc = sky.observations.is_hrc[looks.observation]
    time = sky.observations.exposure[looks.observation]
    columns = {}
    for name, is_of in (("acis", ~is_hrc), ("hrc", is_hrc)):
        columns[f"{name}_time"] = summed(np.where(is_of, time, 0.0), firsts)
        columns[f"{name}_num"] = summed(is_of.astype(float), firsts)
    return columns


def _flags(rng: np.random.Generator, block: Block) -> Columns:
    shares = {"conf_flag": 0.04, "dither_warning_flag": 0.005} | {f"man_{what}_flag": 0.004 for what in _BY_HAND}
    flags = {name: (rng.random(len(block)) < share).astype(float) for name, share in shares.items()}
    return {**flags, "extent_flag": (block.is_extended | (rng.random(len(block)) < 0.03)).astype(float)}


def _largest(columns: Columns, stem: str) -> Floats:
    found = np.stack([values for name, values in columns.items() if name.startswith(stem)])
    result: Floats = np.nan_to_num(found).max(axis=0)
    return result


def _with_printed(rows: Mapping[str, Any], block: Block) -> Mapping[str, Any]:
    """Printed sources have the values that were printed, and else only what follows from their position."""
    here = np.flatnonzero(block.printed >= 0)
    printed = read_printed("csc21_ngc1333").take(pa.array(block.printed[here]))
    longitude, latitude = rotated(printed["ra"].to_numpy(), printed["dec"].to_numpy(), origin="ICRS", target="GALACTIC")
    derived = {"gal_l": longitude, "gal_b": latitude}
    is_printed = pa.array(block.printed >= 0)
    changed: dict[str, Any] = {}
    for name, values in rows.items():
        if isinstance(values, np.ndarray):
            changed[name] = values.copy()
            known = (
                printed[name].cast(pa.float64()).to_numpy()
                if name in printed.column_names
                else derived.get(name, np.nan)
            )
            changed[name][here] = known
        elif name in printed.column_names:
            changed[name] = values
        else:
            changed[name] = pc.if_else(is_printed, pa.scalar(None, values.type), values)
    return changed
