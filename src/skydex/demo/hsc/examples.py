"""What one would ask the tables of the Hubble Source Catalog, as their TAP service shows it."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["EXAMPLES"]

_IC1613 = "CIRCLE('ICRS', 16.2016962, 2.1194959, 0.5)"

EXAMPLES: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "hsc.SumMagAper2CatView": (
        {
            "name": "Well-measured stars of IC 1613",
            "query": f"""
SELECT MatchID, MatchRA, MatchDec, A_F475W, A_F475W_MAD, A_F814W, A_F814W_MAD
FROM hsc.SumMagAper2CatView
WHERE 1 = CONTAINS(POINT('ICRS', MatchRA, MatchDec), {_IC1613})
  AND A_F475W_N >= 10 AND A_F814W_N >= 10""",
            "description": "At least ten measurements in each of two filters: a colour-magnitude diagram with errors.",
        },
        {
            "name": "Variable stars of IC 1613",
            "query": f"""
SELECT MatchID, MatchRA, MatchDec, A_F475W, A_F475W_MAD, A_F475W - A_F814W AS colour
FROM hsc.SumMagAper2CatView
WHERE 1 = CONTAINS(POINT('ICRS', MatchRA, MatchDec), {_IC1613})
  AND A_F475W_N >= 10 AND A_F814W_N >= 10 AND A_F475W_MAD > 0.1 AND A_F475W BETWEEN 21 AND 24
ORDER BY A_F475W_MAD DESC""",
            "description": "A large median absolute deviation where the errors are small.",
        },
        {
            "name": "Point sources in the Small Magellanic Cloud",
            "query": """
SELECT MatchID, MatchRA, MatchDec, A_F555W - A_F814W AS v_i, A_F814W
FROM hsc.SumMagAper2CatView
WHERE MatchRA BETWEEN 10.4 AND 18.4 AND MatchDec BETWEEN -74.3 AND -71.4
  AND A_F555W_N >= 1 AND A_F814W_N >= 1 AND CI BETWEEN 0.9 AND 1.6""",
            "description": "A concentration index near 1 tells stars from galaxies.",
        },
    ),
    "hsc.SumMagAutoCatView": (
        {
            "name": "Galaxies among the sources of the UDS",
            "query": """
SELECT MatchID, MatchRA, MatchDec, A_F606W, A_F814W, CI
FROM hsc.SumMagAutoCatView
WHERE 1 = CONTAINS(POINT('ICRS', MatchRA, MatchDec), CIRCLE('ICRS', 34.19, -5.2, 0.1)) AND CI > 1.3""",
            "description": "Extended sources have a large concentration index; Kron magnitudes are made for them.",
        },
    ),
    "hsc.detailedCatalog": (
        {
            "name": "Light curve of a Cepheid",
            "query": """
SELECT StartMJD, Filter, MagAper2, Flags, ImageName
FROM hsc.detailedCatalog
WHERE MatchID = 80189155 AND Detector = 'ACS/WFC' AND Det = 'Y'
ORDER BY StartMJD""",
            "description": "All measurements of one object.",
        },
        {
            "name": "Images of M87",
            "query": """
SELECT ImageName, Filter, StartMJD, ExposureTime, COUNT(*) AS n_sources
FROM hsc.detailedCatalog
WHERE TargetName = 'M87' AND Det = 'Y'
GROUP BY ImageName, Filter, StartMJD, ExposureTime
ORDER BY StartMJD""",
            "description": "One row for each image, with the number of sources that were found in it.",
        },
    ),
    "hsc.ProperMotionsView": (
        {
            "name": "Well-measured proper motions of SWEEPS",
            "query": """
SELECT objID, raMean, decMean, pmLon, pmLat, pmLonErr, pmLatErr, NumVisits
FROM hsc.ProperMotionsView
WHERE NumFilters > 1 AND NumVisits > 9 AND NumImages > 19 AND pmLonErr < 0.5 AND pmLatErr < 0.5""",
            "description": "Galactic motions in mas/yr of stars towards the bulge.",
        },
    ),
    "hsc.SourcePositionsView": (
        {
            "name": "Way of a star through the years",
            "query": """
SELECT p.dT, p.dLon, p.dLat, m.pmLon, m.pmLat
FROM hsc.SourcePositionsView AS p
JOIN hsc.ProperMotionsView AS m ON p.objID = m.objID
WHERE p.objID = 4000709005774
ORDER BY dT""",
            "description": "Years and milliarcseconds from the mean, with the motion that was fitted to them.",
        },
    ),
    "hscv2.SumMagAper2CatView": (
        {
            "name": "Well-measured stars of IC 1613, version 2",
            "query": f"""
SELECT MatchID, MatchRA, MatchDec, A_F475W, A_F475W_Sigma, A_F814W, A_F814W_Sigma
FROM hscv2.SumMagAper2CatView
WHERE 1 = CONTAINS(POINT('ICRS', MatchRA, MatchDec), {_IC1613})
  AND A_F475W_N >= 10 AND A_F814W_N >= 10""",
            "description": "Version 2 has means and standard deviations.",
        },
    ),
}
"""Examples by the name of the table under which they are shown."""
