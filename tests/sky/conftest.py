"""Skies to search, and oracles that decide "inside" by other ways than skydex does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Frame:
    """A place with its east and north: polar coordinates about it, in plain linear algebra."""

    centre: Floats
    east: Floats
    north: Floats

    @classmethod
    def at(cls, ra_deg: float, dec_deg: float) -> Frame:
        ra, dec = np.radians([ra_deg, dec_deg])
        centre = np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
        east = np.array([-np.sin(ra), np.cos(ra), 0.0])
        return cls(centre, east, np.cross(centre, east))

    def place(self, distance_deg: Floats, azimuth_deg: Floats) -> tuple[Floats, Floats]:
        """RA and Dec of places at distances and azimuths from the centre."""
        r, azimuth = np.radians(distance_deg), np.radians(azimuth_deg)
        sideways = np.multiply.outer(self.east, np.sin(azimuth)) + np.multiply.outer(self.north, np.cos(azimuth))
        x, y, z = np.multiply.outer(self.centre, np.cos(r)) + np.sin(r) * sideways
        return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))

    def azimuth(self, points: Floats) -> Floats:
        """Azimuths, degrees, of unit vectors (3, n) as seen from the centre."""
        return np.asarray(np.degrees(np.arctan2(self.east @ points, self.north @ points)) % 360.0)


@pytest.fixture(scope="session")
def frame_at() -> Callable[[float, float], Frame]:
    return Frame.at


@pytest.fixture(scope="session")
def sky() -> tuple[Floats, Floats]:
    """2,000 positions: all over the sky, and crowded at its awkward places."""
    rng = np.random.default_rng(20261120)
    ra, dec = rng.uniform(0, 360, 1900), np.degrees(np.arcsin(rng.uniform(-1, 1, 1900)))
    dec[:100] = 90.0 - 10.0 ** rng.uniform(-9, 1, 100)
    dec[100:200] = -90.0 + 10.0 ** rng.uniform(-9, 1, 100)
    ra[200:300] = (rng.choice([-1, 1], 100) * 10.0 ** rng.uniform(-9, 1, 100)) % 360.0
    corners = np.array(
        [(ra, dec) for ra in np.arange(0, 360, 18.0) for dec in (-90.0, -41.8103148957786, 0.0, 45.0, 90.0)]
    )
    return np.append(ra, corners[:, 0]), np.append(dec, corners[:, 1])


def inside_of_star(ra_deg: Floats, dec_deg: Floats, vertices: tuple[Floats, Floats], frame: Frame) -> NDArray[np.bool_]:
    """Which positions are on the centre's side of a chain of arcs that every half-circle from the centre meets once.

    The vertices run round the centre by azimuth. The half-circle through a position meets one arc, and the arc's great
    circle there only: the position is on the centre's side of the chain where it is on that side of the circle.
    """
    points, chain = vectors(ra_deg, dec_deg), vectors(*vertices)
    azimuths = frame.azimuth(chain)
    first = np.argmin(azimuths)
    edge = np.searchsorted(np.roll(azimuths, -first), frame.azimuth(points), side="right") - 1 + first
    edge %= len(azimuths)
    normals = np.cross(chain, np.roll(chain, -1, axis=1), axis=0)
    sides = np.sign(np.einsum("ij,ij->j", normals[:, edge], points)) * np.sign(frame.centre @ normals)[edge]
    return np.asarray(sides >= 0)


@pytest.fixture(scope="session")
def star_oracle() -> Callable[..., NDArray[np.bool_]]:
    return inside_of_star


def vectors(ra_deg: Floats, dec_deg: Floats) -> Floats:
    ra, dec = np.radians(ra_deg), np.radians(dec_deg)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])


def to_nearest_edge(ra_deg: Floats, dec_deg: Floats, vertices: tuple[Floats, Floats]) -> Floats:
    """Distance, radians, of positions from the nearest great circle of a polygon's edges."""
    chain = vectors(*vertices)
    normals = np.cross(chain, np.roll(chain, -1, axis=1), axis=0)
    normals /= np.linalg.norm(normals, axis=0)
    return np.asarray(np.abs(normals.T @ vectors(ra_deg, dec_deg)).min(axis=0))


@pytest.fixture(scope="session")
def edge_distance() -> Callable[..., Floats]:
    return to_nearest_edge
