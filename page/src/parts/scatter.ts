// Points in a plane with axes: regl-scatterplot draws the points, a canvas above it the axes.
//
// What is told to others are places in the arrays that were given: points without a place (NaN) are left out here.
// regl-scatterplot finds points by an index of all of them, which takes longer to build than the points take to draw; it
// is given an empty one, and which points are meant is found here.

import { scaleLinear, type ScaleLinear } from "d3-scale";
import createScatterplot from "regl-scatterplot";
import { colourOf, drawFrame, innerSize, penOf, shades, type Domain, type Labels, type Range } from "./frame";
import { inside, nearest } from "./picking";
import { placesOf, sortedOf } from "./ranks";

/** Part of the points beyond which outliers do not set the range. */
const ROBUST = 0.002;
/** How far from a point it is meant, CSS pixels. */
const REACH = 6;
/** An index of no points, as KDBush writes it. */
const NO_INDEX = Uint8Array.of(0xdb, 0x18, 16, 0, 0, 0, 0, 0).buffer;

export class Scatter {
  /** Told the places of the points that were chosen; none when nothing is. */
  onSelect: (chosen: number[]) => void = () => {};
  /** Told which point is pointed at, or that none is. */
  onHover: (place: number | null) => void = () => {};
  /** Told what is in view. */
  onView: (domain: Domain) => void = () => {};

  readonly element: HTMLElement;
  private readonly canvas = document.createElement("canvas");
  private readonly overlay = document.createElement("canvas");
  private xScale: ScaleLinear<number, number> = scaleLinear();
  private yScale: ScaleLinear<number, number> = scaleLinear();
  private readonly end = new AbortController();
  private readonly plot: ReturnType<typeof createScatterplot>;
  private labels: Labels = { x: "", y: "" };
  /** Place in the caller's arrays of each drawn point, and the other way round, where there is one. */
  private drawn: Int32Array = new Int32Array(0);
  private order: Int32Array = new Int32Array(0);
  /** Where the points are, from -1 to 1. */
  private xs = new Float32Array(0);
  private ys = new Float32Array(0);
  private domain: Domain = { x: [0, 1], y: [0, 1] };
  private colours = 0;
  private drawing: Promise<void> = Promise.resolve();
  private size = { width: 0, height: 0 };
  private mode: "lasso" | "panZoom" = "panZoom";
  /** Where a pointer went down. */
  private down: [number, number] = [0, 0];

