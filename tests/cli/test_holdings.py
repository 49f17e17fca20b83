import shutil

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


def test_verify_tells_of_unfinished_ingests_and_remove_clears_them(skydex, archive, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(archive, copy, symlinks=True)
    left = ArchiveDirectory(copy).staging_directory("my.stars", "killed")
    left.mkdir(parents=True)
    assert "1 unfinished ingests" in skydex("verify", copy).out
    assert left.exists(), "it can still go on"
    assert skydex("remove", copy, "my.stars").status == 0
    assert not left.exists()


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
