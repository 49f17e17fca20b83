"""`Noted`: what the register notes of an image, some hundred bytes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Self

from skydex.demo.hsc.images import DETECTORS, Image

__all__ = ["Noted"]


@dataclass(frozen=True)
class Noted:
    """What an image is made of."""

    image: Image
    """What was taken."""
    group: str
    """The group of images that it belongs to."""
    number: int
    """Its number in the group."""
    seed: int
    """Seed of the simulation."""

    def to_bytes(self) -> bytes:
        """As the register has it."""
        word = next(word for word, detector in DETECTORS.items() if detector is self.image.detector)
        facts = asdict(self)
        return json.dumps({**facts, "image": {**facts["image"], "detector": word}}).encode()

    @classmethod
    def from_bytes(cls, noted: bytes) -> Self:
        """From what the register has."""
        facts = json.loads(noted)
        own = facts["image"]
        image = Image(**{**own, "detector": DETECTORS[own["detector"]], "gradient": tuple(own["gradient"])})
        return cls(**{**facts, "image": image})
