// The editor of queries: colours, completion, mistakes underlined where they are, rows without leaving the page.
//
// It stands in for the text area of the form, which keeps the text and goes on working; what the server answers is the
// page itself, of which the part with the answer is put in place.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, type Completion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { keywordCompletionSource, MSSQL, sql, SQLDialect } from "@codemirror/lang-sql";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { linter, lintKeymap, type Diagnostic } from "@codemirror/lint";
import { Compartment, EditorState, Prec } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { render } from "preact";
import { useState } from "preact/hooks";
import { fetchFacts, root } from "../parts/server";

interface Mistake {
  message: string;
  line: number | null;
  column: number | null;
  length: number | null;
  mended: { name: string; query: string }[];
}
interface Names {
  tables: { name: string; n_rows: number | null; n_columns: number; description: string }[];
  functions: { name: string; usage: string; description: string }[];
}
interface ColumnOfTable {
  name: string;
  unit: string | null;
  description: string;
  principal: boolean;
}

const LONGEST_CHECKED = 4000;
const CHECK_AFTER_MS = 600;
const LONGEST_IN_ADDRESS = 1500;
const KEPT = "skydex.queries";
const MOST_KEPT = 40;

/** The words of ADQL 2.1 that mean something to it; functions come from the server. */
const ADQL = SQLDialect.define({
  keywords:
    "all and as asc between by case cast cross desc distinct else end except exists from full group having ilike in " +
    "inner intersect into is join left like natural not null offset on or order outer right select then top union " +
    "using when where with",
  types: "bigint char date double integer numeric precision real smallint timestamp varchar",
});

export function mount(form: HTMLFormElement): void {
  const area = form.querySelector<HTMLTextAreaElement>("textarea")!;
  const where = form.elements.namedItem("where") as HTMLSelectElement;
  const language = new Compartment();
  const schema = new Schema(where);

  const view = new EditorView({
    parent: area.parentElement!,
    state: EditorState.create({
      doc: area.value,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        bracketMatching(),
        closeBrackets(),
        highlightActiveLine(),
        syntaxHighlighting(COLOURS),
        LOOK,
        language.of(languageOf(where)),
        autocompletion({ override: [schema.complete], maxRenderedOptions: 80 }),
        linter((editor) => mistakesIn(editor, where), { delay: CHECK_AFTER_MS }),
        Prec.highest(keymap.of([{ key: "Mod-Enter", run: () => (void runNow(), true) }])),
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap, indentWithTab]),
        EditorView.contentAttributes.of({ "aria-label": "Query", "aria-describedby": "query-limits", spellcheck: "false" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) area.value = update.state.doc.toString();
        }),
      ],
    }),
  });
  area.hidden = true;
  area.after(view.dom);
  form.querySelector<HTMLElement>(`label[for="${area.id}"]`)?.addEventListener("click", () => view.focus());
  form.querySelector<HTMLElement>(".keys")?.removeAttribute("hidden");

  where.addEventListener("change", () => view.dispatch({ effects: language.reconfigure(languageOf(where)) }));

  const write = (text: string) => {
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    view.focus();
  };
  const kept = keptQueries(form, (one) => {
    where.value = one.where;
    where.dispatchEvent(new Event("change"));
    write(one.text);
  });

  /** Ask what only reads without leaving the page; whether it can be asked so. */
  async function ask(what: string): Promise<boolean> {
    const text = area.value;
    if (!text.trim() || text.length > LONGEST_IN_ADDRESS || where.value.startsWith("casjobs:")) return false;
    const rows = (form.elements.namedItem("maxrec") as HTMLInputElement).value;
    const asked = new URLSearchParams({ query: text, where: where.value, maxrec: rows, do: what });
    await show(`${root}query?${asked}`, true);
    return true;
  }

  let latest: AbortController | null = null;
  async function show(address: string, isNew: boolean): Promise<void> {
    const answer = document.getElementById("answer")!;
    latest?.abort();
    latest = new AbortController();
    answer.setAttribute("aria-busy", "true");
    try {
      const reply = await fetch(address, { headers: { accept: "text/html" }, signal: latest.signal });
      const page = new DOMParser().parseFromString(await reply.text(), "text/html");
      const fresh = (reply.ok && page.getElementById("answer")) || (page.querySelector(".told") ?? page.querySelector("main"));
      answer.replaceChildren(...(fresh?.childNodes ?? []));
      if (isNew) window.history.pushState(null, "", address);
    } catch (error) {
      if ((error as Error).name === "AbortError") return;
      const told = document.createElement("p");
      told.className = "told";
      told.setAttribute("role", "alert");
      told.textContent = `The server could not be asked: ${(error as Error).message}`;
      answer.replaceChildren(told);
    }
    answer.removeAttribute("aria-busy");
  }

  async function runNow(): Promise<void> {
    kept.add({ text: area.value, where: where.value });
    if (!(await ask("run"))) form.requestSubmit(form.querySelector<HTMLButtonElement>('button[value="run"]'));
  }

  form.addEventListener("submit", (event) => {
    const what = ((event as SubmitEvent).submitter as HTMLButtonElement | null)?.value ?? "run";
    kept.add({ text: area.value, where: where.value });
    const isHere = area.value.trim() && area.value.length <= LONGEST_IN_ADDRESS && !where.value.startsWith("casjobs:");
    if ((what !== "run" && what !== "explain") || !isHere) return;
    event.preventDefault();
    void ask(what);
  });
  window.addEventListener("popstate", () => location.reload());

  document.querySelector("main")!.addEventListener("click", (event) => {
    const clicked = event.target as HTMLElement;
    const link = clicked.closest<HTMLAnchorElement>("a[data-query]");
    if (link) {
      event.preventDefault();
      const given = new URL(link.href).searchParams;
      where.value = given.get("where") ?? where.value;
      where.dispatchEvent(new Event("change"));
      write(given.get("query") ?? "");
      if (given.get("do") === "run") void runNow();
    }
  });
  for (const name of document.querySelectorAll<HTMLElement>("[data-insert]")) addInsertButton(name, view);
}

