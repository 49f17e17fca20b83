// The basket: what was ticked stays ticked while the window is open, on whichever page, and comes as one file.

import { render } from "preact";

const KEY = "skydex.basket";
const MOST = 2000;

interface Thing {
  uri: string;
  title: string;
}

export function mount(place: HTMLElement): void {
  let things = kept();
  const list = document.createElement("div");
  place.replaceChildren(list);

  const draw = () => {
    for (const box of boxes()) box.checked = things.some((one) => one.uri === box.value);
    for (const button of place.closest("form")?.querySelectorAll("button") ?? []) {
      if (button.type === "submit") button.disabled = !things.length;
    }
    const here = new Set([...boxes()].map((box) => box.value));
    render(<Basket things={things} here={here} drop={(uri) => keep(things.filter((one) => one.uri !== uri))} clear={() => keep([])} />, list);
  };
  const keep = (now: Thing[]) => {
    things = now.slice(0, MOST);
    try {
      sessionStorage.setItem(KEY, JSON.stringify(things));
    } catch {
      // without room it lasts as long as this page
    }
    draw();
  };
  document.addEventListener("change", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || box.name !== "uri" || box.type !== "checkbox") return;
    const others = things.filter((one) => one.uri !== box.value);
    keep(box.checked ? [...others, { uri: box.value, title: box.dataset.title ?? box.value }] : others);
  });
  for (const box of boxes()) {
    const isThere = things.some((one) => one.uri === box.value);
    if (box.defaultChecked && !isThere) things.push({ uri: box.value, title: box.dataset.title ?? box.value });
  }
  keep(things);
}

function boxes(): NodeListOf<HTMLInputElement> {
  return document.querySelectorAll<HTMLInputElement>("input[name=uri][type=checkbox]");
}

function kept(): Thing[] {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "[]") as Thing[];
  } catch {
    return [];
  }
}

function Basket(props: { things: Thing[]; here: Set<string>; drop: (uri: string) => void; clear: () => void }) {
  const { things, here } = props;
  if (!things.length) return <p role="status">Nothing is ticked yet. What is ticked here or on other pages comes as one file, with a manifest.</p>;
  return (
    <>
      <p role="status">
        {things.length} file{things.length === 1 ? "" : "s"} <button type="button" onClick={props.clear}>Empty</button>
      </p>
      <ul class="things">
        {things.map((one) => (
          <li key={one.uri}>
            {one.title} <button type="button" aria-label={`Leave out ${one.title}`} onClick={() => props.drop(one.uri)}>×</button>
            {!here.has(one.uri) && <input type="hidden" name="uri" value={one.uri} />}
          </li>
        ))}
      </ul>
    </>
  );
}
