"""Stars in exposures of WFC3/UVIS, from the PSF databases: found, cut out, and fetched one by one and packed."""

from __future__ import annotations

import numpy as np
from astropy.io import fits

import skydex
from skydex import col, plots
from skydex.demo.record import Record
from skydex.demo.workflows.workflow import Workflow

__all__ = ["PSF"]


def run(at: str, record: Record) -> None:
    psf = skydex.connect("mast-psf", at=at)
    into = record.folder / "stamps"

    with record.step("Unsaturated stars in a corner of the detector, each with its stamp") as step:
        stamps = psf.stamps(
            "UVIS", col.psf_x_center.between(100, 102), col.psf_y_center.between(100, 102), {"n_sat_pixels": 0}
        )
    step.tell(f"{len(stamps)} stars, with stamps of {stamps.cube.shape[1]} pixels a side; the document has 6, with 51.")
    step.keep_table("stars", stamps.table)

    with record.step("What they look like") as step:
        panels = plots.cutouts(stamps, columns=3, stretch="log", titles="{rootname} {filter}")
        one = plots.stamp(stamps[0])
    step.keep_figure("stamps", panels, "The six stars, in logarithmic grey")
    step.keep_figure("stamp", one, "One of them, with its scale")

    with record.step("The same as files, one by one and packed") as step:
        single = psf.download(stamps.table, into=into, progress=False)
        packed = psf.download(stamps.table, into=into / "bundle", bundle=True, progress=False)
    pixels = [np.array([fits.getdata(path) for path in manifest.paths]) for manifest in (single, packed)]
    n_different = sum(int(np.sum(read != stamps.cube)) for read in pixels)
    step.tell(f"{n_different} pixels differ between the files and the stamps; the document finds 0.")

    with record.step("A thousand stamps at once", document_s=30.0) as step:
        many = psf.stamps("UVIS", {"n_sat_pixels": 0}, maxrec=1000, progress=False)
    step.tell(f"{len(many):,} stamps, as one cube with a row of the database for each.")

    with record.step("Their mean: the first look at a point spread function") as step:
        light = many.cube - np.nanmedian(many.cube, axis=(1, 2), keepdims=True)
        mean = np.nanmedian(light / np.nansum(light, axis=(1, 2), keepdims=True), axis=0)
        drawn = plots.stamp(mean, title=f"Median of {len(many):,} stars")
    step.keep_figure("mean", drawn, "Stars of all filters, each with the same weight")


PSF = Workflow(
    "psf",
    "Stamps of stars for point spread functions",
    "What does a star look like in a corner of WFC3/UVIS, and how are a thousand of them fetched?",
    "All of it is simulated, except for the row of the star 8184981, which was published.",
    'psf = skydex.connect("mast-psf", at="{at}")',
    'psf = skydex.connect("mast-psf")',
    run,
)
