"""Rows of detections: what one stack, or one observation, tells of a source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skydex.demo.csc21.fields import Sky
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
    summed,
)
from skydex.demo.csc21.sources import BANDS, Block, Looks
from skydex.demo.times import timestamps

__all__ = ["Pairs", "flag_columns", "observation_rows", "pairs_of", "stack_observation_rows", "stack_rows"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_DETECTED = 1.6
"""Significance in some band that makes a detection; the first stack of a field detects all its sources."""
_SECONDS_A_DAY = 86_400.0


@dataclass(frozen=True)
class Pairs:
    """Each source in each stack of its field, ascending by source."""

    firsts: Integers
    """First look of each pair."""
    source: Integers
    """Row of the block."""
    stack: Integers
    """Number of the stack."""
    measured: Photometry
    """What all its observations tell together."""
    is_detected: NDArray[np.bool_]
    """Whether the stack shows the source."""

    def __len__(self) -> int:
        return len(self.source)


def pairs_of(sky: Sky, block: Block, looks: Looks) -> Pairs:
    """Take the observations of each stack together."""
    stack = sky.observations.stack[looks.observation]
    firsts = first_of_groups(looks.source, stack)
    source, stack = looks.source[firsts], stack[firsts]
    counts, background, exposure = (summed(a, firsts) for a in (looks.counts, looks.background, looks.exposure))
    measured = photometry(counts, background, exposure, block.erg_per_photon[source])
    is_first = np.zeros(len(source), bool)
    is_first[first_of_groups(source)] = True
    is_detected = is_first | (np.nanmax(measured.significance, axis=1) > _DETECTED)
    return Pairs(firsts, source, stack, measured, is_detected)


def stack_rows(rng: np.random.Generator, sky: Sky, block: Block, looks: Looks) -> Mapping[str, Any]:
    """Rows of `stack_source`."""
    pairs = pairs_of(sky, block, looks)
    odds = intra_odds(rng, looks, block.varies_within)
    strongest = np.fmax.reduceat(odds, pairs.firsts, axis=0)
    degree, *_ = intra_scores(rng, strongest)
    n_looks = np.diff(np.append(pairs.firsts, len(looks)))
    between = inter_columns(rng, _as_pairs(looks, n_looks), pairs.firsts)
    theta = summed(looks.theta, pairs.firsts) / n_looks
    net, exposure = pairs.measured.net[0], sky.stacks.exposure[pairs.stack]
    rows: dict[str, Any] = {
        "detect_stack_id": sky.stacks.ids.take(pa.array(pairs.stack)),
        "region_id": block.place[pairs.source] + 1,
        "ra": block.ra[pairs.source],
        "dec": block.dec[pairs.source],
        "theta_mean": theta,
        **_codes(rng, block, pairs.source, net, rate=net / exposure[:, None]),
        "var_flag": np.nanmax(degree, axis=1) >= 6,
        "var_inter_hard_flag": between["var_inter_hard_flag"],
        **by_band("flux_significance", pairs.measured.significance),
        **by_band("likelihood", _likelihood(pairs.measured)),
        **extent_columns(rng, net, block.is_extended[pairs.source], "bw", has_limits=False),
        **by_band("src_cnts_aper", net),
        **by_band("src_rate_aper", net / exposure[:, None]),
        **flux_columns("flux_aper", pairs.measured.flux),
        **hardness_columns(pairs.measured),
        **by_band("var_intra_index", degree, "bw"),
        **{f"var_inter_index_{band}": between[f"var_inter_index_{band}"] for band in "bw"},
    }
    return _kept(rows, pairs.is_detected)


def observation_rows(rng: np.random.Generator, sky: Sky, block: Block, looks: Looks) -> Mapping[str, Any]:
    """Rows of `observation_source`."""
    seen, source, number = sky.observations, looks.source, looks.observation
    measured = photometry(looks.counts, looks.background, looks.exposure, block.erg_per_photon[source])
    degree, probability, ks, kp = intra_scores(rng, intra_odds(rng, looks, block.varies_within))
    time, net = seen.exposure[number], measured.net[0]
    rate = net / time[:, None]
    sigma = rate * np.where(np.nan_to_num(degree) >= 6, 0.5, 0.08)
    rows: dict[str, Any] = {
        "obsid": seen.obsid[number],
        "obi": np.zeros(len(looks)),
        "gti_obs": timestamps(seen.mjd[number]),
        "gti_end": timestamps(seen.mjd[number] + time / _SECONDS_A_DAY),
        "region_id": block.n_in_field[source] - block.place[source],
        "ra": block.ra[source],
        "dec": block.dec[source],
        "theta": looks.theta,
        "phi": looks.phi,
        **_codes(rng, block, source, net, rate=rate),
        "dither_warning_flag": rng.random(len(looks)) < 0.005,
        "var_code": _bits(degree >= 6),
        "livetime": time * 0.987,
        "detector": seen.detector.take(pa.array(number)),
        "instrument": seen.instrument.take(pa.array(number)),
        **by_band("flux_significance", measured.significance),
        **by_band("likelihood", _likelihood(measured)),
        **extent_columns(rng, net, block.is_extended[source], "bw", has_limits=False),
        **by_band("cnts_aper", np.where(looks.exposure > 0, looks.counts, np.nan)),
        **by_band("src_cnts_aper", net),
        **by_band("src_rate_aper", rate),
        **flux_columns("flux_aper", measured.flux),
        **hardness_columns(measured),
        **by_band("var_index", degree),
        **by_band("var_prob", probability),
        **by_band("ks_prob", ks, "bhmsu"),
        **by_band("kp_prob", kp, "w"),
        **by_band("var_mean", rate),
        **by_band("var_sigma", sigma),
        **by_band("var_min", np.maximum(rate - 2.0 * sigma, 0.0)),
        **by_band("var_max", rate + 2.0 * sigma),
        **model_columns(rng, measured.flux, ("powlaw", "bb", "brems")),
    }
    return _kept(rows, _is_shown(sky, block, looks))


def stack_observation_rows(rng: np.random.Generator, sky: Sky, block: Block, looks: Looks) -> Mapping[str, Any]:
    """Rows of `stack_observation_assoc`."""
    seen, number = sky.observations, looks.observation
    rows = {
        "detect_stack_id": sky.stacks.ids.take(pa.array(seen.stack[number])),
        "stack_region_id": block.place[looks.source] + 1,
        "obsid": seen.obsid[number],
        "obi": np.zeros(len(looks)),
        "region_id": block.n_in_field[looks.source] - block.place[looks.source],
    }
    return _kept(rows, _is_shown(sky, block, looks))


def flag_columns(rng: np.random.Generator, n_rows: int, rate: Floats) -> Columns:
    """Flags that have to do with the detector, for total count rates."""
    total = np.nan_to_num(rate).max(axis=1)
    return {
        "sat_src_flag": (total > 1.0).astype(np.float64),
        "streak_src_flag": (rng.random(n_rows) < 0.005).astype(np.float64),
    }


def _is_shown(sky: Sky, block: Block, looks: Looks) -> NDArray[np.bool_]:
    """Which looks belong to a detection."""
    pairs = pairs_of(sky, block, looks)
    return np.repeat(pairs.is_detected, np.diff(np.append(pairs.firsts, len(looks))))


def _as_pairs(looks: Looks, n_looks: Integers) -> Looks:
    """The same looks, each at a pair of source and stack."""
    pair = np.repeat(np.arange(len(n_looks)), n_looks)
    facts = (looks.observation, looks.theta, looks.phi, looks.exposure, looks.counts, looks.background, looks.factor)
    return Looks(pair, *facts)


def _codes(rng: np.random.Generator, block: Block, source: Integers, net: Floats, *, rate: Floats) -> Columns:
    is_extended = block.is_extended[source] | (rng.random(len(source)) < 0.03)
    seen = np.nan_to_num(net) > 12
    return {
        "conf_code": np.where(rng.random(len(source)) < 0.04, rng.integers(1, 4, len(source)), 0).astype(np.float64),
        "extent_code": np.where(is_extended, _bits(seen), 0.0),
        **flag_columns(rng, len(source), rate),
    }


def _bits(flags: NDArray[np.bool_]) -> Floats:
    """One bit for each band."""
    result: Floats = (flags * 2.0 ** np.arange(len(BANDS))).sum(axis=1)
    return result


def _likelihood(measured: Photometry) -> Floats:
    result: Floats = measured.significance**2 / 2.0 + 0.5 * measured.net[0]
    return result


def _kept(rows: Mapping[str, Any], is_kept: NDArray[np.bool_]) -> Mapping[str, Any]:
    mask = pa.array(is_kept)
    rows = shortened(rows)
    return {
        name: values[is_kept] if isinstance(values, np.ndarray) else values.filter(mask)
        for name, values in rows.items()
    }
