// The frame of a diagram: ticks, numbers and labels, drawn on a canvas in the colours of the page.

import { scaleLinear } from "d3-scale";

export interface Labels {
  x: string;
  y: string;
  /** Whether small values stand on the right. */
  invertX?: boolean;
  /** Whether small values stand above, as for magnitudes. */
  invertY?: boolean;
}

export type Range = [number, number];

export interface Domain {
  x: Range;
  y: Range;
}

export interface Size {
  width: number;
  height: number;
}

/** Margins around the frame, CSS pixels; the style sheet has them, too. */
export const MARGIN = { left: 58, right: 12, top: 10, bottom: 40 };

/** Ten steps of viridis, which is seen alike by all eyes. */
const VIRIDIS = [
  "#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725",
];

/** Those steps that are seen on the paper of a place, be it bright or dark. */
export function shades(place: Element): string[] {
  const isDark = parseInt(colourOf("--paper", place).slice(1, 3), 16) < 128;
  return isDark ? VIRIDIS.slice(3) : VIRIDIS.slice(0, -1);
}

/** Room within the frame. */
export function innerSize(host: HTMLElement): Size {
  return {
    width: Math.max(80, host.clientWidth - MARGIN.left - MARGIN.right),
    height: Math.max(80, host.clientHeight - MARGIN.top - MARGIN.bottom),
  };
}

/** A pen for a canvas that fills an element, sharp on any screen; what was drawn is gone. */
export function penOf(canvas: HTMLCanvasElement, host: HTMLElement): CanvasRenderingContext2D | null {
  const ratio = devicePixelRatio || 1;
  canvas.width = host.clientWidth * ratio;
  canvas.height = host.clientHeight * ratio;
  const pen = canvas.getContext("2d");
  pen?.scale(ratio, ratio);
  return pen;
}

/** A colour of the style sheet, as it is at a place. */
export function colourOf(name: string, place: Element): string {
  const colour = getComputedStyle(place).getPropertyValue(name).trim();
  return colour.length === 4 ? `#${[...colour.slice(1)].map((digit) => digit + digit).join("")}` : colour;
}

/** Frame, ticks and labels; `x` and `y` begin at the left and at the bottom, whichever end is greater. */
export function drawFrame(pen: CanvasRenderingContext2D, size: Size, x: Range, y: Range, labels: Labels): void {
  const { left, top } = MARGIN;
  const bottom = top + size.height;
  pen.font = "12px system-ui, sans-serif";
  pen.strokeStyle = colourOf("--line", pen.canvas);
  pen.fillStyle = colourOf("--ink", pen.canvas);
  pen.strokeRect(left + 0.5, top + 0.5, size.width, size.height);
  pen.textAlign = "center";
  pen.textBaseline = "top";
  for (const tick of ticksOf(x, size.width / 90)) {
    const at = left + ((tick - x[0]) / (x[1] - x[0])) * size.width;
    pen.fillRect(at, bottom, 1, 5);
    pen.fillText(tickText(tick, x), at, bottom + 7);
  }
  pen.fillText(labels.x, left + size.width / 2, bottom + 23);
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  for (const tick of ticksOf(y, size.height / 50)) {
    const at = bottom - ((tick - y[0]) / (y[1] - y[0])) * size.height;
    pen.fillRect(left - 5, at, 5, 1);
    pen.fillText(tickText(tick, y), left - 8, at);
  }
  pen.save();
  pen.translate(9, top + size.height / 2);
  pen.rotate(-Math.PI / 2);
  pen.textAlign = "center";
  pen.fillText(labels.y, 0, 0);
  pen.restore();
}

function ticksOf(range: Range, about: number): number[] {
  return scaleLinear().domain([Math.min(...range), Math.max(...range)]).ticks(Math.max(2, Math.round(about)));
}

function tickText(value: number, range: Range): string {
  const span = Math.abs(range[1] - range[0]) || 1;
  if (value === 0) return "0";
  const isTiny = Math.abs(value) < 1e-3 && span < 1e-3;
  if (isTiny || (Math.abs(value) >= 1e6 && span >= 1e5)) return value.toExponential(1);
  const text = value.toFixed(Math.min(8, Math.max(0, Math.ceil(-Math.log10(span)) + 1)));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
