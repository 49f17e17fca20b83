"""A simulated field for the tests: stars of known noise, of which some vary in known ways.

Noise, systematics and bad points are those of the calibration on published rows of IC 1613 (skydex.demo knows the same
numbers, but tests of the search should not depend on it).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NOISE = {"ACS_F475W": (0.0235, 0.012, 0.006), "ACS_F814W": (0.011, 0.040, 0.017)}
"""a, b of the error at 25.2 mag; further scatter."""
N_EPOCHS = 12
SIDE_DEG = 0.095


@dataclass(frozen=True)
class Sky:
    table: dict
    kind: np.ndarray
    """0 constant, 1 RR Lyrae star, 2 Cepheid; by match_id."""


NAMES = {
    name: name
    for name in ("match_id", "filter", "mjd", "image", "ra_deg", "dec_deg", "mag", "mag_err", "mag_auto", "ci", "d_mas")
}


def simulated_sky(n_stars=4000, seed=3, share_variable=0.02, centre=(16.2, 2.1)):
    rng = np.random.default_rng(seed)
    kind = np.where(rng.random(n_stars) < share_variable, np.where(rng.random(n_stars) < 0.6, 1, 2), 0)
    mag475 = 20.0 + 7.0 * rng.random(n_stars) ** 0.6
    colour = rng.normal(1.2, 0.3, n_stars)
    mag475[kind == 1] = rng.normal(25.3, 0.1, (kind == 1).sum())
    mag475[kind == 2] = rng.uniform(21.5, 24.0, (kind == 2).sum())
    colour[kind > 0] = rng.uniform(0.2, 0.6, (kind > 0).sum())
    period = np.where(kind == 1, rng.normal(0.57, 0.05, n_stars), 10 ** rng.uniform(0.0, 0.6, n_stars))
    amplitude = np.where(kind == 1, 1.2 + rng.normal(0, 0.1, n_stars), rng.uniform(0.5, 1.2, n_stars)) * (kind > 0)
    t0 = rng.random(n_stars)
    ra = centre[0] + (rng.random(n_stars) - 0.5) * SIDE_DEG
    dec = centre[1] + (rng.random(n_stars) - 0.5) * SIDE_DEG
    parts = []
    for n_band, (band, mean) in enumerate({"ACS_F475W": mag475, "ACS_F814W": mag475 - colour}.items()):
        times = 53900.0 + np.sort(rng.random(N_EPOCHS) * 3.0) + 0.02 * n_band
        for epoch, time in enumerate(times):
            part = amplitude * (0.57 if n_band else 1.0)
            true = mean + part * (saw((time - 53900.0) / period + t0) - 0.5)
            parts.append(observed(rng, band, epoch, time, true, ra, dec, centre))
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Sky(columns, kind)


def saw(phase):
    """Rises in 15 % of the period, declines in the rest."""
    turn = phase % 1.0
    return np.where(turn < 0.15, 1.0 - turn / 0.15, (turn - 0.15) / 0.85)


def observed(rng, band, epoch, time, true, ra, dec, centre):
    a, b, further = NOISE[band]
    reported = np.hypot(a * 10 ** (0.2 * (true - 25.2)), b * 10 ** (0.4 * (true - 25.2)))
    offset, slope_x, slope_y = rng.normal(0, 0.01), *rng.normal(0, 0.015, 2)
    tilt = slope_x * (ra - centre[0]) / SIDE_DEG + slope_y * (dec - centre[1]) / SIDE_DEG
    mag = true + rng.normal(0, np.hypot(reported, further)) + offset + tilt
    n = len(mag)
    faint = 10 ** (0.2 * (true - 25.0))
    ci = rng.normal(1.0, 0.05 + 0.12 * faint)
    d = rng.rayleigh(np.hypot(2.0, 6.0 * faint))
    measured = np.hypot(a * 10 ** (0.2 * (mag - 25.2)), b * 10 ** (0.4 * (mag - 25.2))) * rng.normal(1.0, 0.03, n)
    is_hit = rng.random(n) < 0.008
    added = 0.5 * 10 ** (-0.4 * 25.0) * 10 ** rng.normal(0, 0.6, n)
    mag = np.where(is_hit, -2.5 * np.log10(10 ** (-0.4 * mag) + added), mag)
    seen = rng.random(n) < 0.985
    columns = {
        "match_id": np.arange(n),
        "filter": np.full(n, band),
        "image": np.full(n, f"hst_10505_{epoch + 1:02d}_acs_wfc_{band[4:].lower()}"),
        "mjd": np.full(n, time),
        "ra_deg": ra + rng.normal(0, 1e-6, n),
        "dec_deg": dec + rng.normal(0, 1e-6, n),
        "mag": mag,
        "mag_err": measured,
        "mag_auto": mag + rng.normal(-0.05, 0.03, n),
        "ci": ci + 0.4 * is_hit,
        "d_mas": d * np.where(is_hit, 3.0, 1.0),
    }
    return {name: values[seen] for name, values in columns.items()}
