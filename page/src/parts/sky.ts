// A small sky on a canvas: points and footprints on a graticule, to pan, zoom and pick from, with the mouse, fingers or keys.
//
// North is up and east to the left. The projection is zenithal equal-area (Calabretta & Greisen 2002, A&A 395, 1077,
// section 5.1.7): it shows the whole sky, and in a small field it is the tangent plane.

const DEG = Math.PI / 180;
const WIDEST = 300, NARROWEST = 1e-4;
const REACH = 10;
const FAR = -0.98; // cosine of how far from the centre things are drawn
const STEPS = [60, 30, 15, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001, 0.00005, 0.00002, 0.00001];

/** Where one looks: the centre, and how wide the view is; degrees, ICRS. */
export interface View {
  ra: number;
  dec: number;
  fov: number;
}

/** A closed line on the sky; degrees, ICRS. */
export interface Outline {
  ra: readonly number[];
  dec: readonly number[];
}

/** One colour for all points, or for each its place in a palette. */
export type PointColour = string | { palette: readonly string[]; of: ArrayLike<number> };

/** What was picked: a point or a footprint, by its place among those that were set. */
export interface Picked {
  kind: "point" | "footprint";
  index: number;
}

type Unit = { x: Float64Array; y: Float64Array; z: Float64Array };

/** The outlines of a region in words, as ObsCore's `s_region` has it: POLYGON, CIRCLE, and unions of them. */
export function outlinesOf(region: string): Outline[] {
  const found: Outline[] = [];
  for (const part of region.matchAll(/(POLYGON|CIRCLE)\s+(?:(?:ICRS|FK5|J2000)\s+)?((?:[-+.\deE]+[\s,]*)+)/gi)) {
    const numbers = part[2]!.trim().split(/[\s,]+/).map(Number);
    if (part[1]!.toUpperCase() === "CIRCLE") found.push(circle(numbers[0]!, numbers[1]!, numbers[2]!));
    else found.push({ ra: numbers.filter((_, i) => i % 2 === 0), dec: numbers.filter((_, i) => i % 2 === 1) });
  }
  return found;
}

/** A circle as an outline. */
export function circle(ra: number, dec: number, radius: number): Outline {
  const out = { ra: [] as number[], dec: [] as number[] };
  const [sd, cd, sr, cr] = [Math.sin(dec * DEG), Math.cos(dec * DEG), Math.sin(radius * DEG), Math.cos(radius * DEG)];
  for (let i = 0; i < 72; i++) {
    const angle = (i * 5 + 0.01) * DEG; // never exactly at a pole
    const sine = sd * cr + cd * sr * Math.cos(angle);
    out.dec.push(Math.asin(Math.max(-1, Math.min(1, sine))) / DEG);
    out.ra.push(ra + Math.atan2(Math.sin(angle) * sr * cd, cr - sd * sine) / DEG);
  }
  return out;
}

export class Sky {
  /** A point or footprint was clicked, or picked with Enter; null where there is none. */
  onPick: ((picked: Picked | null) => void) | null = null;
  /** The view has been moved by its reader. */
  onMove: ((view: View) => void) | null = null;
  /** Points were taken by a box: dragged with the shift key held. */
  onBrush: ((indices: number[]) => void) | null = null;

  private readonly home: View;
  private view: View;
  private points: Unit = unit([], []);
  private colour: PointColour = "";
  private outlines: { of: number; unit: Unit }[] = [];
  private guides: Unit[] = [];
  private chosen = new Set<number>();
  private marked: number | null = null;
  private px = new Float32Array(0);
  private py = new Float32Array(0);
  private width = 0;
  private height = 0;
  private frame = 0;
  private box: [number, number, number, number] | null = null;
  private readonly fingers = new Map<number, [number, number]>();
  private travelled = 0;
  private readonly paper: CanvasRenderingContext2D;
  private readonly end = new AbortController();
  private readonly watch: ResizeObserver;

