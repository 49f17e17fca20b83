"""What the demonstration asks: a cone search, an aggregate and a join, of real catalogues or of the simulated sky."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["REAL", "SIMULATED", "Diagram", "Questions"]


@dataclass(frozen=True)
class Diagram:
    """A plot of one column over another, by type."""

    name: str
    """Name of the file."""
    columns: tuple[str, str, str]
    """Abscissa, ordinate and type."""
    labels: tuple[str, str]
    """What the axes say."""
    kinds: Mapping[str, str]
    """Types in words."""
    is_magnitude: bool = False
    """Whether the ordinate grows downwards."""


@dataclass(frozen=True)
class Questions:
    """A set of questions, and what their answers are drawn from."""

    sky: str
    """What is looked at; the title of the figures."""
    cone_table: str
    """A table to search by position."""
    ra_deg: float
    """Centre of the cone, ICRS."""
    dec_deg: float
    """Centre of the cone, ICRS."""
    radius_deg: float
    """Radius of the cone."""
    colour: tuple[str, ...]
    """The colour of the cone's colour-magnitude diagram: one column, or two whose difference it is."""
    magnitude: str
    """The magnitude of that diagram."""
    labels: tuple[str, str]
    """What its axes say."""
    aggregate: str
    """A query with GROUP BY."""
    join: str
    """A query over two tables."""
    diagram: Diagram
    """What is drawn of its answer."""


REAL = Questions(
    sky="NGC 188 in Gaia DR2; LINEAR variables",
    cone_table="gaia.ngc188",
    ra_deg=11.798,
    dec_deg=85.244,
    radius_deg=0.35,
    colour=("phot_bp_mean_mag", "phot_rp_mean_mag"),
    magnitude="phot_g_mean_mag",
    labels=("BP - RP [mag]", "G [mag]"),
    aggregate="""
        SELECT LCtype AS type, COUNT(*) AS n, AVG(logP) AS mean_log_p, AVG(Ampl) AS mean_ampl, MIN(magMed) AS brightest
        FROM linear.attributes GROUP BY LCtype ORDER BY n DESC""",
    join="""
        SELECT a.ra, a.dec, a.logP AS log_p, p.A AS ampl, a.LCtype AS type, p.Lchi2pdf, a.ug
        FROM linear.attributes AS a JOIN linear.periods AS p ON a.LINEARobjectID = p.LINEARobjectID
        WHERE a.LCtype IN (1, 2) AND p.CUF = 1""",
    diagram=Diagram(
        "period_amplitude",
        ("log_p", "ampl", "type"),
        ("log10 P [d]", "amplitude [mag]"),
        {"1": "RR Lyrae ab", "2": "RR Lyrae c"},
    ),
)
"""Asked of the real catalogues."""

SIMULATED = Questions(
    sky="SIMULATED stars of IC 1613; a Cepheid there",
    cone_table="hsc.SumMagAper2CatView",
    ra_deg=16.118,
    dec_deg=2.159,
    radius_deg=0.03,
    colour=("A_F475W", "A_F814W"),
    magnitude="A_F814W",
    labels=("F475W - F814W [mag]", "F814W [mag]"),
    aggregate="""
        SELECT TargetName AS target, COUNT(*) AS n, AVG(NumImages) AS mean_images, MIN(StartMJD) AS first_mjd
        FROM hsc.SumMagAper2CatView GROUP BY TargetName ORDER BY n DESC""",
    join="""
        SELECT d.StartMJD AS mjd, d.MagAper2 AS mag, d.Filter AS type, d.ImageName, s.A_F475W_MAD
        FROM hsc.detailedCatalog AS d JOIN hsc.SumMagAper2CatView AS s ON d.MatchID = s.MatchID
        WHERE s.MatchID = 80189155 AND d.Det = 'Y' AND d.Detector = 'ACS/WFC'""",
    diagram=Diagram("light_curve", ("mjd", "mag", "type"), ("MJD [d]", "magnitude [mag]"), {}, is_magnitude=True),
)
"""Asked of the simulated sky."""
