"""`planted`: measurements of the objects of which publications printed rows, made such that these rows come out.

Where a light curve was printed, its points stand here as they are. Where only a median (or mean), a median absolute
deviation and a number of points were printed, the points are simulated: a sample of just that median and deviation.
Nothing else about these objects is real.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skydex.demo.chance import stream
from skydex.demo.hsc.fields import Field
from skydex.demo.hsc.images import Image
from skydex.demo.hsc.measurements import ZERO_POINTS, Measurements, joined, noise_of
from skydex.demo.hsc.stars import blueness
from skydex.demo.hsc.variability import sawtooth
from skydex.demo.publications import read_printed

__all__ = ["NOVA", "planted"]

Floats = NDArray[np.float64]

NOVA = 1905457
"""The nova in M87. Its position was not printed; this one is simulated."""
_NOVA_PLACE = (187.71245, 12.38312)
_PRINTED_STAR = -2
_VARIES_FROM = 0.1
_MAX_SIGMA = 2.5


@dataclass(frozen=True)
class _Light:
    """The points of one object in one filter."""

    match_id: int
    ra: float
    dec: float
    images: tuple[int, ...]
    """Which of the field's images."""
    magnitudes: Floats
    errors: Floats | None = None
    ci: Floats | None = None
    """Normalised concentration indices, where printed."""
    distances_mas: Floats | None = None
    """Distances from the match, where printed."""
    source_ids: tuple[int, ...] = ()
    motion: tuple[float, float] = (0.0, 0.0)
    """Proper motion, mas/yr, in right ascension (times cos dec) and declination."""
    level: float = 1.0
    """Mean concentration index."""


def planted(field: Field, images: tuple[Image, ...], seed: int) -> Measurements | None:
    """Measurements of the printed objects of a field, with their published MatchIDs; None if it has none."""
    makers = {"ic1613": _of_ic1613, "m87": _of_m87, "smc": _of_smc, "sweeps": _of_sweeps, "sdssj0837": _of_sdssj0837}
    lights = [*(makers[field.name](images, seed) if field.name in makers else ()), *_of_hcv(field, images, seed)]
    by_object: dict[int, list[_Light]] = {}
    for light in lights:
        by_object.setdefault(light.match_id, []).append(light)
    parts = [_measurements(of_one, images, seed) for of_one in by_object.values()]
    return joined(parts) if parts else None


def _of_ic1613(images: tuple[Image, ...], seed: int) -> Iterator[_Light]:
    """Rows of the summary; the light curve of the variable that the document looks at."""
    curve = read_printed("hsc_light_curve")
    points = dict(zip(curve["ImageName"].to_pylist(), curve["MagAper2"].to_pylist(), strict=True))
    sources = dict(zip(curve["ImageName"].to_pylist(), curve["SourceID"].to_pylist(), strict=True))
    for row in read_printed("hsc_ic1613").to_pylist():
        rng = stream(seed, "hsc", "printed", row["MatchID"])
        chosen = _images_of_row(row, images, rng)
        shape = _Shape.drawn(rng, row["A_F475W_MAD"] if row["A_F475W"] < 24 else 0.0)
        place = {"match_id": row["MatchID"], "ra": row["MatchRA"], "dec": row["MatchDec"]}
        for name in ("F475W", "F814W"):
            mjd = np.array([images[number].start_mjd for number in chosen[name]])
            magnitudes = row[f"A_{name}"] + row[f"A_{name}_MAD"] * shape.sample(mjd, rng)
            ids: tuple[int, ...] = ()
            if row["MatchID"] == curve["MatchID"][0].as_py() and name == "F475W":
                names = [images[number].name for number in chosen[name]]
                magnitudes, ids = np.array([points[one] for one in names]), tuple(sources[one] for one in names)
            elif row["MatchID"] == curve["MatchID"][0].as_py():
                blue = np.array([points[images[number].name.replace("f814w", "f475w")] for number in chosen[name]])
                alike = _standard(blue + rng.normal(0.0, 0.02, len(blue)))
                magnitudes = row["A_F814W"] + row["A_F814W_MAD"] * alike
            yield _Light(**place, images=chosen[name], magnitudes=magnitudes.round(6), source_ids=ids)
        if chosen["F606W"]:
            between = row["A_F814W"] + (row["A_F475W"] - row["A_F814W"]) * blueness(6060.0)
            magnitudes = between + rng.normal(0.0, 0.02, len(chosen["F606W"]))
            yield _Light(**place, images=chosen["F606W"], magnitudes=magnitudes.round(4))


