"""The text dialects of astronomy: names, units and descriptions where their headers have them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from skydex.errors import UnreadableFileError
from skydex.formats.ascii import read_ascii
from skydex.formats.format import Source
from skydex.tables import arrow_schema


def source_of(tmp_path: Path, text: str, name: str = "t.dat") -> Source:
    (tmp_path / name).write_text(text)
    (source,) = read_ascii(tmp_path / name, {})
    return source


def table_of(source: Source) -> pa.Table:
    return pa.Table.from_batches(source.open_batches(), arrow_schema(source.columns))


@pytest.mark.parametrize(
    ("file", "names"),
    [
        ("catalogues/hst/hst1pass/ie8j01xlq_flt.uvwXYMpq", "u v w X Y M p q"),
        (
            "catalogues/hst/hst1pass/MATCHUP_XYMEEE_final",
            "xbar ybar mbar xsig ysig msig qbar Nf Ng Nm Nmin Nstar pki pkj",
        ),
        ("catalogues/hst/hdfn_fs99_eazy.cat", "id f_f300w e_f300w f_f450w e_f450w f_f606w e_f606w f_f814w"),
        ("catalogues/variables/LINEARattributesFinalApr2013.dat.gz", "ra dec ug gi iK JK logP Ampl skew kurt magMed"),
        ("catalogues/variables/PLV_LINEAR.dat", "LINEARobjectID LCtype P A mmed stdev rms Lchi2pdf nObs skew kurt LR"),
        ("catalogues/variables/allGalCep.listID", "Source Name RA(2000.0) Dec(2000.0) RA Dec l b Mode(s) P_F"),
        ("catalogues/hst/wfc3_uvis1.cat", "x y"),
    ],
)
def test_names_come_from_comment_lines(file: str, names: str, shared_data: Path) -> None:
    found = [column.name for column in read_ascii(shared_data / file, {})[0].columns]
    assert found[: len(names.split())] == names.split()


def test_hst1pass_explains_its_columns(shared_data: Path) -> None:
    (source,) = read_ascii(shared_data / "catalogues/hst/hst1pass/ie8j01xlq_flt.uvwXYMpq", {})
    described = {column.name: column.description for column in source.columns}
    assert described["w"] == "dist-corr inst mag"
    assert described["q"] == "quality of fit"
    assert table_of(source)["u"][0].as_py() == 157.6324


def test_units_in_brackets_become_units(shared_data: Path) -> None:
    (source,) = read_ascii(shared_data / "catalogues/variables/allGalCep.listID", {})
    units = {column.name: column.unit for column in source.columns}
    assert (units["RA"], units["P_F"], units["Name"]) == ("deg", "day", None)


def test_mrt_units_and_descriptions_are_kept(shared_data: Path) -> None:
    (source,) = read_ascii(shared_data / "catalogues/csc/TD_MRT.dat", {})
    ra = source.columns[1]
    assert (ra.name, ra.unit) == ("CSCv2_RA", "deg")
    assert "CSCv2 mast" in ra.description


def test_types_of_ipac_may_be_cut_short_where_columns_are_narrow(shared_data: Path) -> None:
    source = read_ascii(shared_data / "services/irsa_ned/most_full_results.tbl", {})[0]
    assert [column.name for column in source.columns][:4] == ["Image_ID", "date_obs", "time_obs", "mjd_obs"]
    assert source.columns[4].unit == "deg"


def test_lines_of_which_astropy_only_guesses_that_they_are_a_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="no known text format"):
        source_of(tmp_path, "simbad\nJ/MNRAS/276/33/tables\nJ/A+A/552/A8/tablea1\n", "tables.txt")


def test_ipac_nulls_are_nulls(shared_data: Path) -> None:
    table = table_of(read_ascii(shared_data / "ascii/ipac.dat", {})[0])
    assert table["ra"].to_pylist()[0] is None
    assert table["sai"].to_pylist()[0] is None


def test_a_missing_value_between_blanks_is_refused_rather_than_shifted(tmp_path: Path) -> None:
    rows = "".join(f"{i} {i}.5 {i * 2}\n" for i in range(100))
    with pytest.raises(UnreadableFileError, match="row 101 has 2 fields"):
        source_of(tmp_path, "# id mag n\n" + rows + "7 8.5\n")


def test_comments_and_empty_lines_between_rows_are_no_rows(tmp_path: Path) -> None:
    text = "# id  mag\n\n 1\t 2.5 \n# a remark\n\n   3   4.5\n  # another 1 2\n"
    assert table_of(source_of(tmp_path, text)).to_pydict() == {"id": [1, 3], "mag": [2.5, 4.5]}


def test_large_tables_between_blanks_are_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skydex.formats.delimited.opening._BLOCK", 1000)
    monkeypatch.setattr("skydex.formats.delimited.reader._BLOCK", 5000)
    source = source_of(tmp_path, "# id mag\n" + "".join(f"  {i}   {i / 8}  \n" for i in range(5000)))
    assert len(list(source.open_batches())) > 1
    assert table_of(source).to_pydict() == {"id": list(range(5000)), "mag": [i / 8 for i in range(5000)]}


@pytest.mark.parametrize(
    "text", ["", "   \n", "one line without end", "prose that goes on\nand on for a while\nand ends\n"]
)
def test_what_is_no_table_is_a_clean_error(text: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError):
        source_of(tmp_path, text)


def test_caller_may_say_the_dialect(tmp_path: Path) -> None:
    file = tmp_path / "t.txt"
    file.write_text("a b\n1 2\n")
    (source,) = read_ascii(file, {"dialect": "basic"})
    assert table_of(source).to_pydict() == {"a": [1], "b": [2]}
