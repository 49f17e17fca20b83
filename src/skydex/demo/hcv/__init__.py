"""The simulated Hubble Catalog of Variables."""

from skydex.demo.hcv.collection import simulate_hcv

__all__ = ["simulate_hcv"]
