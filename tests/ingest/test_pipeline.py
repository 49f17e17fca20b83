from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table as AstropyTable
from cdshealpix.nested import lonlat_to_healpix

from skydex.errors import BadRecipeError, BadRowsError, UnreadableFileError
from skydex.ingest import ingest_files, inputs
from skydex.store import ArchiveDirectory, verify
from skydex.tables import INDEX_COLUMN

BAD = "id,ra,dec,mag\n1,10,20,15\n2,10,91,16\n3,,20,17\n4,-10,-20,18\n5,400,0,19\n6,360,0,20\n"


def test_bad_rows_are_kept_without_a_position_and_counted(ingest_text, stored) -> None:
    report = ingest_text(BAD)
    assert (report.n_read, report.n_positioned, report.n_unpositioned, report.n_dropped) == (6, 3, 3, 0)
    rows = stored("test.table", with_index=True)
    unpositioned = rows.filter(pc.is_null(rows[INDEX_COLUMN]))
    assert sorted(unpositioned["id"].to_pylist()) == [2, 3, 5]
    assert sorted(unpositioned["dec"].to_pylist()) == [0, 20, 91], "what the file says of them stays"


def test_bad_rows_are_refused_by_choice_and_nothing_is_published(ingest_text, archive: ArchiveDirectory) -> None:
    with pytest.raises(BadRowsError, match=r"declination outside -90\.\.90: 1 rows \(row 1\)"):
        ingest_text(BAD, bad_rows="refuse")
    assert not archive.tables()
    assert not list((archive.path / "staging").iterdir()), "nothing is left behind"


@pytest.mark.parametrize("text", ["ra,dec\n10,20\n10,91\n", "ra,dec\n10,91\n", "a_ra,a_dec\n10,91\n10,92\n11,3\n"])
def test_no_share_of_bad_rows_makes_a_table_without_positions_where_they_are_refused(
    text: str, ingest_text, archive: ArchiveDirectory
) -> None:
    with pytest.raises(BadRowsError, match="Nothing was published"):
        ingest_text(text, bad_rows="refuse")
    assert not archive.tables()


def test_half_of_the_rows_may_be_bad(ingest_text) -> None:
    report = ingest_text("ra,dec\n10,20\n10,91\n")
    assert (report.n_positioned, report.n_unpositioned) == (1, 1)


def test_bad_rows_are_dropped_by_choice_and_counted(ingest_text, stored) -> None:
    report = ingest_text(BAD, bad_rows="drop")
    assert (report.n_read, report.n_stored, report.n_dropped) == (6, 3, 3)
    assert sorted(stored("test.table")["id"].to_pylist()) == [1, 4, 6]


def test_right_ascensions_are_stored_in_0_to_360(ingest_text, stored) -> None:
    report = ingest_text(BAD, bad_rows="drop")
    assert sorted(stored("test.table")["ra"].to_pylist()) == [0, 10, 350]
    assert any("brought into 0..360: 2 rows" in str(count) for count in report.counts)


def test_the_index_is_that_of_cdshealpix(ingest_text, stored) -> None:
    rng = np.random.default_rng(5)
    ra, dec = rng.uniform(0, 360, 500), np.degrees(np.arcsin(rng.uniform(-1, 1, 500)))
    lines = [f"{a!r},{b!r}" for a, b in zip(ra.tolist(), dec.tolist(), strict=True)]
    ingest_text("\n".join(["ra,dec", *lines]))
    rows = stored("test.table", with_index=True)
    lon, lat = rows["ra"].to_numpy() * u.deg, rows["dec"].to_numpy() * u.deg
    np.testing.assert_array_equal(rows[INDEX_COLUMN].to_numpy(), lonlat_to_healpix(lon, lat, 29).astype(np.int64))


def test_nan_becomes_null_so_that_averages_are_right(archive: ArchiveDirectory, stored, tmp_path: Path) -> None:
    file = tmp_path / "t.fits"
    AstropyTable({"ra": [1.0, 2.0, 3.0], "dec": [0.0, 0.0, 0.0], "mag": [10.0, np.nan, 20.0]}).write(file)
    ingest_files([file], archive, "test.nan")
    mags = stored("test.nan")["mag"]
    assert mags.null_count == 1
    assert pc.mean(mags).as_py() == 15.0


