"""What the demonstration asks: a cone search, an aggregate and a join, of real catalogues or of the simulated sky."""

from __future__ import annotations

from dataclasses import dataclass

from skydex.demo.simulated import CENTRE_DEG

__all__ = ["REAL", "SIMULATED", "Questions"]


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
    aggregate: str
    """A query with GROUP BY."""
    join: str
    """A query over two tables; its columns log_p, ampl and type make the period-amplitude diagram."""


REAL = Questions(
    sky="NGC 188 in Gaia DR2; LINEAR variables",
    cone_table="gaia.ngc188",
    ra_deg=11.798,
    dec_deg=85.244,
    radius_deg=0.35,
    colour=("phot_bp_mean_mag", "phot_rp_mean_mag"),
    magnitude="phot_g_mean_mag",
    aggregate="""
        SELECT LCtype AS type, COUNT(*) AS n, AVG(logP) AS mean_log_p, AVG(Ampl) AS mean_ampl, MIN(magMed) AS brightest
        FROM linear.attributes GROUP BY LCtype ORDER BY n DESC""",
    join="""
        SELECT a.ra, a.dec, a.logP AS log_p, p.A AS ampl, a.LCtype AS type, p.Lchi2pdf, a.ug
        FROM linear.attributes AS a JOIN linear.periods AS p ON a.LINEARobjectID = p.LINEARobjectID
        WHERE a.LCtype IN (1, 2) AND p.CUF = 1""",
)
"""Asked of the real catalogues."""

SIMULATED = Questions(
    sky="SIMULATED cluster and RR Lyrae stars",
    cone_table="sim.stars",
    ra_deg=CENTRE_DEG[0],
    dec_deg=CENTRE_DEG[1],
    radius_deg=0.35,
    colour=("bp_rp",),
    magnitude="g_mag",
    aggregate="""
        SELECT v.class AS type, COUNT(*) AS n, AVG(v.log_p) AS mean_log_p, AVG(v.ampl) AS mean_ampl
        FROM sim.variables AS v GROUP BY v.class ORDER BY n DESC""",
    join="""
        SELECT v.ra, v.dec, v.log_p, v.ampl, v.class AS type, s.g_mag
        FROM sim.variables AS v JOIN sim.stars AS s ON v.star_id = s.star_id""",
)
"""Asked of the simulated sky."""