  constructor(readonly canvas: HTMLCanvasElement, view: View) {
    this.home = { ...view };
    this.view = { ...view };
    this.paper = canvas.getContext("2d")!;
    canvas.tabIndex = 0;
    if (!canvas.hasAttribute("role")) canvas.setAttribute("role", "application");
    if (!canvas.hasAttribute("aria-label")) {
      canvas.setAttribute("aria-label", "Sky: arrows move, plus and minus zoom, Home returns, Enter picks what is in the middle");
    }
    canvas.style.touchAction = "pan-y";
    this.listen();
    this.watch = new ResizeObserver(() => this.redraw());
    this.watch.observe(canvas);
    this.redraw();
  }

  /** Where one looks. */
  get where(): View {
    return { ...this.view };
  }

  /** Look elsewhere; `onMove` is not told. */
  goTo(view: Partial<View>): void {
    this.view = tidy({ ...this.view, ...view });
    this.redraw();
  }

  /** Show these points in place of those before; degrees, ICRS. What is NaN is not shown. */
  setPoints(ra: ArrayLike<number>, dec: ArrayLike<number>, colour: PointColour = ""): void {
    this.points = unit(ra, dec);
    this.colour = colour;
    this.px = new Float32Array(ra.length);
    this.py = new Float32Array(ra.length);
    this.chosen.clear();
    this.redraw();
  }

  /** Show these footprints in place of those before: each in words (`s_region`) or as outlines. */
  setFootprints(footprints: readonly (string | readonly Outline[])[]): void {
    this.outlines = footprints.flatMap((one, of) =>
      (typeof one === "string" ? outlinesOf(one) : one).map((line) => ({ of, unit: fine(line) })),
    );
    this.marked = null;
    this.redraw();
  }

  /** Show these lines in place of those before: they are dashed, and nobody can pick them. */
  setGuides(lines: readonly Outline[]): void {
    this.guides = lines.map(fine);
    this.redraw();
  }

  /** Set these points off from the others. */
  select(indices: Iterable<number>): void {
    this.chosen = new Set(indices);
    this.redraw();
  }

  /** Set one footprint off from the others. */
  mark(footprint: number | null): void {
    this.marked = footprint;
    this.redraw();
  }

  /** Let go of the canvas. */
  destroy(): void {
    this.end.abort();
    this.watch.disconnect();
    cancelAnimationFrame(this.frame);
  }

  // ---- what the reader does -----------------------------------------------------------------------------------

