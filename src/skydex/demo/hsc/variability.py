"""`Variables`: which stars of a simulated field vary, and how.

Templates are analytic and our own: a sawtooth of six harmonics for RR Lyrae stars and Cepheids (rise in 15% of the
period, smoothed by a Gaussian of 3%), trapezoids and a second harmonic for eclipsing binaries, a sinusoid for
long-period variables, an outburst with a linear decline for novae, a damped random walk for active nuclei.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from skydex.demo.chance import stream
from skydex.demo.hsc.fields import Field
from skydex.demo.hsc.images import Image
from skydex.demo.hsc.stars import Stars, blueness, population

__all__ = ["CLASSES", "Variables", "sawtooth", "variables_of"]

Floats = NDArray[np.float64]

CLASSES = ("rrab", "rrc", "cepheid", "detached", "contact", "lpv", "nova", "agn")
"""Kinds of variables; `kind` counts from 0."""

_RRAB, _RRC, _CEPHEID, _DETACHED, _CONTACT, _LPV, _NOVA, _AGN = range(len(CLASSES))
_RISE, _SMOOTHING, _HARMONICS = 0.15, 0.03, np.arange(1, 7)
_AGN_TIME_D, _AGN_SCATTER = 100.0, 0.15
_RED_SHARE = 0.57


@dataclass(frozen=True)
class Variables:
    """The variables of a field, an array of `n` values each."""

    star: NDArray[np.int64]
    """Which of the field's stars, ascending."""
    kind: NDArray[np.int64]
    """Place in `CLASSES`."""
    period_d: Floats
    """Period; NaN for those that have none."""
    t0_mjd: Floats
    """Time of phase 0, or of the outburst."""
    amplitude: Floats
    """Full amplitude in F475W, mag; depth of the primary eclipse; height of the outburst."""
    shape: Floats
    """Share of the period in eclipse, or days in which a nova fades by two magnitudes."""
    secondary: Floats
    """Depth of the secondary eclipse relative to the primary."""
    walks: Floats
    """(n_images, n) deviations of active nuclei, mag."""

    def deviations(self, image: Image, number: int) -> Floats:
        """Magnitudes in an image, the `number`-th of its field, minus mean magnitudes; noise-free."""
        middle = (image.start_mjd + image.stop_mjd) / 2
        with np.errstate(invalid="ignore"):
            phase = np.mod((middle - self.t0_mjd) / self.period_d, 1.0)
        strength = np.clip(_RED_SHARE + (1 - _RED_SHARE) * blueness(image.wavelength), 0.3, 1.4)
        found = np.zeros(len(self.star))
        pulsating, eclipsing = np.isin(self.kind, (_RRAB, _CEPHEID)), self.kind == _DETACHED
        found[pulsating] = (self.amplitude * strength)[pulsating] * sawtooth(phase[pulsating])
        for kind, harmonic, factor in ((_RRC, 1, strength), (_CONTACT, 2, 1.0), (_LPV, 1, strength)):
            those = self.kind == kind
            found[those] = self.amplitude[those] * factor * 0.5 * np.cos(2 * np.pi * harmonic * phase[those])
        found[eclipsing] = self._eclipses(phase)[eclipsing]
        novae = self.kind == _NOVA
        found[novae] = self._outbursts(middle)[novae]
        found[self.kind == _AGN] = self.walks[number, self.kind == _AGN]
        return found

    def _eclipses(self, phase: Floats) -> Floats:
        half = self.shape / 2
        first = np.clip((half - np.abs(np.mod(phase + 0.5, 1.0) - 0.5)) / (0.4 * half), 0.0, 1.0)
        second = np.clip((half - np.abs(phase - 0.5)) / (0.4 * half), 0.0, 1.0)
        return np.asarray(self.amplitude * (first + self.secondary * second))

    def _outbursts(self, mjd: float) -> Floats:
        age = mjd - self.t0_mjd
        rising = np.where((age > -1.5) & (age < 0), -self.amplitude * (1 + age / 1.5), 0.0)
        fading = np.minimum(0.0, -self.amplitude + 2.0 * age / self.shape)
        return np.where(age >= 0, fading, rising)


def sawtooth(phase: Floats) -> Floats:
    """A steep rise and a slow decline of amplitude 1 and mean 0, in magnitudes: brightest at phase 0.15."""
    turns = np.exp(2j * np.pi * np.outer(phase, _HARMONICS))
    return np.asarray(np.real(np.einsum("ph,h->p", turns, _sawtooth_waves())))  # BLAS rounds by its number of threads


@cache
def _sawtooth_waves() -> NDArray[np.complex128]:
    """Amplitudes of the harmonics, smoothed."""
    nodes = np.linspace(0.0, 1.0, 2000, endpoint=False)
    shape = np.where(nodes < _RISE, 0.5 - nodes / _RISE, -0.5 + (nodes - _RISE) / (1 - _RISE))
    waves = np.exp(-2j * np.pi * np.outer(_HARMONICS, nodes)) @ shape * 2 / len(nodes)
    return np.asarray(waves * np.exp(-2 * (np.pi * _HARMONICS * _SMOOTHING) ** 2))


