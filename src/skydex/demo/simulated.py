"""A small simulated sky, for a demonstration where there are no real catalogues.

A star cluster in front of a field, RR Lyrae stars whose amplitudes follow their periods, and what an observatory that
does not exist is going to observe. The same seed gives the same sky. Every table says that it is simulated.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skydex.demo.catalogs import DemoCatalog

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["CENTRE_DEG", "simulate_plan", "simulate_sky"]

CENTRE_DEG = (11.8, 85.24)
"""RA and Dec of the simulated cluster."""
_SEED = 188
_N_MEMBERS, _N_FIELD, _N_VARIABLES = 1500, 3000, 600
_CLUSTER_PARALLAX_MAS = 0.5
_CLUSTER_RADIUS_DEG = 0.15
_FIELD_RADIUS_DEG = 1.0
_N_PLANNED, _FIRST_MJD, _EXPOSURE_S, _FIELD_OF_VIEW_DEG = 60, 61_200.0, 300.0, 0.5


def simulate_sky(folder: Path) -> Iterator[DemoCatalog]:
    """Write the tables of a simulated sky as FITS files into a folder."""
    rng = np.random.default_rng(_SEED)
    stars, variables = _stars(rng), _variables(rng)
    stars.write(folder / "stars.fits", overwrite=True)
    variables.write(folder / "variables.fits", overwrite=True)
    yield DemoCatalog("sim.stars", "stars.fits", "SIMULATED: a star cluster in front of field stars, made by skydex")
    yield DemoCatalog("sim.variables", "variables.fits", "SIMULATED: RR Lyrae stars, made by skydex")
    yield from simulate_plan(folder)


def simulate_plan(folder: Path) -> Iterator[DemoCatalog]:
    """Write a plan of observations as a CSV file into a folder."""
    _plan(np.random.default_rng(_SEED)).write(folder / "plan.csv", overwrite=True)
    yield DemoCatalog(
        "ivoa.obsplan",
        "plan.csv",
        "SIMULATED: what an observatory that does not exist has observed and plans to observe (ObsLocTAP 1.0)",
        "obsplan",
    )


def _stars(rng: np.random.Generator) -> Table:
    from astropy.table import Table

    n_rows = _N_MEMBERS + _N_FIELD
    is_member = np.arange(n_rows) < _N_MEMBERS
    ra, dec = _around_centre(rng, np.where(is_member, _CLUSTER_RADIUS_DEG, _FIELD_RADIUS_DEG / 1.5))
    distant = np.exp(rng.normal(np.log(0.4), 0.7, n_rows))
    parallax = np.where(is_member, _CLUSTER_PARALLAX_MAS, distant)
    colour = rng.gamma(4.0, 0.25, n_rows) + 0.35
    magnitude = 1.2 + 4.6 * (colour - 0.4) - 0.6 * (colour - 0.4) ** 2 + 10.0 - 5.0 * np.log10(parallax)
    table = Table(
        {
            "star_id": np.arange(1, n_rows + 1),
            "ra": ra,
            "dec": dec,
            "parallax": parallax + rng.normal(0.0, 0.05, n_rows),
            "g_mag": magnitude + rng.normal(0.0, 0.03, n_rows),
            "bp_rp": colour + rng.normal(0.0, 0.03, n_rows),
        },
        units={"ra": "deg", "dec": "deg", "parallax": "mas", "g_mag": "mag", "bp_rp": "mag"},
    )
    return table[table["g_mag"] < 20.0]


def _variables(rng: np.random.Generator) -> Table:
    """RR Lyrae stars: type ab along the period-amplitude relation of Oosterhoff type I, type c at short periods.

    References
    ----------
    .. [1] Cacciari, Corwin & Carney 2005, AJ 129, 267, eq. for A_V
    """
    from astropy.table import Table

    is_ab = rng.random(_N_VARIABLES) < 0.75
    log_period = np.where(is_ab, rng.normal(-0.26, 0.035, _N_VARIABLES), rng.normal(-0.49, 0.03, _N_VARIABLES))
    along = -2.627 - 22.046 * log_period - 30.876 * log_period**2
    amplitude = np.where(is_ab, along, 0.45) + rng.normal(0.0, 0.06, _N_VARIABLES)
    ra, dec = _around_centre(rng, np.full(_N_VARIABLES, _FIELD_RADIUS_DEG / 1.5))
    return Table(
        {
            "star_id": rng.permutation(_N_MEMBERS)[:_N_VARIABLES] + 1,
            "ra": ra,
            "dec": dec,
            "class": np.where(is_ab, "ab", "c"),
            "log_p": log_period,
            "ampl": np.clip(amplitude, 0.05, None),
        },
        units={"ra": "deg", "dec": "deg", "ampl": "mag"},
    )


def _plan(rng: np.random.Generator) -> Table:
    """One field a night about the centre, a third of them observed already."""
    from astropy.table import Table

    number = np.arange(_N_PLANNED)
    ra, dec = _around_centre(rng, np.full(_N_PLANNED, _FIELD_RADIUS_DEG / 2))
    start = _FIRST_MJD + number + 0.2
    is_done = number < _N_PLANNED // 3
    fields = [f"CIRCLE ICRS {a:.5f} {d:.5f} {_FIELD_OF_VIEW_DEG / 2}" for a, d in zip(ra, dec, strict=True)]
    columns: dict[str, Any] = {
        "t_planning": np.full(_N_PLANNED, _FIRST_MJD),
        "target_name": [f"field {n + 1}" for n in number],
        "obs_id": [f"sim-{n + 1:03d}" for n in number],
        "obs_collection": "sim",
        "s_ra": ra,
        "s_dec": dec,
        "s_fov": _FIELD_OF_VIEW_DEG,
        "s_region": fields,
        "s_resolution": 1.0,
        "t_min": start,
        "t_max": start + _EXPOSURE_S / 86_400,
        "t_exptime": _EXPOSURE_S,
        "t_resolution": _EXPOSURE_S,
        "em_min": 4.0e-7,
        "em_max": 5.5e-7,
        "em_res_power": 3.2,
        "o_ucd": "phot.flux",
        "pol_states": "/I/",
        "pol_xel": 1,
        "facility_name": "Simulated Observatory",
        "instrument_name": "Simulated Camera",
        "t_plan_exptime": _EXPOSURE_S,
        "category": np.where(is_done, "Fixed", "Window"),
        "priority": 1,
        "execution_status": np.where(is_done, "Performed", "Planned"),
        "tracking_type": "Sidereal",
    }
    return Table({name: np.broadcast_to(values, _N_PLANNED) for name, values in columns.items()})


def _around_centre(rng: np.random.Generator, spread_deg: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions scattered about the centre, spread in degrees on the sky."""
    east, north = rng.normal(0.0, 1.0, (2, len(spread_deg))) * spread_deg
    dec = CENTRE_DEG[1] + north
    return (CENTRE_DEG[0] + east / np.cos(np.radians(CENTRE_DEG[1]))) % 360.0, np.clip(dec, -90.0, 89.9)