  private listen(): void {
    const canvas = this.canvas, until = { signal: this.end.signal };
    canvas.addEventListener("pointerdown", (event) => this.press(event), until);
    canvas.addEventListener("pointermove", (event) => this.drag(event), until);
    canvas.addEventListener("pointerup", (event) => this.release(event), until);
    canvas.addEventListener("pointercancel", (event) => this.fingers.delete(event.pointerId), until);
    canvas.addEventListener("keydown", (event) => this.key(event), until);
    canvas.addEventListener("focus", () => this.redraw(), until);
    canvas.addEventListener("blur", () => this.redraw(), until);
    canvas.addEventListener("wheel", (event) => this.turn(event), { ...until, passive: false });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw(), until);
  }

  private press(event: PointerEvent): void {
    this.canvas.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, [event.offsetX, event.offsetY]);
    this.travelled = 0;
    this.box = event.shiftKey ? [event.offsetX, event.offsetY, event.offsetX, event.offsetY] : null;
  }

  private drag(event: PointerEvent): void {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const now: [number, number] = [event.offsetX, event.offsetY];
    this.travelled += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (this.box) this.box = [this.box[0], this.box[1], ...now];
    else if (this.fingers.size === 2) {
      const other = [...this.fingers].find(([id]) => id !== event.pointerId)![1];
      const was = Math.hypot(before[0] - other[0], before[1] - other[1]), is = Math.hypot(now[0] - other[0], now[1] - other[1]);
      if (is > 0) this.zoom(was / is);
    } else if (this.travelled > 3) this.pan(now[0] - before[0], now[1] - before[1]);
    this.fingers.set(event.pointerId, now);
    this.redraw();
  }

  private release(event: PointerEvent): void {
    if (!this.fingers.delete(event.pointerId)) return;
    const box = this.box;
    this.box = null;
    if (box && this.travelled > 3) {
      const [left, right] = [Math.min(box[0], box[2]), Math.max(box[0], box[2])];
      const [top, bottom] = [Math.min(box[1], box[3]), Math.max(box[1], box[3])];
      const taken: number[] = [];
      for (let i = 0; i < this.px.length; i++) {
        const x = this.px[i]!, y = this.py[i]!;
        if (x >= left && x <= right && y >= top && y <= bottom) taken.push(i);
      }
      this.select(taken);
      this.onBrush?.(taken);
    } else if (this.travelled <= 3) this.onPick?.(this.at(event.offsetX, event.offsetY));
    this.redraw();
  }

  private turn(event: WheelEvent): void {
    if (!event.ctrlKey && document.activeElement !== this.canvas) return; // the page scrolls until the sky is clicked
    event.preventDefault();
    this.zoom(Math.exp(Math.max(-50, Math.min(50, event.deltaY)) / 150), event.offsetX, event.offsetY);
  }

  private key(event: KeyboardEvent): void {
    const step = this.width / 10;
    const deeds: Record<string, () => void> = {
      ArrowLeft: () => this.pan(step, 0),
      ArrowRight: () => this.pan(-step, 0),
      ArrowUp: () => this.pan(0, step),
      ArrowDown: () => this.pan(0, -step),
      "+": () => this.zoom(1 / 1.4),
      "=": () => this.zoom(1 / 1.4),
      "-": () => this.zoom(1.4),
      Home: () => this.move({ ...this.home }),
      Enter: () => this.onPick?.(this.at(this.width / 2, this.height / 2, 4 * REACH)),
    };
    const deed = deeds[event.key];
    if (!deed || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    deed();
  }

  private pan(dx: number, dy: number): void {
    const [ra, dec] = this.skyAt(this.width / 2 - dx, this.height / 2 - dy);
    this.move({ ...this.view, ra, dec });
  }

  /** Zoom by a factor; what lies under the place stays there. */
  private zoom(factor: number, x = this.width / 2, y = this.height / 2): void {
    const fov = Math.max(NARROWEST, Math.min(WIDEST, this.view.fov * factor)), real = fov / this.view.fov;
    const [ra, dec] = this.skyAt(this.width / 2 + (x - this.width / 2) * (1 - real), this.height / 2 + (y - this.height / 2) * (1 - real));
    this.move({ ra, dec, fov });
  }

  private move(view: View): void {
    this.view = tidy(view);
    this.redraw();
    this.onMove?.(this.where);
  }

  private at(x: number, y: number, reach = REACH): Picked | null {
    let best = reach * reach, index = -1;
    for (let i = 0; i < this.px.length; i++) {
      const away = (this.px[i]! - x) ** 2 + (this.py[i]! - y) ** 2;
      if (away < best) [best, index] = [away, i];
    }
    if (index >= 0) return { kind: "point", index };
    let smallest = Infinity, found = -1;
    for (const line of this.outlines) {
      const path = large(this.path(line.unit), REACH);
      const extent = path && inside(path, x, y);
      if (extent && extent < smallest) [smallest, found] = [extent, line.of];
    }
    return found >= 0 ? { kind: "footprint", index: found } : null;
  }

  // ---- where things are ---------------------------------------------------------------------------------------

  /** Pixels per unit of the projection. */
  private get scale(): number {
    return this.width / (4 * Math.sin((Math.min(this.view.fov, 360) * DEG) / 4));
  }

  private axes() {
    const { ra, dec } = this.view;
    const [sa, ca, sd, cd] = [Math.sin(ra * DEG), Math.cos(ra * DEG), Math.sin(dec * DEG), Math.cos(dec * DEG)];
    return { east: [-sa, ca, 0], north: [-sd * ca, -sd * sa, cd], out: [cd * ca, cd * sa, sd] } as const;
  }

  private project(from: Unit, toX: Float32Array, toY: Float32Array): void {
    const { east, north, out } = this.axes(), scale = this.scale, cx = this.width / 2, cy = this.height / 2;
    for (let i = 0; i < toX.length; i++) {
      const x = from.x[i]!, y = from.y[i]!, z = from.z[i]!;
      const depth = x * out[0] + y * out[1] + z * out[2];
      const stretch = depth > FAR ? scale * Math.sqrt(2 / (1 + depth)) : NaN;
      toX[i] = cx - stretch * (x * east[0] + y * east[1]);
      toY[i] = cy - stretch * (x * north[0] + y * north[1] + z * north[2]);
    }
  }

  private skyAt(x: number, y: number): [number, number] {
    const { east, north, out } = this.axes();
    let u = (this.width / 2 - x) / this.scale, v = (this.height / 2 - y) / this.scale;
    const r = Math.hypot(u, v);
    if (r > 1.99) [u, v] = [(u / r) * 1.99, (v / r) * 1.99];
    const q = u * u + v * v, k = Math.sqrt(1 - q / 4), depth = 1 - q / 2;
    const at = [0, 1, 2].map((i) => k * (u * east[i]! + v * north[i]!) + depth * out[i]!);
    return [Math.atan2(at[1]!, at[0]!) / DEG, Math.atan2(at[2]!, Math.hypot(at[0]!, at[1]!)) / DEG];
  }

  /** Places of a line in the view; null if part of it is behind the reader. */
  private path(line: Unit): [Float32Array, Float32Array] | null {
    const x = new Float32Array(line.x.length), y = new Float32Array(line.x.length);
    this.project(line, x, y);
    return x.some(Number.isNaN) ? null : [x, y];
  }

  // ---- drawing ------------------------------------------------------------------------------------------------

  private redraw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    const { canvas, paper } = this, density = devicePixelRatio || 1;
    this.width = canvas.clientWidth;
    this.height = canvas.clientHeight;
    if (!this.width || !this.height) return;
    const [w, h] = [Math.round(this.width * density), Math.round(this.height * density)];
    if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
    const look = getComputedStyle(canvas), ink = (name: string) => look.getPropertyValue(name).trim();
    paper.setTransform(density, 0, 0, density, 0, 0);
    paper.fillStyle = ink("--paper");
    paper.fillRect(0, 0, this.width, this.height);
    this.drawGraticule(ink("--line"), ink("--soft"));
    this.drawOutlines(ink("--mark"), ink("--link"));
    this.drawGuides(ink("--mark"));
    this.drawPoints(ink("--link"), ink("--mark"));
    if (this.box) {
      paper.setLineDash([4, 3]);
      paper.strokeStyle = ink("--ink");
      paper.strokeRect(this.box[0], this.box[1], this.box[2] - this.box[0], this.box[3] - this.box[1]);
      paper.setLineDash([]);
    }
    if (document.activeElement === canvas) this.drawCross(ink("--soft"));
    this.canvas.dataset.drawn = String(this.px.length);
  }

  private drawGraticule(line: string, words: string): void {
    const { paper, width, height } = this, { ra, dec, fov } = this.view;
    const tall = (fov * height) / width, wide = Math.min(180, Math.max(fov, tall) * 0.75);
    const reach = wide / Math.max(0.02, Math.cos(Math.min(89.5, Math.abs(dec) + wide) * DEG));
    const stepDec = stepFor(tall / 4), stepRa = stepFor(Math.min(fov / Math.max(0.05, Math.cos(dec * DEG)), 240) / 4);
    const [low, high] = [Math.max(-90, dec - wide), Math.min(90, dec + wide)], span = Math.min(180, reach);
    paper.strokeStyle = line;
    paper.lineWidth = 1;
    paper.font = "11px system-ui, sans-serif";
    paper.fillStyle = words;
    for (let at = Math.ceil(low / stepDec) * stepDec; at <= high + 1e-9; at += stepDec) {
      const edge = this.stroke(sampled((t) => [ra - span + 2 * span * t, at]), (x, y) => x < width && y > 14 && y < height - 16 ? x : NaN);
      if (edge) paper.fillText(degrees(at, stepDec, true), Math.max(4, edge[0] + 4), edge[1] - 3);
    }
    const first = Math.ceil((ra - span) / stepRa), last = Math.min(first + Math.ceil(360 / stepRa) - 1, Math.floor((ra + span) / stepRa));
    if (last - first > 90) return;
    for (let k = first; k <= last; k++) {
      const edge = this.stroke(sampled((t) => [k * stepRa, low + (high - low) * t]), (x, y) => x > 60 && x < width - 40 && y < height ? -y : NaN);
      if (edge) paper.fillText(degrees((((k * stepRa) % 360) + 360) % 360, stepRa, false), edge[0] + 3, Math.min(height - 4, edge[1] - 4));
    }
  }

  /** Draw a line; the place on it that is in the view and ranks first. */
  private stroke(line: Unit, rank: (x: number, y: number) => number): [number, number] | null {
    const n = line.x.length, x = new Float32Array(n), y = new Float32Array(n);
    this.project(line, x, y);
    let best = Infinity, place: [number, number] | null = null, isDown = false;
    this.paper.beginPath();
    for (let i = 0; i < n; i++) {
      const isHere = !Number.isNaN(x[i]!) && Math.abs(x[i]!) < 1e5 && Math.abs(y[i]!) < 1e5;
      if (isHere && isDown) this.paper.lineTo(x[i]!, y[i]!);
      else if (isHere) this.paper.moveTo(x[i]!, y[i]!);
      isDown = isHere;
      const value = isHere && x[i]! >= 0 && y[i]! >= 0 ? rank(x[i]!, y[i]!) : NaN;
      if (value < best) [best, place] = [value, [x[i]!, y[i]!]];
    }
    this.paper.stroke();
    return place;
  }

  private drawOutlines(mark: string, plain: string): void {
    const { paper } = this;
    const ordered = [...this.outlines].sort((a, b) => Number(a.of === this.marked) - Number(b.of === this.marked));
    for (const line of ordered) {
      const path = large(this.path(line.unit));
      if (!path) continue;
      const isMarked = line.of === this.marked;
      paper.beginPath();
      path[0].forEach((x, i) => (i ? paper.lineTo(x, path[1][i]!) : paper.moveTo(x, path[1][i]!)));
      paper.closePath();
      paper.fillStyle = paper.strokeStyle = isMarked ? mark : plain;
      paper.globalAlpha = isMarked ? 0.18 : Math.min(0.05, 0.3 / this.outlines.length);
      paper.fill();
      paper.globalAlpha = isMarked ? 1 : 0.8;
      paper.lineWidth = isMarked ? 2.5 : 1;
      paper.stroke();
      paper.globalAlpha = 1;
    }
  }

  private drawGuides(ink: string): void {
    const { paper } = this;
    paper.strokeStyle = ink;
    paper.lineWidth = 1;
    paper.setLineDash([5, 4]);
    for (const line of this.guides) {
      const path = this.path(line);
      if (!path) continue;
      paper.beginPath();
      path[0].forEach((x, i) => (i ? paper.lineTo(x, path[1][i]!) : paper.moveTo(x, path[1][i]!)));
      paper.closePath();
      paper.stroke();
    }
    paper.setLineDash([]);
  }

  private drawPoints(plain: string, mark: string): void {
    const { paper, px, py, colour, width, height } = this;
    this.project(this.points, px, py);
    const side = px.length > 50_000 ? 1 : px.length > 5_000 ? 2 : px.length > 500 ? 3 : 5, half = side / 2;
    const inks = typeof colour === "string" ? [colour || plain] : colour.palette;
    paper.globalAlpha = this.chosen.size ? 0.35 : px.length > 5_000 ? 0.7 : 0.9;
    inks.forEach((one, place) => {
      paper.fillStyle = one;
      for (let i = 0; i < px.length; i++) {
        const x = px[i]!, y = py[i]!;
        if (x >= 0 && y >= 0 && x <= width && y <= height && (typeof colour === "string" || colour.of[i] === place)) {
          paper.fillRect(x - half, y - half, side, side);
        }
      }
    });
    paper.globalAlpha = 1;
    paper.fillStyle = mark;
    for (const i of this.chosen) paper.fillRect(px[i]! - half - 1, py[i]! - half - 1, side + 2, side + 2);
  }

  private drawCross(ink: string): void {
    const { paper, width, height } = this;
    paper.strokeStyle = ink;
    paper.lineWidth = 1;
    paper.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]] as const) {
      paper.moveTo(width / 2 + 5 * dx, height / 2 + 5 * dy);
      paper.lineTo(width / 2 + 12 * dx, height / 2 + 12 * dy);
    }
    paper.stroke();
  }
}

