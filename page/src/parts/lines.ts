// Points with error bars, and lines, in axes: uPlot, with markers of bands, magnitudes that run down, and a point that is
// chosen by mouse or keys. Colours are those of the style sheet, in dark as in light.

import uPlot from "uplot";
import sheetText from "uplot/dist/uPlot.min.css";

/** Values of one kind. */
export interface Series {
  name: string;
  /** As the style sheet calls it: `blue` is `--k-blue`. */
  colour: string;
  /** As matplotlib spells markers; empty for a line. */
  marker: string;
  x: number[];
  y: (number | null)[];
  error?: (number | null)[];
  /** Which of them are doubtful: hollow. */
  faint?: boolean[];
  /** What each is called outside; given back when it is chosen. */
  keys?: number[];
}

/** How a diagram is drawn. */
export interface Given {
  label: string;
  xLabel: string;
  yLabel: string;
  inverted?: boolean;
  logX?: boolean;
  logY?: boolean;
  /** Radius of markers, pixels; 4 if nothing is said. */
  radius?: number;
  height?: number;
  /** What happens to a click: the key of the nearest point, or the place on the axis. */
  onPick?: (key: number | null, x: number) => void;
}

interface Row {
  x: number;
  y: number;
  error: number;
  series: number;
  key: number;
  faint: boolean;
}

const NEAR_PX = 14;
const ROOM = 0.04;

let hasSheet = false;

/** A diagram in a place of the page, which it fills. */
export class Lines {
  private plot: uPlot;
  private rows: Row[] = [];
  private series: Series[] = [];
  private chosen: number | null = null;
  private full = { x: [0, 1] as [number, number], y: [0, 1] as [number, number] };
  private readonly watch: ResizeObserver;
  private readonly dark = matchMedia("(prefers-color-scheme: dark)");
  private readonly repaint = (): void => this.plot.redraw(false, true);

  constructor(
    private readonly place: HTMLElement,
    private readonly given: Given,
  ) {
    if (!hasSheet) {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(sheetText);
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
      hasSheet = true;
    }
    place.tabIndex = 0;
    place.setAttribute("role", "group");
    place.setAttribute("aria-label", given.label);
    this.plot = new uPlot(this.options(), [[0], [null]], place);
    this.plot.over.addEventListener("click", (event) => this.pick(event));
    this.plot.over.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    place.addEventListener("keydown", (event) => this.key(event));
    this.watch = new ResizeObserver(() => this.fit());
    this.watch.observe(place);
    this.dark.addEventListener("change", this.repaint);
  }

  /** Draw other values; `range` fixes the x axis. */
  set(series: Series[], range?: [number, number]): void {
    this.series = series;
    this.rows = series.flatMap((one, number) =>
      one.x.map((x, i) => ({
        x,
        y: one.y[i] ?? NaN,
        error: one.error?.[i] ?? NaN,
        series: number,
        key: one.keys?.[i] ?? i,
        faint: one.faint?.[i] ?? false,
      })),
    );
    this.rows = this.rows.filter((row) => Number.isFinite(row.y)).sort((a, b) => a.x - b.x);
    this.full = { x: range ?? this.span(this.rows.map((row) => row.x), true), y: this.valueSpan() };
    this.plot.batch(() => {
      this.plot.setData([this.rows.map((row) => row.x), this.rows.map((row) => row.y)] as uPlot.AlignedData, false);
      this.all();
    });
  }

  /** Mark the point of a key, and no other. */
  choose(key: number | null): void {
    this.chosen = key;
    this.plot.redraw(false, false);
  }

  /** Show everything. */
  all(): void {
    this.plot.setScale("x", { min: this.full.x[0], max: this.full.x[1] });
    this.plot.setScale("y", { min: this.full.y[0], max: this.full.y[1] });
  }

  /** Look closer (below 1) or from farther away, at a place of the x axis. */
  zoom(factor: number, at?: number): void {
    const { min, max } = this.plot.scales.x!;
    if (min == null || max == null) return;
    const forth = this.given.logX ? Math.log10 : (value: number) => value;
    const back = this.given.logX ? (value: number) => 10 ** value : (value: number) => value;
    const [low, high] = [forth(min), forth(max)];
    const middle = at === undefined ? (low + high) / 2 : forth(at);
    const [first, last] = [forth(this.full.x[0]), forth(this.full.x[1])];
    const from = Math.max(first, middle - (middle - low) * factor);
    const to = Math.min(last, middle + (high - middle) * factor);
    if (to > from) this.plot.setScale("x", { min: back(from), max: back(to) });
  }

