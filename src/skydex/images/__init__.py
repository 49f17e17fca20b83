"""Images: open them, cut regions with their WCS, render them to FITS, PNG and JPEG."""

from skydex.images.align import aligned
from skydex.images.blocks import measured
from skydex.images.box import Box
from skydex.images.brightness import SOFTENING, brightness, is_softened
from skydex.images.cutout import MOST_PIXELS, Cutout, cut, placed
from skydex.images.fits_files import FitsImage, FitsSurvey, index_fits, survey_fits
from skydex.images.footprint import Footprint, footprint_of, footprint_of_header
from skydex.images.gains import gain_over
from skydex.images.headers import facts_of
from skydex.images.hips_grid import SIDE_DEG, TILE_ORDERS, TILE_WIDTH, Tile
from skydex.images.image import Image
from skydex.images.levels import Levels, levels_of
from skydex.images.limits import ImageLimits
from skydex.images.look import Look, Scale, Stretch
from skydex.images.marks import Compass, compass_at
from skydex.images.openers import FITS_OPENER, Opener, open_pixels
from skydex.images.palettes import PALETTES
from skydex.images.passbands import Passband, find_passband
from skydex.images.pixels import LookUp, Pixels
from skydex.images.regions import box_of
from skydex.images.render import MEDIA_TYPES, render
from skydex.images.resizing import Resizing, shrunk
from skydex.images.stacks import MedianStamp, median_stamp
from skydex.images.thumbnails import thumbnail
from skydex.images.tile_files import ALLSKY_ORDER, TILE_FORMATS, allsky_of, tile_file, tile_values
from skydex.images.tiles import Layer, tile_data
from skydex.images.writing import file_chunks, fits_chunks, to_fits
from skydex.images.zoomed import sky_text, with_history, zoomed

__all__ = [
    "ALLSKY_ORDER",
    "FITS_OPENER",
    "MEDIA_TYPES",
    "MOST_PIXELS",
    "PALETTES",
    "SIDE_DEG",
    "SOFTENING",
    "TILE_FORMATS",
    "TILE_ORDERS",
    "TILE_WIDTH",
    "Box",
    "Compass",
    "Cutout",
    "FitsImage",
    "FitsSurvey",
    "Footprint",
    "Image",
    "ImageLimits",
    "Layer",
    "Levels",
    "Look",
    "LookUp",
    "MedianStamp",
    "Opener",
    "Passband",
    "Pixels",
    "Resizing",
    "Scale",
    "Stretch",
    "Tile",
    "aligned",
    "allsky_of",
    "box_of",
    "brightness",
    "compass_at",
    "cut",
    "facts_of",
    "file_chunks",
    "find_passband",
    "fits_chunks",
    "footprint_of",
    "footprint_of_header",
    "gain_over",
    "index_fits",
    "is_softened",
    "levels_of",
    "measured",
    "median_stamp",
    "open_pixels",
    "placed",
    "render",
    "shrunk",
    "sky_text",
    "survey_fits",
    "thumbnail",
    "tile_data",
    "tile_file",
    "tile_values",
    "to_fits",
    "with_history",
    "zoomed",
]
