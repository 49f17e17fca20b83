// Which points are meant: the one that is nearest to a place, or those within a line that is drawn around them.
//
// Every point is looked at. Of a million that takes a few milliseconds, less than a frame, while an index of them takes
// longer to build than the points take to draw.

type Numbers = ArrayLike<number>;

/** The point that is nearest to a place; within `reach` of it, each axis in units of its own, or -1. */
export function nearest(xs: Numbers, ys: Numbers, [x, y]: [number, number], [reachX, reachY]: [number, number]): number {
  let [best, found] = [1, -1];
  for (let i = 0; i < xs.length; i++) {
    const dx = (xs[i]! - x) / reachX;
    const dy = (ys[i]! - y) / reachY;
    const square = dx * dx + dy * dy;
    if (square < best) [best, found] = [square, i];
  }
  return found;
}

/** The points within a closed line, of which an end need not meet the beginning (even-odd rule). */
export function inside(xs: Numbers, ys: Numbers, line: [number, number][]): number[] {
  const [lx, ly] = [Float64Array.from(line, (corner) => corner[0]), Float64Array.from(line, (corner) => corner[1])];
  const [left, right, low, high] = [min(lx), -min(lx.map((x) => -x)), min(ly), -min(ly.map((y) => -y))];
  const found: number[] = [];
  for (let i = 0; i < xs.length; i++) {
    const x = xs[i]!;
    const y = ys[i]!;
    if (x >= left && x <= right && y >= low && y <= high && isWithin(lx, ly, x, y)) found.push(i);
  }
  return found;
}

function isWithin(lx: Float64Array, ly: Float64Array, x: number, y: number): boolean {
  let isIn = false;
  for (let i = 0, j = lx.length - 1; i < lx.length; j = i++) {
    const crosses = ly[i]! > y !== ly[j]! > y;
    if (crosses && x < ((lx[j]! - lx[i]!) * (y - ly[i]!)) / (ly[j]! - ly[i]!) + lx[i]!) isIn = !isIn;
  }
  return isIn;
}

function min(values: Float64Array): number {
  return values.reduce((least, value) => Math.min(least, value), Infinity);
}
