"""The PSF databases of an archive on this disk."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "web"))

import psfground

from skydex.archive import Archive
from skydex.client import psf
from skydex.connection.near_stars import near_filtered
from skydex.errors import BadParameterError, UnknownColumnError

CORNER = {"psf_x_center": psf.between(100, 102), "psf_y_center": psf.between(100, 102), "n_sat_pixels": ["0"]}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return Archive.open(psfground.build_simulated(tmp_path_factory.mktemp("psf")))


def test_the_document_finds_its_six_stars(archive):
    rows = near_filtered(archive, "psf.UVIS", psf.stamp_columns("UVIS"), psf.filters(CORNER)).to_arrow()
    assert rows.num_rows == 6
    assert rows.column_names == list(psf.STAMP_COLUMNS)
    assert 8184981 in rows["id"].to_pylist()


def test_all_columns_and_a_row_limit(archive):
    result = near_filtered(archive, "psf.IR", max_rows=7)
    rows = result.to_arrow()
    assert rows.num_rows == 7
    assert result.overflow
    assert rows.num_columns > 20


def test_wrong_filters_are_refused(archive):
    with pytest.raises(UnknownColumnError):
        near_filtered(archive, "psf.UVIS", filters=psf.filters({"psf_z": ["1"]}))
    with pytest.raises(BadParameterError):
        near_filtered(archive, "psf.UVIS", filters=[{"values": ["1"]}])
