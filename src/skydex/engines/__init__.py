"""From a plan to rows, one module an engine."""

from skydex.engines.engine import Deadline, Engine
from skydex.engines.first import FirstRowsEngine
from skydex.engines.metadata import MetadataEngine
from skydex.engines.scan import ScanEngine, n_passing

__all__ = ["Deadline", "Engine", "FirstRowsEngine", "MetadataEngine", "ScanEngine", "n_passing"]
