"""astroquery's TapPlus (0.4.11), as astronomers use it, against a real server; its uploads are in `test_uploads`.

What it can do with no standard service is not here: `load_tables` wants an attribute of columns for which the schema of
VOSI tables has no room, FITS is read only if it comes compressed, jobs are searched at an address of ESA's own.
"""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import Table
from requests import HTTPError
from serving import N_STARS, stars

ALL = "SELECT star_id, ra, gmag FROM sky.stars ORDER BY star_id"
FEW = "SELECT TOP 5 star_id FROM sky.stars"
VERBS = ("launch_job", "launch_job_async")

pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),  # it leaves its connections open
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def tap(server):
    return pytest.importorskip("astroquery.utils.tap").TapPlus(url=f"{server.url}/tap")


def test_a_job_at_once_gives_the_first_2000_rows_as_it_is_asked(tap):
    table = tap.launch_job(ALL).get_results()
    assert len(table) == 2000  # TapPlus puts TOP 2000 into a query that has no TOP
    assert np.array_equal(table["ra"], stars()["ra"][:2000])
    assert table["ra"].unit == "deg"


def test_a_job_gives_all_rows(tap):
    table = tap.launch_job_async(ALL).get_results()
    assert np.array_equal(table["star_id"], np.arange(N_STARS))
    assert np.array_equal(table["gmag"], stars()["gmag"])


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("form", ["votable", "csv", "ecsv"])
def test_formats_are_read(tap, form, verb):
    assert len(getattr(tap, verb)(FEW, output_format=form).get_results()) == 5


@pytest.mark.parametrize("verb", VERBS)
def test_the_greatest_number_of_rows_is_kept(tap, verb):
    assert len(getattr(tap, verb)(ALL, maxrec=7).get_results()) == 7


@pytest.mark.parametrize("verb", VERBS)
def test_results_go_to_a_file(tap, verb, tmp_path):
    getattr(tap, verb)(FEW, output_format="csv", dump_to_file=True, output_file=str(tmp_path / "few.csv"))
    assert len(Table.read(tmp_path / "few.csv")) == 5


@pytest.mark.parametrize("verb", VERBS)
def test_an_error_is_its_message(tap, verb):
    with pytest.raises(HTTPError, match=r'No column "nope" in sky\.stars'):
        getattr(tap, verb)("SELECT nope FROM sky.stars")


def test_a_job_in_the_background_is_waited_for(tap):
    job = tap.launch_job_async(FEW, background=True)
    job.wait_for_job_end()
    assert job.get_phase(update=True) == "COMPLETED"
    assert len(job.get_results()) == 5


def test_a_job_waits_until_it_is_started(tap):
    job = tap.launch_job_async(FEW, autorun=False)
    assert job.get_phase(update=True) == "PENDING"
    job.start()
    assert len(job.get_results()) == 5


def test_a_job_is_found_again(tap):
    made = tap.launch_job_async(FEW)
    assert {job.jobid: job.get_phase() for job in tap.list_async_jobs()}[made.jobid] == "COMPLETED"
    found = tap.load_async_job(jobid=made.jobid)
    assert list(found.get_results()["star_id"]) == list(made.get_results()["star_id"])


def test_jobs_are_removed_all_or_none(tap):
    made = [tap.launch_job_async(FEW).jobid for _ in range(3)]
    with pytest.raises(HTTPError, match="No job"):
        tap.remove_jobs([*made, "nobody"])
    tap.remove_jobs(made[:2])
    left = {job.jobid for job in tap.list_async_jobs()}
    assert made[2] in left
    assert not left & set(made[:2])
