import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from skydex.lightcurve import Epochs, Neighbours, local_zero_points


def field(n_stars=200, n_images=4, seed=4, centre=(359.999, -89.5)):
    """A crowded and a lonely half, across right ascension 0, near a pole; some stars are no references."""
    rng = np.random.default_rng(seed)
    size = np.where(np.arange(n_stars) < 150, 60.0, 900.0)
    place = SkyCoord(*centre, unit="deg").directional_offset_by(
        rng.uniform(0, 360, n_stars) * _deg(), size * np.sqrt(rng.random(n_stars)) / 3600 * _deg()
    )
    star, image = np.repeat(np.arange(n_stars), n_images), np.tile(np.arange(n_images), n_stars)
    seen = rng.random(len(star)) < 0.9
    is_reference = (rng.random(n_stars) < 0.6)[star] & (rng.random(len(star)) < 0.95)
    weight = np.where(is_reference, rng.integers(1, 4, len(star)), 0.0)
    epochs = Epochs(star[seen], image[seen], rng.normal(0, 0.05, len(star))[seen], weight[seen])
    return epochs, place


def _deg():
    from astropy import units

    return units.deg


def by_definition(epochs, place, rule):
    """Each correction by itself: the lower and the upper weighted median of all neighbours, averaged."""
    found = np.zeros(len(epochs.star))
    for point, (star, image) in enumerate(zip(epochs.star, epochs.image, strict=True)):
        others = np.flatnonzero((epochs.image == image) & (epochs.star != star) & (epochs.weight > 0))
        separation = place[star].separation(place[epochs.star[others]]).arcsec
        near = nearest_references(epochs, place, star, rule)
        near = others[np.isin(epochs.star[others], near)]
        if len(near) < rule.least:
            near = others[np.argsort(separation)][: rule.least]
            if len(near) < rule.least or np.sort(separation)[rule.least - 1] > rule.far_arcsec:
                continue
        repeated = np.repeat(epochs.residual[near], epochs.weight[near].astype(int))
        found[point] = np.median(repeated)
    return found


def nearest_references(epochs, place, star, rule):
    """References of any image that are near a star, if there are many the nearest."""
    references = np.setdiff1d(epochs.star[epochs.weight > 0], [star])
    separation = place[star].separation(place[references]).arcsec
    order = np.argsort(separation)[: rule.most]
    return references[order[separation[order] <= rule.radius_arcsec]]


@pytest.mark.parametrize("most", [8, 100])
def test_corrections_are_weighted_medians_of_the_neighbours_in_the_image(most):
    epochs, place = field()
    rule = Neighbours(most=most)
    found = local_zero_points(epochs, place.ra.deg, place.dec.deg, rule)
    np.testing.assert_allclose(found, by_definition(epochs, place, rule), atol=1e-12)
    assert 0 < np.count_nonzero(found == 0.0) < len(found)


def test_a_variable_star_does_not_correct_itself_away():
    n = 30
    star, image = np.repeat(np.arange(n), 2), np.tile([0, 1], n)
    residual = np.where(image == 0, 0.02, -0.02) + np.where(star == 3, 0.5, 0.0)
    found = local_zero_points(Epochs(star, image, residual, np.ones(2 * n)), np.full(n, 10.0), 1e-5 * np.arange(n))
    np.testing.assert_allclose(found, np.where(image == 0, 0.02, -0.02), atol=1e-12)


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_stars_without_neighbours_keep_their_magnitudes(weight):
    epochs = Epochs(np.array([0, 1, 2]), np.zeros(3, int), np.array([0.1, 0.2, 0.3]), np.full(3, weight))
    assert local_zero_points(epochs, np.array([0.0, 90.0, 180.0]), np.zeros(3)).tolist() == [0.0, 0.0, 0.0]