def test_sentinels_are_reported_and_only_replaced_on_request(ingest_text, stored) -> None:
    text = "ra,dec,mag\n" + "".join(f"{i},0,{-999 if i % 3 else 15 + i % 4}\n" for i in range(30))
    suspicion = ingest_text(text).suspicions[0]
    assert (suspicion.column, suspicion.value, suspicion.n_rows) == ("mag", -999, 20)
    assert pc.min(stored("test.table")["mag"]).as_py() == -999
    report = ingest_text(text, null=[-999])
    assert not report.suspicions
    assert stored("test.table")["mag"].null_count == 20


def test_galactic_positions_are_those_of_astropy(ingest_text, stored) -> None:
    rng = np.random.default_rng(6)
    lon, lat = rng.uniform(0, 360, 40).round(6), rng.uniform(-90, 90, 40).round(6)
    text = "\n".join(["n,GLON,GLAT", *(f"{i},{a},{b}" for i, (a, b) in enumerate(zip(lon, lat, strict=True)))])
    report = ingest_text(text)
    rows = stored("test.table").sort_by("n")
    truth = SkyCoord(lon * u.deg, lat * u.deg, frame="galactic").icrs
    ours = SkyCoord(rows["ra_icrs"].to_numpy() * u.deg, rows["dec_icrs"].to_numpy() * u.deg)
    assert truth.separation(ours).max() < 1e-9 * u.deg
    assert report.table.get_column("GLON").ucd == "pos.galactic.lon"
    assert [column.ucd for column in report.table.position_columns()] == ["pos.eq.ra;meta.main", "pos.eq.dec;meta.main"]


def test_sexagesimal_text_gets_columns_in_degrees_beside_it(ingest_text, stored) -> None:
    ingest_text("name,ra,dec\ncrab,05 34 31.94,+22 00 52.2\nnowhere,,\n")
    rows = stored("test.table").sort_by("name")
    assert rows["ra"].to_pylist()[0] == "05 34 31.94"
    truth = SkyCoord("05 34 31.94 +22 00 52.2", unit=(u.hourangle, u.deg))
    assert rows["ra_icrs"].to_pylist() == [pytest.approx(truth.ra.deg, abs=1e-12), None]
    assert rows["dec_icrs"].to_pylist() == [pytest.approx(truth.dec.deg, abs=1e-12), None]


def test_radians_are_converted_when_the_user_says_so(ingest_text, stored) -> None:
    ingest_text("ra,dec\n3.141592653589793,0.5\n", ra="ra", dec="dec", unit="rad")
    assert stored("test.table")["ra_icrs"].to_pylist() == [pytest.approx(180.0)]


def test_a_table_without_positions_is_stored_too(ingest_text, stored) -> None:
    report = ingest_text("period,amplitude\n1.5,0.2\n2.5,0.3\n")
    assert report.table.position is None
    assert (report.n_read, report.n_positioned, report.n_unpositioned) == (2, 0, 2)
    assert stored("test.table").to_pydict() == {"period": [1.5, 2.5], "amplitude": [0.2, 0.3]}


def test_an_empty_table_keeps_its_columns(ingest_text, stored) -> None:
    report = ingest_text("ra,dec,mag\n", columns={"*": {"type": "double"}})
    assert report.n_read == 0
    assert report.table.position is not None


def test_columns_are_renamed_retyped_described_and_dropped(ingest_text, stored) -> None:
    columns = {
        "m": {"rename": "gmag", "unit": "mag", "ucd": "phot.mag", "description": "g band", "type": "float"},
        "junk": {"drop": True},
        "code": {"type": "char"},
    }
    report = ingest_text("ra,dec,m,junk,code\n1,2,15.5,x,007\n", columns=columns, description="Stars", sort_by=["m"])
    gmag = report.table.get_column("gmag")
    assert (gmag.datatype, gmag.unit, gmag.ucd, gmag.description, dict(gmag.inferred)) == (
        "float", "mag", "phot.mag", "g band", {},
    )  # fmt: skip
    assert stored("test.table").column_names == ["ra", "dec", "gmag", "code"]
    assert report.table.description == "Stars"