function tidy(view: View): View {
  return {
    ra: ((view.ra % 360) + 360) % 360,
    dec: Math.max(-90, Math.min(90, view.dec)),
    fov: Math.max(NARROWEST, Math.min(WIDEST, view.fov)),
  };
}

function unit(ra: ArrayLike<number>, dec: ArrayLike<number>): Unit {
  const n = ra.length, out = { x: new Float64Array(n), y: new Float64Array(n), z: new Float64Array(n) };
  for (let i = 0; i < n; i++) {
    const cd = Math.cos(dec[i]! * DEG);
    out.x[i] = cd * Math.cos(ra[i]! * DEG);
    out.y[i] = cd * Math.sin(ra[i]! * DEG);
    out.z[i] = Math.sin(dec[i]! * DEG);
  }
  return out;
}

/** An outline with points between corners that are far apart, since its sides are great circles. */
function fine(line: Outline): Unit {
  const corners = unit(line.ra, line.dec), n = line.ra.length, x: number[] = [], y: number[] = [], z: number[] = [];
  for (let i = 0; i < n; i++) {
    const j = (i + 1) % n;
    const dx = corners.x[j]! - corners.x[i]!, dy = corners.y[j]! - corners.y[i]!, dz = corners.z[j]! - corners.z[i]!;
    const steps = Math.max(1, Math.min(90, Math.ceil(Math.hypot(dx, dy, dz) / 0.03)));
    for (let k = 0; k < steps; k++) {
      const at = [corners.x[i]! + (dx * k) / steps, corners.y[i]! + (dy * k) / steps, corners.z[i]! + (dz * k) / steps];
      const length = steps > 1 ? Math.hypot(at[0]!, at[1]!, at[2]!) || 1 : 1;
      x.push(at[0]! / length);
      y.push(at[1]! / length);
      z.push(at[2]! / length);
    }
  }
  return { x: Float64Array.from(x), y: Float64Array.from(y), z: Float64Array.from(z) };
}

