"""Figures from the shell."""

from __future__ import annotations

import pytest

pytest.importorskip("matplotlib", reason="figures need matplotlib")

FIELD = ("mast-hsc", "summary", "IC 1613", "0.5")


@pytest.mark.parametrize(
    "words",
    [
        ("sky", *FIELD, "-w", "A_F475W_N>=10", "--highlight", "A_F475W_MAD>0.1"),
        ("cmd", *FIELD, "--blue", "A_F475W", "--red", "A_F814W"),
        ("variability", *FIELD, "--magnitude", "A_F475W", "--index", "A_F475W_MAD"),
        ("lightcurve", "mast-hsc", "1905457", "--by-band", "--difference"),
        ("folded", "ps1-tap", "KQ UMa", "--period", "0.48636", "--quality", "good"),
        ("hexbin", "csc21", "csc21.master_source", "--x", "flux_aper_b", "--y", "significance"),
        ("allsky", "csc21", "csc21.master_source"),
        ("cutouts", "mast-hsc", "1905457", "--bands", "ACS_F606W", "--most", "3"),
    ],
    ids=lambda words: words[0],
)
def test_a_figure_is_a_file(skydex, simulated, tmp_path, words):
    ran = skydex("plot", *words, "--at", simulated, "-o", tmp_path / "figure.png")
    assert ran.status == 0, ran.err
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_a_figure_says_that_its_data_are_simulated(skydex, simulated, tmp_path):
    words = ("plot", "cmd", *FIELD, "--blue", "A_F475W", "--red", "A_F814W", "--at", simulated)
    assert skydex(*words, "-o", tmp_path / "figure.svg").status == 0
    assert "simulated data" in (tmp_path / "figure.svg").read_text()


def test_what_is_no_figure_is_told_before_anything_is_asked(skydex, tmp_path):
    ran = skydex("plot", "sky", "nowhere", "t", "-o", tmp_path / "figure.docx")
    assert ran.status == 2
    assert ".docx" in ran.err
