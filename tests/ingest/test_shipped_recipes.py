"""Recipes that ship with skydex, on the catalogues whose traps they know."""

from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc
import pytest

from skydex.errors import BadRecipeError
from skydex.ingest import ingest_files
from skydex.store import ArchiveDirectory


def test_pan_starrs_magnitudes_of_minus_999_are_null(shared_data: Path, archive: ArchiveDirectory, stored) -> None:
    file = shared_data / "seeds" / "ps1_mean_m87.ecsv"
    plain = ingest_files([file], archive, "ps1.plain")
    assert any(item.value == -999 for item in plain.suspicions)
    report = ingest_files([file], archive, "ps1.mean", recipe="ps1")
    assert not report.suspicions
    assert pc.min(stored("ps1.mean")["gMeanPSFMag"]).as_py() > 0
    assert stored("ps1.mean")["gMeanPSFMag"].null_count > 0
    assert report.table.get_column("gMeanPSFMag").unit == "mag"
    assert report.table.position is not None
    assert report.table.position.ra == "raMean"


def test_linear_has_6958_periods_as_its_header_says(shared_data: Path, archive: ArchiveDirectory, stored) -> None:
    ingest_files([shared_data / "catalogues/variables/PLV_LINEAR.dat"], archive, "linear.plv", recipe="linear")
    periods = stored("linear.plv")["P"]
    assert len(periods) - periods.null_count == 6958
    assert pc.min(periods).as_py() == pytest.approx(0.042, abs=5e-4)
    assert pc.max(periods).as_py() == pytest.approx(1964, abs=1)


@pytest.mark.parametrize(
    ("file", "column", "n_missing"),
    [("PLV_LINEAR.dat", "A", 6), ("LINEARattributesFinalApr2013.dat.gz", "Ampl", 3)],
)
def test_amplitudes_that_linear_could_not_determine_are_null(
    file: str, column: str, n_missing: int, shared_data: Path, archive: ArchiveDirectory, stored
) -> None:
    report = ingest_files([shared_data / "catalogues/variables" / file], archive, "linear.stars", recipe="linear")
    amplitudes = stored("linear.stars")[column]
    assert amplitudes.null_count == n_missing
    assert pc.min(amplitudes).as_py() >= 0
    assert not [item for item in report.suspicions if item.column == column]


def test_cepheids_have_a_period_for_each_mode_they_pulsate_in(
    shared_data: Path, archive: ArchiveDirectory, stored
) -> None:
    file = shared_data / "catalogues/variables/allGalCep.listID"
    report = ingest_files([file], archive, "cepheids.all", recipe="cepheids")
    rows = stored("cepheids.all")
    fundamental = rows.filter(pc.equal(rows["Mode(s)"], "F"))
    assert fundamental["P_F"].null_count == 0
    assert fundamental["P_1O"].null_count == len(fundamental)
    assert report.n_positioned == 2487


def test_chandra_cone_search_text_gets_units_and_positions(shared_data: Path, archive: ArchiveDirectory) -> None:
    file = shared_data / "catalogues/csc/NGC3532_conesearch.csv"
    report = ingest_files([file], archive, "csc.cone", recipe="csc21")
    assert report.n_positioned == 389
    assert report.table.get_column("flux_aper90_b").unit == "mW.m**-2"
    assert report.table.get_column("name").ucd == "meta.id;meta.main"


def test_a_hats_catalogue_is_sent_to_mount(shared_data: Path, archive: ArchiveDirectory) -> None:
    with pytest.raises(BadRecipeError, match="skydex mount"):
        ingest_files([shared_data / "hats" / "small_sky"], archive, "a.b")


def test_a_plan_of_observations_has_the_meanings_of_obsloctap(tmp_path: Path, archive: ArchiveDirectory) -> None:
    (tmp_path / "plan.csv").write_text(
        "t_planning,obs_id,s_ra,s_dec,t_min\n61000,a,10.5,-3,61001.5\n61000,b,11,4,61002\n"
    )
    table = ingest_files([tmp_path / "plan.csv"], archive, "ivoa.obsplan", recipe="obsplan").table
    assert table.utype == "ivo://ivoa.net/std/obsloctap#table-1.0"
    assert table.position is not None
    assert {column.name: (column.unit, column.ucd) for column in table.columns} == {
        "t_planning": ("d", None),
        "obs_id": (None, "meta.id"),
        "s_ra": ("deg", "pos.eq.ra"),
        "s_dec": ("deg", "pos.eq.dec"),
        "t_min": ("d", "time.start;obs.exposure"),
    }
