// Which objects vary: the index against brightness, where a point that is clicked leads to its object.

import { render } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Lines, type Series } from "../parts/lines";
import { ZoomTools } from "../parts/zoom";

interface Facts {
  axes: { x: string; y: string; is_magnitude: boolean };
  classes: { name: string; n: number; colour: string; marker: string }[];
  points: { id: string[]; x: number[]; y: number[]; class: number[] };
  line: { x: number[]; y: number[] };
  threshold: number | null;
}

interface Props {
  table: string;
  index: string;
  mag: string;
}

/** From so many points on, markers are small. */
const MANY = 3000;
const MOST_LISTED = 50;

export async function mount(place: HTMLElement, props: Props): Promise<void> {
  const address = new URL(location.href);
  address.pathname += ".json";
  address.hash = "";
  const reply = await fetch(address);
  if (!reply.ok) throw new Error(`The server answers ${reply.status}.`);
  const facts = (await reply.json()) as Facts;
  place.replaceChildren();
  render(<Diagram facts={facts} {...props} />, place);
}

function Diagram({ facts, table, index, mag }: Props & { facts: Facts }) {
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [chosen, setChosen] = useState<number | null>(null);
  const [least, setLeast] = useState("");
  const place = useRef<HTMLDivElement>(null);
  const lines = useRef<Lines | null>(null);
  const series = useMemo(() => seriesOf(facts, hidden), [facts, hidden]);
  const above = useMemo(() => aboveOf(facts, hidden, Number(least)), [facts, hidden, least]);
  useEffect(() => {
    const made = new Lines(place.current!, {
      label: `${index} against ${mag}; arrows go from point to point, plus and minus zoom`,
      xLabel: facts.axes.x,
      yLabel: facts.axes.y,
      logX: !facts.axes.is_magnitude,
      logY: true,
      height: 440,
      radius: facts.points.y.length > MANY ? 2.5 : 4,
      onPick: (key) => key !== null && key >= 0 && setChosen(key),
    });
    lines.current = made;
    return () => made.destroy();
  }, []);
  useEffect(() => lines.current?.set(series), [series]);
  useEffect(() => lines.current?.choose(chosen), [chosen, series]);
  const toggle = (name: string): void => {
    const next = new Set(hidden);
    if (!next.delete(name)) next.add(name);
    setHidden(next);
  };
  const to = (point: number): string => `../o/${encodeURIComponent(table)}/${encodeURIComponent(facts.points.id[point]!)}`;
  return (
    <>
      <div class="bands" role="group" aria-label="Classes">
        {facts.classes.map((one) => (
          <label key={one.name} class={`k-${one.colour}`}>
            <input type="checkbox" checked={!hidden.has(one.name)} onChange={() => toggle(one.name)} />{" "}
            <b aria-hidden="true">{SIGNS[one.marker] ?? "●"}</b>{" "}
            <i>
              {one.name || "all"} ({one.n})
            </i>
          </label>
        ))}
      </div>
      <div class="chart lines">
        <div ref={place} />
        <ZoomTools lines={lines} />
      </div>
      <p aria-live="polite" data-told="point">
        {chosen === null ? (
          <span class="soft">Click on a point, or go from one to the next with the arrows.</span>
        ) : (
          <>
            {facts.points.id[chosen] ? <a href={to(chosen)}>{facts.points.id[chosen]}</a> : "A row"}:{" "}
            {mag} {facts.points.x[chosen]?.toPrecision(6)}, {index} {facts.points.y[chosen]?.toPrecision(4)}{" "}
            {facts.classes[facts.points.class[chosen]!]?.name}
          </>
        )}
      </p>
      <label>
        List objects whose {index} is above{" "}
        <input inputMode="decimal" size={8} value={least} onInput={(event) => setLeast(event.currentTarget.value)} />
      </label>
      {above.length > 0 && (
        <ul class="examples" data-told="above">
          {above.slice(0, MOST_LISTED).map((point) => (
            <li key={point}>
              <a href={to(point)}>{facts.points.id[point]}</a> <span class="soft">{facts.points.y[point]!.toPrecision(3)}</span>
            </li>
          ))}
          {above.length > MOST_LISTED && <li class="soft">and {above.length - MOST_LISTED} more</li>}
        </ul>
      )}
    </>
  );
}

const SIGNS: Record<string, string> = { o: "●", s: "■", "^": "▲", v: "▼", D: "◆", P: "✚", X: "✖", x: "×" };

function seriesOf(facts: Facts, hidden: ReadonlySet<string>): Series[] {
  const { x, y, class: classes } = facts.points;
  const made: Series[] = facts.classes.flatMap(({ name, colour, marker }, place) => {
    if (hidden.has(name)) return [];
    const keys = classes.flatMap((one, key) => (one === place ? [key] : []));
    return [{ name, colour, marker, keys, x: keys.map((key) => x[key]!), y: keys.map((key) => y[key]!) }];
  });
  const line = facts.threshold === null ? facts.line : level(facts);
  if (line.x.length) made.push({ name: "threshold", colour: "ink", marker: "", ...line, keys: line.x.map(() => -1) });
  return made;
}

function level(facts: Facts): { x: number[]; y: number[] } {
  let [low, high] = [Infinity, -Infinity];
  for (const value of facts.points.x) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return high >= low ? { x: [low, high], y: [facts.threshold!, facts.threshold!] } : { x: [], y: [] };
}

/** Points above a value, the highest first. */
function aboveOf(facts: Facts, hidden: ReadonlySet<string>, least: number): number[] {
  if (!(least > 0)) return [];
  const { y, class: classes, id } = facts.points;
  const found = y.flatMap((value, key) => (value > least && id[key] && !hidden.has(facts.classes[classes[key]!]!.name) ? [key] : []));
  return found.sort((a, b) => y[b]! - y[a]!);
}
