"""Lists fit a terminal, and say what things are."""

from __future__ import annotations

import subprocess
import sys

import pytest

import skydex
from skydex.connection.printing import printed_rows


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture(scope="module")
def archive(simulated):
    return skydex.connect(simulated)


def test_tables_are_listed_with_what_they_hold_in_a_terminal_of_80_columns(archive):
    lines = repr(archive.tables()).splitlines()
    assert lines[0] == f"{len(archive.tables())} tables"
    assert {"name", "n_rows", "description"} <= set(lines[1].split())
    assert max(map(len, lines)) <= 80
    (line,) = [line for line in lines if line.startswith("hcv.HCVdetailed ")]
    assert "SIMULATED: The points of" in line
    assert str(archive.tables()) == repr(archive.tables())


def test_a_selection_of_the_list_of_tables_is_a_table_like_others(archive):
    assert "TableList length=2" in repr(archive.tables()["name", "n_rows"][:2])
    assert repr(archive.tables()[:2]).startswith("2 tables")


@pytest.mark.parametrize("name", ["tables.fits", "tables.ecsv"])
def test_the_list_of_tables_is_written_like_others(archive, tmp_path, name):
    archive.tables().write(tmp_path / name)
    assert (tmp_path / name).stat().st_size


def test_columns_are_listed_in_a_terminal_of_80_columns(archive):
    assert max(map(len, repr(archive.columns("hcv.HCVdetailed")).splitlines())) <= 80


def test_of_hundreds_of_columns_the_first_are_printed_and_how_others_are_found(archive):
    lines = repr(archive.columns("hsc.SumMagAper2CatView")).splitlines()
    assert len(lines) < 70
    assert max(map(len, lines[:-1])) <= 80
    assert "more" in lines[-2]
    assert "Words find" in lines[-1]


def test_numbers_stand_to_the_right_and_columns_without_anything_are_left_out():
    shown = printed_rows("2", ("name", "n", "none", "about"), [("a", "5", "", "x"), ("bb", "10", "", "y")])
    assert shown.splitlines() == ["2", "name   n  about", "a      5  x", "bb    10  y"]


def test_an_empty_list_has_its_head():
    assert printed_rows("0 tables", ("name", "about"), []).splitlines() == ["0 tables", "name  about"]


def test_a_prompt_completes_what_an_archive_can_be_asked(simulated):
    chandra = skydex.connect("csc21", at=simulated)
    assert {"query", "stream", "cone", "light_curve", "verbs"} <= set(dir(chandra))
    assert not {"cutout", "stamps", "sql", "mydb"} & set(dir(chandra))
    assert {"cutout", "stamps", "sql", "mydb", "job"} <= set(dir(skydex.connect(simulated)))


def test_figures_and_light_curves_are_there_without_an_import_of_their_own():
    script = "import skydex; skydex.plots.light_curve, skydex.lightcurve.LightCurve; print(*dir(skydex))"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert {"connect", "col", "plots", "lightcurve"} <= set(said.split())
    assert "TYPE_CHECKING" not in said
