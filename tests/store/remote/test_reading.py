"""Catalogues over HTTP: what is there is found without listings, little is read, and rows are those of the files."""

from __future__ import annotations

import shutil

import numpy as np
import pyarrow as pa
import pytest
from tests.store.remote.conftest import rows_of

from skydex.errors import StoreError
from skydex.sky import Cone, ranges29
from skydex.store import RemoteAccess, counting, lookup, open_dataset, verify
from skydex.store.remote import RemoteLocation

CATALOGS = [
    "small_sky",
    "small_sky_healpix13",
    "small_sky_npix_alt_suffix",
    "small_sky_npix_as_dir",
    "small_sky_order1_collection",
    "small_sky_order1_source_collection",
    "small_sky_order1_source_collection/small_sky_order1_source_margin",
    "small_sky_order3_source",
    "small_sky_source",
    "small_sky_to_o1source",
    "square_map",
]


@pytest.mark.parametrize("catalog", CATALOGS)
def test_a_catalogue_of_others_has_the_same_rows_over_http(shared_data, web, access, catalog):
    web.root = shared_data / "hats"
    far = open_dataset(f"{web.url}/{catalog}", name="far.t", access=access)
    near = open_dataset(shared_data / "hats" / catalog, name="far.t")
    assert rows_of(far).equals(rows_of(near))
    assert far.table == near.table
    assert far.row_groups.index_min.tolist() == near.row_groups.index_min.tolist()


@pytest.mark.parametrize(
    "gone", [("_metadata",), ("_metadata", "_common_metadata"), ("hats.properties",), ("properties",)]
)
def test_metadata_files_may_be_missing(foreign, web, access, shared_data, gone):
    for name in gone:
        for file in foreign.rglob(name):
            file.unlink()
    far = open_dataset(f"{web.url}/foreign", name="far.t", access=access)
    near = open_dataset(shared_data / "hats/small_sky_order3_source", name="far.t")
    assert rows_of(far).equals(rows_of(near))


def test_partitions_may_be_told_by_the_joint_metadata_alone(foreign, web, access, shared_data):
    (foreign / "partition_info.csv").unlink()
    far = open_dataset(f"{web.url}/foreign", name="far.t", access=access)
    assert rows_of(far).num_rows == 17_161


def test_a_catalogue_whose_files_nobody_names_is_refused_with_the_remedy(foreign, web, access):
    (foreign / "partition_info.csv").unlink()
    (foreign / "dataset/_metadata").unlink()
    with pytest.raises(StoreError, match=r"partition_info\.csv nor dataset/_metadata"):
        open_dataset(f"{web.url}/foreign", name="far.t", access=access)


def test_without_joint_metadata_only_the_footers_of_touched_files_are_read(foreign, web, access):
    (foreign / "dataset/_metadata").unlink()
    far = open_dataset(f"{web.url}/foreign", name="far.t", access=access)
    web.forget()
    selection = far.select(ranges29(Cone(283.4, -61.1, 0.1)))
    assert 0 < selection.n_files < 4 < selection.total_files
    assert len({asked.name for asked in web.data_requests}) < 5


def test_our_own_catalogue_has_the_same_rows_over_http(own, web, access):
    far = open_dataset(f"{web.url}/own", name="sky.objects", access=access)
    assert rows_of(far).equals(rows_of(own))
    assert far.version == own.version
    assert far.table == own.table


def test_a_cone_reads_its_row_groups_and_a_footer_each(own, web, access):
    far = open_dataset(f"{web.url}/own", name="sky.objects", access=access)
    selection = far.select(ranges29(Cone(45.0, 41.81, 1.0)))
    web.forget()
    with counting() as traffic:
        for piece in selection.pieces:
            far.read(piece, ["ra", "dec"])
    assert selection.n_groups <= 4
    assert traffic.n_requests == len(web.requests) <= 2 * selection.n_groups + 2 * selection.n_files
    assert traffic.n_bytes == web.n_bytes < sum(partition.stat().st_size for partition in web.root.rglob("Npix=*")) / 4
    assert all(asked.range for asked in web.requests)


def test_what_was_read_is_not_read_again(own, web, access):
    far = open_dataset(f"{web.url}/own", name="sky.objects", access=access)
    first = rows_of(far)
    web.forget()
    with counting() as traffic:
        again = rows_of(open_dataset(f"{web.url}/own", name="sky.objects", access=access))
    assert again.equals(first)
    assert [asked.name for asked in web.requests] == ["own/manifest.sha256"]
    assert traffic.n_cached_bytes > 0


def test_a_catalogue_of_others_opens_again_with_two_conditional_requests(foreign, web, access):
    rows = rows_of(open_dataset(f"{web.url}/foreign", name="far.t", access=access))
    web.forget()
    assert rows_of(open_dataset(f"{web.url}/foreign", name="far.t", access=access)).equals(rows)
    assert len(web.requests) == 2
    assert all("if-none-match" in asked.headers for asked in web.requests)
    assert web.n_bytes == 0


