"""The demonstration: an archive built from what is at hand, served, and asked as an astronomer would ask it.

`skydex.demo.building` and `skydex.demo.running` do that; they are not imported here, since a server that shows a
simulated image has no use for them.
"""

from skydex.demo.size import SIZES, Size, parse_size

__all__ = ["SIZES", "Size", "parse_size"]
