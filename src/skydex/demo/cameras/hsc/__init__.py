"""The cameras of the Hubble Space Telescope, as the Hubble Legacy Archive combines their exposures.

An image shows what the catalogues of sources say of it: every source of `hsc.detailedCatalog` and of `hcv.HCVdetailed`
that names it stands at the place, and has within the aperture of the header the magnitude, that are given there.
"""

from skydex.demo.cameras.hsc.pixels import open_image

__all__ = ["open_image"]
