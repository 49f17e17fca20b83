// Rows that somebody has chosen, on their way to a file or to MyDB.

import { root } from "./server";
import type { Answer, Value } from "./wire";

/** Some rows as CSV (RFC 4180), without what was selected for drawing alone. */
export function csvOf(answer: Answer, chosen: number[]): string {
  const columns = answer.columns.filter((column) => !column.name.startsWith("plot_"));
  const lines = chosen.map((row) => columns.map((column) => field(column.at(row))).join(","));
  return [columns.map((column) => field(column.name)).join(","), ...lines, ""].join("\n");
}

/** Have the browser save a text as a file. */
export function saveAs(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Keep rows as a table of one's own; what came of it. Who is not signed in is led to where one signs in. */
export async function save(name: string, csv: string): Promise<string> {
  const account = await fetch(`${root}account`, { headers: { accept: "application/json" } });
  if (!account.ok) {
    location.assign(`${root}account/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    return "Sign in first.";
  }
  const { csrf_token } = (await account.json()) as { csrf_token: string };
  const reply = await fetch(`${root}mydb/tables/${encodeURIComponent(name)}`, {
    method: "PUT",
    headers: { "content-type": "text/csv", "x-csrf-token": csrf_token },
    body: csv,
  });
  if (reply.ok) return `Saved as mydb.${name}.`;
  const text = await reply.text();
  try {
    return (JSON.parse(text) as { error: string }).error;
  } catch {
    return text;
  }
}

function field(value: Value): string {
  const text = value === null || Number.isNaN(value) ? "" : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
