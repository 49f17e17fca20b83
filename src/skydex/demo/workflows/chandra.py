"""The Chandra Source Catalog by cone search and TAP: a star-forming region, and the whole X-ray sky."""

from __future__ import annotations

import skydex
from skydex import plots
from skydex.demo.record import Record
from skydex.demo.workflows.workflow import Workflow

__all__ = ["CHANDRA"]


def run(at: str, record: Record) -> None:
    csc = skydex.connect("csc21", at=at)

    with record.step("Sources in NGC 1333") as step:
        sources = csc.cone("csc21.cone", "NGC 1333", "2 arcmin")
    asked = sources.provenance[0]
    step.tell(
        f"{len(sources)} sources with {len(sources.colnames)} columns, within 2 arcmin of {asked['ra_deg']:.3f} "
        f"{asked['dec_deg']:+.2f}; the document has 11 with 24. They go into a FITS file as they are."
    )
    step.keep_table("ngc1333", sources)

    with record.step("Where they are, and how significant") as step:
        field = plots.sky(sources, centre=csc.resolve("NGC 1333"))
        significances = plots.scatter(sources, x="flux_aper_b", y="significance", x_scale="log")
    step.keep_figure("ngc1333", field, "The sources around the name's position", data="published rows")
    step.keep_figure("ngc1333-significance", significances, "Flux against significance", data="published rows")

    with record.step("Extended sources of the whole sky") as step:
        columns = """m.name, m.ra, m.dec, m.conf_flag, m.significance, m.extent_flag, m.sat_src_flag,
            m.flux_aper_b, m.flux_aper_lolim_b, m.flux_aper_hilim_b"""
        extended = csc.query(f"SELECT {columns} FROM csc21.master_source m WHERE m.name LIKE '%X'")
    step.tell(f"{len(extended):,} large patches of diffuse emission; the document counts 1,717.")
    step.keep_table("extended", extended)

    with record.step("All others", document_s=14.0) as step:
        points = csc.query(f"SELECT {columns} FROM csc21.master_source m WHERE m.name NOT LIKE '%X'")
    step.tell(f"{len(points):,} sources; the document counts 406,089.")
    step.keep_table("sources", points)

    with record.step("The X-ray sky") as step:
        sky = plots.all_sky(points, highlight=extended, label="sources", highlight_label="extended")
        bins = plots.hexbin(points, x="flux_aper_b", y="significance")
    step.keep_figure("sky", sky, "Where Chandra has looked")
    step.keep_figure("significance", bins, "How many sources have which flux and significance")


CHANDRA = Workflow(
    "chandra",
    "The Chandra Source Catalog",
    "What X-ray sources does a region have, and what does the whole X-ray sky look like?",
    "The sources are simulated, except for the eleven of NGC 1333, which were published.",
    'csc = skydex.connect("csc21", at="{at}")',
    'csc = skydex.connect("csc21")',
    run,
)