def _images_of_row(
    row: dict[str, float], images: tuple[Image, ...], rng: np.random.Generator
) -> dict[str, tuple[int, ...]]:
    """Images such that numbers of visits and images, first start and last stop are the printed ones."""
    by_filter = {
        name: [n for n, image in enumerate(images) if image.filter == name] for name in ("F475W", "F814W", "F606W")
    }
    n_extra = int(row["NumImages"] - row["A_F475W_N"] - row["A_F814W_N"])
    chosen = {"F606W": tuple(by_filter["F606W"][len(by_filter["F606W"]) - n_extra :]) if n_extra else ()}
    n_visits = len(by_filter["F475W"])
    n_without = n_visits - int(row["NumVisits"] - n_extra)
    inner = rng.permutation(np.arange(1, n_visits - 1)).tolist()
    missing, others = inner[:n_without], inner[n_without:]
    last_is_missing = row["StopMJD"] < 53967.71
    for name in ("F475W", "F814W"):
        n_more = n_visits - len(missing) - int(row[f"A_{name}_N"])
        if name == "F814W" and last_is_missing:
            own, n_more = [n_visits - 1], n_more - 1
        else:
            own = []
        own += [others.pop() for _ in range(n_more)]
        chosen[name] = tuple(number for visit, number in enumerate(by_filter[name]) if visit not in {*missing, *own})
    return chosen


def _of_hcv(field: Field, images: tuple[Image, ...], seed: int) -> Iterator[_Light]:
    """Rows of the Hubble Catalog of Variables: a mean, a deviation, a number of points."""
    summarized = set(read_printed("hsc_ic1613")["MatchID"].to_pylist())
    for row in read_printed("hcv_summary").to_pylist():
        if not _is_here(field, row["GroupID"], row["RA"], row["Dec"]) or row["MatchID"] in summarized:
            continue
        rng = stream(seed, "hsc", "printed", row["MatchID"])
        shape = _Shape.drawn(rng, row["MAD"] * (row["AutoClass"] > 0))
        rng = stream(seed, "hsc", "printed", row["MatchID"], row["Filter"])
        having = [number for number, image in enumerate(images) if image.filter_name == row["Filter"]]
        chosen = tuple(sorted(rng.permutation(having)[: row["NumLC"]].tolist()))
        sample = shape.sample(np.array([images[number].start_mjd for number in chosen]), rng)
        magnitudes = row["MeanMag"] + row["MAD"] * (sample - sample.mean())
        yield _Light(row["MatchID"], row["RA"], row["Dec"], chosen, magnitudes.round(6))


def _is_here(field: Field, group_id: int, ra: float, dec: float) -> bool:
    east = (ra - field.ra) * np.cos(np.radians(dec))
    return group_id == field.group_id and bool(np.hypot(east, dec - field.dec) < 0.06)


def _of_m87(images: tuple[Image, ...], seed: int) -> Iterator[_Light]:
    """The nova: F606W as printed; F814W simulated, 0.3 mag brighter and smoother."""
    nova = read_printed("hcv_nova")
    number_of = {image.name: number for number, image in enumerate(images)}
    blue = tuple(number_of[name] for name in nova["ImageName"].to_pylist())
    yield _Light(
        NOVA,
        *_NOVA_PLACE,
        blue,
        nova["Mag"].to_numpy(),
        nova["MagErr"].to_numpy(),
        nova["CI"].to_numpy(),
        nova["D"].to_numpy(),
    )
    red = tuple(number for number, image in enumerate(images) if image.filter == "F814W")
    mjd = np.array([images[number].start_mjd for number in red])
    is_good = nova["CI"].to_numpy() < 1.5  # a cosmic ray brightened the point at MJD 53796.15
    magnitudes = np.interp(mjd, nova["MJD"].to_numpy()[is_good], nova["Mag"].to_numpy()[is_good]) - 0.3
    rng = stream(seed, "hsc", "printed", NOVA)
    noise = np.array([noise_of(images[number]).error(magnitudes[place]) for place, number in enumerate(red)])
    yield _Light(NOVA, *_NOVA_PLACE, red, (magnitudes + noise * rng.normal(0, 1, len(red))).round(4))


