"""The demonstration: an archive built from what is at hand, served, and asked as an astronomer would ask it."""

from skydex.demo.building import build_demo
from skydex.demo.running import run_demo

__all__ = ["build_demo", "run_demo"]
