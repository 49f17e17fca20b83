"""The same words ask an archive on this disk and a server of it, by its address and by each preset: one contract.

Where a service cannot carry what the archive knows, it stands here by name, with the reason.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
import pytest

import skydex
from skydex import col
from skydex.connection import ResultTable
from skydex.errors import RefusedError, RequestError

sys.path[:0] = [str(Path(__file__).parents[1] / "web")]

USER, PASSWORD = "alice", "correct horse battery"
SUMMARY = "hsc.SumMagAper2CatView"
PRESETS = ("", "mast-hsc", "mast-casjobs", "ps1-tap", "mast-psf", "csc21", "panstarrs")
M87 = (187.706, 12.391)


@dataclass(frozen=True)
class Case:
    """A question, and in what the answers of a server may differ."""

    preset: str
    name: str
    ask: Callable[[Any], Any]
    lacks: dict[str, str] = field(default_factory=dict)
    """What the service does not tell, or tells otherwise, and why: `units`, `types`, or a column."""

    def __str__(self) -> str:
        return f"{self.preset or 'directory'}: {self.name}"


WIDE = {"types": "CasJobs knows bit, int and float, and none of 8 bits or of single precision"}
BARE = {**WIDE, "units": "rows that statements made are CSV, whose heads have types and no units"}
DOUBLES = {"types": "MAST calls three columns of single precision DOUBLE, and so does its API here"}
COUNTS = {"n_columns": "lists of tables are asked for without columns", "n_rows": "most services do not tell"}
COUNTS["description"] = "the API has no list of tables, so that the client describes them"


def _into(archive: Any) -> Any:
    archive.mydb.drop_if_exists("contract")
    said = archive.sql(
        "select top 4 MatchID, Filter into mydb.contract from HCVfilter order by MatchID, Filter", "HSCv3"
    )
    kept = archive.mydb["contract"]
    archive.mydb.drop("contract")
    assert "contract" not in archive.mydb
    return [list(said.columns[0]), sorted(kept["MatchID"]), sorted(kept["Filter"])]


def _written(archive: Any) -> Any:
    rows = {"a": np.array([1, 2, 3]), "b": np.array([1.5, np.nan, 2.0]), "s": np.array(["x", "yy", "z z"])}
    archive.mydb.write("written", rows, overwrite=True)
    kept = archive.mydb["written"]
    archive.mydb.drop("written")
    return kept


def _matched(archive: Any, keep: str) -> Any:
    mine = {"n": np.arange(4), "ra": [16.1, 16.2, 10.0, np.nan] * u.deg, "dec": [2.1, 2.15, -80.0, 3.0] * u.deg}
    return archive.crossmatch(
        mine, SUMMARY, radius="3 arcmin", keep=keep, columns=(None, "MatchID A_F475W TargetName MatchRA")
    )


def _of_two(archive: Any, keep: str, *more: Any, other: str = "hsc.detailedCatalog", same: str = "others") -> Any:
    columns = ("MatchID MatchRA NumImages", "MatchID", *(None for _ in more))
    options = {"radius": 0.5 * u.arcsec, "keep": keep, "columns": columns, "same": same}
    found = archive.crossmatch(SUMMARY, other, *more, where="IC 1613", within="5 arcmin", **options)
    found.sort([name for name in found.colnames if "separation" not in name])
    return found


JOIN = f"SELECT s.MatchRA, m.x FROM {SUMMARY} s JOIN TAP_UPLOAD.mine m ON m.MatchID = s.MatchID ORDER BY m.x"
MINE = {"MatchID": np.array([14005460, 19189752]), "x": np.array([1.5, 2.5]) * u.deg}
CASES = [
    *(Case(preset, "verbs", lambda a: a.verbs) for preset in PRESETS),
    *(Case(preset, "tables", lambda a: a.tables(), COUNTS) for preset in PRESETS),
    *(Case(preset, "place", lambda a: _place(a.resolve("IC 1613"))) for preset in PRESETS),
    Case("", "all columns", lambda a: a.query(f"SELECT * FROM {SUMMARY} ORDER BY MatchID")),
    Case("", "text, flags, nulls", lambda a: a.query("SELECT * FROM csc21.master_source ORDER BY name", maxrec=60)),
    Case("", "row limit", lambda a: a.query(f"SELECT MatchID FROM {SUMMARY} ORDER BY MatchID", maxrec=5)),
    Case("", "no rows", lambda a: a.query(f"SELECT MatchID, MatchRA FROM {SUMMARY}", maxrec=0)),
    Case("", "cone", lambda a: a.cone(SUMMARY, "IC 1613", "6 arcmin", sort_by="MatchID")),
    Case(
        "",
        "conditions",
        lambda a: a.search(SUMMARY, (col.A_F475W_N >= 10) & ~(col.a_f475w < 24 * u.mag), sort_by="MatchID"),
    ),
    Case("", "columns", lambda a: a.columns(SUMMARY).table),
    Case("", "upload", lambda a: a.query(JOIN, uploads={"mine": MINE})),
    *(
        Case("", f"cross-match, {keep}", lambda a, keep=keep: _matched(a, keep))
        for keep in ("nearest", "all", "left", "none")
    ),
    Case("", "cross-match of two tables", lambda a: _of_two(a, "nearest")),
    Case("", "cross-match of three tables", lambda a: _of_two(a, "left", {"ra": [10.0], "dec": [0.0]})),
    Case("", "cross-match of a table with itself", lambda a: _of_two(a, "all", other=SUMMARY, same="others")),
    Case("", "job", lambda a: a.submit(f"SELECT MatchID, MatchRA FROM {SUMMARY} ORDER BY MatchID", maxrec=9).result()),
    Case("", "job again", lambda a: a.job(a.submit(f"SELECT MAX(MatchID) AS n FROM {SUMMARY}").wait().url).result()),
    Case("", "stream", lambda a: [len(rows) for rows in a.stream(f"SELECT MatchID FROM {SUMMARY}", rows=100)]),
    Case("", "sql", lambda a: a.sql("select top 5 * from HCVmatch order by MatchID", "HSCv3"), BARE),
    Case("", "mydb", _into),
    Case("", "light curve", lambda a: a.light_curve(80189155, "hsc.detailedCatalog").rows),
    Case(
        "mast-hsc", "cone", lambda a: a.cone("summary", "IC 1613", "6 arcmin", {"numimages.gte": 2}, sort_by="MatchID")
    ),
    Case(
        "mast-hsc",
        "columns of a cone",
        lambda a: a.cone("v2/summary", "IC 1613", 0.1, columns="matchid A_F475W", sort_by="-MatchID"),
    ),
    Case(
        "mast-hsc",
        "search",
        lambda a: a.search("detailed", MatchID=80189155, Detector="acs/wfc", sort_by="StartMJD SourceID"),
    ),
    Case(
        "mast-hsc",
        "lists, patterns",
        lambda a: a.search(
            "detailed", col.MatchID.isin([80189155, 1905457]), col.Filter.like("F4%"), sort_by="SourceID"
        ),
    ),
    Case("mast-hsc", "columns", lambda a: a.columns("summary").table),
    Case("mast-hsc", "light curve", lambda a: a.light_curve(80189155).rows),
    Case("panstarrs", "cone", lambda a: a.cone("mean", M87, 0.2, sort_by="objID"), DOUBLES),
    Case(
        "panstarrs",
        "search",
        lambda a: a.search(
            "detection", {"objID.gte": 1}, columns="objID obsTime psfFlux", sort_by="objID obsTime", maxrec=20
        ),
    ),
    Case("mast-casjobs", "sql", lambda a: a.sql("select top 9 * from HCVdetailed order by MatchID, Filter, MJD"), WIDE),
    Case("mast-casjobs", "cone", lambda a: a.cone("HCVmatch", "IC 1613", 0.1, sort_by="MatchID"), WIDE),
    Case(
        "mast-casjobs",
        "job",
        lambda a: a.submit("select top 3 MatchID, RA from HCVmatch order by MatchID").result(),
        BARE,
    ),
    Case("mast-casjobs", "into", _into),
    Case("mast-casjobs", "write", _written),
    Case("mast-casjobs", "light curve", lambda a: a.light_curve(1905457).rows, WIDE),
    Case("ps1-tap", "cone", lambda a: a.cone("MeanObjectView", M87, 0.2, col.nDetections > 1, sort_by="objID")),
    Case("ps1-tap", "job", lambda a: a.submit("SELECT TOP 3 objID FROM Detection ORDER BY objID, detectID").result()),
    Case("mast-psf", "search", lambda a: a.search("UVIS", {"filter": "F814W"}, col.n_sat_pixels == 0, maxrec=20)),
    Case("mast-psf", "cone", lambda a: a.cone("UVIS", (6.02, -72.08), 0.05, columns="id ra dec")),
    Case("csc21", "cone search", lambda a: a.cone("master_source", "NGC 1333", "2 arcmin")),
    Case(
        "csc21",
        "cone with conditions",
        lambda a: a.cone("master_source", "NGC 1333", 0.1, col.significance > 5, sort_by="name"),
    ),
]
ERRORS = [
    Case("", "cross-match without a radius", lambda a: a.crossmatch(SUMMARY, SUMMARY, radius="much")),
    Case("", "cross-match of a table that is not there", lambda a: a.crossmatch(SUMMARY, "hsc.nothing", radius=0.1)),
    Case("", "cross-match of no position", lambda a: a.crossmatch({"x": [1.0]}, SUMMARY, radius=0.1)),
    Case(
        "mast-hsc", "cross-match where nothing is asked in ADQL", lambda a: a.crossmatch("summary", "summary", radius=1)
    ),
    Case("", "syntax", lambda a: a.query("SELEC 1")),
    Case("", "unknown table", lambda a: a.search("hsc.SumMagAper2CatVieww", MatchID=1)),
    Case("", "unknown column", lambda a: a.query(f"SELECT MatchIDD FROM {SUMMARY}")),
    Case("", "unknown column of a search", lambda a: a.search(SUMMARY, MatchIDD=1)),
    Case("", "unknown object", lambda a: a.resolve("IC 16133333")),
    Case("", "job with a mistake", lambda a: a.submit("SELECT nothing FROM hsc.SumMagAper2CatView").result()),
    Case("mast-hsc", "no such verb", lambda a: a.query("SELECT 1")),
    Case(
        "mast-hsc",
        "a condition that it cannot say",
        lambda a: a.search("summary", (col.MatchID == 1) | (col.MatchID == 2)),
    ),
    Case("mast-hsc", "unknown table", lambda a: a.search("summry", MatchID=1)),
    Case("mast-hsc", "unknown column", lambda a: a.search("summary", MatchIDD=1)),
    Case("mast-hsc", "unknown output", lambda a: a.search("summary", MatchID=1, columns="nothing")),
    Case("mast-hsc", "unknown outputs", lambda a: a.search("summary", MatchID=1, columns="one MatchID two")),
    Case("mast-hsc", "no condition", lambda a: a.search("summary")),
    Case("mast-casjobs", "unknown column", lambda a: a.sql("select nothing from HCVmatch")),
    Case("mast-casjobs", "no such table", lambda a: a.mydb["nothing"]),
    Case("mast-psf", "sorting", lambda a: a.search("UVIS", sort_by="id")),
]


@pytest.fixture(scope="module")
def place(simulated, tmp_path_factory):
    """A copy of the demonstration with a user, since some cases keep tables."""
    from skydex.accounts import Accounts

    place = shutil.copytree(simulated, tmp_path_factory.mktemp("contract") / "archive")
    accounts = Accounts(place / "state")
    accounts.add(USER, PASSWORD)
    accounts.close()
    return place


@pytest.fixture(scope="module")
def server(place):
    import serving

    with serving.serving(place) as server:
        yield server


@pytest.fixture(scope="module")
def near(place):
    """Connections to the directory, by preset."""
    return {preset: _connected(preset, place, user=USER) for preset in PRESETS}


@pytest.fixture(scope="module")
def far(server):
    """Connections to the server, by preset."""
    return {preset: _connected(preset, server.url, user=USER, password=PASSWORD) for preset in PRESETS}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_near_and_far_answer_the_same(case, near, far):
    here, there = case.ask(near[case.preset]), case.ask(far[case.preset])
    if isinstance(here, ResultTable):
        _assert_same_rows(here, there, case.lacks)
    else:
        assert there == here


@pytest.mark.parametrize("case", ERRORS, ids=str)
def test_near_and_far_refuse_the_same(case, near, far):
    with pytest.raises(RequestError) as here:
        case.ask(near[case.preset])
    with pytest.raises(RequestError) as there:
        case.ask(far[case.preset])
    if isinstance(there.value, RefusedError) or case.name == "job with a mistake":
        assert str(here.value).partition(" (line")[0] in str(there.value)
    else:
        assert type(there.value) is type(here.value)


def test_what_a_server_gives_is_what_pyvo_gets_from_it(server, far):
    pyvo = pytest.importorskip("pyvo")
    text = "SELECT MatchID, MatchRA, A_F475W, TargetName FROM hsc.SumMagAper2CatView ORDER BY MatchID"
    theirs = pyvo.dal.TAPService(f"{server.url}/tap").search(text).to_table()
    ours = far[""].query(text)
    assert list(ours["MatchID"]) == list(theirs["MatchID"])
    assert list(ours["TargetName"]) == list(theirs["TargetName"])
    assert np.array_equal(ours["A_F475W"].value, np.ma.filled(theirs["A_F475W"], np.nan), equal_nan=True)
    assert ours["MatchRA"].unit == theirs["MatchRA"].unit


def _connected(preset, place, **login):
    return skydex.connect(preset, at=place, **login) if preset else skydex.connect(place, **login)


def _place(found):
    return found.ra.deg.item(), found.dec.deg.item()


def _assert_same_rows(here, there, lacks):
    names = [name for name in here.colnames if name not in lacks]
    assert there.colnames == here.colnames
    assert len(there) == len(here)
    assert there.truncated == here.truncated
    for name in names:
        ours, theirs = here[name], there[name]
        if "units" not in lacks:
            assert theirs.unit == ours.unit, name
        if "types" not in lacks and ours.dtype.kind != "U":
            assert theirs.dtype == ours.dtype, name
        values, others = _plain(ours), _plain(theirs)
        assert np.array_equal(np.ma.getmaskarray(values), np.ma.getmaskarray(others)), name
        if values.dtype.kind == "f":
            assert np.allclose(np.ma.filled(values), np.ma.filled(others), rtol=1e-6, atol=0, equal_nan=True), name
        else:
            assert np.ma.allequal(values, others), name


def _plain(column):
    """Values without unit, masked where they are null."""
    mask = getattr(column, "mask", False)
    bare = getattr(column, "unmasked", column)
    values = np.asarray(bare.value if hasattr(bare, "unit") and hasattr(bare, "to_value") else bare)
    return np.ma.array(values, mask=mask)
