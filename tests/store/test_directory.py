"""An archive directory: what is published is whole, what was open stays readable, names are harmless."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from skydex.errors import BadParameterError, StoreError, UnknownTableError, UnreadableFileError
from skydex.store import ArchiveDirectory, Layout, Staging, check_new_name, verify

SMALL = Layout(rows_per_partition=300, rows_per_group=100)


@pytest.fixture
def archive(tmp_path):
    return ArchiveDirectory.create(tmp_path / "archive")


@pytest.fixture
def publish(archive, writer):
    """Publish so many rows as `sky.objects` or under another name."""

    def publish(n_rows, name="sky.objects"):
        with Staging.open(archive.staging_directory(name, "test"), table=writer.TABLE, layout=SMALL) as staging:
            staging.add("all", writer.scattered(n_rows))
            report = staging.finish()
        return archive.publish(name, report.directory)

    return publish


def test_a_published_table_is_listed_and_opens(archive, publish, writer):
    entry = publish(1_000)
    assert (entry.kind, entry.n_rows, entry.description) == ("stored", 1_000, "A small sky.")
    assert ArchiveDirectory(archive.path).tables() == (entry,)
    dataset = archive.open("SKY.Objects")
    assert (dataset.version, dataset.table.name) == (entry.version, "sky.objects")
    assert len(writer.all_rows(dataset)) == 1_000
    assert verify(dataset) == []


@pytest.mark.parametrize("name", ["tap_schema.tables", "TAP_UPLOAD.mine", "mydb.mine"])
def test_no_table_hides_what_every_archive_has_of_itself(archive, name, shared_data):
    with pytest.raises(BadParameterError, match="every archive has of itself"):
        check_new_name(name)
    with pytest.raises(BadParameterError, match="every archive has of itself"):
        archive.mount(name, str(shared_data / "hats/small_sky"))


def test_nothing_is_left_of_the_staging(archive, publish):
    publish(100)
    assert list((archive.path / "staging").iterdir()) == []


def test_a_reader_of_the_old_version_goes_on_while_a_new_one_appears(archive, publish, writer):
    publish(1_000)
    old = archive.open("sky.objects")
    new_entry = publish(500)
    assert len(writer.all_rows(archive.open("sky.objects"))) == 500
    assert len(writer.all_rows(old)) == 1_000, "files that had not been opened before are still there"
    home = archive.path / "catalogs/sky.objects"
    assert {path.name for path in home.iterdir()} == {old.version, new_entry.version, "current"}
    del old
    archive.clear_old_versions()
    assert {path.name for path in home.iterdir()} == {new_entry.version, "current"}


def test_versions_that_nobody_reads_go_at_once(archive, publish):
    publish(100)
    entry = publish(200)
    assert {path.name for path in (archive.path / "catalogs/sky.objects").iterdir()} == {entry.version, "current"}


def test_the_stable_path_follows_the_publication(archive, publish):
    for n_rows in (100, 200):
        entry = publish(n_rows)
        assert archive.hats_path("sky.objects").resolve().name == entry.version
        assert f"hats_nrows={n_rows}\n" in (archive.hats_path("sky.objects") / "hats.properties").read_text()


def test_the_revision_changes_with_every_publication(archive, publish):
    seen = [archive.revision]
    publish(10)
    seen.append(archive.revision)
    publish(10)
    seen.append(archive.revision)
    archive.remove("sky.objects")
    seen.append(archive.revision)
    assert len(set(seen)) == 4
    assert archive.revision == seen[-1]


def test_another_process_notices_a_publication(archive, publish):
    other = ArchiveDirectory(archive.path)
    assert other.tables() == ()
    publish(10)
    assert [entry.name for entry in other.tables()] == ["sky.objects"]


def test_a_removed_table_is_gone_with_its_files(archive, publish):
    publish(100)
    archive.remove("sky.OBJECTS")
    assert archive.tables() == ()
    assert list((archive.path / "catalogs").iterdir()) == []
    with pytest.raises(UnknownTableError):
        archive.open("sky.objects")


def test_an_unknown_table_is_answered_with_near_names(archive, publish):
    publish(10)
    with pytest.raises(UnknownTableError, match=r'Did you mean "sky\.objects"'):
        archive.get("sky.object")


def test_a_mounted_catalogue_stays_where_it_is(archive, shared_data, writer):
    place = shared_data / "hats/small_sky_order1_collection"
    entry = archive.mount("small.sky", str(place))
    assert (entry.kind, entry.location, entry.n_rows) == ("mounted", str(place), 131)
    assert len(writer.all_rows(archive.open("small.sky"))) == 131
    archive.remove("small.sky")
    assert (place / "collection.properties").exists()


def test_names_that_differ_in_case_are_one_table(archive, publish):
    publish(10)
    publish(20, "Sky.Objects")
    assert [(entry.name, entry.n_rows) for entry in archive.tables()] == [("Sky.Objects", 20)]


HOSTILE = [
    "t",
    "a.b.c",
    "../x.y",
    "a./etc",
    "a.b/../c",
    "a.b\n",
    "a.b\0",
    "1a.b",
    "a.",
    ".a",
    "a.b c",
    "ä.b",
    "a.%2e",
    "a.b;",
]


@pytest.mark.parametrize("name", [*HOSTILE, "a." + "b" * 500])
def test_r18_a_name_that_is_no_identifier_reaches_no_path(archive, tmp_path, name):
    before = sorted(tmp_path.rglob("*"))
    for act in (
        lambda: archive.staging_directory(name, "k"),
        lambda: archive.mount(name, "/nowhere"),
        lambda: archive.publish(name, Path("/nowhere")),
    ):
        with pytest.raises(BadParameterError):
            act()
    with pytest.raises(UnknownTableError):
        archive.open(name)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_staging_key_is_never_a_path(archive):
    folder = archive.staging_directory("s.t", "../../../etc/passwd")
    assert folder.parent == archive.path / "staging"
    assert folder == archive.staging_directory("S.T", "../../../etc/passwd")


def _begin(archive, writer, key):
    staging = Staging.open(archive.staging_directory("S.t", key), table=writer.TABLE, buffer_bytes=1)
    staging.add("a", writer.scattered(10))
    return staging


def test_what_killed_ingests_of_a_table_left_goes_when_it_is_published(archive, writer):
    _begin(archive, writer, "killed").close()
    _begin(archive, writer, "another").close()
    with Staging.open(archive.staging_directory("s.t2", "killed"), table=writer.TABLE):
        pass
    assert len(archive.abandoned("s.t")) == 2
    with _begin(archive, writer, "under way"), _begin(archive, writer, "done") as staging:
        archive.publish("s.t", staging.finish().directory)
        left = {archive.staging_directory("s.t", "under way"), archive.staging_directory("s.t2", "killed")}
        assert set((archive.path / "staging").iterdir()) == left
        assert archive.abandoned("s.t") == []


def test_what_killed_ingests_left_can_be_removed_though_nothing_was_published(archive, writer):
    _begin(archive, writer, "killed").close()
    archive.remove("s.t")
    assert not list((archive.path / "staging").iterdir())
    with pytest.raises(UnknownTableError):
        archive.remove("s.t")


def test_a_directory_that_is_no_archive_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(UnreadableFileError, match=r"archive\.json"):
        ArchiveDirectory(tmp_path)
    with pytest.raises(UnreadableFileError, match="empty"):
        ArchiveDirectory.create(tmp_path)


def test_unfinished_files_are_not_published(archive, tmp_path):
    with pytest.raises(StoreError, match="not complete"):
        archive.publish("s.t", tmp_path)


def _publish_many(root, name, rows, table):
    archive = ArchiveDirectory(root)
    for number in range(3):
        with Staging.open(archive.staging_directory(name, name), table=table) as staging:
            staging.add(str(number), rows)
            report = staging.finish()
        archive.publish(name, report.directory)


def test_processes_that_publish_at_once_lose_nothing(archive, writer):
    context = multiprocessing.get_context("spawn")
    names = ["s.a", "s.b"]
    arguments = [(archive.path, name, writer.scattered(50), writer.TABLE) for name in names]
    workers = [context.Process(target=_publish_many, args=each) for each in arguments]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert [entry.name for entry in archive.tables()] == names
    assert all(verify(archive.open(name)) == [] for name in names)
