"""`publish_simulated_images`: the images of the simulated collections are registered; none is rendered.

Each camera that has images of a collection brings a function `simulate_images(directory, size, seed)` in its module
`registered`, which may look at the tables that are published already. Who opens an image does not need it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from skydex.demo.cameras.csc21.registered import simulate_images as simulate_csc21_images
from skydex.demo.cameras.hsc.registered import simulate_images as simulate_hsc_images
from skydex.demo.cameras.ps1.registered import simulate_images as simulate_ps1_images
from skydex.demo.cameras.psf.registered import simulate_images as simulate_psf_images
from skydex.demo.simulation import SimulatedImages
from skydex.demo.size import Size
from skydex.ingest.images import ImageReport, publish_images
from skydex.store import ArchiveDirectory

__all__ = ["SIMULATED_IMAGES", "publish_simulated_images"]

SIMULATED_IMAGES: Mapping[str, Callable[[ArchiveDirectory, Size, int], SimulatedImages]] = {
    "ps1": simulate_ps1_images,
    "csc21": simulate_csc21_images,
    "psf": simulate_psf_images,
    "hsc": simulate_hsc_images,
}
"""The cameras by the collections whose tables they look at, in the order in which their images are published."""


def publish_simulated_images(images: SimulatedImages, directory: ArchiveDirectory, *, label: str) -> ImageReport:
    """Register the images of a camera, and say that they are simulated.

    Parameters
    ----------
    images : SimulatedImages
        The images; walked through once.
    directory : ArchiveDirectory
        Where they are published.
    label : str
        What made them, for the description: simulator, version and seed.
    """
    description = f"SIMULATED by {label}. {images.description}"
    return publish_images(directory, images.collection, images.entries, description=description)
