"""A small archive that answers as MAST does.

The named objects of the demonstration, and as tables what recorded answers hold, and objects of Pan-STARRS near M 87.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import numpy as np
from astropy.table import MaskedColumn, Table

from skydex.demo import SIZES
from skydex.demo.hsc.spectra import spectra
from skydex.demo.named import simulate_named
from skydex.demo.publishing import publish_simulated
from skydex.ingest import ingest_files
from skydex.store import ArchiveDirectory

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data" / "services" / "mast"
CENTRE = {"ra": 322.525, "dec": 12.166832, "radius": 0.001}
"""Where the recorded objects were asked for: their distances say so."""
_KINDS = {"int": "i8", "float": "f8", "string": "U40"}
_FILTERS = ["W3_F275W", "W3_F336W", "W2_F336W", "A_F475W", "W3_F438W", "W2_F439W", "W2_F555W", "A_F606W", "A_F814W"]
"""Columns in the order of the catalogue, one of which is empty."""


def recorded(name: str) -> dict:
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))


def build_mast(folder: Path) -> Path:
    """Publish `demo.named_objects` as the demonstration does, and what is recorded, if it is at hand."""
    archive = folder / "archive"
    directory = ArchiveDirectory.create(archive)
    for table in (*simulate_named(SIZES["tiny"], 1), spectra()):
        publish_simulated(table, directory, folder, label="a test")
    if RECORDED.is_dir():
        _publish(folder, "hsc.SumMagAper2CatView", _objects("MAD"), id="MatchID", ra="MatchRA", dec="MatchDec")
        _publish(folder, "hscv2.SumMagAper2CatView", _objects("Sigma"), id="MatchID", ra="MatchRA", dec="MatchDec")
        _publish(folder, "hsc.detailedCatalog", _detections(), ra="SourceRA", dec="SourceDec")
        seed = RECORDED.parents[1] / "seeds" / "ps1_mean_m87.ecsv"
        ingest_files([seed], archive, "ps1.MeanObjectView", recipe="ps1")
    offers = files("skydex.demo").joinpath("services.toml").read_bytes()
    (archive / "services.toml").write_bytes(offers)
    return archive


def _publish(folder: Path, name: str, table: Table, **given: str) -> None:
    file = folder / f"{name}.parquet"
    table.write(file, format="parquet")
    ingest_files([file], folder / "archive", name, **given)


def _objects(scatter: str) -> Table:
    """The recorded objects as the catalogue has them, and two more: one farther off, one of a single image."""
    answer = recorded("hsc")
    table = _table(answer, leaving=("Distance",))
    for name in [name for name in table.colnames if name.endswith("_Sigma") and not name.startswith(("CI", "Kron"))]:
        table.rename_column(name, name.replace("Sigma", scatter))
    n_rows = len(table)
    table["A_F475W"] = table[f"A_F475W_{scatter}"] = MaskedColumn(np.zeros(n_rows), mask=np.ones(n_rows, bool))
    table["A_F475W_N"] = np.zeros(n_rows, "i8")
    general = [name for name in table.colnames if not name.startswith(("A_", "W2_", "W3_"))]
    filters = ["W2_F255W", *_FILTERS]
    table = table[[*general, *(f"{name}{end}" for name in filters for end in ("", f"_{scatter}", "_N"))]]
    table.add_row(table[0])
    table["MatchID"][n_rows], table["MatchDec"][n_rows] = 1, 12.3
    table["StartTime"] = ["2011-01-01"] * len(table)
    return table


def _detections() -> Table:
    """The recorded detections, without what is told of their images."""
    table = _table(recorded("matchid"), leaving=("naxis", "crpix", "crval", "cd_matrix"))
    table["HTMID"] = np.arange(len(table))
    return table


def _table(answer: dict, leaving: tuple[str, ...]) -> Table:
    table = Table()
    for field in answer["fields"]:
        if field["type"] == "boolean" or field["name"] in leaving:
            continue
        values = [row[field["name"]] for row in answer["data"]]
        mask = [value is None for value in values]
        kind = _KINDS[field["type"]]
        filled = [("" if kind == "U40" else 0) if value is None else value for value in values]
        column = np.array(filled, kind)
        table[field["name"]] = MaskedColumn(column, mask=mask) if any(mask) else column
    return table
