// What linked views draw: the rows of a table by the public TAP service, or their density by the service for that.

import type { Cone } from "./field";
import type { Domain, Labels, Range } from "./frame";
import type { GridColumn } from "./grid";
import { placesOf, rankOf, sortedOf } from "./ranks";
import { fetchAnswer, numbersOf, type Answer, type Value } from "./wire";

/** One quantity that rows have. */
export interface Axis {
  key: string;
  label: string;
  /** In ADQL. */
  expression: string;
  kind: string;
  unit: string;
  inverted: boolean;
  /** What holds where the quantity is known, in ADQL. */
  conditions: string[];
}

/** Which rows. */
export interface Subject {
  table: string;
  /** Its name in ADQL. */
  written: string;
  /** What the rows fulfil, in ADQL; empty for all rows. */
  where: string;
  id: string | null;
  ra: string | null;
  dec: string | null;
  columns: { name: string; written: string }[];
  rows: number;
  /** Of more rows the density is drawn. */
  most: number;
  cone: Cone | null;
}

export interface Data {
  answer: Answer;
  x: Float64Array;
  y: Float64Array;
  labels: Labels;
  /** 0 to 1, if the colour tells something. */
  shade: Float64Array | undefined;
  shadeText: string;
  ra: Float64Array | null;
  dec: Float64Array | null;
  /** What runs across and up. */
  quantities: Axis[];
}

export interface Density {
  ix: Float64Array;
  iy: Float64Array;
  n: Float64Array;
  /** What the colour tells, if it is not the number. */
  value: Float64Array | null;
  nx: number;
  ny: number;
  x: Range;
  y: Range;
  labels: Labels;
  inside: number;
}

/** Of more rows only what is drawn is fetched. */
const MOST_WITH_COLUMNS = 100_000;
const N_CELLS = 256;

/** Fetch the rows; of a large table those within a domain. */
export async function load(subject: Subject, x: Axis, y: Axis, colour: Axis | undefined, close: Domain | null): Promise<Data> {
  const outputs = new Map<string, string>();
  for (const name of [subject.id, subject.ra, subject.dec]) if (name) outputs.set(name, spelledIn(subject, name));
  if (subject.rows <= MOST_WITH_COLUMNS) for (const column of subject.columns) outputs.set(column.name, column.written);
  const selected = [...outputs.values(), `${x.expression} AS plot_x`, `${y.expression} AS plot_y`];
  if (colour) selected.push(`${colour.expression} AS plot_c`);
  const conditions = [...(subject.where ? [subject.where] : []), ...x.conditions, ...y.conditions];
  if (close) conditions.push(between(x, close.x), between(y, close.y));
  const where = conditions.length ? `\nWHERE ${[...new Set(conditions)].join("\n  AND ")}` : "";
  const query = `SELECT ${selected.join(", ")}\nFROM ${subject.written}${where}`;
  const asked = new URLSearchParams({ LANG: "ADQL", FORMAT: "arrow", MAXREC: String(subject.most), QUERY: query });
  const answer = await fetchAnswer(`tap/sync?${asked}`);
  return dataOf(subject, answer, answer, x, y, colour);
}

/** What is drawn of rows; `points` has the places of the same rows in the diagram. */
export function dataOf(
  { ra, dec }: Pick<Subject, "ra" | "dec">, answer: Answer, points: Answer, x: Axis, y: Axis, colour: Axis | undefined,
): Data {
  return {
    answer,
    x: numbersOf(points, "plot_x"),
    y: numbersOf(points, "plot_y"),
    labels: labelsOf(x, y),
    ...shadeOf(colour, colour ? numbersOf(points, "plot_c") : null),
    ra: ra ? numbersOf(answer, ra) : null,
    dec: dec ? numbersOf(answer, dec) : null,
    quantities: [x, y],
  };
}

/** Have the rows counted in cells. */
export async function densityOf(subject: Subject, x: Axis, y: Axis, colour: Axis | undefined, domain: Domain | null): Promise<Density> {
  const asked = new URLSearchParams({ x: x.expression, y: y.expression, nx: String(N_CELLS), ny: String(N_CELLS) });
  if (colour) asked.set("color", colour.expression);
  if (domain) {
    asked.set("x_range", domain.x.join(","));
    asked.set("y_range", domain.y.join(","));
  }
  if (subject.cone) for (const name of ["ra", "dec", "radius"] as const) asked.set(name, String(subject.cone[name]));
  const answer = await fetchAnswer(`look/density/${encodeURIComponent(subject.table)}.arrow?${asked}`);
  const range = (name: string): Range => [Number(answer.infos[`${name}_low`]), Number(answer.infos[`${name}_high`])];
  const value = answer.columns.find((column) => !["ix", "iy", "n"].includes(column.name));
  return {
    ix: numbersOf(answer, "ix"),
    iy: numbersOf(answer, "iy"),
    n: numbersOf(answer, "n"),
    value: value ? numbersOf(answer, value.name) : null,
    nx: N_CELLS,
    ny: N_CELLS,
    x: range("x"),
    y: range("y"),
    labels: labelsOf(x, y),
    inside: Number(answer.infos.n_inside),
  };
}

/** The columns of a grid: those of the rows, and the quantities of the diagram where they are none of them. */
export function columnsOfData(data: Data, id: string | null): GridColumn[] {
  const { answer, quantities } = data;
  const shown = answer.columns.filter((column) => !column.name.startsWith("plot_"));
  const columns = shown.map(({ name, unit, isNumber, at }): GridColumn => {
    return { name, unit, isNumber: isNumber && name !== id, text: (row) => written(at(row)) };
  });
  const more = quantities.flatMap(({ label, unit }, i): GridColumn[] => {
    const values = i ? data.y : data.x;
    const isThere = shown.some(({ name }) => name === label) || quantities.findIndex((one) => one.label === label) < i;
    return isThere ? [] : [{ name: label, unit, isNumber: true, text: (row) => written(values[row] ?? null) }];
  });
  columns.splice(1, 0, ...more);
  return columns;
}

/** A column's name in ADQL. */
export function spelledIn(subject: Subject, name: string): string {
  return subject.columns.find((column) => column.name === name)?.written ?? `"${name.replaceAll('"', '""')}"`;
}

function between(axis: Axis, [low, high]: Range): string {
  return `${axis.expression} BETWEEN ${low} AND ${high}`;
}

function labelsOf(x: Axis, y: Axis): Labels {
  const text = (axis: Axis) => (axis.unit ? `${axis.label} (${axis.unit})` : axis.label);
  return { x: text(x), y: text(y), invertX: x.kind === "position" && x.inverted, invertY: y.inverted && y.kind !== "position" };
}

function shadeOf(axis: Axis | undefined, values: Float64Array | null): { shade: Float64Array | undefined; shadeText: string } {
  const places = values ? placesOf(values) : new Int32Array(0);
  if (!axis || !values || !places.length) return { shade: undefined, shadeText: "" };
  const sorted = sortedOf(values, places);
  const shade = new Float64Array(values.length); // by rank, so that a few extreme values do not make all others alike
  for (const place of places) shade[place] = rankOf(sorted, values[place]!);
  const text = (part: number) => String(Number(sorted[Math.floor(part * (sorted.length - 1))]!.toPrecision(4)));
  return { shade, shadeText: `Colour: ${axis.label} by rank, from ${text(0)} (dark) over ${text(0.5)} to ${text(1)} (bright).` };
}

function written(value: Value): string {
  if (value === null || Number.isNaN(value)) return "";
  return typeof value === "number" && !Number.isInteger(value) ? String(Number(value.toPrecision(8))) : String(value);
}
