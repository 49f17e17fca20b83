"""What only a user knows is in no log, no job, no error and no file."""

from __future__ import annotations

import base64
import re
import shutil

import httpx
import pytest
from serving import serving

from skydex.archive import Archive

PASSWORD = "canary-password-50881"
JOBS = "/ps1casjobs/services/jobs.asmx"
WRONG = "canary-mistyped-40417"
QUERY = {"LANG": "ADQL", "QUERY": "SELECT TOP 1 star_id FROM sky.stars", "FORMAT": "csv"}


@pytest.fixture
def place(archive, tmp_path):
    shutil.copytree(archive, tmp_path / "archive")
    return tmp_path / "archive"


def files_below(folder):
    return [file for file in folder.rglob("*") if file.is_file()]


def test_r22_nothing_secret_is_in_logs_jobs_errors_or_files(place, tmp_path):
    accounts = Archive.open(place).accounts
    user = accounts.add("alice", PASSWORD)
    token = accounts.make_token(user, seconds=600)
    (tmp_path / "temporary").mkdir()
    answers = []
    with (
        serving(place, access_log="true", log_level="debug", temp_dir=tmp_path / "temporary") as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
    ):
        logged_in = client.post("/account/login", data={"name": "alice", "password": PASSWORD})
        session = client.cookies["skydex_session"]
        client.cookies.clear()
        answers += [
            client.get("/account", auth=("alice", WRONG)),
            client.post("/account/login", data={"name": WRONG, "password": WRONG}),
            client.post("/account/password", auth=("alice", PASSWORD), data={"password": PASSWORD}),
            client.post("/account/login", files={"name": (None, WRONG), "password": (None, PASSWORD)}),
            client.get("/tap/async", headers={"authorization": f"Bearer {WRONG}{token}"}),
            client.get("/tap/async", headers={"authorization": f"Digest {PASSWORD}"}),
            client.get("/tap/async", headers={"cookie": f"skydex_session={session}"}),
            client.post("/tap/async", headers={"cookie": f"skydex_session={session}"}, data=QUERY),
        ]
        for who in ({"auth": ("alice", PASSWORD)}, {"headers": {"authorization": f"Bearer {token}"}}):
            secrets = {"pw": PASSWORD, "WsId": str(user.wsid), "PHASE": "RUN"}
            made = client.post("/tap/async", params=secrets, data=QUERY, **who)
            job = client.get(f"{made.headers['location']}?WAIT=20", **who)
            assert ">COMPLETED<" in job.text
            answers += [made, job, client.get(f"{made.headers['location']}/parameters", **who)]
        own = {"auth": ("alice", PASSWORD)}
        answers += [
            client.put("/mydb/tables/mine", content=b"a,b\n1,2\n", headers={"content-type": "text/csv"}, **own),
            client.get("/mydb/tables", **own),
            client.get("/tap/tables", **own),
            client.post("/tap/sync", data={**QUERY, "QUERY": "SELECT * FROM mydb.mine"}, **own),
            client.post("/tap/sync", data={**QUERY, "QUERY": "SELECT nope FROM mydb.mine"}, **own),
            client.put("/mydb/tables/mine", content=b"again", headers={"content-type": "text/csv"}, **own),
            client.get("/mydb/tables/none", **own),
        ]
        assert answers[-4].text.splitlines()[1] == "1,2"
        for path in ("/ps1casjobs/services/jobs.asmx/ExecuteQuickJob", "/tap/sync", "/nowhere"):
            secrets = {"qry": "select 1 as x", "context": "MYDB", "%70%77": "", "wsid": user.wsid}
            answers.append(client.get(path, params={**secrets, "pw": PASSWORD}))
            answers.append(client.get(path, params={**secrets, "pw": WRONG, "conditions": f"wsid:{user.wsid}"}))
        for path in ("/ps1casjobs/casusers.asmx/GetWebServiceId", "/cgi-bin/quick_casjobs.cgi"):
            for password in (PASSWORD, WRONG):
                client.get(path, params={"userid": "alice", "password": password, "pw": password, "table": "t"})
        credentials = {"wsid": user.wsid, "pw": PASSWORD}
        job = {"qry": "select a into mydb.more from mydb.mine", "context": "MYDB", "taskname": "t", "estimate": "30"}
        assert client.get(f"{JOBS}/SubmitJob", params={**job, **credentials}).status_code == 200
        assert client.post(f"{JOBS}/SubmitJob", data={**job, **credentials, "qry": "nonsense"}).status_code in (
            200,
            500,
        )
        listed = client.get("/tap/async", **own)
        addresses = re.findall(r'id="([^"]+)"', listed.text)
        assert len(addresses) >= 3
        answers += [listed, *(client.get(f"/tap/async/{address}?WAIT=20", **own) for address in addresses)]
    log = "".join(server.log)
    assert "GET /tap/async" in log
    assert "pw=..." in log
    basic = base64.b64encode(f"alice:{PASSWORD}".encode()).decode()
    csrf = logged_in.json()["csrf_token"]
    for secret in (PASSWORD, WRONG, token, session, csrf, basic):
        assert secret not in log
        assert not [answer.url for answer in answers if secret in answer.text or secret in str(answer.headers)]
        assert not [file for file in files_below(tmp_path) if secret.encode() in file.read_bytes()]
    wsid = str(user.wsid)
    assert wsid not in log
    assert not [answer.url for answer in answers if wsid in answer.text]
    assert not [file for file in files_below(tmp_path) if wsid.encode() in file.read_bytes()]
