"""From a row of ObsCore to links and cutouts: pyvo and STILTS, unmodified."""

from __future__ import annotations

import io

import httpx
import linked_ground
import pytest
import pyvo
import serving
from astropy import units as u
from astropy.io import fits
from pyvo.dal.adhoc import DatalinkQuery, DatalinkResults, DatalinkService, SodaQuery

from skydex.ingest.images import did_of

CHIP = did_of("pics", "chips", 1)
QUERY = "SELECT * FROM ivoa.obscore WHERE obs_id = 'chips' ORDER BY obs_publisher_did"
CIRCLE = (150 * u.deg, 2 * u.deg, 0.001 * u.deg)

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving.serving(linked_ground.build_linked(tmp_path_factory.mktemp("pyvo"))) as server:
        yield server


@pytest.fixture(scope="module")
def rows(server):
    return pyvo.dal.TAPService(f"{server.url}/tap").search(QUERY)


def shape_of(stream):
    return fits.open(io.BytesIO(stream.read()))[0].data.shape


def test_rows_lead_to_their_links_all_at_once(rows):
    found = list(rows.iter_datalinks())
    dids = [did_of("pics", "chips", number) for number in (1, 3)]
    assert [links.original_row["obs_publisher_did"] for links in found] == dids
    for links in found:
        assert {row.id for row in links} == {links.original_row["obs_publisher_did"]}


def test_rows_lead_to_their_links_in_order(rows):
    found = list(rows.iter_datalinks(preserve_order=True))
    assert [links.original_row["obs_publisher_did"] for links in found] == list(rows["obs_publisher_did"])


def test_a_row_leads_to_its_links(rows, server):
    links = rows[0].getdatalink()
    assert [row.semantics for row in links][:2] == ["#this", "#preview"]
    (this,) = links.bysemantics("#this", include_narrower=False)
    assert this.access_url == f"{server.url}/images/pics/chips/1"


def test_a_row_gives_a_cutout_of_itself(rows):
    assert shape_of(rows[0].processed(circle=CIRCLE)) == (22, 22)
    triangle = [150, 2.029, 150.001, 2.029, 150.001, 2.031] * u.deg  # of others pyvo 1.9 says that they are none
    assert shape_of(rows[1].processed(polygon=triangle)) == (21, 10)


def test_a_found_image_gives_a_cutout_of_itself(server):
    found = pyvo.dal.SIA2Service(f"{server.url}/sia2").search(pos=CIRCLE, maxrec=1)
    assert shape_of(found[0].processed(circle=CIRCLE)) == (22, 22)
    assert next(found.iter_datalinks()).original_row["obs_publisher_did"] == found[0]["obs_publisher_did"]


def test_links_give_a_cutout(rows):
    links = rows[0].getdatalink()
    cutout = links.get_first_proc()
    assert cutout.semantics == "#cutout"
    assert {param.name for param in cutout.input_params} >= {"ID", "CIRCLE", "POLYGON", "POS", "BAND"}
    assert shape_of(cutout.process(circle=[150, 2, 0.001] * u.deg)) == (22, 22)
    assert shape_of(cutout.processed(circle=CIRCLE)) == (22, 22)


def test_the_first_service_of_the_links_of_many_rows_is_the_one_that_answers_at_once(rows):
    for links in rows.iter_datalinks():  # pyvo sorts them by their cells
        assert links.get_first_proc().access_url.endswith("/soda/sync")


def test_the_service_of_links_is_asked_by_identifier(server):
    links = DatalinkService(f"{server.url}/datalink").search(CHIP)
    assert {row.id for row in links} == {CHIP}
    assert next(iter(links.clone_byid(CHIP))).semantics == "#this"


def test_links_of_several_identifiers_come_together(server):
    query = DatalinkQuery(f"{server.url}/datalink", id=[CHIP, "ivo://nowhere"])
    links = query.execute(post=True)
    assert [row.error_message for row in links][-1].startswith("NotFoundFault")


def test_an_object_leads_to_its_light_curve(server):
    links = DatalinkResults.from_result_url(f"{server.url}/datalink?ID=sky.stars/1")
    curve = next(row for row in links if row["local_semantics"] == "lightcurve")
    table = pyvo.dal.DALResults.from_result_url(curve.getdataurl())
    assert list(table["mjd"]) == [55000, 55001, 55002, 55003]


def test_found_objects_lead_to_their_links(server):
    stars = pyvo.dal.SCSService(f"{server.url}/sky/scs/stars").search((150, 2), 0.01)
    found = list(stars.iter_datalinks())
    assert [links.original_row.id for links in found] == [row.id for row in stars]
    assert "lightcurve" in {row["local_semantics"] for row in found[0]}
    rows = pyvo.dal.TAPService(f"{server.url}/tap").search("SELECT TOP 1 * FROM sky.stars WHERE star = 1")
    assert "lightcurve" in {row["local_semantics"] for row in rows[0].getdatalink()}


def test_cutouts_are_asked_directly(server):
    query = SodaQuery(f"{server.url}/soda/sync", circle=CIRCLE)
    query["ID"] = CHIP
    assert shape_of(query.execute_stream()) == (22, 22)
    query = SodaQuery(f"{server.url}/soda/sync")
    query["ID"] = CHIP
    query.pos.add((150, 2, 0.001) * u.deg)
    assert shape_of(query.execute_stream()) == (22, 22)


def test_what_is_wrong_is_told(server):
    query = SodaQuery(f"{server.url}/soda/sync", circle=CIRCLE)
    query["ID"] = "ivo://nowhere"
    query.execute_stream()
    with pytest.raises(pyvo.dal.DALServiceError, match="UsageError: No image"):
        query.raise_if_error()


@pytest.mark.parametrize("ids", [f"ID={CHIP}", "ID=sky.stars/1", f"ID={CHIP}&ID=ivo://nowhere", ""])
def test_stilts_finds_no_fault_with_the_links(server, stilts, ids):
    report = stilts("datalinklint", f"votable={server.url}/datalink?{ids}", "report=EWF", with_progress=True)
    assert [line for line in report.splitlines() if line[:2] in ("E-", "W-", "F-")] == []


def test_stilts_finds_no_fault_with_a_table_that_describes_services(server, stilts, tmp_path):
    answer = httpx.get(f"{server.url}/tap/sync", params={"LANG": "ADQL", "QUERY": QUERY})
    (tmp_path / "rows.vot").write_bytes(answer.content)
    assert stilts("votlint", f"votable={tmp_path / 'rows.vot'}", with_progress=True).strip() == ""
