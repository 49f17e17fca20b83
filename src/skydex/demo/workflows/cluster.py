"""A real cluster, where the real catalogues are at hand: NGC 188 in Gaia DR2."""

from __future__ import annotations

import numpy as np

import skydex
from skydex import plots
from skydex.demo.record import Record
from skydex.demo.workflows.workflow import Workflow

__all__ = ["CLUSTER"]

_REAL = "real data: Gaia DR2"


def run(at: str, record: Record) -> None:
    archive = skydex.connect(at)

    with record.step("Stars around NGC 188") as step:
        stars = archive.cone("gaia.ngc188", (11.798, 85.244), 0.35)
    step.tell(f"{len(stars):,} stars.")
    step.keep_table("stars", stars)

    with record.step("Those that move with the cluster") as step:
        moving = np.hypot(stars["pmra"].value + 2.3, stars["pmdec"].value + 0.95) < 0.5
        colours = plots.colour_magnitude(
            stars,
            blue="phot_bp_mean_mag",
            red="phot_rp_mean_mag",
            magnitude="phot_g_mean_mag",
            highlight=moving,
            highlight_label="members",
        )
        colours.set(xlabel="BP − RP [mag]", ylabel="G [mag]")
    step.tell(f"{np.sum(moving):,} stars have the proper motion of the cluster, to 0.5 mas/yr.")
    step.keep_figure("colours", colours, "Turn-off and giant branch of an old open cluster", data=_REAL)


CLUSTER = Workflow(
    "cluster",
    "A real cluster: NGC 188 in Gaia DR2",
    "Which stars belong to the cluster?",
    "Real: an extract of Gaia DR2, as it was given with --data.",
    'archive = skydex.connect("{at}")',
    'archive = skydex.connect("https://gea.esac.esa.int/tap-server/tap")  # gaiadr2.gaia_source',
    run,
)
