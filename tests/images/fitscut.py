"""Debian's `fitscut` 1.4.4 as a judge: the program behind HLA's pictures, by another hand."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image as Pictures

PROGRAM = shutil.which("fitscut")
needs_fitscut = pytest.mark.skipif(PROGRAM is None, reason="Debian's fitscut is not installed")


def cut_fits(file: Path, *options: str) -> fits.PrimaryHDU:
    """What it cuts out as FITS."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "cutout.fits"
        subprocess.run([PROGRAM, *options, str(file), str(made)], capture_output=True, timeout=60, check=True)
        written = made.read_bytes()
    with fits.open(BytesIO(written)) as hdus:
        return fits.PrimaryHDU(hdus[0].data.copy(), hdus[0].header.copy())


def draw_png(*arguments: object) -> np.ndarray:
    """The pixels that it draws as PNG, which loses nothing."""
    return np.asarray(Pictures.open(BytesIO(_run("--png", *map(str, arguments)))))


def draw_jpeg(file: Path, *options: str) -> np.ndarray:
    """The pixels of its JPEG."""
    return np.asarray(Pictures.open(BytesIO(_run("--jpg", *options, str(file)))))


def _run(*arguments: str) -> bytes:
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, timeout=60)
    assert done.stdout, done.stderr.decode()
    return done.stdout


def write_image(path: Path, data: np.ndarray) -> Path:
    fits.PrimaryHDU(data).writeto(path)
    return path
