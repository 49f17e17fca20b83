"""Histograms by class count everything once."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import QTable

from skydex import plots
from skydex.errors import BadParameterError


@pytest.fixture
def rows() -> QTable:
    rng = np.random.default_rng(8)
    return QTable(
        {"MAD": 10 ** rng.normal(-1, 0.3, 2000), "ExpertClass": rng.choice([1, 2, 4], 2000)}, units={"MAD": "mag"}
    )


def heights(container: object) -> np.ndarray:
    return np.array([patch.get_height() for patch in container.patches])  # type: ignore[attr-defined]


def test_each_class_has_a_panel_before_all_in_grey(rows: QTable) -> None:
    axes = plots.histograms(rows, index="MAD", classes="ExpertClass")
    labels = [[text.get_text().split(" ")[0] for text in ax.get_legend().get_texts()] for ax in axes]
    assert labels == [["all", "confident"], ["all", "likely"], ["all", "artifact"]]
    edges = 7e-3 * (2 / 7e-3) ** np.linspace(0, 1, 50)
    for ax, value in zip(axes, (1, 2, 4), strict=True):
        whole, part = (heights(container) for container in ax.containers)
        np.testing.assert_array_equal(whole, np.histogram(rows["MAD"].value, edges)[0])
        np.testing.assert_array_equal(part, np.histogram(rows["MAD"].value[rows["ExpertClass"] == value], edges)[0])
        assert (ax.get_xscale(), ax.get_yscale(), ax.get_xlabel()) == ("log", "log", "MAD [mag]")
        assert heights(ax.containers[0]).max() < ax.get_ylim()[1] < 200 * heights(ax.containers[0]).max()


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_stacked_classes_end_at_the_histogram_of_all(rows: QTable, scale: str) -> None:
    ax = plots.stacked_histograms(rows, index="MAD", classes="ExpertClass", count_scale=scale)  # type: ignore[arg-type]
    tops = [[patch.get_y() + patch.get_height() for patch in container] for container in ax.containers]
    edges = np.geomspace(7e-3, 2, 50)
    np.testing.assert_allclose(tops[-1], np.histogram(rows["MAD"].value, edges)[0])
    assert ax.get_yscale() == scale


def test_objects_outside_of_the_bins_are_told(rows: QTable) -> None:
    rows["MAD"][:3] = 5.0 * rows["MAD"].unit
    rows["MAD"][3] = np.nan
    ax = plots.stacked_histograms(rows, index="MAD", classes="ExpertClass")
    assert "4 of 2,000 outside" in [text.get_text() for text in ax.texts]


def test_no_object_at_all_is_an_empty_figure() -> None:
    assert len(plots.histograms({"MAD": [], "c": []}, index="MAD", classes="c")) == 1
    plots.stacked_histograms({"MAD": [], "c": []}, index="MAD", classes="c")
    with pytest.raises(BadParameterError, match="1 and 2"):
        plots.histograms(index=[0.1], classes=["a", "b"])


def test_panels_that_are_brought_are_used_if_they_suffice(rows: QTable) -> None:
    from matplotlib import pyplot

    _, mine = pyplot.subplots(1, 3)
    assert plots.histograms(rows, index="MAD", classes="ExpertClass", axes=mine)[1] is mine[1]
    with pytest.raises(BadParameterError, match="3 classes"):
        plots.histograms(rows, index="MAD", classes="ExpertClass", axes=mine[:2])
