"""A condition on outlines reads only the rows nearby, and finds the same rows as if it read all."""

from dataclasses import replace

import numpy as np
import pytest

from skydex.engines.duckdb import DuckDBEngine
from skydex.ingest.images import ImageEntry, did_of, publish_images
from skydex.query import Namespace, Relation, bind, get_language, make_plan
from skydex.store import REACHES, ArchiveDirectory, ImageRecord

N_IMAGES = 4000


def outline(ra, dec, rng):
    """A square, or a circle, of up to three degrees around a place."""
    if rng.random() < 0.3:
        return f"CIRCLE ICRS {ra:.6f} {dec:.6f} {rng.uniform(0.01, 1.5):.6f}"
    half, turn = rng.uniform(0.01, 1.5), rng.uniform(0, 90)
    corners = []
    for quarter in range(4):
        angle = np.radians(turn + 90 * quarter)
        other = np.clip(dec + half * np.sin(angle), -90, 90)
        corners.append(f"{(ra - half * np.cos(angle) / max(np.cos(np.radians(dec)), 0.02)) % 360:.6f} {other:.6f}")
    return f"POLYGON {' '.join(corners)}"


@pytest.fixture(scope="module")
def entry(tmp_path_factory):
    """The archive, and its table of images."""
    directory = ArchiveDirectory.create(tmp_path_factory.mktemp("outlines") / "archive")
    rng = np.random.default_rng(5)
    places = np.column_stack([rng.uniform(0, 360, N_IMAGES), np.degrees(np.arcsin(rng.uniform(-1, 1, N_IMAGES)))])

    def entries():
        for number, (ra, dec) in enumerate(places.tolist()):
            record = ImageRecord("sky", f"i{number}", 0, "", did_of("sky", f"i{number}", 0), "fits", "/none")
            yield ImageEntry(record, {"s_ra": ra, "s_dec": dec, "s_region": outline(ra, dec, rng)})

    publish_images(directory, "sky", entries(), description="Images")
    return directory, directory.get("ivoa.obscore")


def plan_of(relation, condition):
    tree = get_language("ADQL").parse(f"SELECT obs_id FROM ivoa.obscore WHERE {condition}", version="2.1")
    return make_plan(bind(tree, Namespace([relation])))


@pytest.mark.parametrize(
    "condition",
    [
        "1 = CONTAINS(POINT({ra}, {dec}), s_region)",
        "CONTAINS(POINT({ra}, {dec}), REGION(s_region)) = 1",
        "1 = INTERSECTS(CIRCLE({ra}, {dec}, 2.5), s_region)",
        "1 = INTERSECTS(s_region, BOX(359.5, 30, 3, 2))",
        "1 = CONTAINS(s_region, CIRCLE({ra}, {dec}, 3))",
        "1 = CONTAINS(CIRCLE({ra}, {dec}, 0.05), s_region)",
        "1 = CONTAINS(POINT({ra}, {dec}), s_region) OR 1 = CONTAINS(POINT(10, 10), s_region)",
    ],
)
@pytest.mark.parametrize("place", [(10.0, 10.0), (0.0, 0.0), (359.99, -45.0), (123.0, 90.0), (77.0, -89.5)])
def test_the_same_images_are_found_with_less_to_read(entry, condition, place):
    directory, listed = entry
    dataset = directory.open("ivoa.obscore")
    whole = Relation(dataset.table, dataset)
    condition = condition.format(ra=place[0], dec=place[1])
    few = plan_of(replace(whole, reaches=listed.notes[REACHES]), condition)
    all_of_them = plan_of(whole, condition)
    (scan,), (full,) = few.scans.values(), all_of_them.scans.values()
    assert scan.ranges is not None
    assert full.ranges is None
    engine = DuckDBEngine()
    found = engine.run(few).to_arrow()[0].to_pylist()
    assert sorted(found) == sorted(engine.run(all_of_them).to_arrow()[0].to_pylist())


@pytest.mark.parametrize(
    "condition",
    [
        "0 = CONTAINS(POINT(10, 10), s_region)",
        "NOT 1 = CONTAINS(POINT(10, 10), s_region)",
        "1 = CONTAINS(POINT(10, 10), s_region) OR t_min > 5",
        "1 = INTERSECTS(CIRCLE(10, 10, 95), s_region)",
        "1 = CONTAINS(POINT(s_ra, s_dec), s_region)",
        "COORD1(POINT(10, 10)) > 5",
    ],
)
def test_what_says_nothing_of_where_restricts_nothing(entry, condition):
    directory, listed = entry
    dataset = directory.open("ivoa.obscore")
    plan = plan_of(Relation(dataset.table, dataset, reaches=listed.notes[REACHES]), condition)
    (scan,) = plan.scans.values()
    assert scan.ranges is None
