"""Each tutorial runs, in process and at a server, and finds what was printed where its steps are from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import notebooks
import pytest

AT = 'AT = os.environ.get("TUTORIAL_ARCHIVE", "http://127.0.0.1:8642")'


@dataclass(frozen=True)
class Facts:
    """What a tutorial must show."""

    printed: tuple[str, ...]
    """Pieces of its output: rows and counts as they were published, and what must hold in any simulation."""
    n_figures: int


FACTS: Mapping[str, Facts] = {
    "hubble-source-catalog": Facts(
        (
            "418 columns; 133 filters: ",
            'No column "A_F745W"',
            "MatchID 80189155, B = 22.451 mag, B-I = 0.450 mag",
            "24 points in ACS_F475W (12), ACS_F814W (12)",
            "<ResultTable length=12>",
            "53965.29153",
            "pearson_r=0.98",
        ),
        n_figures=6,
    ),
    "hubble-catalog-of-variables": Facts(
        (
            'No object "IC 16133333"',
            "(16.19913, 2.11778)",
            "{'ACS_F606W': 21, 'ACS_F814W': 22}",
            "53767.41980  25.327   0.131",
            "1905457 187.712450 12.383120",
            "5742711 1045904         16        M31",
            "0.8581",
        ),
        n_figures=11,
    ),
    "pan-starrs-light-curves": Facts(
        (
            "09h17m20.26872s +68d38m06.2124s, objID 190361393344112894",
            "LightCurve of KQ UMa: 66 points in g (8), r (10), i (21), z (13), y (14)",
            "1 point off by more than 2 mag; 1 with psfQfPerfect < 0.95",
            "3.363 mag off, psfQfPerfect 0.323",
            "LightCurve of KIC 8153568: ",
        ),
        n_figures=9,
    ),
    "psf-stamps": Facts(
        (
            "[{'paramName': 'psf_x_center', 'values': [{'min': 100, 'max': 102}]}",
            "8184981 ibc302ioq  F814W",
            "(6, 51, 51)",
            "ibc302ioq_8184981_F814W_flt_cutout.fits",
            "6 stamps, or 12 with the raw ones: mast:WFC3PSF/url/cgi-bin/fitscut.cgi?red=",
            "1, 12 and 6 files came; then 0 of 6, since they are there",
            "6 stamps, 0 different pixels",
        ),
        n_figures=6,
    ),
    "chandra-source-catalog": Facts(
        (
            "11 sources around 52.297, 31.310, 24 columns",
            "2CXO J032912.9+311814  8.559e-14  8",
            "2CXO J032908.3+312020  nan  5",
            "11 rows of 24 columns: name 21A, ...",
            "cut off: False",
            "sources: True",
            "csc21.observation_source ",
        ),
        n_figures=5,
    ),
}


@pytest.fixture(params=notebooks.TUTORIALS, ids=lambda path: path.stem)
def tutorial(request):
    return request.param


@pytest.mark.parametrize("place", [pytest.param("directory", marks=pytest.mark.slow), "server"])
def test_tutorial_shows_what_was_published(tutorial, place, request, tmp_path):
    archive = request.getfixturevalue("demonstrated")
    at = archive if place == "directory" else request.getfixturevalue("demonstration").url
    shown = notebooks.run(tutorial, at, tmp_path)
    assert [fact for fact in FACTS[tutorial.stem].printed if fact not in shown.text] == []
    assert shown.n_figures == FACTS[tutorial.stem].n_figures
    assert shown.warnings == ""


def test_tutorial_is_stored_as_it_was_written(tutorial):
    notebook = notebooks.read(tutorial)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)
    names = [cell.id for cell in notebook.cells]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in names)


def test_one_line_says_which_archive_is_asked(tutorial):
    code = notebooks.code_of(notebooks.read(tutorial))
    assert code.count(AT) == 1
    assert "127.0.0.1" not in code.replace(AT, "")
    assert all("at=AT" in call for call in re.findall(r"skydex\.connect\(.*", code))


def test_tutorial_says_what_is_simulated(tutorial):
    assert "simulated" in notebooks.prose_of(notebooks.read(tutorial))


def test_tutorial_counts_the_statements_of_both_ways(tutorial):
    notebook = notebooks.read(tutorial)
    theirs, ours = (notebooks.n_statements(of(notebook)) for of in (notebooks.original_of, notebooks.code_of))
    assert f"They take {theirs} statements; this whole tutorial has {ours}." in " ".join(
        notebooks.prose_of(notebook).split()
    )
    assert ours < theirs
