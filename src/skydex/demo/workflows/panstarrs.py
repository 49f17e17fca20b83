"""Light curves of Pan-STARRS1 by TAP: an RR Lyrae star, a bad point in it, and two eclipsing binaries."""

from __future__ import annotations

import numpy as np

import skydex
from skydex import col, plots
from skydex.demo.record import Record
from skydex.demo.workflows.workflow import Workflow

__all__ = ["PANSTARRS"]


def run(at: str, record: Record) -> None:
    ps1 = skydex.connect("ps1-tap", at=at)

    with record.step("Objects near M 87, by a job of the service") as step:
        job = ps1.submit("""
            SELECT objID, RAMean, DecMean, nDetections, ng, nr, ni, nz, ny,
                gMeanPSFMag, rMeanPSFMag, iMeanPSFMag, zMeanPSFMag, yMeanPSFMag
            FROM dbo.MeanObjectView
            WHERE CONTAINS(POINT('ICRS', RAMean, DecMean), CIRCLE('ICRS', 187.706, 12.391, .2)) = 1
                AND nDetections > 1""")
        objects = job.result()
    step.tell(f"{len(objects):,} objects that were detected more than once.")
    step.keep_table("objects", objects)

    with record.step("KQ UMa, an RR Lyrae star: its means, and every detection") as step:
        star = ps1.cone("MeanObjectView", "KQ UMa", "1 arcsec", col.nDetections > 1)[0]
        means = {band: star[f"{band}MeanPSFMag"] for band in "grizy"}
        kq_uma = ps1.light_curve("KQ UMa")
    step.tell(f"{len(kq_uma)} detections of objID {star['objID']}, in {', '.join(kq_uma.bands)}.")
    step.keep_table("kq-uma", kq_uma.rows)

    with record.step("Its light curve in five filters") as step:
        magnitudes = plots.by_band(kq_uma)
        differences = plots.by_band(kq_uma, plots.difference, center=means)
    step.keep_figure("kq-uma", magnitudes, "AB magnitudes, from fluxes in Jy")
    step.keep_figure("kq-uma-differences", differences, "The same less the mean of each filter; one point in z is off")

    with record.step("A point that is wrong") as step:
        z = kq_uma.in_band("z")
        off = np.abs(z.minus_mean(means).mag)
        wrong = z.cut(off > 2)
    step.tell(
        f"{len(wrong)} point is off by more than 2 mag. Its psfQfPerfect is {wrong.quality[0]:.3f}: a part of its "
        f"light fell on masked pixels. Of {len(z)} points {np.sum(z.quality < 0.95)} is below 0.95."
    )
    step.keep_table("wrong", wrong.rows)

    with record.step("Without such points, and folded at 0.48636 d") as step:
        is_good = kq_uma.quality > 0.9
        rings = plots.by_band(kq_uma, plots.difference, center=means, same_span=True, highlight=~is_good)
        cleaned = plots.by_band(kq_uma.cut(is_good), plots.difference, center=means, same_span=True)
        phases = plots.by_band(kq_uma.cut(is_good), plots.folded, 0.48636)
    step.keep_figure("kq-uma-rings", rings, "What psfQfPerfect > 0.9 leaves out has a ring")
    step.keep_figure("kq-uma-clean", cleaned, "What it keeps, with one scale for all filters")
    step.keep_figure("kq-uma-phases", phases, "A dozen epochs of five years make one pulsation")

    with record.step("KIC 2161623, an eclipsing binary") as step:
        first = ps1.light_curve("KIC 2161623", quality=">= 0.9")
        panels = plots.by_band(first)
        eclipses = plots.folded(first.combined(2.2834698, 54999.599837, t0_format="bjd-2400000"), n_periods=2)
    step.keep_table("kic-2161623", first.rows)
    step.keep_figure("kic-2161623", panels, "Its light curve in five filters")
    step.keep_figure("kic-2161623-phases", eclipses, "All filters together at 2.2834698 d, two periods")

    with record.step("KIC 8153568, with a secondary eclipse") as step:
        second = ps1.light_curve("KIC 8153568", quality=">= 0.9")
        eclipses = plots.folded(second.combined(3.6071431, 54999.289794, t0_format="bjd-2400000"), n_periods=2)
    step.keep_table("kic-8153568", second.rows)
    step.keep_figure("kic-8153568-phases", eclipses, "All filters together at 3.6071431 d, two periods")


PANSTARRS = Workflow(
    "panstarrs",
    "Light curves of Pan-STARRS1",
    "Is a dozen epochs in each filter enough to see an RR Lyrae star pulsate, and an eclipsing binary eclipse?",
    "All of it is simulated. The stars have the names, the places and the periods of real ones.",
    'ps1 = skydex.connect("ps1-tap", at="{at}")',
    'ps1 = skydex.connect("ps1-tap")',
    run,
)