def test_without_a_cache_everything_works_too(own, web):
    plain = RemoteAccess(pause_s=0.01)
    for _ in range(2):
        assert rows_of(open_dataset(f"{web.url}/own", name="sky.objects", access=plain)).equals(rows_of(own))


def test_a_spoilt_cache_is_as_good_as_none(own, web, access):
    rows = rows_of(open_dataset(f"{web.url}/own", name="sky.objects", access=access))
    for number, file in enumerate(sorted(access.cache_directory.rglob("*"))):
        if file.is_file():
            content = bytearray(file.read_bytes())
            content[number % len(content)] ^= 0x40
            file.write_bytes(content[: len(content) - number % 3])
    assert rows_of(open_dataset(f"{web.url}/own", name="sky.objects", access=access)).equals(rows)


def test_the_cache_stays_within_its_limit(own, web, access, tmp_path):
    small = RemoteAccess(cache_directory=tmp_path / "small", cache_bytes=100_000)
    for _ in range(3):
        assert rows_of(open_dataset(f"{web.url}/own", name="sky.objects", access=small)).num_rows == 4_000
    size = sum(file.stat().st_size for file in (tmp_path / "small").rglob("*") if file.is_file())
    assert 0 < size <= 1.2 * 100_000


def test_every_byte_of_a_remote_catalogue_of_ours_can_be_verified(own, web, access):
    far = open_dataset(f"{web.url}/own", name="sky.objects", access=access)
    assert verify(far) == []
    victim = next(iter((web.root / "own").rglob("Npix=*")))
    victim.write_bytes(victim.read_bytes()[:-9])
    assert len(verify(open_dataset(f"{web.url}/own", name="sky.objects", access=access))) == 1


def test_a_login_in_the_address_is_sent_and_never_shown(own, web, access):
    far = open_dataset(web.url.replace("//", "//ann:secret@") + "/own", name="sky.objects", access=access)
    assert all(asked.headers["authorization"] == "Basic YW5uOnNlY3JldA==" for asked in web.requests)
    assert "secret" not in repr(far) + far.directory + repr(far.location) + far.partitions[0].file


def test_a_page_that_says_in_html_that_nothing_is_there_is_no_file(own, web, access):
    from tests.rangeserver import Fault

    def faults(asked):
        absent = not (web.root / asked.name).is_file()
        return Fault(status=200, headers={"Content-Type": "text/html"}, body=b"<h1>Oops") if absent else None

    web.faults = faults
    assert rows_of(open_dataset(f"{web.url}/own", name="sky.objects", access=access)).num_rows == 4_000


def test_a_dataset_can_be_sent_to_another_process(own, web, access):
    import pickle

    far = open_dataset(f"{web.url}/own", name="sky.objects", access=access)
    assert rows_of(pickle.loads(pickle.dumps(far))).equals(rows_of(own))


def test_other_schemes_of_fsspec_are_read_in_ranges_too(own, web, access):
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.put(own.directory, "/skydex/own", recursive=True)
    try:
        far = open_dataset("memory://skydex/own", name="sky.objects", access=access)
        assert rows_of(far).equals(rows_of(own))
    finally:
        memory.rm("/skydex", recursive=True)


def test_copies_of_a_catalogue_do_not_share_what_is_kept(own, web, access, writer):
    other = writer.dataset(writer.scattered(3_000, seed=5), layout=None, name="other")
    shutil.copytree(other.directory, web.root / "other")
    first = rows_of(open_dataset(f"{web.url}/own", name="a.t", access=access))
    second = rows_of(open_dataset(f"{web.url}/other", name="b.t", access=access))
    assert (first.num_rows, second.num_rows) == (4_000, 3_000)


def test_of_a_large_look_up_far_away_the_checksums_are_read_and_what_is_asked_for(web, access, tmp_path, monkeypatch):
    monkeypatch.setattr(lookup, "_MOST_HELD", 50_000)
    monkeypatch.setattr("skydex.store.remote.location._LITTLE_BYTES", 1 << 11)
    with lookup.LookupWriter(tmp_path / "spilled") as writer:
        for first in range(0, 100, 10):
            numbers = pa.chunked_array([pa.array(np.arange(first * 3000, (first + 10) * 3000))])
            writer.add(lookup.entries_of(numbers, np.full(10, 3000)), first_group=first)
        facts = writer.finish(web.root / "numbers.arrow", n_groups=100)
    far = RemoteLocation(f"{web.url}", access=access, name="far.t")
    hashes = lookup.hashes_of(pa.array([77_777]))
    with lookup.open_lookup(far, "numbers.arrow", facts) as found:
        assert 77_777 // 3000 in found.groups_of(hashes)
        assert len(found.groups_of(hashes)) < 3
    assert web.n_bytes < facts.size / 5
    content = bytearray((web.root / "numbers.arrow").read_bytes())
    content[len(content) // 2] ^= 1
    (web.root / "numbers.arrow").write_bytes(content)
    far = RemoteLocation(f"{web.url}", access=access, name="far.t")
    with pytest.raises(OSError, match="not what"), lookup.open_lookup(far, "numbers.arrow", facts) as found:
        found.groups_of(lookup.hashes_of(pa.array(np.arange(300_000))))
