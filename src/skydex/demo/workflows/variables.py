"""The Hubble Catalog of Variables by CasJobs: a field, a nova in M87, and what experts say of automatic classes."""

from __future__ import annotations

import numpy as np
from astropy.table import join

import skydex
from skydex import plots
from skydex.demo.guest import GUEST, GUEST_PASSWORD
from skydex.demo.record import Record
from skydex.demo.workflows.workflow import Workflow

__all__ = ["VARIABLES"]


def run(at: str, record: Record) -> None:
    hcv = skydex.connect("mast-casjobs", at=at, user=GUEST, password=GUEST_PASSWORD)

    with record.step("Objects in IC 1613, into a table of one's own", document_s=1.5) as step:
        centre = hcv.resolve("IC 1613")
        hcv.mydb.drop_if_exists("HCV_demo")
        hcv.sql(f"""
            select m.MatchID, m.GroupID, m.SubGroupID, m.RA, m.Dec, m.AutoClass, m.ExpertClass, m.NumFilters, f.Filter,
                   f.FilterDetFlag, f.VarQualFlag, f.NumLC, f.MeanMag, f.MeanCorrMag, f.MAD, f.Chi2
            into mydb.HCV_demo
            from SearchHCVMatchID({centre.ra.deg}, {centre.dec.deg}, 1800) s
            join HCVmatch m on m.MatchID = s.MatchID
            join HCVfilter f on f.MatchID = s.MatchID and f.Filter in ('ACS_F475W', 'ACS_F814W')
        """)

    with record.step("The same table, fetched", document_s=3.6) as step:
        rows = hcv.mydb["HCV_demo"]
    step.tell(f"{len(rows):,} rows, one for each object and filter; the document counts 40,196.")
    step.keep_table("field", rows)

    with record.step("Both filters of an object side by side") as step:
        same = ["MatchID", "GroupID", "SubGroupID", "RA", "Dec", "AutoClass", "ExpertClass"]
        in_blue, in_red = (rows[rows["Filter"] == name] for name in ("ACS_F475W", "ACS_F814W"))
        stars = join(in_blue, in_red, keys=same, table_names=["f475", "f814"])
    n_candidates = np.sum(stars["AutoClass"] > 0)
    step.tell(f"{len(stars):,} objects, {n_candidates} of them variable candidates; the document has 17,090 and 258.")

    with record.step("The field, its variables, their colours") as step:
        field = plots.sky(stars, centre=centre, classes="AutoClass")
        diagram = plots.variability(
            stars, magnitude="MeanCorrMag_f475", index="MAD_f475", classes="AutoClass", scale="log"
        )
        colours = plots.colour_magnitude(stars, blue="MeanCorrMag_f475", red="MeanCorrMag_f814", classes="AutoClass")
        colours.set(xlim=(-1.1, 4), xlabel="F475W − F814W [mag]", ylabel="F475W [mag]")
    step.keep_figure("sky", field, "Candidates in a single filter (SFVC) and in several (MFVC)")
    step.keep_figure("scatter", diagram, "As figure 4, above, of Bonanos et al. 2019, A&A 630, A92")
    step.keep_figure("colours", colours, "As figure 4, below, of the same")

    with record.step("A nova in M87", document_s=1.5) as step:
        nova = hcv.light_curve(1905457)
        drawn = plots.light_curve(nova)
    step.tell(f"{_counts(nova)} measurements; the document has 21 and 22.")
    step.keep_table("nova", nova.rows)
    step.keep_figure(
        "nova",
        drawn,
        "Up by nearly two magnitudes within days, down for weeks",
        data="F606W: published rows; F814W: simulated",
    )

    with record.step("Images of its brightest, a middle and its faintest epoch", document_s=7.8) as step:
        visual = nova.in_band("ACS_F606W")
        epochs = visual.chosen(np.argsort(visual.mag)[[0, len(visual) // 2, -1]])
        near, far = hcv.cutouts(epochs, size=19), hcv.cutouts(epochs, size=101)
    with record.step("Those images, near and far") as step:
        pairs = plots.cutout_pairs(near, far, titles="{ImageName} m={CorrMag:.2f}")
    step.keep_figure("nova-images", pairs, "Single exposures: look out for cosmic rays", data="simulated images")

    with record.step("What experts have looked at", document_s=3.9) as step:
        hcv.mydb.drop_if_exists("HCV_demo2")
        hcv.sql("""
            select m.MatchID, m.AutoClass, m.ExpertClass, f.Filter, f.FilterDetFlag, f.VarQualFlag, f.MAD, f.Chi2
            into mydb.HCV_demo2
            from HCVmatch m join HCVfilter f on m.MatchID = f.MatchID
            where m.ExpertClass > 0
        """)
        judged = hcv.mydb["HCV_demo2"]
    n_objects = len(np.unique(judged["MatchID"]))
    step.tell(f"{len(judged):,} rows of {n_objects:,} objects; the document has 31,258 of 13,533.")

    with record.step("Automatic class against what the experts say") as step:
        counts = hcv.sql("""
            select AutoClass, sum(case when ExpertClass = 1 then 1 else 0 end) as Confident,
                   sum(case when ExpertClass = 2 then 1 else 0 end) as Likely,
                   sum(case when ExpertClass = 4 then 1 else 0 end) as Artifact, count(*) as Total
            from HCVmatch where ExpertClass > 0 group by AutoClass order by AutoClass
        """)
    step.tell("In the document 22 % of the candidates in one filter are artifacts, and 16 % of those in several.")
    step.keep_table("experts", counts)

    with record.step("Scatter by what the experts say") as step:
        varying = judged[judged["FilterDetFlag"] > 0]
        panels = plots.histograms(varying, index="MAD", classes="ExpertClass")
        stacked = plots.stacked_histograms(varying, index="MAD", classes="ExpertClass")
        stacked_log = plots.stacked_histograms(varying, index="MAD", classes="ExpertClass", count_scale="log")
    step.keep_figure("classes", panels, "Each class over all, in grey")
    step.keep_figure("stacked", stacked, "The same on top of each other")
    step.keep_figure("stacked-log", stacked_log, "With a logarithmic scale, in which rare classes are seen")

    with record.step("The most variable star of the best quality", document_s=0.5) as step:
        best = hcv.sql("""
            select top 1 m.MatchID, g.TargetName, m.RA, m.Dec, m.AutoClass, m.ExpertClass, f.Filter, f.VarQualFlag,
                   f.NumLC, f.MeanCorrMag, f.MAD, f.Chi2
            from HCVmatch m join HCVfilter f on m.MatchID = f.MatchID join Groups g on m.GroupID = g.GroupID
            where f.VarQualFlag = 'AAAAA' order by f.MAD desc
        """)
    step.tell(
        f"MatchID {best['MatchID'][0]} in {best['TargetName'][0]}, MAD {best['MAD'][0]:.2f}; the document finds "
        "5742711 in M31, with 0.86."
    )
    step.keep_table("most-variable", best)

    with record.step("Its light curve, and two images of every epoch", document_s=13.4) as step:
        curve = hcv.light_curve(best[0], bands=best["Filter"][0])
        near, far = hcv.cutouts(curve, size=19), hcv.cutouts(curve, size=101)
    with record.step("The light curve, and the images near and far") as step:
        drawn = plots.light_curve(curve)
        pairs = plots.cutout_pairs(near, far, titles="{MJD:.2f} m={CorrMag:.2f}", pairs_per_row=2)
    step.keep_figure("most-variable", drawn, "Its five measurements")
    step.keep_figure("most-variable-images", pairs, "In order of time", data="simulated images")

    with record.step("How far can the automatic classification be trusted?") as step:
        fraction = plots.artifact_fraction(varying["MAD"], varying["ExpertClass"] == 4)
    step.keep_figure(
        "artifacts", fraction, "The part of the candidates that experts call artifacts, with errors of one sigma"
    )


def _counts(curve: skydex.lightcurve.LightCurve) -> str:
    return " and ".join(f"{len(curve.in_band(band))} in {band}" for band in curve.bands)


VARIABLES = Workflow(
    "variables",
    "The Hubble Catalog of Variables",
    "How far can an automatic classification of variable stars be trusted?",
    "Stars, classes and images are simulated, except for published rows: some variables of IC 1613, the nova in M87 "
    "in F606W, and the most variable star.",
    'hcv = skydex.connect("mast-casjobs", at="{at}", user="guest", password="demonstration")',
    'hcv = skydex.connect("mast-casjobs", user=..., password=...)',
    run,
)
