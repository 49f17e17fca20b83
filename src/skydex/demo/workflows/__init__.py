"""The ways of working that the demonstration goes: those of the five documents that skydex grew out of."""

from skydex.demo.workflows.chandra import CHANDRA
from skydex.demo.workflows.cluster import CLUSTER
from skydex.demo.workflows.hubble import HUBBLE
from skydex.demo.workflows.panstarrs import PANSTARRS
from skydex.demo.workflows.psf import PSF
from skydex.demo.workflows.variables import VARIABLES
from skydex.demo.workflows.workflow import Workflow

__all__ = ["CLUSTER", "WORKFLOWS", "Workflow"]

WORKFLOWS: tuple[Workflow, ...] = (HUBBLE, VARIABLES, PANSTARRS, PSF, CHANDRA)
"""In the order in which they are gone."""
