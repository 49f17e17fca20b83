"""Uploads as pyvo, astroquery and STILTS send them, against a real server."""

from __future__ import annotations

import io

import numpy as np
import pytest
import pyvo
from astropy import units
from astropy.io.votable import from_table, writeto
from astropy.table import Table
from pyvo.dal.exceptions import DALQueryError
from serving import stars

JOIN = "SELECT t.target, s.star_id FROM TAP_UPLOAD.t AS t JOIN sky.stars AS s ON s.star_id = t.wanted ORDER BY target"
WANTED = [4321, 17, 0]


def targets():
    table = Table({"target": [1, 2, 3], "wanted": WANTED})
    truth = stars()[WANTED]
    table["ra"], table["dec"] = np.asarray(truth["ra"]) * units.deg, np.asarray(truth["dec"]) * units.deg
    return table


def votable(kind="tabledata"):
    out = io.BytesIO()
    writeto(from_table(targets()), out, tabledata_format=kind)
    return out.getvalue()


pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # pyvo leaves files open
]


@pytest.fixture(scope="module")
def tap(server):
    return pyvo.dal.TAPService(f"{server.url}/tap")


@pytest.fixture(scope="module")
def tapplus(server):
    return pytest.importorskip("astroquery.utils.tap").TapPlus(url=f"{server.url}/tap")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "targets.vot"
    path.write_bytes(votable())
    return path


SOURCES = {
    "table": lambda _: targets(),
    "file name": str,
    "file object": lambda file: io.BytesIO(file.read_bytes()),
    "binary": lambda _: io.BytesIO(votable("binary")),
    "binary2": lambda _: io.BytesIO(votable("binary2")),
}


@pytest.mark.parametrize("verb", ["search", "run_async"])
@pytest.mark.parametrize("source", SOURCES)
def test_pyvo_uploads_whatever_holds_a_table(source, verb, tap, file):
    result = getattr(tap, verb)(JOIN, uploads={"t": SOURCES[source](file)})
    assert list(result["star_id"]) == WANTED


@pytest.mark.parametrize("suffix", ["fits", "csv", "ecsv", "parquet"])
def test_pyvo_uploads_files_of_other_formats(suffix, tap, tmp_path):
    table, path = targets(), tmp_path / f"t.{suffix}"
    table.write(path, **({"format": f"ascii.{suffix}"} if "csv" in suffix else {}))
    source = str(path) if "csv" in suffix else io.BytesIO(path.read_bytes())  # pyvo opens files as text
    assert list(tap.search(JOIN, uploads={"t": source})["star_id"]) == WANTED


def test_pyvo_uploads_results_and_several_tables(tap):
    first = tap.search("SELECT TOP 5 star_id FROM sky.stars ORDER BY star_id")
    query = "SELECT COUNT(*) AS n FROM TAP_UPLOAD.a AS a JOIN TAP_UPLOAD.b AS b ON a.star_id < b.target"
    assert tap.search(query, uploads={"a": first, "b": targets()})["n"][0] == 1 + 2 + 3


def test_pyvo_adds_uploads_to_a_job_that_waits(tap):
    job = tap.submit_job(JOIN, uploads={"other": targets()})
    job.upload(t=targets())
    job.run()
    job.wait()
    job.raise_if_error()
    assert list(job.fetch_result()["star_id"]) == WANTED
    job.delete()


def test_pyvo_knows_ways_and_limits(tap):
    capability = tap.get_tap_capability()
    assert [method.ivo_id.rpartition("#")[2] for method in tap.upload_methods] == ["upload-inline"]
    assert (capability.uploadlimit.hard.content, capability.uploadlimit.hard.unit) == (100 << 20, "byte")


def test_pyvo_learns_why_an_upload_is_refused(tap):
    with pytest.raises(DALQueryError, match="this service fetches nothing: send the table along"):
        tap.search(JOIN, uploads={"t": "http://data.example.org/t.vot"})
    with pytest.raises(DALQueryError, match="Cannot read the uploaded table t"):
        tap.search(JOIN, uploads={"t": io.BytesIO(b"<html></html>")})


@pytest.mark.parametrize("verb", ["launch_job", "launch_job_async"])
@pytest.mark.parametrize("form", ["votable", "csv"])
@pytest.mark.parametrize("source", ["table", "file name"])
def test_tapplus_uploads(source, form, verb, tapplus, file):
    given = {"upload_resource": SOURCES[source](file), "upload_table_name": "t", "output_format": form}
    job = getattr(tapplus, verb)(JOIN, **given)
    assert list(job.get_results()["star_id"]) == WANTED


@pytest.fixture
def table_of(server, stilts, tmp_path):
    """Run a STILTS task on the service; the table that it writes."""

    def table_of(task, *words):
        stilts(task, f"tapurl={server.url}/tap", *words, f"out={tmp_path / 'out.fits'}")
        return Table.read(tmp_path / "out.fits")

    return table_of


@pytest.mark.parametrize("sync", ["true", "false"])
@pytest.mark.parametrize("form", ["TABLEDATA", "BINARY", "BINARY2"])
def test_tapquery_uploads(form, sync, table_of, file):
    upload = ("nupload=1", f"upload1={file}", "upname1=t", f"upvotformat={form}")
    assert list(table_of("tapquery", f"adql={JOIN}", f"sync={sync}", *upload)["star_id"]) == WANTED


def test_tapquery_uploads_several_tables(table_of, file):
    query = "SELECT COUNT(*) AS n FROM TAP_UPLOAD.up1 AS a JOIN TAP_UPLOAD.up2 AS b ON a.target <= b.target"
    uploads = ("nupload=2", f"upload1={file}", f"upload2={file}")
    assert table_of("tapquery", f"adql={query}", *uploads)["n"][0] == 6


def test_tapskymatch_finds_the_stars_of_a_table(table_of, file):
    words = ("taptable=sky.stars", f"in={file}", "inlon=ra", "inlat=dec", "taplon=ra", "taplat=dec", "sr=0.001")
    assert sorted(table_of("tapskymatch", *words)["star_id"]) == sorted(WANTED)
