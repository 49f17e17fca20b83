"""Which real catalogues the demonstration publishes, and under which names.

The files are not part of skydex; they are looked for in the folder that the caller names, and one that is not there is
passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

__all__ = ["CATALOGS", "DemoCatalog", "find_hats", "find_seeds"]


@dataclass(frozen=True)
class DemoCatalog:
    """A file and the table that it becomes."""

    table: str
    """`schema.table`."""
    file: str
    """Relative to the folder of data."""
    description: str
    """What it is, and who published it."""
    recipe: str | None = None
    """A recipe that comes with skydex."""
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Further options of an ingest."""


CATALOGS = (
    DemoCatalog(
        "gaia.ngc188",
        "catalogues/gaia/gaia_results.fits",
        "Gaia DR2 sources around the open cluster NGC 188 (Gaia Collaboration 2018, A&A 616, A1)",
        "gaia",
    ),
    DemoCatalog(
        "twomass.ngc188",
        "catalogues/gaia/2MASS_results.ecsv",
        "2MASS point sources around the open cluster NGC 188 (Skrutskie et al. 2006, AJ 131, 1163)",
        "2mass",
    ),
    DemoCatalog(
        "gaia.open_clusters",
        "catalogues/gaia/Cantat-Gaudin-open-clusters.ecsv",
        "Open clusters in Gaia DR2 (Cantat-Gaudin et al. 2018, A&A 618, A93)",
    ),
    DemoCatalog(
        "linear.attributes",
        "catalogues/variables/LINEARattributesFinalApr2013.dat.gz",
        "LINEAR variables with SDSS and 2MASS colours (Palaversa et al. 2013, AJ 146, 101)",
        "linear",
    ),
    DemoCatalog(
        "linear.periods",
        "catalogues/variables/PLV_LINEAR.dat",
        "LINEAR periodic variables: type, period, amplitude (Palaversa et al. 2013, AJ 146, 101)",
        "linear",
    ),
    DemoCatalog(
        "ogle.cepheids",
        "catalogues/variables/allGalCep.listID",
        "All known Galactic Cepheids (Pietrukowicz et al. 2021, AcA 71, 205)",
        "cepheids",
    ),
    DemoCatalog(
        "sdss.dr9",
        "catalogues/sdss/SDSS_DR9.vot",
        "Extract of SDSS DR9 (Ahn et al. 2012, ApJS 203, 21), VizieR V/139",
        "sdss",
    ),
    DemoCatalog(
        "csc.classified",
        "catalogues/csc/TD_CSC_1.csv",
        "Chandra Source Catalog 2.0 sources of known class (Yang et al. 2022, ApJ 941, 104)",
    ),
    DemoCatalog(
        "csc.ngc3532",
        "catalogues/csc/NGC3532_ave.csv",
        "Chandra sources in the open cluster NGC 3532, averaged over observations (Yang et al. 2022, ApJ 941, 104)",
        options=MappingProxyType({"ra": "ra", "dec": "dec"}),
    ),
    DemoCatalog(
        "hdfn.photometry",
        "catalogues/hst/hdfn_fs99_eazy.cat",
        "Photometry of the Hubble Deep Field North (Fernandez-Soto et al. 1999, ApJ 513, 34)",
        options=MappingProxyType({"position": "none"}),
    ),
    DemoCatalog(
        "qserv.object",
        "catalogues/qserv_case01/Object.tsv.gz",
        "SIMULATED sky of the LSST data challenge PT1.1: objects",
    ),
    DemoCatalog(
        "qserv.source",
        "catalogues/qserv_case01/Source.tsv.gz",
        "SIMULATED sky of the LSST data challenge PT1.1: detections",
    ),
)
"""Files of the folder `catalogues`."""

_HATS = ("hats.properties", "properties", "collection.properties")


def find_hats(data: Path) -> Iterator[tuple[str, Path]]:
    """Names and places of the HATS catalogues in the folder `hats`."""
    folder = data / "hats"
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if any((path / name).is_file() for name in _HATS):
            yield f"hats.{path.name}", path


def find_seeds(data: Path) -> Iterator[DemoCatalog]:
    """The tables in the folder `seeds`."""
    recipes = {"hsc": "hsc", "hcv": "hsc", "ps1": "ps1", "csc21": "csc21"}
    for path in sorted((data / "seeds").glob("*.ecsv")):
        archive = path.stem.partition("_")[0]
        description = f"Rows of a published analysis of {archive.upper()} data, as printed there"
        yield DemoCatalog(f"seeds.{path.stem}", f"seeds/{path.name}", description, recipes.get(archive))
