"""An archive of printed rows of HSC, HCV and Pan-STARRS under the demonstration's addresses, for searches over HTTP."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
from astropy.table import Table, unique

from skydex.ingest import ingest_files

NOVA = (1905457, 187.701, 12.391)
"""Number and place (of its galaxy) of the nova in M87."""


def build_catalogs(directory: Path, data: Path) -> Path:
    """Publish the rows that documents print, in the tables that `services.toml` of the demonstration names."""
    directory.mkdir(parents=True, exist_ok=True)
    archive = directory / "archive"

    def publish(table: Table, name: str, **given: object) -> None:
        file = directory / f"{name}.ecsv"
        table.write(file, format="ascii.ecsv")
        ingest_files([file], archive, name, **given)

    def seed(name: str) -> Table:
        return Table.read(data / "seeds" / f"{name}.ecsv")

    match_position = {"position": {"ra": "MatchRA", "dec": "MatchDec"}, "id": "MatchID"}
    objects = seed("hsc_ic1613_summary")
    for name in [name for name in objects.colnames if name.startswith("Num") or name.endswith("_N")]:
        objects[name] = objects[name].astype("i4")
    publish(objects, "hsc.SumMagAper2CatView", **match_position)
    publish(seed("hsc_80189155_lightcurve"), "hsc.detailedCatalog", position="none")
    summary = seed("hcv_ic1613_summary")
    summary["NumFilters"] = np.int32(2)
    publish(summary, "hcv.HCVSummaryView", position={"ra": "RA", "dec": "Dec"}, id="MatchID")
    match = unique(summary["MatchID", "RA", "Dec"], keys="MatchID")
    match.add_row(NOVA)
    publish(match, "hcv.HCVmatch", position={"ra": "RA", "dec": "Dec"}, id="MatchID")
    publish(seed("hcv_1905457_lightcurve"), "hcv.HCVdetailed", position="none")
    means = seed("ps1_mean_targets")
    means["gMeanPSFMag"] = means["gMeanPSFMag"].astype("f4")
    means["yMeanPSFMag"][1] = np.ma.masked
    mean_position = {"position": {"ra": "raMean", "dec": "decMean"}, "id": "objID"}
    publish(means, "ps1.MeanObjectView", **mean_position)
    publish(means["objID", "raMean", "decMean"], "ps1.ObjectThin", **mean_position)
    publish(seed("ps1_detections_kq_uma"), "ps1.Detection", position="none", id="detectID")
    shutil.copy(str(files("skydex.demo") / "services.toml"), archive / "services.toml")
    return archive