def variables_of(field: Field, stars: Stars, images: tuple[Image, ...], seed: int) -> tuple[Stars, Variables]:
    """Choose the variables of a field; those with a place in the diagram, such as RR Lyrae stars, move there."""
    rng = stream(seed, "hsc", field.name, "variables")
    star = np.sort(rng.permutation(len(stars))[: round(field.variables * len(stars))])
    shares = {"cepheid": field.cepheids}
    shares |= {name: share * (1 - field.cepheids) for name, share in population()["variables"].items()}
    kind = rng.choice(len(CLASSES), len(star), p=[shares[name] for name in CLASSES])
    period = _periods(kind, rng)
    first, last = images[0].start_mjd, images[-1].start_mjd
    t0 = np.where(kind == _NOVA, rng.uniform(first - 20, max(last, first + 1), len(star)), first)
    t0 = t0 + np.where(kind == _NOVA, 0.0, rng.random(len(star)) * np.nan_to_num(period))
    variables = Variables(
        star,
        kind,
        period,
        t0,
        _amplitudes(kind, period, rng),
        np.where(kind == _NOVA, 5 * 12 ** rng.random(len(star)), rng.uniform(0.04, 0.12, len(star))),
        rng.uniform(0.2, 1.0, len(star)),
        _walks(len(star), images, rng),
    )
    return _moved(field, stars, variables, rng), variables


def _periods(kind: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    n = len(kind)
    return np.choose(
        kind,
        [
            rng.normal(0.57, 0.07, n).clip(0.4),
            rng.normal(0.34, 0.04, n).clip(0.2),
            10 ** (1.6 * rng.random(n) ** 2),
            10 ** rng.uniform(-0.3, 1.0, n),
            rng.uniform(0.25, 0.6, n),
            rng.uniform(100, 400, n),
            np.full(n, np.nan),
            np.full(n, np.nan),
        ],
    )


def _amplitudes(kind: NDArray[np.int64], period: Floats, rng: np.random.Generator) -> Floats:
    n = len(kind)
    return np.choose(
        kind,
        [
            (1.7 - 1.6 * period + rng.normal(0, 0.15, n)).clip(0.3, 1.4),
            rng.normal(0.5, 0.07, n).clip(0.2),
            rng.uniform(0.3, 1.2, n),
            rng.uniform(0.1, 0.8, n),
            rng.uniform(0.1, 0.7, n),
            rng.uniform(0.4, 2.0, n),
            rng.uniform(3.0, 6.0, n),
            np.full(n, _AGN_SCATTER),
        ],
    )


def _walks(n: int, images: tuple[Image, ...], rng: np.random.Generator) -> Floats:
    """Damped random walks at the times of the images (Kelly et al. 2009, ApJ 698, 895)."""
    walks = np.zeros((len(images), n))
    order = sorted(range(len(images)), key=lambda number: images[number].start_mjd)
    walks[order[0]] = rng.normal(0, _AGN_SCATTER, n)
    for before, after in pairwise(order):
        kept = np.exp(-(images[after].start_mjd - images[before].start_mjd) / _AGN_TIME_D)
        walks[after] = walks[before] * kept + rng.normal(0, _AGN_SCATTER * np.sqrt(1 - kept**2), n)
    return walks


def _moved(field: Field, stars: Stars, variables: Variables, rng: np.random.Generator) -> Stars:
    """Stars with the magnitudes and colours of what they are."""
    f814w, colour, component = stars.f814w.copy(), stars.colour.copy(), stars.component.copy()
    star, kind, n = variables.star, variables.kind, len(variables.star)
    is_rr, is_cepheid = np.isin(kind, (_RRAB, _RRC)), kind == _CEPHEID
    strip = rng.normal(0.5, 0.12, n)
    with np.errstate(invalid="ignore"):
        leavitt = -2.96 * (np.log10(variables.period_d) - 1) - 5.9
    absolute = np.select([is_rr, is_cepheid], [0.9 + rng.normal(0, 0.12, n) - strip, leavitt], 0.0)
    apparent = absolute + field.modulus + 1.53 * field.ebv
    apparent = np.where(apparent > field.faint - 1.0, rng.uniform(field.faint - 4, field.faint - 1, n), apparent)
    apparent = np.where(apparent < field.bright + 0.5, rng.uniform(field.bright + 0.5, field.bright + 4, n), apparent)
    on_strip = is_rr | is_cepheid
    f814w[star[on_strip]] = apparent[on_strip]
    colour[star[on_strip]] = (strip + 1.7 * field.ebv)[on_strip]
    component[star[on_strip]] = 2
    novae = kind == _NOVA
    f814w[star[novae]] = 27.0 + rng.random(int(novae.sum()))
    colour[star[novae]] = 0.2
    return replace(stars, f814w=f814w, colour=colour, component=component)
