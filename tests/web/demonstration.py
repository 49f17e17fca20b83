"""Collections of the simulated archive, by default at their smallest, in an archive of their own."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from skydex.archive import OFFERS_FILE
from skydex.demo.publishing import publish_simulated
from skydex.demo.simulation import Simulate
from skydex.demo.size import SIZES
from skydex.store import ArchiveDirectory


def build_collection(folder: Path, *collections: Simulate, size: str = "tiny") -> Path:
    """Publish collections with the addresses that the demonstration gives them."""
    directory = ArchiveDirectory.create(folder / "archive")
    for simulate in collections:
        for table in simulate(SIZES[size], 1):
            publish_simulated(table, directory, folder, label="tests")
    (directory.path / OFFERS_FILE).write_bytes(resources.files("skydex.demo").joinpath(OFFERS_FILE).read_bytes())
    return directory.path