  destroy(): void {
    this.watch.disconnect();
    this.dark.removeEventListener("change", this.repaint);
    this.plot.destroy();
  }

  private options(): uPlot.Options {
    const axis = { stroke: () => css("--soft"), grid: { stroke: () => css("--line"), width: 1 }, ticks: { show: false } };
    const font = "12px system-ui, sans-serif";
    return {
      width: Math.max(this.place.clientWidth, 200),
      height: this.given.height ?? 320,
      legend: { show: false },
      scales: {
        x: { time: false, distr: this.given.logX ? 3 : 1, auto: false },
        y: { dir: this.given.inverted ? -1 : 1, distr: this.given.logY ? 3 : 1, auto: false },
      },
      axes: [
        { ...axis, label: this.given.xLabel, values: (_, splits) => splits.map(this.given.logX ? decade : plain), font, labelFont: font, labelSize: 20, size: 34 },
        { ...axis, label: this.given.yLabel, values: (_, splits) => splits.map(this.given.logY ? decade : plain), font, labelFont: font, labelSize: 20, size: 46 },
      ],
      series: [{}, { paths: () => null, points: { show: false } }],
      cursor: { drag: { x: true, y: false, setScale: true }, points: { show: false }, y: false },
      hooks: { draw: [(plot) => this.draw(plot)] },
    };
  }

  private fit(): void {
    const width = this.place.clientWidth;
    if (width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: this.given.height ?? 320 });
  }

  private span(values: number[], isX = false): [number, number] {
    let [low, high] = [Infinity, -Infinity];
    for (const value of values) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (!(high > low)) return Number.isFinite(low) ? [low - 0.5, low + 0.5] : [0, 1];
    if (isX ? this.given.logX : this.given.logY) return isX ? [low, high] : [low / 1.3, high * 1.3];
    const room = ROOM * (high - low);
    return [low - room, high + room];
  }

  /** Of the values of good points with their errors; others stand at the rim. */
  private valueSpan(): [number, number] {
    const good = this.rows.filter((row) => !row.faint);
    const counted = good.length ? good : this.rows;
    const plain = this.span(counted.map((row) => row.y));
    const most = (plain[1] - plain[0]) / 4;
    const bar = (row: Row): number => Math.min(Number.isFinite(row.error) ? row.error : 0, most);
    return this.span(counted.flatMap((row) => [row.y - bar(row), row.y + bar(row)]));
  }

  private draw(plot: uPlot): void {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left - 6, bbox.top - 6, bbox.width + 12, bbox.height + 12);
    ctx.clip();
    const r = (this.given.radius ?? 4) * devicePixelRatio;
    this.series.forEach((one, number) => {
      ctx.strokeStyle = ctx.fillStyle = css(`--k-${one.colour}`);
      const rows = this.rows.filter((row) => row.series === number);
      if (!one.marker) this.line(plot, rows);
      else {
        this.bars(plot, rows);
        for (const row of rows) this.mark(plot, row, one.marker, r);
      }
    });
    ctx.restore();
  }

  private line(plot: uPlot, rows: Row[]): void {
    plot.ctx.lineWidth = devicePixelRatio;
    plot.ctx.beginPath();
    for (const row of rows) plot.ctx.lineTo(plot.valToPos(row.x, "x", true), plot.valToPos(row.y, "y", true));
    plot.ctx.stroke();
  }

  private bars(plot: uPlot, rows: Row[]): void {
    plot.ctx.lineWidth = devicePixelRatio;
    plot.ctx.beginPath();
    for (const row of rows) {
      if (!Number.isFinite(row.error)) continue;
      const x = plot.valToPos(row.x, "x", true);
      plot.ctx.moveTo(x, this.height(plot, row.y - row.error));
      plot.ctx.lineTo(x, this.height(plot, row.y + row.error));
    }
    plot.ctx.stroke();
  }

  /** Where a value stands; one that is beyond the axis at its end. */
  private height(plot: uPlot, value: number): number {
    const { top, height } = plot.bbox;
    return Math.min(top + height, Math.max(top, plot.valToPos(value, "y", true)));
  }

  private mark(plot: uPlot, row: Row, marker: string, r: number): void {
    const { ctx } = plot;
    const [x, y] = [plot.valToPos(row.x, "x", true), this.height(plot, row.y)];
    if (row.key === this.chosen) {
      ctx.save();
      ctx.strokeStyle = css("--mark");
      ctx.lineWidth = 2.5 * devicePixelRatio;
      ctx.beginPath();
      ctx.arc(x, y, 2.2 * r, 0, 2 * Math.PI);
      ctx.stroke();
      ctx.restore();
    }
    ctx.beginPath();
    outline(ctx, marker, x, y, r);
    ctx.lineWidth = 1.4 * devicePixelRatio;
    if (!row.faint && marker.toLowerCase() !== "x") ctx.fill();
    else if (row.faint) {
      ctx.save();
      ctx.fillStyle = css("--paper");
      ctx.fill();
      ctx.restore();
    }
    ctx.stroke();
  }

  private pick(event: MouseEvent): void {
    if (!this.given.onPick) return;
    const box = this.plot.over.getBoundingClientRect();
    const [left, top] = [event.clientX - box.left, event.clientY - box.top];
    let best: Row | null = null;
    let least = NEAR_PX ** 2;
    for (const row of this.rows) {
      const y = Math.min(box.height, Math.max(0, this.plot.valToPos(row.y, "y")));
      const away = (this.plot.valToPos(row.x, "x") - left) ** 2 + (y - top) ** 2;
      if (away < least) [best, least] = [row, away];
    }
    this.given.onPick(best?.key ?? null, this.plot.posToVal(left, "x"));
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const box = this.plot.over.getBoundingClientRect();
    this.zoom(event.deltaY < 0 ? 0.8 : 1.25, this.plot.posToVal(event.clientX - box.left, "x"));
  }

  private key(event: KeyboardEvent): void {
    if (event.target !== this.place || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step !== undefined && this.given.onPick && this.rows.length) this.step(step);
    else if (event.key === "+") this.zoom(0.7);
    else if (event.key === "-") this.zoom(1.4);
    else if (event.key === "0") this.all();
    else return;
    event.preventDefault();
  }

  /** The next point along the x axis, or the one before. */
  private step(by: number): void {
    const now = this.rows.findIndex((row) => row.key === this.chosen);
    const next = now < 0 ? (by > 0 ? 0 : this.rows.length - 1) : now + by;
    const row = this.rows[(next + this.rows.length) % this.rows.length]!;
    this.given.onPick?.(row.key, row.x);
  }
}

