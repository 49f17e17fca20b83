"""Counts images of Chandra: photons of stacks of observations, an image for each row of the table `csc21.image`.

Each source sends the photons that the tables count, within what is random in the background: the aperture of a source
holds its counts, in all bands of all stacks, and the broad band is the sum of its three parts. The mirror spreads light
the more the farther it comes from off the axis; background is where a detector was.
"""

from skydex.demo.cameras.csc21.pixels import open_image

__all__ = ["open_image"]
