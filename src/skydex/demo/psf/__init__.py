"""The PSF databases of WFC3 and WFPC2, simulated: stars that were measured in exposures, one table a detector."""

from skydex.demo.psf.collection import simulate_psf

__all__ = ["simulate_psf"]
