"""Names that an archive's own tables give."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from astropy.table import Table

from skydex.archive import Archive, naming
from skydex.ingest import ingest_files

OFFERS = """
[[names]]
table = "own.variables"
columns = ["name", "other"]
type = "kind"
authority = "who"

[[names]]
table = "own.kepler"
columns = ["kic"]
prefix = "KIC"

[[names]]
table = "own.unpublished"
columns = ["name"]
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    folder = tmp_path_factory.mktemp("naming")
    variables = Table(
        {
            "name": ["KQ UMa", "Sirius", "IC 1613", "IC 1613", ""],
            "other": ["V1", "", "", "", "nobody"],
            "ra": [139.334453, 10.0, 16.2016962, 16.19913, np.nan],
            "dec": [68.635059, 20.0, 2.1194959, 2.11778, np.nan],
            "kind": ["RR", "*", "G", "G", ""],
            "who": ["", "", "SIMBAD", "NED", ""],
        }
    )
    kepler = Table({"kic": np.array([2161623, 8153568]), "ra": [291.744463, 286.90445], "dec": [37.590999, 44.005479]})
    for name, table in (("variables", variables), ("kepler", kepler)):
        table.write(folder / f"{name}.ecsv")
        ingest_files([folder / f"{name}.ecsv"], folder / "archive", f"own.{name}", ra="ra", dec="dec")
    (folder / "archive" / "services.toml").write_text(OFFERS)
    return folder / "archive"


@pytest.fixture(params=["read whole", "asked each time"])
def names(directory, request, monkeypatch):
    if request.param == "asked each time":
        monkeypatch.setattr(naming, "_MOST_READ", 0)
    return Archive.open(directory).names()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("KQ UMa", (139.334453, 68.635059)),
        ("V1", (139.334453, 68.635059)),
        ("KIC 2161623", (291.744463, 37.590999)),
        ("kic8153568", (286.90445, 44.005479)),
        ("KIC 008153568", (286.90445, 44.005479)),
    ],
)
def test_own_tables_name_objects(names, text, place):
    (found,) = names.find(text)
    assert (found.ra_deg, found.dec_deg) == place
    assert found.source in ("own.variables", "own.kepler")


def test_own_objects_come_before_those_that_everybody_knows(names):
    own, known = names.find("Sirius")
    assert (own.source, own.ra_deg) == ("own.variables", 10.0)
    assert known.source == "IAU"


def test_one_name_may_have_several_positions_each_with_its_authority(names):
    found = {known.authority: known.ra_deg for known in names.find("IC 1613")}
    assert found["SIMBAD"] == 16.2016962
    assert found["NED"] == 16.19913
    assert found[""] == pytest.approx(16.19913, abs=1e-4)  # OpenNGC


@pytest.mark.parametrize(
    "text", ["KIC", "KIC 1", "KIC 99999999999999999999", "KIC x", "nobody", "", "' OR 1=1 --", "%"]
)
def test_what_no_table_names_is_unknown(names, text):
    assert names.find(text) == ()


def test_spellings_do_not_matter_where_a_table_is_read_whole(directory):
    names = Archive.open(directory).names()
    assert [names.find(text)[0].name for text in ("kq uma", "KQUMA", "KQ Ursae Majoris")] == ["KQ UMa"] * 3


def test_own_names_are_suggested_too(directory):
    assert Archive.open(directory).names().near("KIC 2161624")[0] == "KIC 2161623"


def test_new_publications_are_noticed(directory, tmp_path):
    archive = Archive.open(directory)
    assert archive.names().find("Nova X") == ()
    Table({"name": ["Nova X"], "ra": [1.0], "dec": [2.0]}).write(tmp_path / "new.ecsv")
    ingest_files([tmp_path / "new.ecsv"], directory, "own.unpublished", ra="ra", dec="dec")
    assert archive.names().find("nova x")[0].source == "own.unpublished"


def test_a_table_without_the_columns_is_passed_over(directory, tmp_path, caplog):
    from skydex.archive import NamesOffer

    archive = Archive.open(directory)
    offers = (NamesOffer("own.variables", ("nme",)), NamesOffer("own.kepler", ("kic",), prefix="KIC"))
    everything = archive.namespace()
    names = naming.ArchiveNames(offers, everything, functools.partial(archive._rows, everything))
    assert names.find("KIC 2161623")
    assert "own.variables: it has no column nme" in caplog.text
