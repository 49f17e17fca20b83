"""A small archive that answers as MAST does: the named objects of the demonstration."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from skydex.demo import SIZES
from skydex.demo.named import simulate_named
from skydex.demo.publishing import publish_simulated
from skydex.store import ArchiveDirectory


def build_mast(folder: Path) -> Path:
    """Publish `demo.named_objects` as the demonstration does."""
    directory = ArchiveDirectory.create(folder / "archive")
    for table in simulate_named(SIZES["tiny"], 1):
        publish_simulated(table, directory, folder, label="a test")
    offers = files("skydex.demo").joinpath("services.toml").read_bytes()
    (folder / "archive" / "services.toml").write_bytes(offers)
    return folder / "archive"
