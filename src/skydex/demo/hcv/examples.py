"""What the tables of the collection `hcv` are, how they belong together, and what one would ask them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

__all__ = ["ABOUT", "About"]


@dataclass(frozen=True)
class About:
    """What is said of a table."""

    description: str
    examples: tuple[Mapping[str, str], ...] = ()
    foreign_keys: tuple[Mapping[str, Any], ...] = ()
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """How it is ingested."""


_STYLE = (
    "After the Hubble Catalog of Variables (Bonanos et al. 2019, A&A 630, A92): made by steps in its style, "
    "not by its pipeline."
)
_FLAGS = """AutoClass is 0 for constant objects, 1 for variable candidates in a single filter (SFVC), 2 for those in
several filters (MFVC). ExpertClass is 0 where no expert has looked, 1 for variables with high confidence, 2 for
probable ones, 4 for possible artifacts.""".replace("\n", " ")
_QUALITY = """FilterDetFlag is 1 where the object varies in the filter. VarQualFlag has a letter from A (best) to C for
each of CI, D, MagerrAper2, MagAper2-MagAuto and the peak-to-peak amplitude, in this order; AAAAA is best.""".replace(
    "\n", " "
)
_NO_PLACE = MappingProxyType({"position": "none"})


def _to_match(what: str) -> Mapping[str, Any]:
    return {"target_table": "hcv.HCVmatch", "columns": {"MatchID": "MatchID"}, "description": what}


ABOUT: Mapping[str, About] = {
    "Groups": About(f"Fields: objects of one are compared with each other. {_STYLE}", options=_NO_PLACE),
    "HCVmatch": About(
        f"Objects with a light curve of at least five points, and whether they vary. {_FLAGS} {_STYLE}",
        (
            {
                "name": "Automatic against expert classes",
                "query": """
SELECT AutoClass, ExpertClass, COUNT(*) AS n
FROM hcv.HCVmatch
WHERE ExpertClass > 0
GROUP BY AutoClass, ExpertClass
ORDER BY AutoClass, ExpertClass""",
                "description": "How many candidates in one (1) and in several filters (2) experts took for variables "
                "(1 surely, 2 probably) and for artifacts (4).",
            },
        ),
        (
            {
                "target_table": "hcv.Groups",
                "columns": {"GroupID": "GroupID"},
                "description": "The field of the object",
            },
        ),
        MappingProxyType({"ra": "RA", "dec": "Dec", "id": "MatchID"}),
    ),
    "HCVfilter": About(
        f"Light curves: a row for each object and filter, with its mean and its variability. {_QUALITY} {_STYLE}",
        (
            {
                "name": "Variables of IC 1613 in two filters",
                "query": """
SELECT m.MatchID, m.RA, m.Dec, m.AutoClass, a.MeanCorrMag - b.MeanCorrMag AS colour, b.MeanCorrMag,
  a.MAD AS mad_475, b.MAD AS mad_814
FROM hcv.HCVmatch AS m
JOIN hcv.HCVfilter AS a ON a.MatchID = m.MatchID
JOIN hcv.HCVfilter AS b ON b.MatchID = m.MatchID
WHERE a.Filter = 'ACS_F475W' AND b.Filter = 'ACS_F814W' AND m.AutoClass > 0
  AND 1 = CONTAINS(POINT('ICRS', m.RA, m.Dec), CIRCLE('ICRS', 16.19913, 2.11778, 0.5))""",
                "description": "For a colour-magnitude diagram of variable stars.",
            },
            {
                "name": "The most variable source of the best quality",
                "query": """
SELECT TOP 1 m.MatchID, g.TargetName, m.RA, m.Dec, f.Filter, f.NumLC, f.MeanCorrMag, f.MAD, f.Chi2
FROM hcv.HCVmatch AS m
JOIN hcv.HCVfilter AS f ON m.MatchID = f.MatchID
JOIN hcv.Groups AS g ON m.GroupID = g.GroupID
WHERE f.VarQualFlag = 'AAAAA'
ORDER BY MAD DESC""",
                "description": "A real row: a star in M31.",
            },
        ),
        (_to_match("Position and classes of the object"),),
        MappingProxyType({"position": "none", "sort_by": ["MatchID", "Filter"]}),
    ),
    "HCVdetailed": About(
        f"The points of all light curves. CorrMag is Mag with a local zero point of its image. {_STYLE}",
        (
            {
                "name": "Light curve of a nova in M87",
                "query": """
SELECT MJD, CorrMag, MagErr, CI, ImageName
FROM hcv.HCVdetailed
WHERE MatchID = 1905457 AND Filter = 'ACS_F606W'
ORDER BY MJD""",
                "description": "Real points. CI is larger where a cosmic ray was hit: images in F606W are single "
                "exposures.",
            },
        ),
        (_to_match("Position and classes of the object"),),
        MappingProxyType({"position": "none", "sort_by": ["MatchID", "Filter", "MJD"]}),
    ),
    "HCVSummaryView": About(
        f"HCVmatch joined with HCVfilter: a row for each object and filter. {_FLAGS} {_QUALITY} {_STYLE}",
        foreign_keys=(_to_match("The object"),),
        options=MappingProxyType({"ra": "RA", "dec": "Dec", "sort_by": ["MatchID", "Filter"]}),
    ),
}
"""By the table's name."""