def test_texts_get_the_length_of_the_longest(ingest_text) -> None:
    report = ingest_text("ra,dec,name\n1,2,a\n3,4,abcdef\n")
    assert report.table.get_column("name").arraysize == "6*"


def test_names_that_differ_only_in_case_become_different(ingest_text, stored) -> None:
    ingest_text("ra,dec,Opt,opt\n1,2,3,4\n")
    assert len({name.lower() for name in stored("test.table").column_names}) == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ra": "raa", "dec": "dec"}, "Did you mean ra"),
        ({"ra": "ra"}, "--dec"),
        ({"id": "idd"}, "Did you mean id"),
        ({"columns": {"magg": {"unit": "mag"}}}, "Did you mean mag"),
        ({"sort_by": "time"}, "time"),
        ({"nul": [-1]}, "null"),
        ({"columns": {"mag": {"rename": "RA"}}}, "two columns"),
        ({"foreign_keys": [{"target_table": "a.b", "columns": {"nothing": "x"}}]}, "nothing"),
        ({"select": 3}, "no table 3"),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused_with_a_hint(ingest_text, options: dict, message: str) -> None:
    with pytest.raises(BadRecipeError, match=message):
        ingest_text(BAD, **options)


def test_a_value_that_does_not_fit_the_type_asked_for_is_an_error(ingest_text) -> None:
    with pytest.raises(BadRecipeError, match="name"):
        ingest_text("ra,dec,name\n1,2,abc\n", columns={"name": {"type": "int"}})


def test_files_that_do_not_exist_are_named(archive: ArchiveDirectory) -> None:
    with pytest.raises(BadRecipeError, match=r"nothing\.csv"):
        ingest_files(["nothing.csv"], archive, "a.b")


