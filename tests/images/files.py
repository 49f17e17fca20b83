"""Real image files that tests read where they are, if they are there."""

from __future__ import annotations

from pathlib import Path

import pytest

IMAGES = Path(__file__).parents[2] / "../shared/data/images"
needs_images = pytest.mark.skipif(not IMAGES.is_dir(), reason="the real images are not on this machine")
