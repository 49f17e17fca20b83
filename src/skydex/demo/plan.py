"""What an observatory that does not exist is going to observe (ObsLocTAP 1.0): IC 1613, night after night."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skydex.demo.catalogs import DemoCatalog

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["simulate_plan"]

_CENTRE_DEG = (16.2016962, 2.1194959)
_SEED = 188
_N_PLANNED, _FIRST_MJD, _EXPOSURE_S, _FIELD_OF_VIEW_DEG = 60, 61_200.0, 300.0, 0.5


def simulate_plan(folder: Path) -> Iterator[DemoCatalog]:
    """Write a plan of observations as a CSV file into a folder."""
    _plan(np.random.default_rng(_SEED)).write(folder / "plan.csv", overwrite=True)
    yield DemoCatalog(
        "ivoa.obsplan",
        "plan.csv",
        "SIMULATED: what an observatory that does not exist has observed and plans to observe (ObsLocTAP 1.0)",
        "obsplan",
    )


def _plan(rng: np.random.Generator) -> Table:
    """One field a night about the centre, a third of them observed already."""
    from astropy.table import Table

    number = np.arange(_N_PLANNED)
    ra, dec = _around_centre(rng, np.full(_N_PLANNED, 0.5))
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
    dec = _CENTRE_DEG[1] + north
    return (_CENTRE_DEG[0] + east / np.cos(np.radians(_CENTRE_DEG[1]))) % 360.0, np.clip(dec, -90.0, 89.9)