def _of_smc(images: tuple[Image, ...], seed: int) -> Iterator[_Light]:
    """Rows of the summary with a magnitude in each of two filters, from one image each."""
    for row in read_printed("hsc_smc").to_pylist():
        for name in ("F555W", "F814W"):
            number = _nearest(images, name, row["MatchRA"], row["MatchDec"])
            magnitudes = np.array([row[f"A_{name}"]])
            yield _Light(row["MatchID"], row["MatchRA"], row["MatchDec"], (number,), magnitudes, level=row["CI"])


def _nearest(images: tuple[Image, ...], name: str, ra: float, dec: float) -> int:
    numbers = [number for number, image in enumerate(images) if image.filter == name]
    apart = [np.hypot((images[n].ra - ra) * np.cos(np.radians(dec)), images[n].dec - dec) for n in numbers]
    return numbers[int(np.argmin(apart))]


def _of_sweeps(images: tuple[Image, ...], seed: int) -> Iterator[_Light]:
    """Stars with a proper motion: as many visits as printed, through the years."""
    from astropy import units as u
    from astropy.coordinates import SkyCoord

    rows = read_printed("hsc_sweeps")
    galactic = SkyCoord(rows["RA"].to_numpy() * u.deg, rows["Dec"].to_numpy() * u.deg).galactic
    moving = SkyCoord(
        galactic.l,
        galactic.b,
        frame="galactic",
        pm_l_cosb=rows["lpm"].to_numpy() * u.mas / u.yr,
        pm_b=rows["bpm"].to_numpy() * u.mas / u.yr,
    ).icrs
    for place, row in enumerate(rows.to_pylist()):
        rng = stream(seed, "hsc", "printed", row["ObjID"])
        pointing = images[_nearest(images, "F814W", row["RA"], row["Dec"])].pointing
        numbers = [number for number, image in enumerate(images) if image.pointing == pointing]
        if row["dT"] < 8:
            numbers = numbers[1:]
        kept = {numbers[0], numbers[-1], *rng.permutation(numbers[1:-1])[: row["NumVisits"] - 2].tolist()}
        bright = rng.uniform(19.0, 23.0)
        for name, colour in (("F606W", 0.7), ("F814W", 0.0)):
            chosen = tuple(number for number in numbers if number in kept and images[number].filter == name)
            magnitudes = bright + colour + rng.normal(0.0, 0.015, len(chosen))
            motion = (float(moving.pm_ra_cosdec[place].value), float(moving.pm_dec[place].value))
            yield _Light(row["ObjID"], row["RA"], row["Dec"], chosen, magnitudes.round(4), motion=motion)


def _of_sdssj0837(images: tuple[Image, ...], seed: int) -> Iterator[_Light]:
    """Rows of the summary with a start and a stop: those of one image, the other, or both."""
    for row in read_printed("hsc_sdssj0837").to_pylist():
        rng = stream(seed, "hsc", "printed", row["MatchID"])
        bright = rng.uniform(20.0, 24.5)
        is_in = (row["StartTime"].endswith("2:22:48 PM"), row["StopTime"].endswith("3:07:16 PM"))
        for number, image in enumerate(images):
            if is_in[number]:
                magnitudes = np.array([bright + 0.9 * blueness(image.wavelength)]).round(4)
                yield _Light(row["MatchID"], row["MatchRA"], row["MatchDec"], (number,), magnitudes)


@dataclass(frozen=True)
class _Shape:
    """How the magnitudes of an object go: up and down in a period, or at random."""

    period_d: float
    t0_mjd: float

    @classmethod
    def drawn(cls, rng: np.random.Generator, mad: float) -> _Shape:
        period = float(rng.uniform(1.5, 5.0)) if mad >= _VARIES_FROM else 0.0
        return cls(period, float(rng.uniform(0.0, 10.0)))

    def sample(self, mjd: Floats, rng: np.random.Generator) -> Floats:
        """A sample of median 0 and median absolute deviation 1 (0 if there is but one point)."""
        noise = np.clip(rng.normal(0.0, 1.0, len(mjd)), -_MAX_SIGMA, _MAX_SIGMA)
        if not self.period_d:
            return _standard(noise)
        return _standard(sawtooth((mjd - self.t0_mjd) / self.period_d % 1.0) + 0.03 * noise)


