"""Objects from detections: known skies are found again, whatever the order of the rows and wherever on the sky."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from astropy.coordinates import Latitude, Longitude
from hypothesis import given, settings
from hypothesis import strategies as st

from skydex.errors import BadParameterError, UnknownColumnError
from skydex.objects import match_detections, match_evidence, match_groups, summarize
from skydex.sky import directions_deg, separation_deg

ARCSEC = 1.0 / 3600.0


def adjusted_rand(found: np.ndarray, truth: np.ndarray) -> float:
    """Hubert & Arabie 1985, Journal of Classification 2, 193: 1 for the same partition, 0 for chance."""
    found, truth = (np.unique(labels, return_inverse=True)[1] for labels in (found, truth))
    both = np.unique(found * (truth.max() + 1) + truth, return_counts=True)[1]

    def pairs(counts: np.ndarray) -> float:
        return float((counts * (counts - 1) / 2.0).sum())

    together, of_found, of_truth = pairs(both), pairs(np.bincount(found)), pairs(np.bincount(truth))
    chance = of_found * of_truth / pairs(np.array([len(found)]))
    return (together - chance) / ((of_found + of_truth) / 2.0 - chance)


def field(n_stars: int, n_images: int, density: float, sigma_mas: float, seed: int, centre=(16.1, 2.15), found=0.9):
    """Stars seen in most of the images of a field, around any place: unit vectors in the plane that touches there."""
    rng = np.random.default_rng(seed)
    side = np.sqrt(n_stars / density)
    stars = (rng.random((2, n_stars)) - 0.5) * side
    star, image = np.repeat(np.arange(n_stars), n_images), np.tile(np.arange(n_images), n_stars)
    is_found = rng.random(len(star)) < found
    star, image = star[is_found], image[is_found]
    east, north = np.radians((stars[:, star] + rng.normal(0.0, sigma_mas / 1000.0, (2, len(star)))) / 3600.0)
    ra, dec = np.radians(centre)
    out = np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
    to_east = np.array([-np.sin(ra), np.cos(ra), 0.0])
    vectors = out[:, None] + to_east[:, None] * east + np.cross(out, to_east)[:, None] * north
    return *directions_deg(vectors), image, star


def test_evidence_has_the_values_of_its_formula():
    """Budavari & Szalay 2008, equation 17 and its form for many catalogues, by hand."""
    assert match_evidence([0.0, 0.1 * ARCSEC], [0.0, 0.0], error_mas=100.0) == pytest.approx(28.829002, abs=1e-6)
    assert match_evidence([0.0, 1.0785 * ARCSEC], [0.0, 0.0], error_mas=100.0) == pytest.approx(0.0, abs=1e-3)
    side = 5e-3 * ARCSEC
    triangle = [0.0, side, side / 2.0], [0.0, 0.0, side * 3**0.5 / 2.0]
    assert match_evidence(*triangle, error_mas=10.0) == pytest.approx(67.531027, abs=1e-5)
    assert match_evidence([0.0, 0.3 * ARCSEC], [0.0, 0.0], error_mas=10.0) == pytest.approx(-191.3158, abs=1e-3)
    assert match_evidence([7.0], [8.0]) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("density", "sigma_mas"), [(0.14, 6.0), (0.5, 10.0), (1.5, 10.0)], ids=["outskirts", "crowded", "very crowded"]
)
def test_stars_of_a_crowded_field_are_found_again(density, sigma_mas):
    ra, dec, image, star = field(4000, 12, density, sigma_mas, seed=3)
    found = match_groups(ra, dec, image, error_mas=sigma_mas)
    assert adjusted_rand(found, star) > 0.995


@pytest.mark.parametrize("centre", [(0.0, 0.0), (123.0, 90.0), (10.0, -90.0), (45.0, 41.8103149), (359.99999, 89.95)])
def test_objects_are_the_same_wherever_on_the_sky(centre):
    ra, dec, image, star = field(600, 8, 0.5, 8.0, seed=5, centre=centre)
    assert adjusted_rand(match_groups(ra, dec, image, error_mas=8.0), star) > 0.999


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_sources_has_no_influence(seed):
    rng = np.random.default_rng(seed)
    ra, dec, image, _ = field(int(rng.integers(1, 60)), 6, 10.0 ** rng.uniform(-1, 1.5), 15.0, seed)
    order = rng.permutation(len(ra))
    first = match_groups(ra, dec, image, error_mas=15.0)
    assert (match_groups(ra[order], dec[order], image[order], error_mas=15.0) == first[order]).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_object_has_two_sources_of_an_image_and_each_has_evidence(seed):
    rng = np.random.default_rng(seed)
    ra, dec, image, _ = field(40, 6, 10.0 ** rng.uniform(0, 2), 20.0, seed)
    found = match_groups(ra, dec, image, error_mas=20.0)
    assert len(set(zip(found.tolist(), image.tolist(), strict=True))) == len(found)
    for match in np.unique(found):
        assert match_evidence(ra[found == match], dec[found == match], error_mas=20.0) >= -1e-9


def partitions(items: list[int]):
    if not items:
        yield []
        return
    for smaller in partitions(items[1:]):
        for place in range(len(smaller)):
            yield [*smaller[:place], [items[0], *smaller[place]], *smaller[place + 1 :]]
        yield [[items[0]], *smaller]


@pytest.mark.parametrize("seed", range(12))
def test_few_sources_are_parted_nearly_as_well_as_any_partition_could(seed):
    rng = np.random.default_rng(seed)
    n = 7
    ra, dec = rng.normal(0.0, 0.05 * ARCSEC, n), rng.normal(0.0, 0.05 * ARCSEC, n)
    image = rng.integers(0, 3, n)

    def total(parts) -> float:
        if any(len(set(image[part].tolist())) < len(part) for part in parts):
            return -np.inf
        return sum(match_evidence(ra[part], dec[part], error_mas=20.0) for part in parts)

    found = match_groups(ra, dec, image, error_mas=20.0)
    mine = total([np.flatnonzero(found == match).tolist() for match in np.unique(found)])
    best = max(total(parts) for parts in partitions(list(range(n))))
    assert mine >= 0.85 * best


def test_a_chain_across_three_images_is_broken_where_the_evidence_is_weak():
    ra = np.array([0.0, 0.005, 0.25, 0.255, 0.5]) * ARCSEC
    found = match_groups(ra, np.zeros(5), [0, 1, 2, 0, 1], error_mas=10.0)
    assert found[0] == found[1] != found[2] == found[3] != found[4] != found[0]


def test_an_image_twice_gives_its_better_source_to_the_object():
    ra = np.array([0.0, 0.02, 0.001]) * ARCSEC
    found = match_groups(ra, np.zeros(3), ["a", "a", "b"], error_mas=10.0)
    assert found[0] == found[2] != found[1]


def test_ten_thousand_sources_in_one_place_are_parted_by_their_images():
    rng = np.random.default_rng(1)
    ra, dec = rng.normal(0.0, 0.01 * ARCSEC, (2, 10_000))
    image = np.tile(np.arange(2500), 4)
    found = match_groups(ra % 360.0, dec, image, error_mas=10.0)
    assert np.bincount(np.unique(found, return_inverse=True)[1]).max() <= 2500
    assert len(set(zip(found.tolist(), image.tolist(), strict=True))) == len(found)


def test_more_pairs_than_fit_are_joined_from_the_nearest_outward(monkeypatch):
    from skydex.objects import matching

    ra, dec, image, star = field(1500, 10, 0.3, 8.0, seed=2)
    monkeypatch.setattr(matching, "_MOST_FRIENDS", 3)
    assert adjusted_rand(match_groups(ra, dec, image, error_mas=8.0), star) > 0.99


def test_sources_without_a_place_are_of_no_object():
    found = match_groups([10.0, np.nan, 10.0], [5.0, 5.0, 91.0], [1, 2, 3])
    assert (found >= 0).tolist() == [True, False, False]
    assert match_groups([], [], []).tolist() == []


def test_what_cannot_be_is_refused():
    with pytest.raises(BadParameterError, match="error_mas: every error must be positive"):
        match_groups([1.0], [2.0], [3], error_mas=0.0)
    with pytest.raises(BadParameterError, match="error_mas: must be one number, or one for each of 3 rows"):
        match_detections(rows_of([1.0, 2.0, 3.0], [0.0] * 3, range(3)), error_mas=[5.0, 6.0])
    with pytest.raises(BadParameterError, match="SourceRA: must be a column of numbers"):
        match_detections(rows_of(["east"], [0.0], range(1)))
    with pytest.raises(BadParameterError, match="linking_length_arcsec: must be positive"):
        match_groups([1.0], [2.0], [3], linking_length_arcsec=-1.0)


def test_identifiers_tell_the_place_on_the_sky():
    ra, dec, image, _ = field(300, 5, 0.05, 8.0, seed=1)
    cdshealpix = pytest.importorskip("cdshealpix", reason="another library of HEALPix, which comes with lsdb")
    found = match_groups(ra, dec, image, error_mas=8.0)
    pixels = cdshealpix.lonlat_to_healpix(Longitude(ra, "deg"), Latitude(dec, "deg"), 12)
    assert (found // 1_000_000 == pixels).mean() > 0.99


def rows_of(ra, dec, image, **columns) -> pa.Table:
    return pa.table({"SourceRA": ra, "SourceDec": dec, "ImageName": [f"image {i}" for i in image], **columns})


def test_a_table_of_detections_learns_its_matches():
    ra, dec, image, star = field(200, 6, 0.2, 8.0, seed=4)
    matched = match_detections(rows_of(ra, dec, image, StartMJD=50000.0 + image), error_mas=8.0)
    match, member = matched["MatchID"].to_numpy(), matched["MemID"].to_numpy()
    assert adjusted_rand(match, star) > 0.999
    for one in np.unique(match)[:20]:
        rows = match == one
        assert sorted(member[rows]) == list(range(1, rows.sum() + 1))
        assert (np.diff(image[rows][np.argsort(member[rows])]) > 0).all()
    away = separation_deg(ra, dec, matched["MatchRA"].to_numpy(), matched["MatchDec"].to_numpy())
    assert matched["D"].to_numpy() == pytest.approx(away * 3.6e6, abs=1e-6)


def test_rows_of_one_source_stay_together_and_undetected_rows_stay_apart():
    table = pa.table(
        {
            "SourceID": [1, 1, 2, 3],
            "ImageID": [7, 7, 8, 8],
            "ImageName": ["a f475w", "a f814w", "b f475w", None],
            "SourceRA": [10.0, 10.0, 10.0 + 0.005 * ARCSEC, None],
            "SourceDec": [0.0, 0.0, 0.0, None],
            "Det": ["Y", "Y", "Y", "N"],
            "Detector": ["ACS/WFC"] * 4,
            "Filter": ["F475W", "F814W", "F475W", "F475W"],
            "MagAper2": [21.0, 20.5, 21.2, None],
        }
    )
    matched = match_detections(table)
    assert matched["MemID"].to_pylist() == [1, 2, 3, None]
    assert matched["MatchID"].null_count == 1
    (row,) = summarize(matched).to_pylist()
    assert (row["A_F475W"], row["A_F475W_N"], row["A_F814W_N"]) == (pytest.approx(21.1), 2, 1)
    with pytest.raises(UnknownColumnError, match='No column "ImageID"'):
        match_detections(table.drop_columns(["ImageID"]))
    assert match_detections(table.slice(0, 0)).num_rows == 0


def test_det_may_be_true_or_false():
    table = rows_of([1.0, 1.0], [0.0, 0.0], [1, 2], Det=[True, False])
    assert match_detections(table)["MatchID"].null_count == 1
