"""What one would ask the Chandra Source Catalog, and how its tables belong together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["EXAMPLES", "FOREIGN_KEYS"]

_STACK = {"detect_stack_id": "detect_stack_id"}

FOREIGN_KEYS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "cone": ({"target_table": "csc21.master_source", "columns": {"name": "name"}},),
    "master_stack_assoc": (
        {"target_table": "csc21.master_source", "columns": {"name": "name"}},
        {"target_table": "csc21.stack_source", "columns": {**_STACK, "region_id": "region_id"}},
    ),
    "stack_source": ({"target_table": "csc21.detect_stack", "columns": _STACK},),
    "stack_observation_assoc": (
        {"target_table": "csc21.stack_source", "columns": {**_STACK, "stack_region_id": "region_id"}},
        {
            "target_table": "csc21.observation_source",
            "columns": {"obsid": "obsid", "obi": "obi", "region_id": "region_id"},
        },
    ),
    "valid_stack": ({"target_table": "csc21.detect_stack", "columns": _STACK},),
    "likely_stack": ({"target_table": "csc21.detect_stack", "columns": _STACK},),
    "image": ({"target_table": "csc21.detect_stack", "columns": _STACK},),
}

EXAMPLES: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "master_source": (
        {
            "name": "Extended sources",
            "query": """
SELECT m.name, m.ra, m.dec, m.conf_flag, m.significance, m.extent_flag, m.sat_src_flag,
  m.flux_aper_b, m.flux_aper_lolim_b, m.flux_aper_hilim_b
FROM {table} m
WHERE m.name LIKE '%X'""",
            "description": "Names of sources of large diffuse emission end in X.",
        },
        {
            "name": "Sources near NGC 1333",
            "query": """
SELECT name, ra, dec, significance, flux_aper_b, flux_aper_lolim_b, flux_aper_hilim_b
FROM {table}
WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', 52.297, 31.31, 2.0 / 60))
ORDER BY ra""",
            "description": "A flux of 0 with a lower limit of 0 is an upper limit; no flux at all means no photometry.",
        },
    ),
    "observation_source": (
        {
            "name": "Light curve of a source, observation by observation",
            "query": """
SELECT o.obsid, o.gti_obs, o.livetime, o.flux_aper_b, o.flux_aper_lolim_b, o.flux_aper_hilim_b
FROM csc21.master_source m
JOIN csc21.master_stack_assoc a ON m.name = a.name
JOIN csc21.stack_observation_assoc b ON a.detect_stack_id = b.detect_stack_id AND a.region_id = b.stack_region_id
JOIN {table} o ON b.obsid = o.obsid AND b.obi = o.obi AND b.region_id = o.region_id
WHERE m.name = '2CXO J032912.9+311814' AND a.match_type = 'u'
ORDER BY gti_obs""",
            "description": "From sources by way of stacks to single observations; u: a detection of this source alone.",
        },
    ),
}
