"""Exposures with WFC3 and WFPC2 that the stars of the PSF databases were measured in, as files of Hubble's pipelines.

`ibc302ioq_flt` and `_flc` are calibrated (electrons; electrons per second of IR), `_raw` is as it was read out, with
overscan; `_c0m` and `_d0m` are the same of WFPC2. Extensions are numbered as in real files: chip 2 of UVIS is 1 and
chip 1 is 4, a part of the detector is 1, and of WFPC2 they are the chips. Every star of the tables is there with its
flux at its place, and nothing else is: no cosmic rays, no faulty pixels, and charges are moved without loss, so that
`flc` and `flt` are the same. An exposure without a measured star has no files.
"""

from skydex.demo.cameras.psf.pixels import open_image

__all__ = ["open_image"]
