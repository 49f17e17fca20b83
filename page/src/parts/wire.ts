// Tables of the server as columns: Arrow on the wire, typed arrays here.
//
// Nothing else knows which library reads Arrow. What needs no tables asks `server`, which brings no reader.

import { tableFromIPC, Type, type Column as Read } from "@uwdata/flechette";
import { ask } from "./server";

/** A value: null where there is none, bigint for 64-bit integers, since identifiers use all of their digits. */
export type Value = number | bigint | string | boolean | null;

/** A column: what it means, and its values. */
export interface Column {
  name: string;
  unit: string;
  ucd: string;
  description: string;
  isNumber: boolean;
  /** The value of a row; arrays as texts, times as ISO 8601 has them. */
  at: (row: number) => Value;
  /** All values as numbers, NaN where there is none; do not write into them. */
  numbers: () => Float64Array;
}

/** A table with what its columns mean. */
export interface Answer {
  n: number;
  columns: Column[];
  /** What the schema says beside them. */
  metadata: Map<string, string>;
  /** Facts about the whole, as VOTable INFO has them. */
  infos: Record<string, string>;
  /** Whether the server says that there are more rows. */
  overflow: boolean;
}

/** Ask for a table in Arrow; `at` is below the first page. */
export async function fetchAnswer(at: string, init: RequestInit = {}): Promise<Answer> {
  const reply = await ask(at, init);
  return answerOf(new Uint8Array(await reply.arrayBuffer()), reply.headers.get("x-more-rows") === "true");
}

/** A table in Arrow, as a stream. */
export function answerOf(stream: Uint8Array, overflow = false): Answer {
  const aligned = stream.byteOffset % 8 ? stream.slice() : stream; // since numbers are not copied
  const table = tableFromIPC(aligned, { useBigInt: true });
  const columns = table.schema.fields.map(({ name, metadata, type }, place): Column => {
    const values = table.getChildAt(place);
    return {
      name,
      unit: metadata?.get("unit") ?? "",
      ucd: metadata?.get("ucd") ?? "",
      description: metadata?.get("description") ?? "",
      isNumber: isNumeric(type.typeId),
      at: reader(values),
      numbers: () => numbers(values),
    };
  });
  const metadata = table.schema.metadata ?? new Map<string, string>();
  const infos = Object.fromEntries(JSON.parse(metadata.get("skydex.infos") ?? "[]") as [string, string][]);
  return { n: table.numRows, columns, metadata, infos, overflow };
}

export function columnOf(answer: Answer, name: string): Column | undefined {
  return answer.columns.find((column) => column.name === name);
}

/** The numbers of a column; none at all where there is no such column. */
export function numbersOf(answer: Answer, name: string): Float64Array {
  return columnOf(answer, name)?.numbers() ?? new Float64Array(answer.n).fill(NaN);
}

/** What reads one value after the other. */
function reader(values: Read<unknown>): (row: number) => Value {
  if (values.type.typeId === Type.Timestamp) {
    return (row) => {
      const time = values.at(row) as number | null;
      return time === null ? null : new Date(time).toISOString().replace(/(\.000)?Z$/, "");
    };
  }
  return (row) => {
    const value = values.at(row) ?? null;
    return typeof value === "object" && value !== null ? Array.from(value as Iterable<unknown>).join(" ") : (value as Value);
  };
}

/** Whole batches at a time, and those of a single batch as they came. */
function numbers(column: Read<unknown>): Float64Array {
  const batches = column.data.filter((batch) => batch.length);
  const [first] = batches;
  if (batches.length === 1 && !column.nullCount && first!.values instanceof Float64Array) return first!.values;
  const all = new Float64Array(column.length);
  let start = 0;
  for (const batch of batches) {
    const { values, length, nullCount } = batch;
    if (isNumeric(column.type.typeId) && !(values instanceof BigInt64Array || values instanceof BigUint64Array)) all.set(values as Float64Array, start);
    else for (let i = 0; i < length; i++) all[start + i] = Number(batch.value(i));
    if (nullCount) for (let i = 0; i < length; i++) if (!batch.isValid(i)) all[start + i] = NaN;
    start += length;
  }
  return all;
}

function isNumeric(kind: number): boolean {
  return kind === Type.Int || kind === Type.Float;
}
