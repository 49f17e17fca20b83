"""TAP against a skydex server: rows, limits, uploads, jobs, tables and errors, as pyvo sees them too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import serving

from skydex.client.far import found_door
from skydex.client.http import Web
from skydex.client.orders import Query, RowsOrder
from skydex.client.tap import TapService
from skydex.errors import (
    JobFailedError,
    NotOfferedError,
    RefusedError,
    UnknownResourceError,
    UnknownTableError,
    UnreachableError,
)
from skydex.sky import Cone
from skydex.tables import Column, Datatype, Result


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    archive = serving.build_archive(tmp_path_factory.mktemp("tap"))
    with serving.serving(archive, max_rows_default=8000, max_rows_hard=16000) as server:
        yield server


@pytest.fixture
def tap(server):
    return TapService(f"{server.url}/tap", Web(pause_s=0.01, timeout_s=60))


def rows(result):
    with result:
        return result.to_arrow()


def test_rows_arrive_with_their_types_units_and_nulls(tap):
    result = tap.query(
        Query("SELECT star_id, ra, gmag, n_obs, name FROM sky.stars WHERE star_id < 20 ORDER BY star_id")
    )
    assert [column.unit for column in result.columns] == [None, "deg", "mag", None, None]
    table = rows(result)
    told = serving.stars()[:20]
    assert table.schema.types == [pa.int64(), pa.float64(), pa.float32(), pa.int32(), pa.string()]
    assert table["ra"].to_pylist() == told["ra"].tolist()
    assert table["n_obs"].to_pylist() == told["n_obs"].tolist()
    assert table["name"].to_pylist() == told["name"].tolist()
    assert not result.overflow


@pytest.mark.parametrize("form", ["arrow", "votable", "votable/td", "votable/b"])
def test_every_format_gives_the_same_rows(tap, form, monkeypatch):
    query = Query("SELECT star_id, ra, gmag, n_obs, name FROM sky.stars WHERE star_id < 500 ORDER BY star_id")
    usual = rows(tap.query(query))
    monkeypatch.setattr(type(tap.capabilities), "find_format", lambda *_: form)
    assert rows(tap.query(query)).equals(usual)


def test_a_result_is_marked_as_cut_exactly_when_there_is_a_further_row(tap):
    for most, n_rows, is_cut in ((10, 10, True), (20, 20, False), (30, 20, False)):
        result = tap.query(Query("SELECT star_id FROM sky.stars WHERE star_id < 20", max_rows=most))
        assert rows(result).num_rows == n_rows
        assert result.overflow is is_cut


def test_the_limit_of_the_service_cuts_too(tap):
    result = tap.query(Query("SELECT star_id FROM sky.detections"))
    assert rows(result).num_rows == 8000
    assert result.overflow


def test_whoever_wants_everything_gets_as_many_rows_as_the_service_gives_at_most(tap):
    assert tap.capabilities.most_rows == 16000
    usual, whole = (tap.query(Query("SELECT star_id FROM sky.detections", is_whole=wants)) for wants in (False, True))
    assert rows(usual).num_rows == 8000
    assert rows(whole).num_rows > 8000


def test_an_error_comes_in_the_words_of_the_service(tap):
    with pytest.raises(RefusedError, match=r'No column "starid".*Did you mean "star_id"') as caught:
        tap.query(Query("SELECT starid FROM sky.stars"))
    assert caught.value.status == 400


def own_rows():
    columns = (Column("k", Datatype.LONG), Column("w", Datatype.CHAR, arraysize="*"))
    batch = pa.record_batch([pa.array([3, 5, None], pa.int64()), pa.array(["a<b", None, "ü"])], names=["k", "w"])
    return Result(columns, iter([batch]))


def test_tables_come_along_from_memory_and_from_files(tap, tmp_path):
    text = "SELECT m.k, m.w, s.ra FROM sky.stars AS s JOIN TAP_UPLOAD.mine AS m ON m.k = s.star_id ORDER BY m.k"
    from_memory = rows(tap.query(Query(text, uploads={"mine": own_rows()})))
    assert from_memory["k"].to_pylist() == [3, 5]
    assert from_memory["w"].to_pylist() == ["a<b", None]
    (tmp_path / "mine.csv").write_text("k,w\n3,a<b\n5,x\n")
    assert rows(tap.query(Query(text, uploads={"mine": tmp_path / "mine.csv"})))["w"].to_pylist() == ["a<b", "x"]


def test_a_job_runs_is_waited_for_and_found_again_by_its_address(tap, server):
    text = "SELECT TOP 5 star_id FROM sky.stars ORDER BY star_id"
    job = tap.submit(Query(text))
    assert job.url.startswith(f"{server.url}/tap/async/")
    assert job.phase(30) == "COMPLETED"
    again = TapService(f"{server.url}/tap", Web()).job(job.url)
    assert rows(again.result())["star_id"].to_pylist() == [0, 1, 2, 3, 4]
    again.delete()
    with pytest.raises(UnknownResourceError, match="job"):
        tap.job(job.url)
    job.delete()


def test_a_job_brings_tables_along_and_keeps_its_limit(tap):
    text = "SELECT m.k FROM TAP_UPLOAD.mine AS m ORDER BY m.k"
    job = tap.submit(Query(text, max_rows=2, uploads={"mine": own_rows()}))
    assert job.phase(30) == "COMPLETED"
    result = job.result()
    assert rows(result).num_rows == 2
    assert result.overflow


def test_a_job_that_is_aborted_has_no_result(tap):
    job = tap.submit(Query("SELECT COUNT(*) AS n FROM sky.detections AS a, sky.detections AS b, sky.detections AS c"))
    job.abort()
    assert job.phase(30) == "ABORTED"
    with pytest.raises(JobFailedError, match="ABORTED"):
        job.result()
    job.delete()


def test_tables_and_columns_are_as_the_server_describes_them(tap):
    assert {"sky.stars", "sky.detections", "TAP_SCHEMA.tables"} <= {table.name for table in tap.tables()}
    table = tap.table("SKY.Stars")
    assert [column.name for column in table.columns][:4] == ["star_id", "ra", "dec", "gmag"]
    assert table.get_column("gmag").unit == "mag"
    assert table.get_column("n_obs").datatype is Datatype.INT
    assert (table.position.ra, table.position.dec, table.id_column) == ("ra", "dec", "star_id")
    assert table.n_rows == serving.N_STARS
    assert tap.table("stars") is table


def test_tables_are_read_from_tap_schema_where_nothing_else_tells(server, tap):
    class Untold(Web):
        def whole(self, method, url, **asked):
            if "/tables" in url:
                raise RefusedError("here", "nothing", status=404)
            return super().whole(method, url, **asked)

    other = TapService(tap.address, Untold())
    assert {table.name for table in other.tables()} == {table.name for table in tap.tables()}
    here, there = other.table("sky.stars"), tap.table("sky.stars")
    assert [(c.name, c.datatype, c.unit, c.ucd) for c in here.columns] == [
        (c.name, c.datatype, c.unit, c.ucd) for c in there.columns
    ]


def test_a_table_that_is_not_there_has_near_names(tap):
    with pytest.raises(UnknownTableError, match=r'Did you mean "sky\.stars"'):
        tap.table("sky.strs")


def test_rows_in_a_cone(tap):
    cone = Cone(137.5, 0.0, 5.0)
    found = rows(tap.rows(RowsOrder("sky.stars", columns=("star_id", "ra", "dec"), cone=cone, sort_by=("star_id",))))
    stars = serving.stars()
    ra, dec = np.radians(stars["ra"]), np.radians(stars["dec"])
    away = np.degrees(np.arccos(np.cos(dec) * np.cos(ra - np.radians(137.5))))
    assert found["star_id"].to_pylist() == stars["star_id"][away <= 5.0].tolist()


@pytest.mark.parametrize(
    "cone", [Cone(0.1, -5.0, 4.0), Cone(359.9, 88.0, 5.0), Cone(10.0, -90.0, 3.0), Cone(200.0, 30.0, 120.0)]
)
def test_a_cone_by_its_formula_is_the_cone_of_the_geometry(tap, cone, monkeypatch):
    order = RowsOrder("sky.stars", columns=("star_id",), cone=cone, sort_by=("star_id",))
    by_geometry = rows(tap.rows(order))
    monkeypatch.setattr(tap, "capabilities", replace(tap.capabilities, geometry=frozenset()))
    asked = []
    monkeypatch.setattr(tap, "query", lambda query: asked.append(query) or TapService.query(tap, query))
    assert rows(tap.rows(order)).equals(by_geometry)
    assert by_geometry.num_rows
    assert "CIRCLE" not in asked[0].text


def test_a_service_that_says_nothing_of_geometry_and_refuses_it_is_asked_by_the_formula(tap, monkeypatch):
    order = RowsOrder("sky.stars", columns=("star_id",), cone=Cone(10.0, 0.0, 3.0))
    expected = rows(tap.rows(order)).num_rows
    monkeypatch.setattr(tap, "capabilities", replace(tap.capabilities, geometry=None))

    def query(asked):
        if "CIRCLE" in asked.text:
            raise RefusedError("here", "CIRCLE is no function")
        return TapService.query(tap, asked)

    monkeypatch.setattr(tap, "query", query)
    assert rows(tap.rows(order)).num_rows == expected


def test_an_address_of_a_server_has_all_its_services_and_that_of_tap_its_queries(server):
    assert {"query", "submit", "resolve", "cone"} <= found_door(server.url).verbs
    tap = found_door(f"{server.url}/tap/sync")
    assert tap.name == f"{server.url}/tap"
    assert "sql" not in tap.verbs
    assert rows(tap.query(Query("SELECT TOP 3 star_id FROM sky.stars"))).num_rows == 3
    with pytest.raises(NotOfferedError):
        tap.sql("SELECT 1", None)


def test_names_are_resolved_by_sesame_where_there_is_only_tap(server, monkeypatch):
    monkeypatch.setattr("skydex.client.far._SESAME", f"{server.url}/cgi-bin/nph-sesame")
    place = found_door(f"{server.url}/tap").place("M31")
    assert (place.ra_deg, place.dec_deg) == pytest.approx((10.6847, 41.2688), abs=1e-3)
    assert place.resolver.startswith("Sesame")


def test_a_tap_service_below_any_path_is_found_by_what_it_says(server):
    door = found_door(f"{server.url}/sky/tap/")
    assert {table.name for table in door.tables()} >= {"sky.stars"}


def test_what_is_no_archive_is_not_taken_for_one(server):
    with pytest.raises(UnknownResourceError, match="TAP service"):
        found_door(f"{server.url}/nothing/here")
    with pytest.raises(UnreachableError):
        found_door("http://127.0.0.1:9/")


def test_a_login_in_an_address_is_used_and_not_shown(server):
    door = found_door(f"http://ann:se%20same@{server.url.removeprefix('http://')}/tap")
    assert door.web.login == ("ann", "se same")
    assert door.name == f"{server.url}/tap"


def test_an_address_that_is_no_job_is_not_asked(tap):
    with pytest.raises(NotOfferedError, match="/tap/async/"):
        tap.job("http://127.0.0.1:9/services/jobs.asmx?jobid=7")
