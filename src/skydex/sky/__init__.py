"""Geometry of the sky: regions, separations, HEALPix pixels, coverage, frames, epochs."""

from skydex.sky.angles import directions_deg, haversine, separation_deg, unit_vectors
from skydex.sky.coverage import (
    cells_in_fits,
    coverage_as_fits,
    coverage_from_fits,
    coverage_of_index29,
    coverage_of_pixels,
    coverage_of_regions,
    coverage_ranges29,
    coverage_to_fits,
    sky_fraction,
)
from skydex.sky.epochs import Astrometry
from skydex.sky.frames import FRAMES, rotated
from skydex.sky.insides import Cap, Crossing, Crossings, HalfSpaces, Vector
from skydex.sky.matching import (
    FINEST_CELLS,
    circle_levels,
    circle_order,
    circle_ranges29,
    circles_touching,
    grown_ranges,
)
from skydex.sky.pairing import Circles, Pairs, Places, find_nearest, find_pairs, sparse_order
from skydex.sky.pixels import (
    MAX_ORDER,
    N_PIXELS_29,
    centres_deg,
    index29,
    pixels_of,
    pixels_touching,
    ranges29,
    ranges29_inside,
)
from skydex.sky.ranges import Ranges, close_gaps, intersect_ranges, merge_ranges, ranges_overlap
from skydex.sky.regions import ONE_PLACE, Cone, Polygon, Range, Region
from skydex.sky.shapes import Shapes, area_deg2, centroids_deg, corners_of_boxes, shapes_contain, shapes_intersect

__all__ = [
    "FINEST_CELLS",
    "FRAMES",
    "MAX_ORDER",
    "N_PIXELS_29",
    "ONE_PLACE",
    "Astrometry",
    "Cap",
    "Circles",
    "Cone",
    "Crossing",
    "Crossings",
    "HalfSpaces",
    "Pairs",
    "Places",
    "Polygon",
    "Range",
    "Ranges",
    "Region",
    "Shapes",
    "Vector",
    "area_deg2",
    "cells_in_fits",
    "centres_deg",
    "centroids_deg",
    "circle_levels",
    "circle_order",
    "circle_ranges29",
    "circles_touching",
    "close_gaps",
    "corners_of_boxes",
    "coverage_as_fits",
    "coverage_from_fits",
    "coverage_of_index29",
    "coverage_of_pixels",
    "coverage_of_regions",
    "coverage_ranges29",
    "coverage_to_fits",
    "directions_deg",
    "find_nearest",
    "find_pairs",
    "grown_ranges",
    "haversine",
    "index29",
    "intersect_ranges",
    "merge_ranges",
    "pixels_of",
    "pixels_touching",
    "ranges29",
    "ranges29_inside",
    "ranges_overlap",
    "rotated",
    "separation_deg",
    "shapes_contain",
    "shapes_intersect",
    "sky_fraction",
    "sparse_order",
    "unit_vectors",
]
