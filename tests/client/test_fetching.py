"""Downloads: whole or not at all, gone on with, tried again, recorded (promise R26)."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import threading
import time
from contextlib import contextmanager

import pytest
from tests.client.faulty import fits_bytes

from skydex.client import OpenedFile
from skydex.client.files import WebFile
from skydex.client.transfers import MANIFEST, TransferLimits, fetch, fetch_all, fetch_all_async, read_all
from skydex.errors import BadAnswerError, BadParameterError, IncompleteError, RefusedError, UnreachableError

LARGE = 1_500_000
"""Bytes of a file of which a part is kept for later."""
QUICK = TransferLimits(pause_s=0.01)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def put(faulty, n_files=1, n_bytes=28_800):
    """Files on the server, as sources, by their paths."""
    for number in range(n_files):
        faulty.files[f"/f{number}.fits"] = fits_bytes(n_bytes, seed=number)
    return [WebFile(f"{faulty.url}/f{number}.fits") for number in range(n_files)]


def test_a_file_comes_whole_under_its_name_and_is_recorded(faulty, tmp_path):
    (source,) = put(faulty)
    path = fetch(source, tmp_path / "new" / "folder")
    assert path == tmp_path / "new" / "folder" / "f0.fits"
    assert path.read_bytes() == faulty.files["/f0.fits"]
    assert names(path.parent) == [MANIFEST, "f0.fits"]
    (line,) = (path.parent / MANIFEST).read_text().splitlines()
    facts = json.loads(line)
    assert facts["sha256"] == hashlib.sha256(faulty.files["/f0.fits"]).hexdigest()
    assert facts["reference"] == f"{faulty.url}/f0.fits"
    assert facts["n_bytes"] == 28_800


def test_what_is_there_is_not_asked_for_again(faulty, tmp_path):
    sources = put(faulty, 5)
    assert fetch_all(sources[:3], tmp_path).n_fetched == 3
    manifest = fetch_all(sources, tmp_path)
    assert manifest.n_fetched == 2
    assert [path.name for path in manifest.paths] == [f"f{number}.fits" for number in range(5)]
    assert manifest[sources[4].url].read_bytes() == faulty.files["/f4.fits"]
    assert set(faulty.counts.values()) == {1}


@pytest.mark.parametrize("harm", ["shortened", "altered", "deleted"])
def test_a_copy_that_was_harmed_is_fetched_again(faulty, tmp_path, harm):
    (source,) = put(faulty)
    path = fetch(source, tmp_path)
    content = path.read_bytes()
    if harm == "deleted":
        path.unlink()
    else:
        path.write_bytes(content[:-1] if harm == "shortened" else content[:-1] + b"\0")
    assert fetch(source, tmp_path).read_bytes() == content


def test_a_copy_that_was_merely_touched_is_not_fetched_again(faulty, tmp_path):
    (source,) = put(faulty)
    fetch(source, tmp_path).touch()
    fetch(source, tmp_path)
    assert len(faulty.requests) == 1


@pytest.mark.parametrize("cut", [0, 1, 29, 511, 512, 4096, 14_400, 28_799])
@pytest.mark.parametrize("has_validators", [True, False])
def test_a_connection_that_breaks_anywhere_costs_no_byte(faulty, tmp_path, cut, has_validators):
    faulty.has_validators = has_validators
    (source,) = put(faulty)
    faulty.faults["/f0.fits"] = [("cut", cut), ("cut", cut)]
    path = fetch(source, tmp_path, limits=QUICK)
    assert path.read_bytes() == faulty.files["/f0.fits"]
    assert names(tmp_path) == [MANIFEST, "f0.fits"]
    assert len(faulty.requests) == (2 if has_validators and 2 * cut >= 28_800 else 3)
    resumed = [headers for _, headers in faulty.requests if "Range" in headers]
    assert bool(resumed) == (has_validators and cut > 0)
    assert all("If-Range" in headers for headers in resumed)


def test_a_later_call_goes_on_where_an_earlier_one_ended(faulty, tmp_path):
    (source,) = put(faulty, n_bytes=LARGE)
    faulty.faults["/f0.fits"] = [("cut", 1_000_000)]
    with pytest.raises(UnreachableError):
        fetch(source, tmp_path, limits=TransferLimits(n_retries=0))
    assert names(tmp_path) == ["f0.fits.part", "f0.fits.part.json"]
    assert fetch(source, tmp_path).read_bytes() == faulty.files["/f0.fits"]
    first = int(faulty.requests[-1][1]["Range"].removeprefix("bytes=").removesuffix("-"))
    assert 0 < first <= 1_000_000  # what arrived last is lost with a connection that is reset
    assert names(tmp_path) == [MANIFEST, "f0.fits"]


def test_a_part_is_not_gone_on_with_when_the_file_has_changed(faulty, tmp_path):
    (source,) = put(faulty)
    new = fits_bytes(40_000, seed=99)
    faulty.faults["/f0.fits"] = [("cut", 10_000), ("swap", new)]
    assert fetch(source, tmp_path, limits=QUICK).read_bytes() == new


@pytest.mark.parametrize(("has_validators", "n_bytes"), [(False, LARGE), (True, 28_800)])
def test_a_part_without_a_validator_or_of_a_small_file_is_worth_nothing(faulty, tmp_path, has_validators, n_bytes):
    faulty.has_validators = has_validators
    (source,) = put(faulty, n_bytes=n_bytes)
    faulty.faults["/f0.fits"] = [("cut", 10_000)]
    with pytest.raises(UnreachableError):
        fetch(source, tmp_path, limits=TransferLimits(n_retries=0))
    assert names(tmp_path) == []


def test_a_part_that_is_whole_already_ends_well(faulty, tmp_path):
    (source,) = put(faulty, n_bytes=LARGE)
    faulty.faults["/f0.fits"] = [("cut", 1_200_000)]
    with pytest.raises(UnreachableError):
        fetch(source, tmp_path, limits=TransferLimits(n_retries=0))
    (tmp_path / "f0.fits.part").write_bytes(faulty.files["/f0.fits"])
    assert fetch(source, tmp_path).read_bytes() == faulty.files["/f0.fits"]


def test_a_page_for_browsers_is_no_file_though_its_status_is_200(faulty, tmp_path):
    (source,) = put(faulty)
    faulty.faults["/f0.fits"] = [("html",)]
    with pytest.raises(BadAnswerError, match="a page for browsers"):
        fetch(source, tmp_path)
    assert names(tmp_path) == []
    assert len(faulty.requests) == 1


@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x.tar.gz", "x.zip", "x.parquet", "x.vot"])
def test_bytes_that_are_not_what_their_name_says_are_refused(faulty, tmp_path, name):
    faulty.files[f"/{name}"] = b"Sorry, the disk is full"
    with pytest.raises(BadAnswerError, match="not what its name says; it begins: Sorry"):
        fetch(WebFile(f"{faulty.url}/{name}"), tmp_path)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_a_refusal_is_final(faulty, tmp_path, status):
    (source,) = put(faulty)
    faulty.faults["/f0.fits"] = [status]
    with pytest.raises(RefusedError, match="refuses: out of order") as caught:
        fetch(source, tmp_path, limits=QUICK)
    assert caught.value.status == status
    assert len(faulty.requests) == 1
    assert names(tmp_path) == []


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(faulty, tmp_path, status):
    (source,) = put(faulty)
    faulty.faults["/f0.fits"] = [status, status]
    assert fetch(source, tmp_path, limits=QUICK).read_bytes() == faulty.files["/f0.fits"]


def test_nothing_is_tried_more_than_five_times_again(faulty, tmp_path):
    (source,) = put(faulty)
    faulty.faults["/f0.fits"] = [503] * 50
    with pytest.raises(UnreachableError, match="out of order"):
        fetch(source, tmp_path, limits=QUICK)
    assert len(faulty.requests) == 6


def test_a_service_that_asks_to_wait_is_given_the_time(faulty, tmp_path):
    (source,) = put(faulty)
    faulty.faults["/f0.fits"] = [("wait", 1)]
    start = time.monotonic()
    fetch(source, tmp_path, limits=QUICK)
    assert time.monotonic() - start >= 1
    faulty.faults["/f0.fits"] = [("wait", 3600)]
    (tmp_path / "f0.fits").unlink()
    with pytest.raises(UnreachableError):
        fetch(source, tmp_path, limits=QUICK)


def test_redirects_are_followed_and_loops_are_not(faulty, tmp_path):
    put(faulty)
    faulty.faults["/a.fits"] = [("to", "/f0.fits")]
    assert fetch(WebFile(f"{faulty.url}/a.fits"), tmp_path).name == "a.fits"
    faulty.faults["/b.fits"] = [("to", "/b.fits")] * 100
    with pytest.raises(BadAnswerError, match="leads on more than 10 times"):
        fetch(WebFile(f"{faulty.url}/b.fits"), tmp_path)
    assert faulty.counts["/b.fits"] == 11


def test_a_wrong_checksum_is_noticed_and_the_file_fetched_anew(faulty, tmp_path):
    faulty.has_digests = True
    (source,) = put(faulty)
    faulty.faults["/f0.fits"] = [("wrong",), ("cut", 5000)]
    assert fetch(source, tmp_path, limits=QUICK).read_bytes() == faulty.files["/f0.fits"]
    faulty.faults["/f0.fits"] = [("wrong",)] * 10
    (tmp_path / "f0.fits").unlink()
    with pytest.raises(UnreachableError, match="checksum"):
        fetch(source, tmp_path, limits=QUICK)
    assert names(tmp_path) == [MANIFEST]


def test_a_host_that_is_not_there_is_told_at_once(tmp_path):
    start = time.monotonic()
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:9"):
        fetch(WebFile("http://127.0.0.1:9/x.fits"), tmp_path)
    assert time.monotonic() - start < 2


def test_what_did_not_come_of_many_is_named_and_the_rest_is_there(faulty, tmp_path):
    sources = put(faulty, 10)
    del faulty.files["/f3.fits"]
    faulty.faults["/f7.fits"] = [("html",)]
    with pytest.raises(IncompleteError, match="2 of 10 files are missing") as caught:
        fetch_all(sources, tmp_path, limits=QUICK)
    assert {*caught.value.missing} == {sources[3].url, sources[7].url}
    assert len(names(tmp_path)) == 9
    faulty.files["/f3.fits"], faulty.faults = fits_bytes(), {}
    faulty.requests.clear()
    assert fetch_all(sources, tmp_path).n_fetched == 2
    assert len(faulty.requests) == 2


def test_files_of_one_name_from_two_places_do_not_mix(faulty, tmp_path):
    faulty.files |= {f"/{folder}/x.fits": fits_bytes(seed=number) for number, folder in enumerate("abc")}
    sources = [WebFile(f"{faulty.url}/{folder}/x.fits") for folder in "abc"]
    first = fetch_all(sources, tmp_path)
    assert [path.read_bytes() for path in first.paths] == [*faulty.files.values()]
    assert fetch_all(reversed(sources), tmp_path).paths == first.paths[::-1]
    assert fetch_all([sources[1], sources[1]], tmp_path).paths == [first.paths[1]]
    assert len(faulty.requests) == 3


def test_a_file_whose_address_has_no_name_is_called_as_its_sender_says(faulty, tmp_path):
    for number, name in enumerate(["a.fits", "../a.fits", "b.fits"]):
        faulty.files[f"/images/{number}/0"] = fits_bytes(seed=number)
        faulty.names[f"/images/{number}/0"] = name
    sources = [WebFile(f"{faulty.url}/images/{number}/0") for number in range(3)]
    manifest = fetch_all(sources, tmp_path)
    assert [path.read_bytes() for path in manifest.paths] == [*faulty.files.values()]
    assert {path.suffix for path in manifest.paths} == {".fits"}
    assert {"a.fits", "b.fits"} < {path.name for path in manifest.paths}
    assert len(names(tmp_path)) == 4
    faulty.requests.clear()
    assert fetch_all(sources, tmp_path).paths == manifest.paths
    assert not faulty.requests
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "b.fits").write_text("my notes")
    with pytest.raises(BadParameterError, match="not one that was fetched"):
        fetch(sources[2], tmp_path / "new")
    assert names(tmp_path / "new") == ["b.fits"]


def test_a_file_of_the_users_own_is_left_alone(faulty, tmp_path):
    (source,) = put(faulty)
    (tmp_path / "f0.fits").write_text("my notes")
    with pytest.raises(BadParameterError, match="not one that was fetched"):
        fetch(source, tmp_path)
    assert (tmp_path / "f0.fits").read_text() == "my notes"


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("../../etc/passwd", "passwd"),
        ("..", "download"),
        ("C:\\x\\y.fits", "y.fits"),
        (".bashrc", "bashrc"),
        ("a\0b\n.fits", "a_b_.fits"),
        (MANIFEST, f"_{MANIFEST}_"),
        ("x.fits.part", "_x.fits.part_"),
        ("con.fits", "_con.fits_"),
        ("é" * 300 + ".fits", None),
    ],
)
def test_names_of_others_cannot_lead_elsewhere(faulty, tmp_path, name, plain):
    faulty.files["/any"] = fits_bytes()
    path = fetch(WebFile(f"{faulty.url}/any", name), tmp_path / "into")
    assert path.parent == tmp_path / "into"
    assert plain is None or path.name == plain
    assert names(tmp_path) == ["into"]


def test_a_file_that_is_larger_than_is_taken_is_refused(faulty, tmp_path):
    (source,) = put(faulty)
    with pytest.raises(BadAnswerError, match="at most 1,000"):
        fetch(source, tmp_path, limits=TransferLimits(max_file_bytes=1000))
    faulty.faults["/f0.fits"] = [("short", 20_000)]
    with pytest.raises(BadAnswerError, match="larger than 10,000"):
        fetch(source, tmp_path, limits=TransferLimits(max_file_bytes=10_000))


def test_a_password_goes_to_its_host_alone(faulty, tmp_path):
    put(faulty)
    other = faulty.url.replace("127.0.0.1", "localhost")
    faulty.faults["/a.fits"] = [("to", f"{other}/f0.fits")]
    fetch(WebFile(f"{faulty.url}/a.fits", login=("eve", "secret")), tmp_path)
    asked = dict(faulty.requests)
    assert asked["/a.fits"]["Authorization"].startswith("Basic ")
    assert "Authorization" not in asked["/f0.fits"]


def test_a_record_with_damaged_lines_is_still_a_record(faulty, tmp_path):
    sources = put(faulty, 3)
    fetch(sources[0], tmp_path)
    fetch(sources[1], tmp_path)
    record = tmp_path / MANIFEST
    record.write_bytes(record.read_bytes()[:-20])
    manifest = fetch_all([*sources[:1], sources[2]], tmp_path)
    assert manifest.n_fetched == 1
    with record.open("a") as file:
        file.write('{"name": "../x", "reference": "r", "n_bytes": 1, "sha256": "", "fetched_at": ""}\n[]\nnull\n')
    assert fetch_all([sources[0], sources[2]], tmp_path).n_fetched == 0


def test_two_runs_at_once_do_not_spoil_each_other(faulty, tmp_path):
    faulty.pace_s = 0.02
    (source,) = put(faulty)
    outcomes = []

    def run():
        try:
            outcomes.append(fetch(source, tmp_path).read_bytes())
        except BadParameterError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faulty.files["/f0.fits"] in outcomes
    assert names(tmp_path) == [MANIFEST, "f0.fits"]


def test_transfers_work_beside_a_running_event_loop(faulty, tmp_path):
    sources = put(faulty, 3)

    async def notebook():
        fetch_all(sources[:1], tmp_path)
        return await fetch_all_async(sources, tmp_path)

    assert len(asyncio.run(notebook())) == 3


class Drawn:
    """A file that is made here, as a near archive makes them."""

    def __init__(self, name, chunks):
        self.reference = self.file_name = name
        self.chunks = chunks

    @contextmanager
    def open(self, offset=0, validator=""):
        yield OpenedFile(iter(self.chunks))


def test_files_that_are_made_here_take_the_same_way(tmp_path):
    sources = [Drawn(f"{number}.png", [b"\x89PNG\r\n\x1a\n", b"%d" % number]) for number in range(20)]
    told = []
    manifest = fetch_all(sources, tmp_path, progress=lambda *facts: told.append(facts))
    assert manifest.paths[7].read_bytes().endswith(b"\n7")
    assert ("files", 20, 20) in told
    assert ("bytes", manifest.n_bytes, None) in told
    assert read_all(sources)[3].endswith(b"\n3")


def test_files_are_read_into_memory_in_their_order(faulty):
    sources = put(faulty, 12)
    del faulty.files["/f5.fits"]
    faulty.faults["/f2.fits"] = [("cut", 9999), 500]
    contents = read_all(sources, limits=QUICK)
    assert isinstance(contents[5], RefusedError)
    assert [c for n, c in enumerate(contents) if n != 5] == [*faulty.files.values()]


def test_no_progress_is_shown_where_nobody_looks(faulty, tmp_path, capfd):
    fetch_all(put(faulty, 3), tmp_path)
    assert capfd.readouterr() == ("", "")


def test_a_file_can_be_opened_by_itself(faulty):
    (source,) = put(faulty)
    with source.open() as opened:
        assert opened.n_bytes == 28_800
        head = b"".join(opened.chunks)
    assert head == faulty.files["/f0.fits"]
    with source.open(28_000, opened.validator) as rest:
        assert rest.offset == 28_000
        assert io.BytesIO(b"".join(rest.chunks)).read() == head[28_000:]
