// How values are spread, from a part of them if they are many.

/** So many values tell how all of them are spread. */
const ENOUGH = 20_000;

/** Where all of some arrays have numbers. */
export function placesOf(...arrays: Float64Array[]): Int32Array {
  const n = arrays[0]!.length;
  const places = new Int32Array(n);
  let found = 0;
  for (let i = 0; i < n; i++) if (arrays.every((values) => Number.isFinite(values[i]))) places[found++] = i;
  return places.subarray(0, found);
}

/** The values at some places in their order, or evenly chosen ones of them. */
export function sortedOf(values: Float64Array, places: Int32Array): Float64Array {
  const step = Math.ceil(places.length / ENOUGH) || 1;
  const known = new Float64Array(Math.ceil(places.length / step));
  for (let i = 0; i < known.length; i++) known[i] = values[places[i * step]!]!;
  return known.sort();
}

/** Which part of sorted values is below a value. */
export function rankOf(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low / sorted.length;
}
