"""What a user may give, and what is said of what cannot be taken."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table

import skydex
from skydex import col
from skydex.errors import BadParameterError, IncompleteError

SUMMARY = "hsc.SumMagAper2CatView"


@pytest.fixture(scope="module")
def archive(simulated):
    return skydex.connect(simulated)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda archive: archive.resolve(5), "name of an object, such as"),
        (lambda archive: archive.resolve(" "), "name of an object"),
        (lambda archive: archive.columns(5), "the name of a table, not 5"),
        (lambda archive: archive.search(None, maxrec=1), "the name of a table, not None"),
        (lambda archive: archive.query(5), "a query in ADQL, not 5"),
        (lambda archive: archive.query(""), "a query in ADQL, not ''"),
        (lambda archive: archive.sql(None), "a statement in T-SQL"),
        (lambda archive: archive.job(5), "the address of a job, as job.url has it, not 5"),
        (lambda archive: archive.stamps(5), "UVIS, IR or WFPC2, not 5"),
        (lambda archive: archive.cutout(5), "name of one image"),
        (lambda archive: archive.search(SUMMARY, maxrec="5"), "a number of rows, 0 or more, not '5'"),
        (lambda archive: archive.search(SUMMARY, maxrec=5.0), "a number of rows, 0 or more, not 5.0"),
        (lambda archive: archive.query("SELECT 1", uploads=Table({"a": [1]})), "tables by their names"),
        (lambda archive: archive.query("SELECT 1", uploads={"a": [1]}), "Parameter table: is a table of astropy"),
        (lambda archive: archive.search(SUMMARY, col.A_F814W.between(21, 22 * u.ABmag)), r"is in mag .* 22 mag\(AB\)"),
    ],
)
def test_what_cannot_be_taken_is_told_with_what_can(archive, ask, words):
    with pytest.raises(BadParameterError, match=words):
        ask(archive)


def test_numbers_of_numpy_are_numbers_of_rows(archive):
    assert len(archive.search(SUMMARY, columns="MatchID", maxrec=np.int64(2))) == 2


@pytest.mark.parametrize("places", [SkyCoord([1, 2], [3, 4], unit="deg"), SkyCoord(1, 3, unit="deg").galactic])
def test_positions_come_along_with_a_query(archive, places):
    rows = archive.query("SELECT * FROM TAP_UPLOAD.mine", uploads={"mine": places})
    assert rows.colnames == ["ra", "dec"]
    assert rows["ra"].unit == u.deg
    assert np.all(SkyCoord(rows["ra"], rows["dec"]).separation(places) < 1 * u.uas)


def test_the_phase_of_a_job_is_a_plain_word(archive):
    assert repr(archive.submit(f"SELECT TOP 1 MatchID FROM {SUMMARY}").wait().phase) == "'COMPLETED'"


@pytest.mark.parametrize(
    ("n_wanted", "words"),
    [
        (1, "The file did not come: a: gone."),
        (2, "None of 2 files came; the first is a: gone."),
        (5, r"2 of 5 files are missing in x, the first is a: gone\. The others are there"),
    ],
)
def test_of_files_that_did_not_come_it_is_told_whether_others_are_there(n_wanted, words):
    missing = {"a": "gone."} if n_wanted == 1 else {"a": "gone.", "b": "gone."}
    with pytest.raises(IncompleteError, match=words):
        raise IncompleteError(missing, n_wanted, "x")
