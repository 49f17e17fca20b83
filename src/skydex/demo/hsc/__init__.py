"""The Hubble fields of the simulated sky: what is there, the images that were taken, and what was measured in them.

Names are imported when they are asked for: a server that shows a simulated image needs what is known of images, not
what finds and matches sources.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skydex.demo.hsc.detections import Detections, detect
    from skydex.demo.hsc.fields import FIELDS, Field, fields_of, get_field
    from skydex.demo.hsc.images import Image, images_of
    from skydex.demo.hsc.measurements import ARTIFACTS, Measurements, Sky, measure, sky_of
    from skydex.demo.hsc.stars import COMPONENTS, Stars
    from skydex.demo.hsc.tables import simulate_hsc
    from skydex.demo.hsc.variability import CLASSES, Variables

__all__ = [
    "ARTIFACTS",
    "CLASSES",
    "COMPONENTS",
    "FIELDS",
    "Detections",
    "Field",
    "Image",
    "Measurements",
    "Sky",
    "Stars",
    "Variables",
    "detect",
    "fields_of",
    "get_field",
    "images_of",
    "measure",
    "simulate_hsc",
    "sky_of",
]

_MODULES = {
    "detections": ("Detections", "detect"),
    "fields": ("FIELDS", "Field", "fields_of", "get_field"),
    "images": ("Image", "images_of"),
    "measurements": ("ARTIFACTS", "Measurements", "Sky", "measure", "sky_of"),
    "stars": ("COMPONENTS", "Stars"),
    "tables": ("simulate_hsc",),
    "variability": ("CLASSES", "Variables"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
