"""Diagrams of many objects: axes the right way round, every class told apart, millions drawn in a moment."""

from __future__ import annotations

import time

import numpy as np
import pytest
from astropy.table import MaskedColumn, QTable, Table

from skydex import plots
from skydex.errors import BadParameterError, ServiceError


def stars(n: int = 300) -> QTable:
    rng = np.random.default_rng(3)
    blue = rng.uniform(18, 27, n)
    table = QTable({"A_F475W": blue, "A_F814W": blue - rng.normal(1, 0.3, n), "A_F475W_MAD": rng.exponential(0.02, n)})
    for name in table.colnames:
        table[name].unit = "mag"
    table["AutoClass"] = rng.choice([0, 1, 2], n, p=[0.8, 0.1, 0.1])
    return table


def shown(ax: object) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]  # type: ignore[attr-defined]


def test_bright_stars_are_at_the_top_however_often_one_draws() -> None:
    ax = plots.colour_magnitude(stars(), blue="A_F475W", red="A_F814W")
    plots.colour_magnitude(stars(), blue="A_F475W", red="A_F814W", ax=ax)
    assert ax.yaxis_inverted()
    assert not ax.xaxis_inverted()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("ACS F475W − F814W [mag]", "ACS F475W [mag]")


def test_the_colour_is_blue_minus_red_and_objects_without_one_of_them_are_left_out() -> None:
    table = Table({"g": [20.0, 21.0, np.nan], "r": MaskedColumn([19.5, 20.0, 20.0], mask=[False, True, False])})
    ax = plots.colour_magnitude(table, blue="g", red="r")
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[0.5, 20.0]])
    assert shown(ax) == ["objects (1)"]


def test_arrays_do_without_a_table() -> None:
    blue, red = np.array([20.0, 21.0]), np.array([19.0, 21.5])
    ax = plots.colour_magnitude(blue=blue, red=red, magnitude=red, highlight=blue > 20.5)
    np.testing.assert_allclose(ax.lines[1].get_xydata(), [[-0.5, 21.5]])


def test_classes_of_the_catalogue_of_variables_have_their_names_and_counts() -> None:
    table = stars()
    ax = plots.variability(table, magnitude="A_F475W", index="A_F475W_MAD", classes="AutoClass")
    counts = [int((table["AutoClass"] == value).sum()) for value in (0, 1, 2)]
    assert shown(ax) == [f"{name} ({n})" for name, n in zip(("non-variable", "SFVC", "MFVC"), counts, strict=True)]
    assert len({line.get_marker() for line in ax.lines}) == 3
    assert ax.get_ylabel() == "ACS F475W MAD [mag]"


def test_classes_can_be_called_otherwise() -> None:
    ax = plots.scatter(
        {"x": [1, 2], "y": [1, 2], "kind": ["a", "b"]}, x="x", y="y", classes="kind", class_names={"a": "A"}
    )
    assert shown(ax) == ["A (1)", "b (1)"]


def test_rows_without_a_class_are_drawn_as_such() -> None:
    kinds = MaskedColumn([0, 1, 2], mask=[False, False, True])
    rows = Table({"x": [1.0, 2.0, 3.0], "y": [1.0, 2.0, 3.0], "AutoClass": kinds})
    assert shown(plots.scatter(rows, x="x", y="y", classes="AutoClass")) == [
        "non-variable (1)",
        "SFVC (1)",
        "no class (1)",
    ]
    floats = plots.scatter(rows, x="x", y="y", classes=np.array([1.0, 4.0, np.nan]))
    assert shown(floats) == ["1 (1)", "4 (1)", "no class (1)"]


def test_an_index_below_0_is_seen() -> None:
    ax = plots.variability(magnitude=[20.0, 21.0], index=[-1.0, 3.0])
    assert ax.get_ylim()[0] < -1.0


def test_times_are_drawn_as_days() -> None:
    from astropy.time import Time

    ax = plots.scatter({"t": Time([55000.0, 55001.0], format="mjd"), "y": [1.0, 2.0]}, x="t", y="y")
    np.testing.assert_allclose(ax.lines[0].get_xdata(), [55000.0, 55001.0])
    assert ax.get_xlabel() == "t [MJD]"


