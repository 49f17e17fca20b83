"""What is fixed about the three detectors of the PSF databases: their optics, their electronics, their files.

Numbers are rounded ones of the instruments' handbooks; the blur is explained in `epsf`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from skydex.demo.cameras.epsf import Blur
from skydex.errors import StoreError
from skydex.images import find_passband

__all__ = ["CAMERAS", "Camera"]

_RED_UM = 0.8
_QUARTER = 0.25


@dataclass(frozen=True)
class Camera:
    """A detector behind its optics."""

    instrument: str
    filters: str
    """System of its filters (`skydex.images.find_passband`)."""
    suffixes: tuple[str, ...]
    """Kinds of files."""
    chips: tuple[int, ...]
    """In the order of their extensions."""
    blur: Blur
    """What it does to the image."""
    is_bluer_wider: bool
    """Whether charges that bluer light frees, nearer to the surface, diffuse farther."""
    read_noise: float
    """Electrons."""
    gain: float
    """Electrons for a unit of a raw file."""
    bias: float
    """Value of a raw file without light."""
    most: int
    """Largest value of a raw file."""
    is_spilling: bool
    """Whether a full pixel spills over along its column."""

    def wavelengths_um(self, band: str) -> tuple[float, float, float]:
        """Wavelengths that stand for a filter: in its middle, and half way from there to its ends."""
        found = find_passband(band, self.filters)
        if found is None:
            raise StoreError(f'Nothing is known about a filter "{band}" of {self.filters}.')
        middle, width = (found.shortest_m + found.longest_m) * 0.5e6, (found.longest_m - found.shortest_m) * 1e6
        return middle - _QUARTER * width, middle, middle + _QUARTER * width

    def blur_in(self, band: str) -> Blur:
        """The blur in a filter.

        Diffusion goes with the root of the wavelength, so that widths come out as in the handbook of WFC3, section 6.6.
        """
        if not self.is_bluer_wider:
            return self.blur
        wider = max(1.0, _RED_UM / self.wavelengths_um(band)[1]) ** 0.5
        return replace(self.blur, diffusion=self.blur.diffusion * wider)


CAMERAS = {
    "UVIS": Camera(
        "WFC3",
        "UVIS",
        suffixes=("raw", "flt", "flc"),
        chips=(2, 1),
        blur=Blur(0.0396, obscuration=0.33, diffusion=0.33, scattered=0.09),
        is_bluer_wider=True,
        read_noise=3.1,
        gain=1.56,
        bias=2560.0,
        most=65_535,
        is_spilling=True,
    ),
    "IR": Camera(
        "WFC3",
        "IR",
        suffixes=("raw", "flt"),
        chips=(1,),
        blur=Blur(0.1283, obscuration=0.36, diffusion=0.175, scattered=0.11),
        is_bluer_wider=False,
        read_noise=12.0,
        gain=2.35,
        bias=11_000.0,
        most=65_535,
        is_spilling=False,
    ),
    "WFPC2": Camera(
        "WFPC2",
        "WFPC2",
        suffixes=("d0m", "c0m"),
        chips=(1, 2, 3, 4),
        blur=Blur(0.0996, obscuration=0.33, diffusion=0.39, scattered=0.09),
        is_bluer_wider=False,
        read_noise=5.3,
        gain=14.0,
        bias=320.0,
        most=4095,
        is_spilling=True,
    ),
}
"""By the name of the detector."""
