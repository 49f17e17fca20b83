"""A server to attack."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "web")]


@pytest.fixture(scope="session")
def ground(tmp_path_factory):
    """A server with low limits over a small archive of its own."""
    import serving
    from ground import TIME_LIMIT_S, Ground

    folder = tmp_path_factory.mktemp("attacked")
    archive = serving.build_archive(folder)
    publish_catalog(archive, folder)
    outside, temp = folder / "outside", folder / "temp"
    outside.mkdir()
    temp.mkdir()
    limits = {"query_time_s": TIME_LIMIT_S, "header_time_s": 2, "body_time_s": 3, "write_time_s": 5}
    with serving.serving(archive, temp_dir=temp, max_rows_default=1000, max_rows_hard=2000, **limits) as server:
        ground = Ground(server, archive, outside, temp)
        yield ground
        ground.canary.close()
        ground.web.close()


def publish_catalog(archive, folder):
    """Publish a table of the catalogue REST API, at the address that records attack."""
    from astropy.table import Table

    from skydex.ingest import ingest_files

    rows = Table({"MatchID": [1, 2], "MatchRA": [10.0, 20.0], "MatchDec": [1.0, 2.0], "TargetName": ["M-15", "x' OR"]})
    rows.write(folder / "summary.fits")
    position = {"ra": "MatchRA", "dec": "MatchDec"}
    ingest_files([folder / "summary.fits"], archive, "hsc.SumMagAper2CatView", position=position)
    offer = '[[catalog]]\npath = "hsc/v3/summary/magaper2"\ntable = "hsc.SumMagAper2CatView"\n'
    (archive / "services.toml").write_text(offer)
