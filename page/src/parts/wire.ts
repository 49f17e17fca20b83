// Answers of the server as columns: Arrow on the wire, typed arrays here, and an error's own words where there is none.

import { tableFromIPC, type Table } from "apache-arrow";

/** What a column means. */
export interface ColumnFacts {
  name: string;
  unit: string;
  ucd: string;
  description: string;
  isNumber: boolean;
}

/** A table with what its columns mean. */
export interface Answer {
  table: Table;
  columns: ColumnFacts[];
  /** Facts about the whole, as VOTable INFO has them. */
  infos: Record<string, string>;
  /** Whether the server says that there are more rows. */
  overflow: boolean;
}

/** Way from this page to the first one, as the page itself writes it. */
export const root = document.querySelector<HTMLAnchorElement>("header .home")?.getAttribute("href") || "./";

/** Ask for a table in Arrow; `at` is below the first page. */
export async function fetchAnswer(at: string, init: RequestInit = {}): Promise<Answer> {
  const reply = await fetch(root + at, init);
  if (!reply.ok) throw new Error(await wordsOf(reply));
  return answerOf(new Uint8Array(await reply.arrayBuffer()), reply.headers.get("x-more-rows") === "true");
}

/** A table in Arrow, as a stream. */
export function answerOf(stream: Uint8Array, overflow = false): Answer {
  const table = tableFromIPC(stream);
  const columns = table.schema.fields.map((field) => ({
    name: field.name,
    unit: field.metadata.get("unit") ?? "",
    ucd: field.metadata.get("ucd") ?? "",
    description: field.metadata.get("description") ?? "",
    isNumber: /^(Int|Uint|Float)/.test(String(field.type)),
  }));
  const infos = Object.fromEntries(JSON.parse(table.schema.metadata.get("skydex.infos") ?? "[]") as [string, string][]);
  return { table, columns, infos, overflow };
}

/** Ask for facts in JSON. */
export async function fetchFacts<T>(at: string, init: RequestInit = {}): Promise<T> {
  const reply = await fetch(root + at, init);
  if (!reply.ok) throw new Error(await wordsOf(reply));
  return (await reply.json()) as T;
}

/** A column of numbers; what is null there is NaN here. */
export function numbersOf(answer: Answer, name: string): Float64Array {
  const column = answer.table.getChild(name);
  const values = new Float64Array(answer.table.numRows);
  if (!column) return values.fill(NaN);
  for (let i = 0; i < values.length; i++) {
    const value = column.get(i) as number | bigint | null;
    values[i] = value === null ? NaN : Number(value);
  }
  return values;
}

/** What a refusal says: the words of a VOTable's or a JSON's error, or the text itself. */
async function wordsOf(reply: Response): Promise<string> {
  const text = await reply.text();
  const kind = reply.headers.get("content-type") ?? "";
  if (kind.includes("json")) {
    try {
      const told = JSON.parse(text) as { error?: string; message?: string };
      return told.error ?? told.message ?? text;
    } catch {
      return text;
    }
  }
  if (kind.includes("xml")) {
    const info = new DOMParser().parseFromString(text, "text/xml").querySelector('INFO[name="QUERY_STATUS"]');
    return info?.textContent?.trim() || `The server answers ${reply.status}.`;
  }
  return kind.includes("html") ? `The server answers ${reply.status}.` : text.trim();
}
