"""Random numbers that depend on nothing but a seed and a name.

Every part of the simulated sky draws from a stream of its own, so that parts can be made in any order and side by
side, and are the same each time (Philox4x64, Salmon et al. 2011, SC11).
"""

from __future__ import annotations

import hashlib

import numpy as np

__all__ = ["stream"]


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """A stream of random numbers of its own for each seed and each sequence of names."""
    digest = hashlib.blake2b(repr((seed, names)).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))