/** A marker's outline; matplotlib's letters. */
function outline(ctx: CanvasRenderingContext2D, marker: string, x: number, y: number, r: number): void {
  const path = (steps: [number, number][]): void => {
    steps.forEach(([a, b], i) => (i ? ctx.lineTo(x + a * r, y + b * r) : ctx.moveTo(x + a * r, y + b * r)));
    ctx.closePath();
  };
  if (marker === "s") path([[-1, -1], [1, -1], [1, 1], [-1, 1]]);
  else if (marker === "^") path([[0, -1.2], [1.15, 0.8], [-1.15, 0.8]]);
  else if (marker === "v") path([[0, 1.2], [1.15, -0.8], [-1.15, -0.8]]);
  else if (marker === "D") path([[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]]);
  else if (marker === "P") {
    const [a, b] = [0.4, 1.2];
    path([[-a, -b], [a, -b], [a, -a], [b, -a], [b, a], [a, a], [a, b], [-a, b], [-a, a], [-b, a], [-b, -a], [-a, -a]]);
  } else if (marker.toLowerCase() === "x") {
    for (const sign of [1, -1]) {
      ctx.moveTo(x - 0.8 * r, y - 0.8 * r * sign);
      ctx.lineTo(x + 0.8 * r, y + 0.8 * r * sign);
    }
  } else ctx.arc(x, y, r, 0, 2 * Math.PI);
}

const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "#888";
/** Without commas: days are no amounts. */
const plain = (value: number | null): string => (value === null ? "" : String(Number(value.toPrecision(10))));
/** Powers of ten alone: between them there is no room. */
const decade = (value: number | null): string =>
  value === null || Math.abs(Math.log10(value) - Math.round(Math.log10(value))) > 1e-9 ? "" : String(value);
