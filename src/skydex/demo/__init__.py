"""The demonstration: an archive built from what is at hand, served, and asked as an astronomer would ask it."""

from skydex.demo.building import build_demo
from skydex.demo.running import run_demo
from skydex.demo.size import SIZES, Size, parse_size

__all__ = ["SIZES", "Size", "build_demo", "parse_size", "run_demo"]
