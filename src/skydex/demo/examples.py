"""What one would ask the demonstration's catalogues, as it is shown to everybody who looks at its TAP service."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["EXAMPLES", "FOREIGN_KEYS"]

EXAMPLES: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "gaia.ngc188": (
        {
            "name": "Colour-magnitude diagram of NGC 188",
            "query": """
SELECT source_id, phot_g_mean_mag, phot_bp_mean_mag - phot_rp_mean_mag AS bp_rp
FROM gaia.ngc188
WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', 11.798, 85.244, 0.35))
  AND SQRT(POWER(pmra + 2.3, 2) + POWER(pmdec + 0.95, 2)) < 0.5""",
            "description": "Stars of the old open cluster NGC 188, chosen by position and proper motion.",
        },
        {
            "name": "Gaia and 2MASS: colours from the visible to the infrared",
            "query": """
SELECT g.source_id, t."_2MASS", g.phot_g_mean_mag - t.Kmag AS g_k, t.Jmag - t.Kmag AS j_k
FROM gaia.ngc188 AS g
JOIN twomass.ngc188 AS t
  ON 1 = CONTAINS(POINT('ICRS', g.ra, g.dec), CIRCLE('ICRS', t.RAJ2000, t.DEJ2000, 0.0003))""",
            "description": "A cross-match of two catalogues within 1.08 arcseconds.",
        },
    ),
    "gaia.open_clusters": (
        {
            "name": "The nearest open clusters",
            "query": 'SELECT TOP 20 ID, ra, dec, "distance"\nFROM gaia.open_clusters\nORDER BY "distance"',
            "description": "Names that are words of the language, such as distance, stand in double quotes.",
        },
    ),
    "linear.attributes": (
        {
            "name": "Variable stars by type",
            "query": """
SELECT LCtype, COUNT(*) AS n, AVG(logP) AS mean_log_p, MIN(magMed) AS brightest
FROM linear.attributes
GROUP BY LCtype
ORDER BY n DESC""",
            "description": "1, 2: RR Lyrae stars of types ab and c; 4, 5: eclipsing binaries; 6: delta Scuti stars.",
        },
        {
            "name": "Period-amplitude diagram of RR Lyrae stars",
            "query": """
SELECT a.ra, a.dec, a.logP, p.A AS amplitude, a.LCtype
FROM linear.attributes AS a
JOIN linear.periods AS p ON a.LINEARobjectID = p.LINEARobjectID
WHERE a.LCtype IN (1, 2)""",
            "description": "Two tables of one survey, joined by the number of the star.",
        },
    ),
    "ogle.cepheids": (
        {
            "name": "Cepheids with periods above 30 days",
            "query": "SELECT Name, RA, Dec, P_F\nFROM ogle.cepheids\nWHERE P_F > 30\nORDER BY P_F DESC",
            "description": "The longest and so the brightest of the Galactic Cepheids.",
        },
    ),
    "sdss.dr9": (
        {
            "name": "Blue point sources",
            "query": """
SELECT RA_ICRS, DE_ICRS, umag - gmag AS u_g, gmag - rmag AS g_r
FROM sdss.dr9
WHERE umag - gmag < 0.4 AND gmag - rmag < 0.3 AND cl = 6""",
            "description": "Candidates of quasars and white dwarfs, by their colours.",
        },
    ),
    "csc.classified": (
        {
            "name": "X-ray sources by class",
            "query": "SELECT Class, COUNT(*) AS n\nFROM csc.classified\nGROUP BY Class\nORDER BY n DESC",
            "description": "What the Chandra sources of known nature are.",
        },
    ),
    "hdfn.photometry": (
        {
            "name": "Galaxies with spectroscopic redshifts above 2",
            "query": "SELECT id, z_spec, f_f300w, f_f450w\nFROM hdfn.photometry\nWHERE z_spec > 2\nORDER BY z_spec",
            "description": "They fade in the ultraviolet band first.",
        },
    ),
}
"""Examples by the name of the table under which they are shown."""

FOREIGN_KEYS: Mapping[str, tuple[Mapping[str, object], ...]] = {
    "linear.periods": (
        {
            "target_table": "linear.attributes",
            "columns": {"LINEARobjectID": "LINEARobjectID"},
            "description": "Colours and position of the star",
        },
    ),
}
"""References by the name of the table that points."""
