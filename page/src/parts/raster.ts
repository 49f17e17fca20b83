// The density of very many points, as the server counts them in cells; dragging and the wheel choose another part.

import { scaleLinear } from "d3-scale";
import type { Density } from "./rows";
import { drawFrame, innerSize, MARGIN, penOf, shades, type Domain, type Labels, type Range } from "./frame";

const PAUSE_MS = 180;

export class Raster {
  /** Told which part is wanted. */
  onView: (domain: Domain) => void = () => {};
  private readonly canvas = document.createElement("canvas");
  private cells = document.createElement("canvas");
  private density: Density | null = null;
  private labels: Labels = { x: "", y: "" };
  private domain: Domain = { x: [0, 1], y: [0, 1] };
  private timer = 0;
  private readonly resized = new ResizeObserver(() => this.paint());

  constructor(private readonly host: HTMLElement, name: string) {
    host.classList.add("chart", "scatter");
    this.canvas.className = "axes raster";
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", name);
    host.append(this.canvas);
    this.canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.3 : 1 / 1.3, this.at(event));
    }, { passive: false });
    this.canvas.addEventListener("pointerdown", (event) => this.drag(event));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.resized.observe(host);
  }

  draw(density: Density): void {
    this.density = density;
    this.labels = density.labels;
    this.domain = { x: density.x, y: density.y };
    this.cells = painted(density, shades(this.host));
    this.paint();
  }

  destroy(): void {
    clearTimeout(this.timer);
    this.resized.disconnect();
    this.host.replaceChildren();
  }

  /** Where a pointer is, in the quantities of the axes. */
  private at(event: { offsetX: number; offsetY: number }): { x: number; y: number } {
    const { width, height } = innerSize(this.host);
    const across = (event.offsetX - MARGIN.left) / width;
    const up = 1 - (event.offsetY - MARGIN.top) / height;
    const along = ([low, high]: Range, part: number, inverted?: boolean) =>
      inverted ? high - part * (high - low) : low + part * (high - low);
    return { x: along(this.domain.x, across, this.labels.invertX), y: along(this.domain.y, up, this.labels.invertY) };
  }

  private zoom(factor: number, at: { x: number; y: number }): void {
    const scaled = ([low, high]: Range, middle: number): Range => [
      middle - (middle - low) * factor,
      middle + (high - middle) * factor,
    ];
    this.show({ x: scaled(this.domain.x, at.x), y: scaled(this.domain.y, at.y) });
  }

  private show(domain: Domain): void {
    this.domain = domain;
    this.paint();
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.onView(domain), PAUSE_MS);
  }

  private drag(start: PointerEvent): void {
    const from = this.domain;
    const { width, height } = innerSize(this.host);
    const move = (event: PointerEvent) => {
      const dx = ((event.clientX - start.clientX) / width) * (from.x[1] - from.x[0]) * (this.labels.invertX ? -1 : 1);
      const dy = ((event.clientY - start.clientY) / height) * (from.y[1] - from.y[0]) * (this.labels.invertY ? -1 : 1);
      this.show({ x: [from.x[0] - dx, from.x[1] - dx], y: [from.y[0] + dy, from.y[1] + dy] });
    };
    this.canvas.setPointerCapture(start.pointerId);
    this.canvas.addEventListener("pointermove", move);
    this.canvas.addEventListener("pointerup", () => this.canvas.removeEventListener("pointermove", move), { once: true });
  }

  private key(event: KeyboardEvent): void {
    const middle = { x: (this.domain.x[0] + this.domain.x[1]) / 2, y: (this.domain.y[0] + this.domain.y[1]) / 2 };
    if (event.key === "+") this.zoom(0.7, middle);
    else if (event.key === "-") this.zoom(1.4, middle);
    else if (event.key === "0" && this.density) this.show({ x: this.density.x, y: this.density.y });
  }

  private paint(): void {
    const pen = penOf(this.canvas, this.host);
    if (!pen) return;
    const size = innerSize(this.host);
    const { left, top } = MARGIN;
    const [x, y] = [turned(this.domain.x, this.labels.invertX), turned(this.domain.y, this.labels.invertY)];
    if (this.density) {
      const across = scaleLinear().domain(x).range([left, left + size.width]);
      const up = scaleLinear().domain(y).range([top + size.height, top]);
      const [xa, xb] = turned(this.density.x, this.labels.invertX);
      const [ya, yb] = turned(this.density.y, this.labels.invertY);
      pen.save();
      pen.beginPath();
      pen.rect(left, top, size.width, size.height);
      pen.clip();
      pen.imageSmoothingEnabled = false;
      pen.drawImage(this.cells, across(xa), up(yb), across(xb) - across(xa), up(ya) - up(yb));
      pen.restore();
    }
    drawFrame(pen, size, x, y, this.labels);
  }
}

function turned([low, high]: Range, isInverted?: boolean): Range {
  return isInverted ? [high, low] : [low, high];
}

/** The cells as a picture: their colour tells the logarithm of the number, or the value. */
function painted(density: Density, palette: string[]): HTMLCanvasElement {
  const { nx, ny, n, labels } = density;
  const canvas = document.createElement("canvas");
  canvas.width = nx;
  canvas.height = ny;
  const pen = canvas.getContext("2d")!;
  const picture = pen.createImageData(nx, ny);
  const measure = density.value ?? n.map(Math.log);
  const sorted = measure.filter(Number.isFinite).sort();
  const low = density.value ? (sorted[Math.floor(sorted.length * 0.02)] ?? 0) : 0;
  const high = sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 1;
  const colours = palette.map((text) => [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16)));
  for (let k = 0; k < n.length; k++) {
    const part = Math.min(1, Math.max(0, (measure[k]! - low) / (high - low || 1)));
    const colour = colours[Math.round(part * (colours.length - 1))]!;
    const column = labels.invertX ? nx - 1 - density.ix[k]! : density.ix[k]!;
    const row = labels.invertY ? density.iy[k]! : ny - 1 - density.iy[k]!;
    picture.data.set([colour[0]!, colour[1]!, colour[2]!, 255], 4 * (row * nx + column));
  }
  pen.putImageData(picture, 0, 0);
  return canvas;
}
