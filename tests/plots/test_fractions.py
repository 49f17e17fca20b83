"""The fraction of artifacts: numbers of the published method, with its slip at the upper end mended."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u

from skydex import plots
from skydex.errors import BadParameterError

COUNTS = np.array([3, 4, 9, 50, 60, 30, 12, 6, 2])
ARTIFACTS = np.array([1, 0, 2, 10, 15, 6, 3, 1, 1])
EDGES = np.geomspace(7e-3, 2.0, 10)


def objects() -> tuple[np.ndarray, np.ndarray]:
    index = np.repeat(np.sqrt(EDGES[:-1] * EDGES[1:]), COUNTS)
    is_artifact = np.concatenate([np.arange(n) < k for n, k in zip(COUNTS, ARTIFACTS, strict=True)])
    return index, is_artifact


def published(counts: np.ndarray, artifacts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The merging of the published notebook, line by line."""
    counts, artifacts = counts.copy(), artifacts.copy()
    iz = np.where(counts.cumsum() > 10)[0][0]
    if iz > 0:
        counts[iz] = counts[: iz + 1].sum()
        counts = counts[iz:]
        artifacts[iz] = artifacts[: iz + 1].sum()
        artifacts = artifacts[iz:]
    iz = np.where(counts[::-1].cumsum() > 40)[0][0]
    if iz > 0:
        counts[-iz - 1] += counts[-iz:].sum()
        counts = counts[:-iz]
        artifacts[-iz - 1] = artifacts[-iz:].sum()
        artifacts = artifacts[:-iz]
    return counts, artifacts


def test_bins_of_few_objects_are_merged_at_either_end_and_no_artifact_is_lost() -> None:
    found = plots.fractions_by_bin(*objects(), edges=EDGES)
    assert found.n.tolist() == [16, 50, 60, 50]
    assert found.n_members.tolist() == [3, 10, 15, 11]
    np.testing.assert_allclose(found.low, EDGES[[0, 3, 4, 5]])
    np.testing.assert_allclose(found.high, EDGES[[3, 4, 5, 9]])
    np.testing.assert_allclose(found.center, np.sqrt(found.low * found.high))


def test_the_slip_of_the_published_notebook_can_be_repeated() -> None:
    found = plots.fractions_by_bin(*objects(), edges=EDGES, seed_compat=True)
    counts, artifacts = published(COUNTS, ARTIFACTS)
    assert found.n.tolist() == counts.tolist() == [16, 50, 60, 50]
    assert found.n_members.tolist() == artifacts.tolist() == [3, 10, 15, 5]


def test_errors_are_binomial_or_those_of_wilson() -> None:
    is_artifact = np.arange(8139) < 1761
    found = plots.fractions_by_bin(np.full(8139, 0.1), is_artifact)
    low, high = found.limits()
    f = 1761 / 8139
    np.testing.assert_allclose([f - low[0], high[0] - f], np.sqrt(f * (1 - f) / 8139))
    np.testing.assert_allclose(np.ravel(found.limits("wilson")), [0.211836, 0.220965], atol=5e-7)
    with pytest.raises(BadParameterError, match="binomial or wilson"):
        found.limits("bayes")  # type: ignore[arg-type]


def test_empty_bins_are_dropped_and_what_is_outside_or_unknown_does_not_count() -> None:
    index = np.concatenate([np.full(50, 0.01), np.full(50, 1.0), [np.nan, 5.0, 1e-4]])
    found = plots.fractions_by_bin(index, index > 0.5)
    assert found.n.tolist() == [50, 50]
    assert found.fraction.tolist() == [0.0, 1.0]


def test_too_few_objects_make_one_bin_and_none_make_none() -> None:
    assert plots.fractions_by_bin([0.1, 0.5, 1.0], [True, False, False]).n.tolist() == [3]
    assert len(plots.fractions_by_bin([], []).n) == 0
    plots.artifact_fraction([], [])


def test_bars_reach_to_the_edges_of_bins() -> None:
    index, is_artifact = objects()
    ax = plots.artifact_fraction(index * u.mag, is_artifact, edges=EDGES, label="all")
    (across, _), _ = ax.containers[0].lines[2], None
    ends = np.array([segment[:, 0] for segment in across.get_segments()])
    np.testing.assert_allclose(ends, np.column_stack([EDGES[[0, 3, 4, 5]], EDGES[[3, 4, 5, 9]]]))
    assert ax.get_xlabel() == "Variability index [mag]"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["all (176)"]
    plots.artifact_fraction(plots.fractions_by_bin(index, is_artifact), ax=ax)


def test_a_mask_of_another_length_is_told() -> None:
    with pytest.raises(BadParameterError, match="3 times"):
        plots.fractions_by_bin([0.1, 0.2, 0.3], [True])
    with pytest.raises(BadParameterError, match="is_artifact"):
        plots.artifact_fraction([0.1])
