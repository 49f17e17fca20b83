"""Variable stars of IC 1613 in the Hubble Source Catalog: from a cone search to a light curve and its images."""

from __future__ import annotations

import numpy as np

import skydex
from skydex import col, plots
from skydex.demo.record import Record
from skydex.demo.workflows.workflow import Workflow
from skydex.lightcurve import band_correlation

__all__ = ["HUBBLE"]


def run(at: str, record: Record) -> None:
    hsc = skydex.connect("mast-hsc", at=at)

    with record.step("Objects that were measured ten times in both filters", document_s=7.9) as step:
        stars = hsc.cone(
            "summary",
            "IC 1613",
            0.5,
            col.A_F475W_N >= 10,
            col.A_F814W_N >= 10,
            columns="""MatchID MatchRA MatchDec NumFilters NumVisits NumImages StartMJD StopMJD
                A_F475W A_F475W_N A_F475W_MAD A_F814W A_F814W_N A_F814W_MAD""",
        )
    step.tell(f"{len(stars):,} objects within half a degree; the document counts 18,666.")
    step.keep_table("objects", stars)

    with record.step("Where they are") as step:
        field = plots.sky(stars, centre=hsc.resolve("IC 1613"))
    step.keep_figure("sky", field, "Objects around the centre of IC 1613, east to the left")

    with record.step("Those that scatter more than others of their brightness") as step:
        blue, scatter = stars["A_F475W"].value, stars["A_F475W_MAD"].value
        variables = stars[(scatter > 0.1) & (blue > 21) & (blue < 24)]
        variables.sort("A_F475W_MAD", reverse=True)
        diagram = plots.variability(stars, magnitude="A_F475W", index="A_F475W_MAD", highlight=variables)
        colours = plots.colour_magnitude(stars, blue="A_F475W", red="A_F814W", highlight=variables)
    step.tell(f"{len(variables)} of them; the document finds 29.")
    step.keep_table("variables", variables)
    step.keep_figure("scatter", diagram, "Scatter from image to image against magnitude; candidates stand out")
    step.keep_figure("colours", colours, "They lie in the instability strip, as Cepheids do")

    with record.step("The light curve of the most variable one", document_s=0.5) as step:
        star = variables[0]
        curve = hsc.light_curve(star["MatchID"], "detailed", bands=["ACS_F475W", "ACS_F814W"])
    step.tell(
        f"MatchID {star['MatchID']}, B = {star['A_F475W']:.3f}, B-I = {star['A_F475W'] - star['A_F814W']:.3f}, with "
        f"{' and '.join(str(len(curve.in_band(band))) for band in curve.bands)} measurements. "
        "The document finds 80189155, with 22.451, 0.450, 12 and 12."
    )
    step.keep_table("light-curve", curve.rows)

    with record.step("Do both filters agree?") as step:
        drawn = plots.light_curve(curve)
        found = band_correlation(curve, mag_err=0.02)
    step.tell(f"They do: Stetson's J = {found.stetson_j:.1f}, Pearson's r = {found.pearson_r:.2f}.")
    step.keep_figure("light-curve", drawn, "A Cepheid, seen at twelve epochs in two filters", data="published rows")

    with record.step("The image behind each point, from the faintest to the brightest") as step:
        blue_curve = curve.in_band("F475W")
        images = hsc.cutouts(blue_curve.chosen(np.argsort(-blue_curve.mag)), size=15)
        panels = plots.cutouts(images, columns=4, titles="{StartMJD:.5f} f475w={MagAper2:.3f}")
    step.tell('The document fetches them one by one, which "might take a minute".')
    step.keep_figure("images", panels, "No cosmic ray, no artifact: a star that varies", data="simulated images")


HUBBLE = Workflow(
    "hubble",
    "Variable stars in the Hubble Source Catalog",
    "Which stars of the dwarf galaxy IC 1613 vary, and is one of them a Cepheid?",
    "All stars and all images are simulated, except for MatchID 80189155, whose measurements were published.",
    'hsc = skydex.connect("mast-hsc", at="{at}")',
    'hsc = skydex.connect("mast-hsc")',
    run,
)
