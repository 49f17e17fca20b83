"""Servers that fail: what is over soon is borne, everything else is an error, and no row is ever wrong."""

from __future__ import annotations

import itertools
import os
import shutil
import threading
import time
from dataclasses import replace

import pytest
from tests.rangeserver import Fault
from tests.store.remote.conftest import rows_of

from skydex.errors import DamagedDataError, RemoteChangedError, RemoteUnavailableError
from skydex.store import Layout, open_dataset


def once_for_each_range(fault):
    """A fault for the first asking of each thing."""
    seen, lock = set(), threading.Lock()

    def faults(asked):
        with lock:
            key = (asked.name, asked.range)
            is_first = asked.is_data and key not in seen
            seen.add(key)
        return fault if is_first else None

    return faults


@pytest.fixture
def far(own, web, access):
    return open_dataset(f"{web.url}/own", name="sky.objects", access=access)


@pytest.fixture
def far_foreign(foreign, web, access):
    return open_dataset(f"{web.url}/foreign", name="far.t", access=access)


@pytest.mark.parametrize("cut", [0, 1, 7, 100, 1_000, 20_000])
def test_a_connection_that_is_cut_is_asked_again(far, own, web, cut):
    web.faults = once_for_each_range(Fault(cut_after=cut))
    assert rows_of(far).equals(rows_of(own))


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(far, own, web, status):
    web.faults = once_for_each_range(Fault(status=status))
    assert rows_of(far, ["id"]).equals(rows_of(own, ["id"]))


def test_retry_after_is_heeded(far, own, web):
    web.faults = once_for_each_range(Fault(status=503, headers={"Retry-After": "1"}))
    start = time.monotonic()
    piece = far.select(None).pieces[0]
    assert far.read(piece, ["id"]).equals(own.read(own.select(None).pieces[0], ["id"]))
    assert time.monotonic() - start >= 2  # the footer, then the chunks


def test_a_server_that_wants_to_be_left_alone_for_long_is(far, web):
    web.faults = lambda asked: Fault(status=503, headers={"Retry-After": "3600"})
    start = time.monotonic()
    with pytest.raises(RemoteUnavailableError, match="asked again in 3600 s"):
        rows_of(far)
    assert time.monotonic() - start < 5


def test_a_request_is_repeated_five_times_at_most(far, web):
    piece = far.select(None).pieces[0]
    web.forget()
    web.faults = lambda asked: Fault(status=500)
    with pytest.raises(RemoteUnavailableError, match="status 500"):
        far.read(piece, ["id"])
    assert len(web.requests) == 6


@pytest.mark.parametrize("status", [400, 401, 403, 418])
def test_other_refusals_are_not_asked_again(far, web, status):
    far.select(None)
    web.forget()
    web.faults = lambda asked: Fault(status=status)
    with pytest.raises(RemoteUnavailableError, match=f"status {status}"):
        far.read(far.select(None).pieces[0], ["id"])
    assert len(web.requests) == 1


def test_a_silent_server_is_an_error_in_time(far, web, access):
    quick = open_dataset(f"{web.url}/own", name="sky.objects", access=replace(access, time_s=0.2, retries=1))
    web.faults = lambda asked: Fault(wait_s=1.5)
    start = time.monotonic()
    with pytest.raises(RemoteUnavailableError, match="silent"):
        quick.read(quick.select(None).pieces[0], ["name"])
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    "wrong", ["bytes 0-9/100", "bytes */100", "pages 1-2/3", "bytes 5-1/9", "", "bytes 0-99999999999/99999999999999"]
)
def test_a_range_that_was_not_asked_for_is_no_answer(far, web, wrong):
    web.faults = lambda asked: Fault(wrong_range=wrong or "nothing") if asked.is_data else None
    with pytest.raises((RemoteUnavailableError, DamagedDataError)):
        rows_of(far)


@pytest.mark.parametrize("shift", [-1, 1, 50])
def test_bytes_that_are_not_those_that_were_promised_are_noticed(far, web, shift):
    web.faults = lambda asked: Fault(shift=shift) if asked.is_data and not asked.range.endswith("-") else None
    with pytest.raises((RemoteUnavailableError, DamagedDataError)):
        rows_of(far)


def test_small_files_of_a_server_that_ignores_ranges_are_read_whole(far, own, web):
    web.faults = lambda asked: Fault(ignore_range=True)
    assert rows_of(far, ["id"]).equals(rows_of(own, ["id"]))


def test_large_files_of_a_server_that_ignores_ranges_are_refused_before_they_come(far, web, monkeypatch):
    monkeypatch.setattr("skydex.store.remote.http._WHOLE_BYTES", 1_000)
    far.select(None)
    web.forget()
    web.faults = lambda asked: Fault(ignore_range=True)
    with pytest.raises(RemoteUnavailableError, match="whole files"):
        far.read(far.select(None).pieces[0], ["flags"])
    assert web.data_requests[-1].range
    assert len(web.requests) <= 2  # the footer of so small a file comes whole


def test_a_body_that_is_packed_on_the_way_is_refused(far, web):
    web.faults = lambda asked: Fault(headers={"Content-Encoding": "gzip"})
    with pytest.raises(RemoteUnavailableError, match="packs"):
        rows_of(far)