/** Names in the list of tables are put where the cursor is. */
function addInsertButton(name: HTMLElement, view: EditorView): void {
  name.title = name.title || "Double click to put it into the query";
  name.addEventListener("dblclick", (event) => {
    event.preventDefault();
    view.dispatch(view.state.replaceSelection(name.textContent ?? ""));
    view.focus();
  });
}

function languageOf(where: HTMLSelectElement) {
  return sql({ dialect: where.value.startsWith("casjobs:") ? MSSQL : ADQL });
}

/** What the server says is wrong; asked when somebody pauses, and only about texts of moderate length. */
async function mistakesIn(editor: EditorView, where: HTMLSelectElement): Promise<Diagnostic[]> {
  const text = editor.state.doc.toString();
  if (!text.trim() || text.length > LONGEST_CHECKED) return [];
  try {
    const asked = new URLSearchParams({ query: text, where: where.value });
    const { mistake } = await fetchFacts<{ mistake: Mistake | null }>(`look/check?${asked}`);
    return mistake ? [diagnosticOf(editor, mistake)] : [];
  } catch {
    return []; // a server that is busy has better things to do
  }
}

function diagnosticOf(editor: EditorView, mistake: Mistake): Diagnostic {
  const doc = editor.state.doc;
  let from = 0;
  let to = doc.length;
  if (mistake.line !== null && mistake.column !== null && mistake.line <= doc.lines) {
    const line = doc.line(mistake.line);
    from = Math.min(line.from + mistake.column - 1, line.to);
    to = Math.min(from + (mistake.length ?? 1), line.to);
    if (from === to && from > line.from) from -= 1;
  }
  const mend = (query: string) => (view: EditorView) =>
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: query } });
  return {
    from,
    to,
    severity: "error",
    message: mistake.message,
    actions: mistake.mended.map(({ name, query }) => ({ name: `Use ${name}`, apply: mend(query) })),
  };
}

/** Names for completion, fetched when they are first wanted. */
class Schema {
  private names = new Map<string, Promise<Names>>();
  private columns = new Map<string, Promise<ColumnOfTable[]>>();

  constructor(private where: HTMLSelectElement) {}

  complete = async (context: CompletionContext): Promise<CompletionResult | null> => {
    const word = context.matchBefore(/[\w.]*/);
    if (!word || (word.from === word.to && !context.explicit)) return null;
    const names = await this.namesHere();
    const text = context.state.doc.toString();
    const dot = word.text.lastIndexOf(".");
    const used = tablesIn(text, names);
    if (dot >= 0) {
      const before = word.text.slice(0, dot).toLowerCase();
      const table = used.get(before) ?? names.tables.find((one) => one.name.toLowerCase() === before)?.name;
      if (table) return { from: word.from + dot + 1, options: await this.columnsOf(table), validFor: /^\w*$/ };
      const options = names.tables.filter((one) => one.name.toLowerCase().startsWith(`${before}.`)).map(optionOfTable);
      return options.length ? { from: word.from, options, validFor: /^[\w.]*$/ } : null;
    }
    const columns = (await Promise.all([...new Set(used.values())].map((table) => this.columnsOf(table)))).flat();
    const dialect = this.where.value.startsWith("casjobs:") ? MSSQL : ADQL;
    const words = await keywordCompletionSource(dialect, true)(context);
    const functions = names.functions.map<Completion>((one) => ({
      label: one.name,
      detail: one.usage,
      info: one.description || undefined,
      type: "function",
      apply: `${one.name}(`,
    }));
    const options = [...columns, ...names.tables.map(optionOfTable), ...functions, ...(words?.options ?? [])];
    return { from: word.from, options, validFor: /^\w*$/ };
  };

