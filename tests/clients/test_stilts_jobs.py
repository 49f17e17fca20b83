"""Jobs as STILTS, and so TOPCAT, makes, follows and resumes them; its uploads are in `test_uploads`.

`delete=now` is not here: STILTS 3.4.7 ends with an error of its own before it deletes anything.
"""

from __future__ import annotations

import re

import httpx
import pytest
from astropy.table import Table

QUERY = "SELECT star_id, gmag FROM sky.stars WHERE star_id < 20 ORDER BY star_id"


@pytest.fixture
def tapquery(server, stilts, tmp_path):
    """Run a query in a job; the address of the job, and the table if there is one."""

    def tapquery(*words, query=QUERY, is_fine=True):
        out = tmp_path / "out.fits"
        told = ("progress=true", f"out={out}", f"tapurl={server.url}/tap", f"adql={query}", "sync=false", "poll=50")
        said = stilts("tapquery", *told, *words, is_fine=is_fine, with_progress=True)
        return re.search(r"http\S+/tap/async/\S+", said)[0], Table.read(out) if is_fine else said

    return tapquery


@pytest.mark.parametrize(("delete", "status"), [("finished", 404), ("always", 404), ("never", 200)])
def test_a_job_is_deleted_when_asked(tapquery, delete, status):
    job, table = tapquery(f"delete={delete}")
    assert list(table["star_id"]) == list(range(20))
    assert httpx.get(job).status_code == status


def test_what_a_job_is_told_is_kept(tapquery):
    job, table = tapquery("maxrec=3", "executionduration=61", "destruction=2099-01-01T00:00:00", "delete=never")
    assert len(table) == 3
    assert httpx.get(f"{job}/executionduration").text == "61"
    assert httpx.get(f"{job}/destruction").text < "2099"  # it lives as long as jobs may at most
    assert httpx.get(f"{job}/parameters/MAXREC").text == "3"


def test_why_a_job_failed_is_told(tapquery):
    _, said = tapquery(query="SELECT nope FROM sky.stars", is_fine=False)
    assert 'No column "nope" in sky.stars' in said


def test_a_job_is_resumed(tapquery, stilts, tmp_path):
    job, table = tapquery("delete=never")
    for _ in range(2):
        stilts("tapresume", f"joburl={job}", "delete=never", f"out={tmp_path / 'again.fits'}")
        assert list(Table.read(tmp_path / "again.fits")["star_id"]) == list(table["star_id"])
    stilts("tapresume", f"joburl={job}", "delete=finished", f"out={tmp_path / 'again.fits'}")
    assert httpx.get(job).status_code == 404


@pytest.mark.parametrize("query", [QUERY, "SELECT * FROM TAP_SCHEMA.columns", "SELECT nope FROM sky.stars"])
def test_votlint_finds_nothing_in_what_a_job_gives(server, stilts, tmp_path, query):
    made = httpx.post(f"{server.url}/tap/async", data={"LANG": "ADQL", "QUERY": query, "PHASE": "RUN"})
    job = made.headers["location"]
    phase = httpx.get(f"{job}/phase", params={"WAIT": 20}).text
    answer = httpx.get(f"{job}/results/result" if phase == "COMPLETED" else f"{job}/error", follow_redirects=True)
    (tmp_path / "answer.vot").write_bytes(answer.content)
    assert b"QUERY_STATUS" in answer.content
    assert stilts("votlint", tmp_path / "answer.vot") == ""
