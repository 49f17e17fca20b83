import shutil

from skydex.accounts import Accounts
from skydex.store import ArchiveDirectory


def test_list_shows_name_and_rows(skydex, archive):
    ran = skydex("list", archive)
    assert ran.status == 0
    assert "my.stars" in ran.out
    assert " 4 " in ran.out


def test_show_describes_columns_and_position(skydex, archive):
    ran = skydex("show", archive, "my.stars")
    assert "rows: 4; position: ra, dec (ICRS, deg); id: id" in ran.out
    assert "pos.eq.dec;meta.main" in ran.out


def test_show_tells_how_the_table_came_to_be(skydex, tmp_path):
    file = tmp_path / "bad.csv"
    file.write_text("id,ra,dec,mag\n1,10,20,-999\n2,10,91,-999\n3,10,22,15\n")
    assert skydex("ingest", file, "-a", tmp_path / "a", "-n", "my.bad").status == 0
    shown = skydex("show", tmp_path / "a", "my.bad").out
    assert "made of bad.csv: rows 3 read, 2 positioned, 1 unpositioned" in shown
    assert "check: declination outside -90..90: 1 rows" in shown


def test_verify_tells_of_unfinished_ingests_and_remove_clears_them(skydex, archive, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(archive, copy, symlinks=True)
    left = ArchiveDirectory(copy).staging_directory("my.stars", "killed")
    left.mkdir(parents=True)
    assert "1 unfinished ingests" in skydex("verify", copy).out
    assert left.exists(), "it can still go on"
    assert skydex("remove", copy, "my.stars").status == 0
    assert not left.exists()


def test_verify_reads_what_users_keep_too(skydex, archive, stars_file, tmp_path):
    copy = tmp_path / "archive"
    shutil.copytree(archive, copy, symlinks=True)
    Accounts(copy / "state").add("alice", "correct horse")
    skydex("mydb", "upload", copy, stars_file, "kept", "--user", "alice")
    skydex("mydb", "upload", copy, stars_file, "other", "--user", "alice")
    assert skydex("verify", copy).out == "my.stars: sound\nalice.kept: sound\nalice.other: sound\n"
    (file,) = (copy / "state").glob("mydb/*/catalogs/mydb.kept/2*/dataset/part0.parquet")
    content = bytearray(file.read_bytes())
    content[100] ^= 1
    file.write_bytes(content)
    ran = skydex("verify", copy)
    assert ran.status == 1
    assert "alice.kept: damaged\n  dataset/part0.parquet: its bytes have changed" in ran.out
    assert "1 of 3 tables are damaged" in ran.err


def test_verify_finds_a_flipped_bit_and_exits_with_1(skydex, archive, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(archive, copy, symlinks=True)
    assert skydex("verify", copy).out == "my.stars: sound\n"
    file = next(copy.glob("catalogs/*/2*/dataset/**/*.parquet"))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    ran = skydex("verify", copy, "my.stars")
    assert ran.status == 1
    assert ran.out.startswith("my.stars: damaged\n  Norder=")
    assert "1 of 1 tables are damaged" in ran.err