def test_what_is_not_positive_is_not_on_a_logarithmic_axis() -> None:
    rows = {"significance": [3.0, 0.0, 10.0], "flux": [1e-14, 1e-15, -1.0]}
    ax = plots.scatter(rows, x="significance", y="flux", x_scale="log")
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[3.0, 1e-14], [10.0, -1.0]])


def test_hexagons_count_every_row_that_can_be_shown_and_the_rest_is_told() -> None:
    rng = np.random.default_rng(4)
    flux = QTable({"flux_aper_b": 10 ** rng.normal(-14, 1, 5000), "significance": 10 ** rng.normal(0.5, 0.3, 5000)})
    flux["flux_aper_b"][:7] = 0.0
    flux["significance"][7:10] = np.nan
    ax = plots.hexbin(flux, x="significance", y="flux_aper_b")
    counts = ax.collections[0].get_array()
    assert counts.sum() == 4990
    assert counts.min() >= 1
    assert ax.get_title(loc="right") == "10 of 5,000 rows not shown: not positive or not known"


def test_a_density_shows_a_single_star_among_a_million() -> None:
    rng = np.random.default_rng(5)
    blue, red = rng.normal(24, 0.5, 1_000_000), rng.normal(23, 0.5, 1_000_000)
    blue[0], red[0] = 18.0, 17.0  # where no legend is
    ax = plots.colour_magnitude(blue=blue, red=red)
    counts = ax.images[0].get_array()
    assert counts.sum() == 1_000_000
    ax.figure.canvas.draw()
    x, y = (round(value) for value in ax.transData.transform((1.0, 18.0)))
    pixels = np.asarray(ax.figure.canvas.buffer_rgba())[::-1][y - 3 : y + 4, x - 3 : x + 4, :3]
    assert pixels.min() < 220, "one star is seen"
    assert shown(ax) == ["objects (1,000,000)"]


def test_a_million_stars_take_no_longer_than_points_one_by_one() -> None:
    rng = np.random.default_rng(6)
    blue, red = rng.normal(24, 0.5, 1_000_000), rng.normal(23, 0.5, 1_000_000)

    def seconds(draw: object) -> float:  # of this process: others may be busy
        start = time.process_time()
        draw().figure.canvas.draw()  # type: ignore[operator]
        return time.process_time() - start

    from matplotlib import pyplot

    def plainly() -> object:
        ax = pyplot.subplots()[1]
        ax.plot(blue - red, blue, "k.")
        return ax

    seconds(lambda: plots.colour_magnitude(blue=blue[:10], red=red[:10]))
    assert seconds(lambda: plots.colour_magnitude(blue=blue, red=red)) < seconds(plainly)


@pytest.mark.parametrize("draw", [plots.scatter, plots.hexbin])
def test_columns_of_several_lengths_are_told_and_none_at_all_is_an_empty_figure(draw: object) -> None:
    with pytest.raises(BadParameterError, match="2 and 3"):
        draw(x=[1.0, 2.0], y=[1.0, 2.0, 3.0])  # type: ignore[operator]
    assert draw({"x": [], "y": []}, x="x", y="y").get_xlabel() == "x"  # type: ignore[operator]


def test_a_mask_of_another_length_is_told() -> None:
    with pytest.raises(BadParameterError, match="300 times"):
        plots.colour_magnitude(stars(), blue="A_F475W", red="A_F814W", highlight=np.array([True]))


def test_no_default_of_matplotlib_is_changed() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    plots.colour_magnitude(stars(), blue="A_F475W", red="A_F814W")
    with plots.style({"font.size": 20}):
        assert matplotlib.rcParams["font.size"] == 20
    assert dict(matplotlib.rcParams) == before


def test_matplotlib_is_loaded_when_something_is_drawn() -> None:
    import subprocess
    import sys

    code = "import sys; from skydex import plots; print('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_matplotlib_that_is_missing_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from skydex.plots.style import pyplot

    pyplot.cache_clear()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ServiceError, match=r"pip install 'skydex\[plots\]'"):
        plots.sky((1.0, 2.0))
