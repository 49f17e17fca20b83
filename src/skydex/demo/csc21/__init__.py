"""The Chandra Source Catalog 2.1, simulated: the tables that its TAP service lists, and the rows that were printed."""

from skydex.demo.csc21.collection import simulate_csc21

__all__ = ["simulate_csc21"]
