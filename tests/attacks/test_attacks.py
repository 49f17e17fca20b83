"""Hostile requests: the sample of the project and variants of the same kinds, against a real server."""

from __future__ import annotations

import io
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from astropy.io.votable import parse
from astropy.table import Table
from ground import BASES, TIME_LIMIT_S
from judging import check
from lxml import html
from records import OWN, Record, filled, read_records
from sending import Outcome, send, send_raw

SAMPLE = Path(__file__).resolve().parents[3] / "shared" / "data" / "attacks.jsonl"
_MOST_SAID = 10_000


def records():
    found = [*(read_records(SAMPLE) if SAMPLE.is_file() else ()), *read_records(OWN)]
    return [pytest.param(record, id=record.id) for record in found]


def deadline_of(record: Record) -> float:
    if isinstance(record.deadline_s, int | float):
        return float(record.deadline_s)
    found = re.fullmatch(r"sync_limit\+(\d+)", record.deadline_s)
    return TIME_LIMIT_S + float(found[1])


def outcomes(request: dict, deadline_s: float, ground) -> list[Outcome]:
    """Send a request as often as it says."""
    if "raw" in request:
        return [send_raw(request["raw"], ground.server.port, deadline_s)]
    n = request.get("times", request.get("parallel", 1))
    with ThreadPoolExecutor(request.get("parallel", 1)) as pool:
        base = BASES[request["base"]]
        return list(pool.map(lambda _: send(request, ground.server.port, base, deadline_s), range(n)))


@pytest.mark.parametrize("record", records())
def test_attack_is_without_effect(record, ground):
    if "fixture" in record.request:
        check_stored(record, ground)
        return
    request = filled(dict(record.request), ground.names)
    for outcome in outcomes(request, deadline_of(record), ground):
        assert outcome.seconds < deadline_of(record)
        check(record, outcome, ground, said=str(request)[:_MOST_SAID])


def check_stored(record: Record, ground) -> None:
    """A value, and a description, come back as they are in formats for machines and inert in pages."""
    from skydex.ingest import ingest_files

    value = record.request["value"]
    name = re.sub(r"\W", "_", record.id)
    file = ground.outside.parent / f"{name}.vot"
    stored = Table({"k": [1], "v": [value]})
    stored["v"].description = value
    stored.write(file, format="votable")
    ingest_files([file], ground.archive, f"stored.{name}", position="none", description=value)
    ground.renew()

    def ask(form):
        query = f"SELECT k, v FROM stored.{name}"
        return ground.web.post("/tap/sync", data={"LANG": "ADQL", "QUERY": query, "FORMAT": form})

    for form in ("votable", "votable/td"):
        table = parse(io.BytesIO(ask(form).content)).get_first_table()
        assert table.to_table()["v"][0] == value
        assert table.fields[1].description.split() == value.split()
    assert json.loads(ask("json").text)["data"][0][1] == value
    assert Table.read(ask("csv").text, format="ascii.csv")["v"][0] == value
    for page in (
        ask("html"),
        ground.web.get("/"),
        ground.web.get("/api"),
        ground.web.get("/tap/examples"),
        ground.web.get("/tap/tables"),
    ):
        check_inert(page, value)
    ground.check_answers()
    ground.check_untouched()


def check_inert(page: httpx.Response, value: str) -> None:
    """Nothing in a page is an element, an attribute or an address that the value made."""
    assert page.status_code == 200
    if "<" in value:
        assert value not in page.text
    tree = html.fromstring(page.content)
    assert not tree.xpath("//script[not(contains(@src, '/assets/'))] | //script[text()]")  # ours are files
    assert not tree.xpath("//svg[not(@class)]")  # ours have one
    assert not tree.xpath("//img | //iframe | //*[@*[starts-with(name(), 'on')]]")
    assert not [address for address in tree.xpath("//@href | //@src") if address.lower().startswith("javascript")]
