import numpy as np

from skydex.demo.htm import htm_ids


def test_levels_lie_in_each_other():
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(0, 360, 500), np.degrees(np.arcsin(rng.uniform(-1, 1, 500)))
    deep = htm_ids(ra, dec)
    assert ((deep >= 8 * 4**20) & (deep < 16 * 4**20)).all()
    for level in (0, 5, 12):
        np.testing.assert_array_equal(deep // 4 ** (20 - level), htm_ids(ra, dec, level=level))


def test_first_triangles_are_the_octants():
    # Kunszt et al. 2001, figure 1: S0 to S3 from RA 0 eastwards, N0 to N3 from RA 360 westwards
    middles = np.array([45.0, 135.0, 225.0, 315.0])
    assert htm_ids(middles, np.full(4, -30.0), level=0).tolist() == [8, 9, 10, 11]
    assert htm_ids(middles, np.full(4, 30.0), level=0).tolist() == [15, 14, 13, 12]


def test_neighbours_share_a_cell_and_strangers_do_not():
    place = htm_ids(np.array([187.70593, 187.705931, 187.8]), np.array([12.39112, 12.39112, 12.5]), level=16)
    assert place[0] == place[1] != place[2]


def test_cells_have_nearly_equal_numbers_of_random_places():
    rng = np.random.default_rng(2)
    ra, dec = rng.uniform(0, 360, 40_000), np.degrees(np.arcsin(rng.uniform(-1, 1, 40_000)))
    _, counts = np.unique(htm_ids(ra, dec, level=3), return_counts=True)
    assert len(counts) == 512
    assert counts.max() < 3 * counts.mean()
