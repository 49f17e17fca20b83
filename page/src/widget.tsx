// The linked views in a cell of a notebook, as anywidget loads them: rows come from Python, what is chosen goes back.
//
// Nothing is asked of anybody else: rows, and where they lie in the diagram, are Arrow streams in the model. The style
// sheet is that of the pages, in a shadow root, so that neither changes how the notebook looks nor is changed by it.

import { render } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import pageSheet from "../../src/skydex/web/pages/static/page.css";
import { Controls, Dragging, type Keys } from "./parts/controls";
import type { Cone } from "./parts/field";
import { dataOf, type Axis } from "./parts/rows";
import { Views } from "./parts/views";
import { answerOf } from "./parts/wire";
import ownSheet from "./widget.css";

/** What anywidget gives, as far as it is needed here. */
interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  on(event: string, told: () => void): void;
  off(event: string, told: () => void): void;
}

/** What does not change while a view is open. */
interface Facts {
  axes: Axis[];
  id: string | null;
  ra: string | null;
  dec: string | null;
  cone: Cone | null;
  /** What is said of rows that are not here. */
  more: string;
}

type Bytes = DataView | Uint8Array | ArrayBuffer;

export default { render: show };

function show({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const host = document.createElement("div");
  el.append(host);
  el.dataset.lmSuppressShortcuts = "true"; // or keys that move the diagram would run JupyterLab's commands, too
  host.addEventListener("keydown", (event) => event.stopPropagation());
  const inner = host.attachShadow({ mode: "open" });
  const sheet = document.createElement("style");
  sheet.textContent = pageSheet.replaceAll(/:root(\[[^\]]+\])?/g, (_, which) => (which ? `:host(${which})` : ":host")) + ownSheet;
  const box = document.createElement("div");
  inner.append(sheet, box);
  const seen = new ResizeObserver(() => {
    if (!host.clientWidth) return; // a cell is filled before it is shown
    seen.disconnect();
    render(<Explored {...{ model, host }} />, box);
  });
  seen.observe(host);
  return () => {
    seen.disconnect();
    render(null, box);
    host.remove();
  };
}

function Explored({ model, host }: { model: Model; host: HTMLElement }) {
  const facts = model.get("_facts") as Facts;
  const theme = useTheme(host);
  const keys = useValue(model, ["x", "y", "color"], keysOf);
  const points = useValue(model, ["_points"], () => answerOf(bytesOf(model.get("_points"))));
  const chosen = useValue(model, ["indices"], () => [...new Uint32Array(bytesOf(model.get("indices")).slice().buffer)]);
  const [lassos, setLassos] = useState(false);
  const rows = useMemo(() => answerOf(bytesOf(model.get("_rows"))), []);
  const data = useMemo(() => {
    const axis = (name: string) => facts.axes.find((one) => one.key === points.metadata.get(name));
    return dataOf(facts, rows, points, axis("x")!, axis("y")!, axis("color"));
  }, [points]);
  const tell = (values: Record<string, unknown>) => {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  };
  const choose = (places: number[]) => tell({ indices: new Uint8Array(Uint32Array.from(places).sort().buffer) });
  return (
    <div class="linked">
      <Controls axes={facts.axes} keys={keys} onKeys={(wanted) => tell({ ...wanted })}>
        <Dragging lassos={lassos} onChange={setLassos} />
      </Controls>
      <Views
        {...{ data, lassos, chosen, theme }}
        id={facts.id}
        cone={facts.cone}
        more={facts.more}
        onChoose={choose}
        onDrawn={() => (host.dataset.state = "ready")}
      >
        <p><button type="button" onClick={() => choose([])}>Choose nothing</button></p>
      </Views>
    </div>
  );

  function keysOf(): Keys {
    return { x: model.get("x") as string, y: model.get("y") as string, color: model.get("color") as string };
  }
}

/** What a model says, as it is now. */
function useValue<T>(model: Model, names: string[], read: () => T): T {
  const [value, setValue] = useState(read);
  useEffect(() => {
    const told = () => setValue(read());
    for (const name of names) model.on(`change:${name}`, told);
    return () => {
      for (const name of names) model.off(`change:${name}`, told);
    };
  }, [model]);
  return value;
}

/** Whether the notebook is dark or light, as far as it says so; otherwise it is what the reader's system wishes. */
function useTheme(host: HTMLElement): string {
  const [theme, setTheme] = useState("");
  useEffect(() => {
    const look = () => {
      const told = themeOf(document.body, document.documentElement);
      if (told) host.dataset.theme = told;
      else delete host.dataset.theme;
      setTheme(told);
    };
    look();
    const changed = new MutationObserver(look);
    for (const one of [document.body, document.documentElement]) changed.observe(one, { attributes: true });
    return () => changed.disconnect();
  }, []);
  return theme;
}

/** In the words of JupyterLab, Visual Studio Code, Colab and Sphinx. */
function themeOf(body: HTMLElement, page: HTMLElement): "dark" | "light" | "" {
  const told = [
    body.dataset.jpThemeLight && (body.dataset.jpThemeLight === "true" ? "light" : "dark"),
    body.dataset.vscodeThemeKind,
    page.getAttribute("theme"),
    body.dataset.theme,
    page.dataset.theme,
  ].find(Boolean);
  return /dark|high-contrast$/.test(told ?? "") ? "dark" : /light/.test(told ?? "") ? "light" : "";
}

function bytesOf(given: unknown): Uint8Array {
  const bytes = given as Bytes;
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