  constructor(host: HTMLElement, name: string) {
    this.element = host;
    host.classList.add("chart", "scatter");
    this.canvas.className = "points";
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", name);
    this.overlay.className = "axes";
    host.append(this.canvas, this.overlay);
    const { width, height } = (this.size = innerSize(host));
    this.plot = createScatterplot({
      canvas: this.canvas,
      width,
      height,
      aspectRatio: width / height,
      xScale: this.xScale,
      yScale: this.yScale,
      pointSize: 3,
      opacity: 0.75,
      lassoOnLongPress: false,
      lassoInitiator: false,
      deselectOnEscape: false, // wherever it is pressed; whoever has this view takes the key where it is meant
      ...({ actionKeyMap: { lasso: "shift" } } as object), // of which its types know nothing
      showReticle: false,
      ...this.paints(),
    });
    this.plot.subscribe("deselect", () => this.onSelect([]));
    this.plot.subscribe("lassoEnd" as never, ({ coordinates }: { coordinates: [number, number][] }) => {
      this.choose(inside(this.xs, this.ys, coordinates));
    });
    this.point();
    this.plot.subscribe("view", () => {
      this.drawAxes();
      this.onView(this.inView());
    });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    const resized = new ResizeObserver(() => this.resize());
    resized.observe(host);
    this.end.signal.addEventListener("abort", () => resized.disconnect());
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => this.repaint(), { signal: this.end.signal });
  }

  /** Draw points; `colour` holds numbers 0 to 1, if they differ. */
  async setData(x: Float64Array, y: Float64Array, labels: Labels, colour?: Float64Array, domain?: Domain): Promise<void> {
    this.labels = labels;
    this.drawn = placesOf(x, y);
    this.order = new Int32Array(x.length).fill(-1);
    this.drawn.forEach((place, i) => (this.order[place] = i));
    this.domain = domain ?? { x: robust(x, this.drawn), y: robust(y, this.drawn) };
    this.normalise(x, y);
    const [x0, x1] = this.domain.x;
    const [y0, y1] = this.domain.y;
    this.xScale = scaleLinear().domain(labels.invertX ? [x1, x0] : [x0, x1]); // new ones: domains are read when set
    this.yScale = scaleLinear().domain(labels.invertY ? [y1, y0] : [y0, y1]);
    this.colours = colour ? 1 : 0;
    const n = this.drawn.length;
    const hue = colour && Float32Array.from(this.drawn, (place) => (Number.isFinite(colour[place]) ? colour[place]! : 0));
    this.plot.reset({ preventEvent: true } as never);
    await this.plot.set({
      pointSize: n > 100_000 ? 1.5 : n > 10_000 ? 2.5 : 4,
      opacity: n > 100_000 ? 0.4 : n > 10_000 ? 0.6 : 0.85,
      colorBy: colour ? "z" : null,
      xScale: this.xScale,
      yScale: this.yScale,
      ...this.paints(),
    }); // waited for, since it draws in the next frame, and so many points are not to be drawn twice
    const points = { x: this.xs, y: this.ys, ...(hue && { z: hue }) };
    await (this.drawing = this.drawing.then(async () => {
      if (!this.end.signal.aborted && points.x === this.xs) await this.plot.draw(points, { zDataType: "continuous", spatialIndex: NO_INDEX });
    }));
    if (!this.end.signal.aborted) this.drawAxes();
  }

  /** Show points as chosen, without telling. */
  select(places: Iterable<number>): void {
    if (this.end.signal.aborted) return;
    const chosen: number[] = [];
    for (const place of places) {
      const i = this.order[place] ?? -1;
      if (i >= 0) chosen.push(i);
    }
    if (chosen.length) this.plot.select(chosen, { preventEvent: true });
    else this.plot.deselect({ preventEvent: true });
  }

  /** Drag to choose (`lasso`) or to move (`panZoom`). */
  setMode(mode: "lasso" | "panZoom"): void {
    if (mode !== this.mode) void this.plot.set({ mouseMode: mode });
    this.mode = mode;
  }

  /** Draw again, in the colours that the style sheet has now. */
  repaint(): void {
    this.plot.set(this.paints());
    this.drawAxes();
  }

  /** All points in view again. */
  reset(): void {
    this.plot.reset();
    this.drawAxes();
  }

  /** What is in view. */
  inView(): Domain {
    const sorted = (pair: number[]): Range => [Math.min(pair[0]!, pair[1]!), Math.max(pair[0]!, pair[1]!)];
    return { x: sorted(this.xScale.domain()), y: sorted(this.yScale.domain()) };
  }

  destroy(): void {
    this.end.abort();
    this.plot.destroy();
    this.element.replaceChildren();
  }

  private resize(): void {
    const size = innerSize(this.element);
    if (size.width === this.size.width && size.height === this.size.height) return;
    this.size = size;
    void this.plot.set({ ...size, aspectRatio: size.width / size.height });
    this.drawAxes();
  }

  /** Have points found that are pointed at. Listens after regl-scatterplot, which finds none. */
  private point(): void {
    const { signal } = this.end;
    const found = (event: MouseEvent) => {
      const { x, y } = this.canvas.getBoundingClientRect();
      const [across, up] = [this.xScale.domain(), this.yScale.domain()];
      const part = [(event.clientX - x) / this.size.width, 1 - (event.clientY - y) / this.size.height];
      const at = [across, up].map(([low, high], axis) => low! + part[axis]! * (high! - low!));
      const [sx, sy, cx, cy] = this.plane();
      const reach = [(across[1]! - across[0]!) * sx, (up[1]! - up[0]!) * sy];
      return nearest(
        this.xs,
        this.ys,
        [(at[0]! - cx) * sx, (at[1]! - cy) * sy],
        [(REACH * reach[0]!) / this.size.width, (REACH * reach[1]!) / this.size.height],
      );
    };
    let pointed = -1;
    const hover = (i: number) => {
      if (i >= 0) this.plot.hover(i, { preventEvent: true });
      if (i !== pointed) this.onHover(i < 0 ? null : this.drawn[i]!);
      pointed = i;
    };
    addEventListener("mousemove", (event) => event.composedPath()[0] === this.canvas && !event.buttons && hover(found(event)), { signal });
    this.canvas.addEventListener("mouseleave", () => hover(-1), { signal });
    this.canvas.addEventListener("mousedown", (event) => (this.down = [event.clientX, event.clientY]), { signal });
    this.canvas.addEventListener("click", (event) => {
      const moved = Math.hypot(event.clientX - this.down[0], event.clientY - this.down[1]);
      const i = moved < REACH ? found(event) : -1;
      if (i >= 0) this.choose([i]);
    }, { signal });
  }

  /** Show drawn points as chosen, and tell. */
  private choose(points: number[]): void {
    if (!points.length) return;
    this.plot.select(points, { preventEvent: true });
    this.onSelect(points.map((i) => this.drawn[i]!));
  }

  /** Scales and middles of the quantities where -1 to 1, upwards and to the right, is the plane. */
  private plane(): [number, number, number, number] {
    const { labels } = this;
    const { x: [x0, x1], y: [y0, y1] } = this.domain;
    return [(labels.invertX ? -2 : 2) / (x1 - x0), (labels.invertY ? -2 : 2) / (y1 - y0), (x0 + x1) / 2, (y0 + y1) / 2];
  }

  private normalise(x: Float64Array, y: Float64Array): void {
    const { drawn } = this;
    const [sx, sy, cx, cy] = this.plane();
    this.xs = new Float32Array(drawn.length);
    this.ys = new Float32Array(drawn.length);
    for (let i = 0; i < drawn.length; i++) {
      this.xs[i] = (x[drawn[i]!]! - cx) * sx;
      this.ys[i] = (y[drawn[i]!]! - cy) * sy;
    }
  }

  private paints() {
    const colour = (name: string) => colourOf(name, this.element);
    return {
      backgroundColor: colour("--paper"),
      pointColor: this.colours ? shades(this.element) : colour("--link"),
      pointColorActive: colour("--mark"),
      pointColorHover: colour("--mark"),
      lassoColor: colour("--mark"),
    };
  }

  private drawAxes(): void {
    const pen = penOf(this.overlay, this.element);
    const [x, y] = [this.xScale.domain() as Range, this.yScale.domain() as Range];
    if (pen) drawFrame(pen, innerSize(this.element), x, y, this.labels);
  }

  private key(event: KeyboardEvent): void {
    const { x, y } = this.inView();
    const dx = (x[1] - x[0]) * 0.15 * (this.labels.invertX ? -1 : 1);
    const dy = (y[1] - y[0]) * 0.15 * (this.labels.invertY ? -1 : 1);
    const moves: Record<string, [number, number, number]> = {
      ArrowLeft: [-dx, 0, 1],
      ArrowRight: [dx, 0, 1],
      ArrowUp: [0, dy, 1],
      ArrowDown: [0, -dy, 1],
      "+": [0, 0, 0.7],
      "-": [0, 0, 1.4],
    };
    const move = moves[event.key];
    if (event.key === "0") this.reset();
    if (!move) return;
    event.preventDefault();
    const [mx, my, zoom] = move;
    const half = (pair: Range, by: number): Range => {
      const middle = (pair[0] + pair[1]) / 2 + by;
      const reach = ((pair[1] - pair[0]) / 2) * zoom;
      return [middle - reach, middle + reach];
    };
    this.look({ x: half(x, mx), y: half(y, my) });
  }

  /** Have a part of the plane in view. */
  look(domain: Domain): void {
    const at = (value: number, [low, high]: Range, inverted?: boolean) =>
      (((value - low) / (high - low)) * 2 - 1) * (inverted ? -1 : 1);
    const xs = domain.x.map((value) => at(value, this.domain.x, this.labels.invertX));
    const ys = domain.y.map((value) => at(value, this.domain.y, this.labels.invertY));
    const x = Math.min(...xs);
    const y = Math.min(...ys);
    void this.plot.zoomToArea({ x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y });
  }
}

/** Where nearly all values lie, and a little more. */
function robust(values: Float64Array, places: Int32Array): Range {
  const known = sortedOf(values, places);
  if (!known.length) return [0, 1];
  const cut = Math.floor(known.length * ROBUST);
  const low = known[cut]!;
  const high = known[known.length - 1 - cut]!;
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - room, high + room];
}
