"""Where surveys keep their light curves: names of tables and columns, in queries and in the catalogue API alike.

Names are compared without regard to case, schema and release: `dbo.Detection`, `ps1.Detection` and `detection` are one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from skydex.lightcurve.roles import KNOWN_ROLES, Roles

__all__ = ["SURVEYS", "Survey", "objects_beside", "points_beside", "survey_of"]

_RELEASE = re.compile(r"(v|dr)\d+/")


@dataclass(frozen=True)
class Survey:
    """Where a survey keeps its measurements; names in lower case and without schema."""

    name: str
    """For people."""
    roles: Roles
    """What the columns of its measurements hold."""
    points: tuple[str, ...]
    """Tables of measurements."""
    objects: tuple[str, ...]
    """Tables of objects, which have their places."""
    position: tuple[str, str]
    """Right ascension and declination in tables of objects."""
    more: tuple[str, ...]
    """Further columns that are worth having."""
    search_function: str = ""
    """A table-valued function of CasJobs that finds objects around a place, within arcseconds."""

    @property
    def columns(self) -> tuple[str, ...]:
        """What is asked for of its measurements."""
        return (*self.roles.columns, *(name for name in self.more if name not in self.roles.columns))


SURVEYS = (
    Survey(
        "HCV",
        KNOWN_ROLES["HCV"],
        ("hcvdetailed", "hcvdetailedview", "hcv"),
        ("hcvmatch", "hcvsummaryview", "hcvsummary"),
        ("RA", "Dec"),
        ("ImageName", "Mag", "CI", "D"),
        "SearchHCVMatchID",
    ),
    Survey(
        "PS1",
        KNOWN_ROLES["PS1"],
        ("detection", "detections"),
        ("meanobjectview", "objectthin", "mean"),
        ("raMean", "decMean"),
        (
            *("detectID", "ra", "dec", "psfMajorFWHM", "psfMinorFWHM", "apFlux", "apFluxErr"),
            *("infoFlag", "infoFlag2", "infoFlag3"),
        ),
    ),
    Survey(
        "HSC",
        KNOWN_ROLES["HSC"],
        ("detailedcatalog", "detailed"),
        ("summagaper2catview", "summagautocatview", "summary", "summary/magaper2", "summary/magauto"),
        ("MatchRA", "MatchDec"),
        ("SourceID", "MatchRA", "MatchDec", "MagAuto", "CI", "D", "ExposureTime", "ImageName"),
    ),
)


def survey_of(table: str) -> Survey | None:
    """The survey whose measurements are in a table, by its name."""
    return next((survey for survey in SURVEYS if _bare(table) in survey.points), None)


def objects_beside(survey: Survey, table: str, names: Sequence[str]) -> str:
    """The table of a survey's objects beside that of its measurements: of the same schema, or release."""
    beside = [name for name in names if _home(name) == _home(table)]
    return next((name for known in survey.objects for name in beside if _bare(name) == known), "")


def points_beside(table: str, names: Sequence[str]) -> tuple[Survey, str] | None:
    """The survey whose objects are in a table, by its name, and the table of their measurements beside it."""
    for survey in SURVEYS:
        if _bare(table) in survey.objects:
            beside = [name for name in names if _home(name) == _home(table)]
            found = next((name for known in survey.points for name in beside if _bare(name) == known), None)
            if found is not None:
                return survey, found
    return None


def _bare(name: str) -> str:
    """A name without its schema or release: `detection` of `dbo.Detection`, `detailed` of `v2/detailed`."""
    word = name.lower().rpartition(".")[2]
    return word[len(_home(name)) :].lstrip("/") if _RELEASE.match(word) else word


def _home(name: str) -> str:
    """Schema or release of a table."""
    release = _RELEASE.match(name.lower())
    return release[0][:-1] if release else name.lower().rpartition(".")[0]