def test_several_files_make_one_table(archive: ArchiveDirectory, stored, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("ra,dec,n,only_a,empty\n1,1,1,x,\n2,2,2,y,\n")
    (tmp_path / "b.csv").write_text("ra,dec,n,empty\n3,3,3.5,7\n")
    report = ingest_files([tmp_path / "*.csv"], archive, "test.both")
    assert report.n_read == 3
    assert report.warnings == ("only_a is not in b.csv: null there.",)
    rows = stored("test.both").sort_by("ra")
    assert rows["n"].to_pylist() == [1.0, 2.0, 3.5]
    assert rows["only_a"].to_pylist() == ["x", "y", None]
    assert rows["empty"].to_pylist() == [None, None, 7]


def test_files_that_contradict_each_other_are_refused(archive: ArchiveDirectory, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("ra,dec,n\n1,1,1\n")
    (tmp_path / "b.csv").write_text("ra,dec,n\n3,3,many\n")
    with pytest.raises(BadRecipeError, match=r"a\.csv.*b\.csv"):
        ingest_files([tmp_path / "*.csv"], archive, "test.both")


def test_a_table_ingested_again_is_replaced_in_one_step(ingest_text, archive: ArchiveDirectory, stored) -> None:
    ingest_text("ra,dec,v\n1,1,1\n")
    held = archive.open("test.table")
    ingest_text("ra,dec,v\n1,1,2\n2,2,2\n")
    assert held.table.n_rows == 1, "who reads the old version goes on reading it"
    assert stored("test.table")["v"].to_pylist() == [2, 2]
    assert len(archive.tables()) == 1


def test_an_ingest_that_fails_leaves_the_old_table(ingest_text, stored) -> None:
    ingest_text("ra,dec,v\n1,1,1\n")
    with pytest.raises(BadRowsError):
        ingest_text(BAD, bad_rows="refuse")
    assert stored("test.table")["v"].to_pylist() == [1]


def test_a_file_cut_short_is_an_error_and_publishes_nothing(archive: ArchiveDirectory, tmp_path: Path) -> None:
    file = tmp_path / "t.fits"
    AstropyTable({"ra": np.arange(1000.0) / 10, "dec": np.zeros(1000)}).write(file)
    file.write_bytes(file.read_bytes()[:-4000])
    with pytest.raises(UnreadableFileError):
        ingest_files([file], archive, "test.cut")
    assert not archive.tables()


def test_progress_is_told_and_ends_at_all_rows(archive: ArchiveDirectory, tmp_path: Path) -> None:
    file = tmp_path / "t.fits"
    AstropyTable({"ra": np.arange(1000.0) / 10, "dec": np.zeros(1000)}).write(file)
    seen: list[tuple[str, int, int | None]] = []
    ingest_files([file], archive, "test.progress", progress=lambda *facts: seen.append(facts))
    assert ("read", 1000, 1000) in seen
    assert seen[-1] == ("write", 1000, 1000)


def _ingest_and_die(directory: str, file: str, after: int) -> None:
    """Ingest in small pieces, each on the disk at once, and be killed at one of them."""
    from skydex.store import Staging

    begin, add, count = Staging.__init__, Staging.add, iter(range(1000))

    def begin_small(self: Staging, *args: Any, **options: Any) -> None:
        begin(self, *args, **options | {"buffer_bytes": 20_000})

    def add_or_die(self: Staging, key: str, batch: pa.Table) -> None:
        if next(count) == after:
            os.kill(os.getpid(), signal.SIGKILL)
        add(self, key, batch)

    Staging.__init__, Staging.add = begin_small, add_or_die  # type: ignore[method-assign]
    inputs.ROWS_PER_PIECE = 1000
    ingest_files([file], directory, "test.killed")


def test_an_ingest_that_was_killed_goes_on_and_loses_no_row(
    archive: ArchiveDirectory, stored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "t.fits"
    rng = np.random.default_rng(7)
    ra, dec = rng.uniform(0, 360, 10_000), rng.uniform(-90, 90, 10_000)
    AstropyTable({"n": np.arange(10_000), "ra": ra, "dec": dec}).write(file)
    process = multiprocessing.get_context("spawn").Process(
        target=_ingest_and_die, args=(str(archive.path), str(file), 6)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not archive.tables()

    monkeypatch.setattr(inputs, "ROWS_PER_PIECE", 1000)
    added = _count_additions(monkeypatch)
    report = ingest_files([file], archive, "test.killed")
    assert report.n_stored == 10_000
    assert len(added) == 4, "six of ten pieces were there already"
    rows = stored("test.killed").sort_by("n")
    np.testing.assert_array_equal(rows["n"].to_numpy(), np.arange(10_000))
    np.testing.assert_array_equal(rows["ra"].to_numpy(), ra)
    assert not verify(archive.open("test.killed"))


def _count_additions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    from skydex.store import Staging

    add: Callable[..., None] = Staging.add
    added: list[str] = []

    def counting(self: Staging, key: str, batch: pa.Table) -> None:
        added.append(key)
        add(self, key, batch)

    monkeypatch.setattr(Staging, "add", counting)
    return added


def test_of_a_wide_table_the_first_columns_the_id_and_the_position_are_principal(ingest_text) -> None:
    names = [*(f"c{i}" for i in range(60)), "source_id", "ra", "dec"]
    text = ",".join(names) + "\n" + "\n".join(",".join(str(i + row) for i in range(63)) for row in range(3)) + "\n"
    columns = ingest_text(text).table.columns
    assert [column.name for column in columns if column.principal] == [*names[:50], "source_id", "ra", "dec"]


def test_a_recipe_chooses_the_principal_columns(ingest_text) -> None:
    columns = ingest_text("id,ra,dec,a,b,c\nx,1,2,3,4,5\ny,2,3,4,5,6\n", principal=["C", "a"]).table.columns
    assert [column.name for column in columns if column.principal] == ["id", "ra", "dec", "a", "c"]
    with pytest.raises(BadRecipeError, match='"d"'):
        ingest_text("ra,dec,a\n1,2,3\n", principal=["d"])
