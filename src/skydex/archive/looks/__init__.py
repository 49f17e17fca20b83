"""Looks: impressions of a table instead of its rows."""

from skydex.archive.looks.density import Axis, DensityRequest
from skydex.archive.looks.look import Look
from skydex.archive.looks.subject import Subject, in_quotes

__all__ = ["Axis", "DensityRequest", "Look", "Subject", "in_quotes"]
