"""The Hubble fields of the simulated sky: what is there, the images that were taken, and what was measured in them."""

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