  private namesHere(): Promise<Names> {
    const where = this.where.value;
    let names = this.names.get(where);
    if (!names) {
      names = fetchFacts<Names>(`look/names?${new URLSearchParams({ where })}`).catch(() => ({ tables: [], functions: [] }));
      this.names.set(where, names);
    }
    return names;
  }

  private async columnsOf(table: string): Promise<Completion[]> {
    const asked = new URLSearchParams({ where: this.where.value, table }).toString();
    let columns = this.columns.get(asked);
    if (!columns) {
      columns = fetchFacts<{ columns: ColumnOfTable[] }>(`look/names?${asked}`).then((found) => found.columns, () => []);
      this.columns.set(asked, columns);
    }
    return (await columns).map((one) => ({
      label: one.name,
      detail: one.unit ?? undefined,
      info: one.description || undefined,
      type: "property",
      boost: one.principal ? 20 : 10,
    }));
  }
}

function optionOfTable(table: Names["tables"][number]): Completion {
  const rows = table.n_rows === null ? undefined : `${table.n_rows.toLocaleString("en")} rows`;
  return { label: table.name, detail: rows, info: table.description || undefined, type: "class" };
}

/** Tables that a query names behind FROM and JOIN, by their names and aliases in small letters. */
function tablesIn(text: string, names: Names): Map<string, string> {
  const known = new Map<string, string>();
  for (const { name } of names.tables) {
    known.set(name.toLowerCase(), name);
    const bare = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
    if (!known.has(bare)) known.set(bare, name);
  }
  const found = new Map<string, string>();
  for (const [, written = "", alias] of text.matchAll(/(?:\bfrom|\bjoin|,)\s+([\w."[\]]+)(?:\s+(?:as\s+)?(?!on\b|where\b|join\b|inner\b|left\b|order\b|group\b)(\w+))?/gi)) {
    const table = known.get(written.replace(/["[\]]/g, "").toLowerCase());
    if (!table) continue;
    found.set(table.toLowerCase(), table);
    found.set(table.slice(table.lastIndexOf(".") + 1).toLowerCase(), table);
    if (alias) found.set(alias.toLowerCase(), table);
  }
  return found;
}

interface Kept {
  text: string;
  where: string;
}

/** Queries that were asked here before. They stay in this browser. */
function keptQueries(form: HTMLElement, use: (one: Kept) => void): { add(one: Kept): void } {
  const place = document.createElement("div");
  form.after(place);
  let listed = read();
  const draw = () => render(<History listed={listed} use={use} clear={clear} />, place);
  const store = () => {
    try {
      localStorage.setItem(KEPT, JSON.stringify(listed));
    } catch {
      // without room for it there is none
    }
    draw();
  };
  const clear = () => {
    listed = [];
    store();
  };
  draw();
  return {
    add(one) {
      if (!one.text.trim()) return;
      listed = [one, ...listed.filter((old) => old.text !== one.text || old.where !== one.where)].slice(0, MOST_KEPT);
      store();
    },
  };
}

function read(): Kept[] {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT) ?? "[]") as Kept[];
    return Array.isArray(found) ? found.filter((one) => typeof one.text === "string" && typeof one.where === "string") : [];
  } catch {
    return [];
  }
}

function History({ listed, use, clear }: { listed: Kept[]; use: (one: Kept) => void; clear: () => void }) {
  const [isOpen, setOpen] = useState(false);
  if (!listed.length) return null;
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        History <span class="soft">{listed.length}, in this browser only</span>
      </summary>
      <ul class="plain">
        {listed.map((one) => (
          <li key={one.where + one.text}>
            <button type="button" class="line" onClick={() => use(one)}>
              {one.text.replace(/\s+/g, " ").slice(0, 120)}
            </button>
          </li>
        ))}
      </ul>
      <button type="button" onClick={clear}>
        Forget them
      </button>
    </details>
  );
}

const COLOURS = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--link)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--mark)" },
  { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
]);

const LOOK = EditorView.theme({
  "&": { border: "1px solid var(--soft)", borderRadius: "5px", backgroundColor: "var(--paper)", color: "var(--ink)", fontSize: "14px" },
  "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "1px" },
  ".cm-content": { fontFamily: "ui-monospace, SFMono-Regular, Menlo, monospace", minHeight: "9.5em", caretColor: "var(--ink)" },
  ".cm-scroller": { maxHeight: "28em", overflow: "auto" },
  ".cm-gutters": { backgroundColor: "var(--tint)", color: "var(--soft)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--tint) 60%, transparent)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-selectionBackground, &.cm-focused .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--link) 30%, transparent) !important" },
  ".cm-tooltip": { backgroundColor: "var(--paper)", color: "var(--ink)", border: "1px solid var(--line)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--link)", color: "var(--paper)" },
  ".cm-completionDetail": { color: "inherit", opacity: "0.8", fontStyle: "normal" },
  ".cm-diagnostic": { borderLeft: "4px solid var(--bad)" },
  ".cm-diagnosticAction": { backgroundColor: "var(--link)", color: "var(--paper)" },
});