def _standard(values: Floats) -> Floats:
    """Values moved and stretched to median 0 and median absolute deviation 1; what lies far out is drawn in."""
    centred = values - np.median(values)
    mad = np.median(np.abs(centred))
    return np.clip(centred / mad, -_MAX_SIGMA, _MAX_SIGMA) if mad > 0 else np.zeros(len(values))


def _measurements(lights: list[_Light], images: tuple[Image, ...], seed: int) -> Measurements:
    """All measurements of one object: their mean position is the printed one."""
    one = lights[0]
    rng = stream(seed, "hsc", "printed", one.match_id, "places")
    numbers = np.concatenate([light.images for light in lights]).astype(np.int64)
    magnitudes = np.concatenate([light.magnitudes for light in lights])
    n = len(numbers)
    errors = [
        np.array([float(noise_of(images[k]).error(m)) for k, m in zip(light.images, light.magnitudes, strict=True)])
        if light.errors is None
        else light.errors
        for light in lights
    ]
    east, north = _offsets(lights, images, magnitudes, rng)
    ra = one.ra + east / 3.6e6 / np.cos(np.radians(one.dec))
    dec = one.dec + north / 3.6e6
    ci = one.level + _centred(rng.normal(0.0, 0.05, n))
    for light, start in zip(lights, np.cumsum([0, *(len(each.images) for each in lights[:-1])]), strict=True):
        if light.ci is not None:
            ci[start : start + len(light.images)] = light.ci
    x, y = np.array([np.ravel(images[k].pixels(ra[i : i + 1], dec[i : i + 1])) for i, k in enumerate(numbers)]).T
    zero = np.array([ZERO_POINTS[images[k].detector.name] for k in numbers])
    ids = [light.source_ids or (0,) * len(light.images) for light in lights]
    return Measurements(
        star=np.full(n, _PRINTED_STAR),
        image=numbers,
        match_id=np.full(n, one.match_id),
        source_id=np.concatenate(ids).astype(np.int64),
        ra=ra,
        dec=dec,
        x=x,
        y=y,
        flux=10 ** (-0.4 * (magnitudes - zero)),
        mag_aper2=magnitudes,
        mag_err=np.maximum(np.concatenate(errors), 0.0005).round(9),
        mag_auto=(magnitudes + rng.normal(-0.05, 0.03, n)).round(4),
        ci=ci,
        kron_radius=rng.normal(0.2, 0.012, n).round(4),
        flags=np.zeros(n, np.int64),
        artifact=np.zeros(n, np.int64),
        mag_true=np.full(n, np.nan),
    )


def _offsets(
    lights: list[_Light], images: tuple[Image, ...], magnitudes: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Distances of the sources from the match, mas to the east and north; their mean is 0."""
    n = len(magnitudes)
    scatter = rng.normal(0.0, 1.0, (2, n)) * np.hypot(2.0, 6.0 * 10 ** (0.2 * (magnitudes - 25)))
    fixed = np.concatenate(
        [np.full(len(light.images), np.nan) if light.distances_mas is None else light.distances_mas for light in lights]
    )
    is_free = np.isnan(fixed)
    angle = rng.uniform(0, 2 * np.pi, n)
    scatter = np.where(is_free, scatter, fixed * np.vstack([np.cos(angle), np.sin(angle)]))
    if is_free.any():
        scatter[:, is_free] -= scatter.sum(axis=1, keepdims=True) / is_free.sum()
    mjd = np.array([images[number].start_mjd for light in lights for number in light.images])
    motion = np.concatenate([np.tile(np.array(light.motion)[:, None], len(light.images)) for light in lights], axis=1)
    east, north = scatter + motion * (mjd - mjd.mean()) / 365.25
    return east, north


def _centred(values: Floats) -> Floats:
    return values - values.mean() if len(values) > 1 else np.zeros(len(values))
