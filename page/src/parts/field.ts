// Places on the sky as a plane: offsets from the middle of a field, or right ascension and declination where it is wide.

import type { Labels } from "./frame";

export interface Cone {
  ra: number;
  dec: number;
  radius: number;
}

interface Field {
  x: Float64Array;
  y: Float64Array;
  labels: Labels;
}

/** Degrees beyond which a plane shows the sky badly. */
const WIDE = 5;
/** Degrees below which offsets are told in seconds of arc. */
const NARROW = 0.05;
/** Parts of a minute or second of arc in which offsets are told. */
const FINEST = 1e4;

export function fieldOf(ra: Float64Array, dec: Float64Array, cone: Cone | null): Field {
  const middle = cone ?? around(ra, dec);
  if (middle.radius > WIDE) return { x: ra, y: dec, labels: { x: "RA (deg)", y: "Dec (deg)", invertX: true } };
  const [factor, unit] = middle.radius < NARROW ? [3600, "arcsec"] : [60, "arcmin"];
  const cos = Math.cos((middle.dec * Math.PI) / 180);
  return {
    x: ra.map((value) => told((((value - middle.ra + 540) % 360) - 180) * cos * factor)),
    y: dec.map((value) => told((value - middle.dec) * factor)),
    labels: { x: `East (${unit})`, y: `North (${unit})`, invertX: true },
  };
}

/** An offset to as many digits as mean something: the middle may be given with fewer than a place. */
function told(offset: number): number {
  return Math.round(offset * FINEST) / FINEST || 0;
}

/** A cone around places, if they lie together; else the whole sky. */
function around(ra: Float64Array, dec: Float64Array): Cone {
  const [ra0, ra1] = ends(ra);
  const [dec0, dec1] = ends(dec);
  const radius = Math.max(ra1 - ra0, dec1 - dec0) / 2;
  return { ra: (ra0 + ra1) / 2, dec: (dec0 + dec1) / 2, radius: Number.isFinite(radius) ? radius : 180 };
}

function ends(values: Float64Array): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}