function sampled(at: (t: number) => [number, number]): Unit {
  const places = Array.from({ length: 161 }, (_, i) => at(i / 160));
  return unit(places.map((place) => place[0]), places.map((place) => place[1]));
}

/** A path that is too small to be seen or picked, as a square that is not. */
function large(path: [Float32Array, Float32Array] | null, least = 5): [Float32Array, Float32Array] | null {
  if (!path) return null;
  const [left, right, top, bottom] = [Math.min(...path[0]), Math.max(...path[0]), Math.min(...path[1]), Math.max(...path[1])];
  if (Math.max(right - left, bottom - top) >= least) return path;
  const x = (left + right) / 2, y = (top + bottom) / 2, half = least / 2;
  return [Float32Array.of(x - half, x + half, x + half, x - half), Float32Array.of(y - half, y - half, y + half, y + half)];
}

/** Extent of a closed path in square pixels if a place is in it, 0 otherwise. */
function inside([px, py]: [Float32Array, Float32Array], x: number, y: number): number {
  let isIn = false, area = 0;
  for (let i = 0, j = px.length - 1; i < px.length; j = i++) {
    if (py[i]! > y !== py[j]! > y && x < ((px[j]! - px[i]!) * (y - py[i]!)) / (py[j]! - py[i]!) + px[i]!) isIn = !isIn;
    area += px[j]! * py[i]! - px[i]! * py[j]!;
  }
  return isIn ? Math.abs(area) / 2 || 1 : 0;
}

function stepFor(wanted: number): number {
  return STEPS.find((step) => step <= wanted) ?? STEPS.at(-1)!;
}

function degrees(value: number, step: number, isSigned: boolean): string {
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const text = Math.abs(value).toFixed(digits);
  const sign = value < 0 && Number(text) ? "−" : isSigned && Number(text) ? "+" : "";
  return `${sign}${text}°`;
}
