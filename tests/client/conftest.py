"""What tests of clients use: a server on loopback that answers as it is told."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "web")]
