// Points in a plane with axes: regl-scatterplot draws the points, a canvas above it the axes.
//
// What is told to others are places in the arrays that were given: points without a place (NaN) are left out here.

import { scaleLinear, type ScaleLinear } from "d3-scale";
import createScatterplot from "regl-scatterplot";
import { colourOf, drawFrame, innerSize, penOf, shades, type Domain, type Labels, type Range } from "./frame";

/** Part of the points beyond which outliers do not set the range. */
const ROBUST = 0.002;

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
  /** Place in the caller's arrays of each drawn point, and the other way round. */
  private drawn: Int32Array = new Int32Array(0);
  private placeOf: Map<number, number> = new Map();
  private domain: Domain = { x: [0, 1], y: [0, 1] };
  private colours = 0;

  constructor(host: HTMLElement, name: string) {
    this.element = host;
    host.classList.add("chart", "scatter");
    this.canvas.className = "points";
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", name);
    this.overlay.className = "axes";
    host.append(this.canvas, this.overlay);
    const { width, height } = innerSize(host);
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
    this.plot.subscribe("select", ({ points }) => this.onSelect(points.map((i) => this.drawn[i] ?? 0)));
    this.plot.subscribe("deselect", () => this.onSelect([]));
    this.plot.subscribe("pointover" as never, (i: number) => this.onHover(this.drawn[i] ?? null));
    this.plot.subscribe("pointout" as never, () => this.onHover(null));
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
    const places: number[] = [];
    for (let i = 0; i < x.length; i++) if (Number.isFinite(x[i]) && Number.isFinite(y[i])) places.push(i);
    this.drawn = Int32Array.from(places);
    this.placeOf = new Map(places.map((place, i) => [place, i]));
    this.domain = domain ?? { x: robust(x, places), y: robust(y, places) };
    const { xs, ys } = this.normalised(x, y);
    const [x0, x1] = this.domain.x;
    const [y0, y1] = this.domain.y;
    this.xScale = scaleLinear().domain(labels.invertX ? [x1, x0] : [x0, x1]); // new ones: domains are read when set
    this.yScale = scaleLinear().domain(labels.invertY ? [y1, y0] : [y0, y1]);
    const points: { x: Float32Array; y: Float32Array; z?: Float32Array } = { x: xs, y: ys };
    this.colours = colour ? 1 : 0;
    if (colour) points.z = Float32Array.from(places, (place) => (Number.isFinite(colour[place]) ? colour[place]! : 0));
    const n = places.length;
    this.plot.set({
      pointSize: n > 100_000 ? 1.5 : n > 10_000 ? 2.5 : 4,
      opacity: n > 100_000 ? 0.4 : n > 10_000 ? 0.6 : 0.85,
      colorBy: colour ? "z" : null,
      xScale: this.xScale,
      yScale: this.yScale,
      ...this.paints(),
    });
    await this.plot.draw(points, { zDataType: "continuous" });
    if (this.end.signal.aborted) return;
    this.plot.reset({ preventEvent: true } as never);
    this.drawAxes();
  }

  /** Show points as chosen, without telling. */
  select(places: Iterable<number>): void {
    if (this.end.signal.aborted) return;
    const chosen: number[] = [];
    for (const place of places) {
      const i = this.placeOf.get(place);
      if (i !== undefined) chosen.push(i);
    }
    if (chosen.length) this.plot.select(chosen, { preventEvent: true });
    else this.plot.deselect({ preventEvent: true });
  }

  /** Drag to choose (`lasso`) or to move (`panZoom`). */
  setMode(mode: "lasso" | "panZoom"): void {
    this.plot.set({ mouseMode: mode });
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
    this.plot.set({ ...size, aspectRatio: size.width / size.height });
    this.drawAxes();
  }

  /** Places from -1 to 1, upwards and to the right. */
  private normalised(x: Float64Array, y: Float64Array): { xs: Float32Array; ys: Float32Array } {
    const { drawn, domain, labels } = this;
    const xs = new Float32Array(drawn.length);
    const ys = new Float32Array(drawn.length);
    const [x0, x1] = domain.x;
    const [y0, y1] = domain.y;
    const sx = (labels.invertX ? -2 : 2) / (x1 - x0);
    const sy = (labels.invertY ? -2 : 2) / (y1 - y0);
    const cx = (x0 + x1) / 2;
    const cy = (y0 + y1) / 2;
    for (let i = 0; i < drawn.length; i++) {
      xs[i] = (x[drawn[i]!]! - cx) * sx;
      ys[i] = (y[drawn[i]!]! - cy) * sy;
    }
    return { xs, ys };
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
function robust(values: Float64Array, places: number[]): Range {
  const known = Float64Array.from(places, (place) => values[place]!).sort();
  if (!known.length) return [0, 1];
  const cut = Math.floor(known.length * ROBUST);
  const low = known[cut]!;
  const high = known[known.length - 1 - cut]!;
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - room, high + room];
}
