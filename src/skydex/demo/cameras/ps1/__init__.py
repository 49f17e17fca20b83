"""Images of Pan-STARRS1: stacks and warps of skycells, in the names, the pixels and the scale of the real ones.

An image shows what the truth of `ps1` says: every object at its place with its mean magnitude in a stack, and in a warp
with that of the moment; junk is in the one warp in which it was detected. Warps have no gaps between chips.
"""

from skydex.demo.cameras.ps1.pixels import open_image

__all__ = ["open_image"]