@pytest.mark.parametrize("place", ["ftp://example.org/x", "file:///etc/passwd", "data:,x"])
def test_redirects_lead_to_the_web_and_nowhere_else(far, web, place):
    web.faults = lambda asked: Fault(status=302, headers={"Location": place})
    with pytest.raises(RemoteUnavailableError, match="no web address"):
        rows_of(far)


def test_redirects_are_followed_and_not_without_end(far, own, web):
    shutil.move(web.root / "own", web.root / "moved")
    web.faults = lambda asked: (
        Fault(status=307, headers={"Location": f"/moved/{asked.name[4:]}"}) if asked.name.startswith("own/") else None
    )
    assert rows_of(far, ["id"]).equals(rows_of(own, ["id"]))
    web.faults = lambda asked: Fault(status=302, headers={"Location": f"/{asked.name}"})
    with pytest.raises(RemoteUnavailableError, match="without end"):
        rows_of(far, ["mag"])


def test_a_login_does_not_go_along_to_another_host(own, web, access, tmp_path):
    from tests.rangeserver import serving

    with serving(web.root) as other:
        web.faults = lambda asked: Fault(status=302, headers={"Location": f"{other.url}/{asked.name}"})
        open_dataset(web.url.replace("//", "//ann:secret@") + "/own", name="sky.objects", access=access)
        assert other.requests
        assert not any("authorization" in asked.headers for asked in other.requests)


def test_nobody_answers_is_said_at_once_and_names_the_table(access):
    start = time.monotonic()
    with pytest.raises(RemoteUnavailableError, match=r"sky\.objects .*cannot be reached") as caught:
        open_dataset("http://127.0.0.1:9/secret/place", name="sky.objects", access=access)
    assert time.monotonic() - start < 3
    assert "secret" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)


# Files that change


def touch_later(path):
    later = time.time() + 30
    os.utime(path, (later, later))


def republished(web, folder, writer, rows):
    """Other rows in the same place, with the same names where they can be."""
    other = writer.dataset(rows, layout=Layout(rows_per_partition=500, rows_per_group=100), name="other")
    shutil.rmtree(web.root / folder)
    shutil.copytree(other.directory, web.root / folder)
    for file in (web.root / folder).rglob("*"):
        touch_later(file)
    return other


@pytest.mark.parametrize("conditions", [True, False])
@pytest.mark.parametrize("etags", [True, False])
def test_a_file_that_changes_between_two_ranges_is_an_error(far_foreign, web, etags, conditions):
    web.has_etags, web.has_conditions = etags, conditions
    pieces = far_foreign.select(None).pieces
    far = open_dataset(far_foreign.directory, name="far.t", access=replace(far_foreign.location.access, cache_bytes=0))
    far.read(pieces[0], ["source_id"])
    for file in (web.root / "foreign").rglob("Npix=*"):
        touch_later(file)
    with pytest.raises(RemoteChangedError, match=r"far\.t changed while it was read \(partition Norder"):
        far.read(pieces[0], ["mag"])
    assert far.is_outdated


def test_a_file_that_is_newer_than_the_opened_catalogue_is_an_error(far_foreign, web):
    pieces = far_foreign.select(None).pieces
    far_foreign.read(pieces[0], ["source_id"])
    for file in (web.root / "foreign").rglob("Npix=*"):
        touch_later(file)
    with pytest.raises(RemoteChangedError):
        far_foreign.read(pieces[1], ["source_id"])


def test_a_catalogue_of_ours_that_was_published_anew_is_never_mixed(far, web, writer):
    pieces = far.select(None).pieces
    before = far.read(pieces[0], ["id", "mag"])
    other = republished(web, "own", writer, writer.scattered(4_000, seed=9))
    for piece in pieces[1:]:
        with pytest.raises((RemoteChangedError, DamagedDataError)):
            far.read(piece, ["id", "mag"])
    assert far.read(pieces[0], ["id", "mag"]).equals(before)  # from the cache, of the version that was opened
    anew = open_dataset(far.directory, name="sky.objects", access=far.location.access)
    assert anew.version == other.version
    assert rows_of(anew).equals(rows_of(other))


def test_whether_a_catalogue_has_changed_is_looked_at_now_and_then(foreign, web, access):
    far = open_dataset(f"{web.url}/foreign", name="far.t", access=replace(access, check_s=0.0))
    far.select(None)
    touch_later(foreign / "partition_info.csv")
    with pytest.raises(RemoteChangedError):
        far.select(None)
    again = open_dataset(f"{web.url}/foreign", name="far.t", access=access)
    assert again.version != far.version
    assert rows_of(again).num_rows == 17_161


def test_a_partition_that_is_gone_is_told(far_foreign, web):
    pieces = far_foreign.select(None).pieces
    far_foreign.read(pieces[0], ["source_id"])
    for file in (web.root / "foreign").rglob("Npix=*"):
        file.unlink()
    with pytest.raises(RemoteChangedError):
        far_foreign.read(pieces[0], ["mag"])
    with pytest.raises(DamagedDataError, match="missing"):
        far_foreign.read(pieces[1], ["mag"])


def test_a_catalogue_that_changes_while_it_is_opened_is_opened_again(foreign, web, access):
    numbers = itertools.count()

    def faults(asked):
        if asked.name.endswith("_common_metadata") and next(numbers) == 0:
            touch_later(foreign / "hats.properties")
        return None

    web.faults = faults
    assert rows_of(open_dataset(f"{web.url}/foreign", name="far.t", access=access)).num_rows == 17_161
