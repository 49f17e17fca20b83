"""Cross-matches as they are asked: lsdb's own expectations, and the texts that TOPCAT and STILTS write."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from skydex.archive import Archive, QueryRequest, Upload
from skydex.store import ArchiveDirectory

LEFT = "hats/raw/xmatch/small_sky_left_xmatch.csv"
NEAREST = """
SELECT a.id, b.id AS partner, DISTANCE(a.ra, a.dec, b.ra, b.dec) AS dist
FROM {left} AS a JOIN hats.xmatch AS b ON DISTANCE(POINT(a.ra, a.dec), POINT(b.ra, b.dec)) <= {most}
WHERE DISTANCE(a.ra, a.dec, b.ra, b.dec) >= {least} AND {n} > (
    SELECT COUNT(*) FROM hats.xmatch AS c
    WHERE 1 = CONTAINS(POINT(c.ra, c.dec), CIRCLE(a.ra, a.dec, {most}))
    AND DISTANCE(a.ra, a.dec, c.ra, c.dec) >= {least}
    AND DISTANCE(a.ra, a.dec, c.ra, c.dec) < DISTANCE(a.ra, a.dec, b.ra, b.dec))
"""
"""The nearest partners between two distances."""
EXPECTED = {
    "xmatch_correct": ("hats.sky", 0, 0.01, 1),
    "xmatch_correct_0_005": ("hats.sky", 0, 0.005, 1),
    "xmatch_correct_002_005": ("hats.sky", 0.002, 0.005, 1),
    "xmatch_correct_3n_2t": ("hats.sky", 0, 2, 3),
    "xmatch_correct_05_2_3n_margin": ("hats.sky", 0.5, 2, 3),
    "xmatch_correct_3n_2t_negative": ("TAP_UPLOAD.other", 0, 2, 3),
}
"""lsdb's files of matches: the left table, the least and the largest distance, and how many partners a row may have.

`xmatch_correct_3n_2t_no_margin` is not among them: it holds what is found by looking into one pixel at a time.
"""


@pytest.fixture(scope="module", params=["small_sky", "small_sky_order1_collection", "small_sky_healpix13"])
def archive(request, tmp_path_factory, shared_data: Path) -> Archive:
    """The catalogues that lsdb matches, as they are."""
    directory = ArchiveDirectory.create(tmp_path_factory.mktemp("lsdb") / "archive")
    directory.mount("hats.sky", str(shared_data / "hats" / request.param))
    directory.mount("hats.xmatch", str(shared_data / "hats" / "small_sky_xmatch"))
    return Archive.open(directory.path)


@pytest.fixture
def asked(archive, shared_data: Path):
    """The request of a text, with an upload `TAP_UPLOAD.other`."""

    def make(text: str) -> QueryRequest:
        return QueryRequest(text, uploads=(Upload("other", str(shared_data / LEFT), "text/csv"),))

    return make


@pytest.mark.parametrize("name", EXPECTED)
def test_lsdb_expects_the_same_matches(name, archive, asked, shared_data):
    left, least, most, n = EXPECTED[name]
    request = asked(NEAREST.format(left=left, least=least, most=most, n=n))
    with (shared_data / "hats" / "raw" / "xmatch_expected" / f"{name}.csv").open() as file:
        rows = list(csv.DictReader(file))
    expected = {(int(row["ss_id"]), int(float(row["xmatch_id"]))): float(row["dist"]) for row in rows}
    found = archive.query(request).to_arrow().to_pylist()
    assert {(row["id"], row["partner"]): row["dist"] for row in found} == pytest.approx(expected, rel=1e-9)
    assert len(archive.plan(request).matches) == 2


TEXTS = {
    "TOPCAT's upload join": """
        SELECT TOP 1000 * FROM hats.sky AS db JOIN TAP_UPLOAD.other AS tc
        ON 1=CONTAINS(POINT('ICRS', db.ra, db.dec), CIRCLE('ICRS', tc.ra, tc.dec, 5./3600.))""",
    "the sides exchanged": """
        SELECT TOP 1000 * FROM TAP_UPLOAD.other AS tc JOIN hats.sky AS db
        ON CONTAINS(POINT('', tc.ra, tc.dec), CIRCLE('', db.ra, db.dec, 5./3600.))=1""",
    "tables with commas": """
        SELECT u.id, c.* FROM hats.sky AS c, TAP_UPLOAD.other AS u
        WHERE c.id > 0 AND (1=CONTAINS(POINT('ICRS', c.ra, c.dec), CIRCLE('ICRS', u.ra, u.dec, 0.00138888889)))""",
    "a radius in the upload": """
        SELECT u.id, c.* FROM hats.sky AS c JOIN TAP_UPLOAD.other AS u
        ON 1=CONTAINS(POINT('ICRS', c.ra, c.dec), CIRCLE('ICRS', u.ra, u.dec, 5./3600 + u.ra_error))""",
    "a distance": """
        SELECT * FROM hats.sky AS c INNER JOIN TAP_UPLOAD.other AS u
        ON 5./3600 >= DISTANCE(POINT('ICRS', c.ra, c.dec), POINT('ICRS', u.ra, u.dec))""",
    "a distance in arcseconds": """
        SELECT * FROM hats.sky AS c INNER JOIN TAP_UPLOAD.other AS u
        ON 3600. * DISTANCE(POINT('ICRS', c.ra, c.dec), POINT('ICRS', u.ra, u.dec)) < 5""",
    "a limit in arcseconds": """
        SELECT * FROM hats.sky AS c, TAP_UPLOAD.other AS u
        WHERE SQRT(25 + u.ra_error) > (DISTANCE(c.ra, c.dec, u.ra, u.dec) * 3600)""",
    "derived tables": """
        WITH mine AS (SELECT id, ra, dec FROM TAP_UPLOAD.other)
        SELECT c.* FROM (SELECT * FROM hats.sky WHERE dec < 0) AS c JOIN mine AS u
        ON DISTANCE(c.ra, c.dec, u.ra, u.dec) < 5./3600""",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_usual_texts_are_matched_by_cells(text, archive, asked):
    assert "Matches:" in str(archive.explain(asked(text)))
    assert archive.query(asked(text)).to_arrow().num_rows == 135  # as astropy counts them
