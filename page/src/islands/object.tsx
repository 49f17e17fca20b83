// The light curve of one object: against time and folded, with its periods, linked to the cutouts of its epochs.

import { render } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Lines, type Series } from "../parts/lines";
import { ZoomTools } from "../parts/zoom";

interface Point {
  time: number;
  band: string;
  mag: number | null;
  mag_err: number | null;
  flux: number | null;
  flux_err: number | null;
  good: boolean;
  picture: number | null;
}

interface Band {
  name: string;
  colour: string;
  marker: string;
  n: number;
}

interface Props {
  curve: {
    table: string;
    object: string;
    quantity: "mag" | "flux";
    time_label: string;
    value_label: string;
    rule: string;
    bands: Band[];
    points: Point[];
  };
  fold: { period: number; epoch: number } | null;
}

interface Peak {
  period: number;
  power: number;
  relation: string;
}

interface Found {
  series: Series;
  peaks: Peak[];
  /** Twice the first period, where that is likely the true one. */
  double: { period: number; why: string } | null;
}

const CYCLES = 2;
const N_PEAKS = 5;
const COARSE = 1000;
const FINE = 500;
/** Widths of a peak, P^2 / baseline, that the fine slider reaches to either side. */
const FINE_WIDTHS = 10;
const SHORTEST = 0.02;
/** A picture that could not be had is asked for again so often, after a pause. */
const MOST_TRIES = 2;
const PAUSE_MS = 3000;

export function mount(place: HTMLElement, props: Props): void {
  place.replaceChildren();
  render(<ObjectCurve {...props} />, place);
}

function ObjectCurve({ curve, fold }: Props) {
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [hasFaint, setHasFaint] = useState(true);
  const [chosen, setChosen] = useState<number | null>(null);
  const [period, setPeriod] = useState<number | null>(fold?.period ?? null);
  const [epoch, setEpoch] = useState(fold?.epoch ?? 0);
  const kept = useMemo(() => visible(curve, hidden, hasFaint), [curve, hidden, hasFaint]);
  const folded = useMemo(() => (period ? kept.map((one) => foldedBy(one, period, epoch)) : []), [kept, period, epoch]);

  useEffect(() => linkStrip(setChosen), []);
  useEffect(() => show(chosen === null ? null : (curve.points[chosen]?.picture ?? null)), [chosen]);
  useEffect(() => keepInAddress(period, epoch), [period, epoch]);

  const toggle = (band: string): void => {
    const next = new Set(hidden);
    if (!next.delete(band)) next.add(band);
    setHidden(next);
  };
  const inverted = curve.quantity === "mag";
  return (
    <>
      <div class="bands" role="group" aria-label="Bands">
        {curve.bands.map((band) => (
          <label key={band.name} class={`k-${band.colour}`}>
            <input type="checkbox" checked={!hidden.has(band.name)} onChange={() => toggle(band.name)} />{" "}
            <b aria-hidden="true">{SIGNS[band.marker] ?? "●"}</b> <i>{band.name || "all"}</i>
          </label>
        ))}
        {curve.rule && (
          <label>
            <input type="checkbox" checked={hasFaint} onChange={() => setHasFaint(!hasFaint)} /> flagged
          </label>
        )}
      </div>
      <div class={period ? "columns" : ""}>
        <Diagram
          label="Light curve; arrows go from point to point, plus and minus zoom"
          x={curve.time_label}
          y={curve.value_label}
          inverted={inverted}
          series={kept}
          chosen={chosen}
          onPick={(key) => key !== null && setChosen(key)}
        />
        {period && (
          <Diagram
            label="Folded light curve; arrows go from point to point"
            x="Phase"
            y={curve.value_label}
            inverted={inverted}
            series={folded}
            range={[0, CYCLES]}
            chosen={chosen}
            onPick={(key) => key !== null && setChosen(key)}
          />
        )}
      </div>
      <p class="soft" aria-live="polite" data-told="point">
        {told(curve, chosen)}
      </p>
      <Folding curve={curve} period={period} epoch={epoch} setPeriod={setPeriod} setEpoch={setEpoch} />
      <Periods curve={curve} period={period} setPeriod={setPeriod} />
    </>
  );
}

function Folding(given: {
  curve: Props["curve"];
  period: number | null;
  epoch: number;
  setPeriod: (value: number | null) => void;
  setEpoch: (value: number) => void;
}) {
  const { curve, period, epoch, setPeriod, setEpoch } = given;
  const [base, setBase] = useState({ period: period ?? 1, epoch });
  const baseline = useMemo(() => spanOf(curve.points.map((point) => point.time)), [curve]);
  const width = (base.period * base.period) / baseline;
  const set = (value: number): void => {
    if (!(value > 0) || !Number.isFinite(value)) return;
    setBase({ period: value, epoch });
    setPeriod(value);
  };
  // another part of the page has chosen a period: the fine slider stands in its middle again
  if (period && Math.abs(period - base.period) > 1.01 * FINE_WIDTHS * width) setBase({ period, epoch });
  const longest = Math.max(baseline, 2 * SHORTEST);
  const coarse = period ? (COARSE * Math.log(period / SHORTEST)) / Math.log(longest / SHORTEST) : 0;
  return (
    <fieldset>
      <legend>Fold</legend>
      <div class="form">
        <label>
          <span>Period / d</span>
          <NumberField name="period" value={period} onValue={(value) => (value === null ? setPeriod(null) : set(value))} />
        </label>
        <button type="button" disabled={!period} onClick={() => set(period! / 2)}>
          Half the period
        </button>
        <button type="button" disabled={!period} onClick={() => set(period! * 2)}>
          Double the period
        </button>
        <label>
          <span>Epoch / {curve.time_label}</span>
          <NumberField name="epoch" value={epoch} onValue={(value) => setEpoch(value ?? 0)} />
        </label>
      </div>
      <div class="form sliders">
        <label>
          <span>Period, coarse</span>
          <input
            type="range"
            min={0}
            max={COARSE}
            step={1}
            value={coarse}
            onInput={(event) => set(SHORTEST * (longest / SHORTEST) ** (Number(event.currentTarget.value) / COARSE))}
          />
        </label>
        <label>
          <span>Period, fine</span>
          <input
            type="range"
            min={-FINE}
            max={FINE}
            step={1}
            disabled={!period}
            value={period ? ((period - base.period) / width / FINE_WIDTHS) * FINE : 0}
            onInput={(event) =>
              setPeriod(Math.max(base.period + (Number(event.currentTarget.value) / FINE) * FINE_WIDTHS * width, 1e-5))
            }
          />
        </label>
        <label>
          <span>Epoch, by phase</span>
          <input
            type="range"
            min={0}
            max={1}
            step={0.005}
            disabled={!period}
            value={period ? mod((epoch - base.epoch) / period) : 0}
            onInput={(event) => setEpoch(base.epoch + Number(event.currentTarget.value) * (period ?? 1))}
          />
        </label>
      </div>
    </fieldset>
  );
}

/** A field for a number, which is taken when it is complete. */
function NumberField(given: { name: string; value: number | null; onValue: (value: number | null) => void }) {
  const text = given.value === null ? "" : String(Number(given.value.toPrecision(13)));
  return (
    <input
      name={given.name}
      inputMode="decimal"
      size={14}
      value={text}
      onChange={(event) => {
        const words = event.currentTarget.value.trim();
        const value = Number(words);
        if (!words) given.onValue(null);
        else if (Number.isFinite(value)) given.onValue(value);
        else event.currentTarget.value = text;
      }}
    />
  );
}

function Periods(given: { curve: Props["curve"]; period: number | null; setPeriod: (value: number) => void }) {
  const [found, setFound] = useState<Found | null>(null);
  const [problem, setProblem] = useState("");
  const [isBusy, setIsBusy] = useState(false);
  const look = async (): Promise<void> => {
    setIsBusy(true);
    setProblem("");
    try {
      setFound(await periodsOf(given.curve));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setIsBusy(false);
  };
  const isChosen = (peak: Peak): boolean => given.period !== null && Math.abs(given.period / peak.period - 1) < 1e-7;
  return (
    <>
      {!found && (
        <p>
          <button type="button" disabled={isBusy} onClick={() => void look()}>
            {isBusy ? "Looking for periods …" : "Look for periods"}
          </button>
        </p>
      )}
      {problem && (
        <p class="note" role="alert">
          {problem}
        </p>
      )}
      {found && (
        <>
          <h3>Periods</h3>
          <Diagram
            label="Periodogram; a click folds by the period there"
            x="Period / d"
            y="Power"
            logX
            height={220}
            series={[found.series]}
            chosen={null}
            onPick={(_, x) => given.setPeriod(nearestPeak(found, x))}
          />
          <p class="peaks" role="group" aria-label="The best periods">
            {found.peaks.map((peak) => (
              <button
                type="button"
                key={peak.period}
                aria-pressed={isChosen(peak)}
                onClick={() => given.setPeriod(peak.period)}
                title={peak.relation}
              >
                {brief(peak.period)} d <small>{peak.power.toFixed(2)}</small>
              </button>
            ))}
          </p>
          {found.double && (
            <p class="note">
              {found.double.why}: perhaps{" "}
              <button type="button" onClick={() => given.setPeriod(found.double!.period)}>
                {brief(found.double.period)} d
              </button>
              , twice the first.
            </p>
          )}
        </>
      )}
    </>
  );
}

function Diagram(given: {
  label: string;
  x: string;
  y: string;
  inverted?: boolean;
  logX?: boolean;
  height?: number;
  series: Series[];
  range?: [number, number];
  chosen: number | null;
  onPick: (key: number | null, x: number) => void;
}) {
  const place = useRef<HTMLDivElement>(null);
  const lines = useRef<Lines | null>(null);
  const pick = useRef(given.onPick);
  pick.current = given.onPick;
  useEffect(() => {
    const made = new Lines(place.current!, {
      label: given.label,
      xLabel: given.x,
      yLabel: given.y,
      onPick: (key, x) => pick.current(key, x),
      ...(given.inverted ? { inverted: true } : {}),
      ...(given.logX ? { logX: true } : {}),
      ...(given.height ? { height: given.height } : {}),
    });
    lines.current = made;
    return () => made.destroy();
  }, [given.x, given.y]);
  useEffect(() => lines.current?.set(given.series, given.range), [given.series, given.x]);
  useEffect(() => lines.current?.choose(given.chosen), [given.chosen, given.series, given.x]);
  return (
    <div class="chart lines">
      <div ref={place} />
      <ZoomTools lines={lines} />
    </div>
  );
}

const SIGNS: Record<string, string> = { o: "●", s: "■", "^": "▲", v: "▼", D: "◆", P: "✚", X: "✖", x: "✖" };

function visible(curve: Props["curve"], hidden: ReadonlySet<string>, hasFaint: boolean): Series[] {
  return curve.bands
    .filter((band) => !hidden.has(band.name))
    .map((band) => {
      const keys = curve.points.flatMap((point, key) => (point.band === band.name && (hasFaint || point.good) ? [key] : []));
      const points = keys.map((key) => curve.points[key]!);
      const { name, colour, marker } = band;
      return {
        name,
        colour,
        marker,
        keys,
        x: points.map((point) => point.time),
        y: points.map((point) => point[curve.quantity]),
        error: points.map((point) => point[`${curve.quantity}_err`]),
        faint: points.map((point) => !point.good),
      };
    });
}

function foldedBy(one: Series, period: number, epoch: number): Series {
  const phase = one.x.map((time) => mod((time - epoch) / period));
  const again = <T,>(values: T[] | undefined): T[] => Array.from({ length: CYCLES }, () => values ?? []).flat();
  return {
    ...one,
    x: Array.from({ length: CYCLES }, (_, cycle) => phase.map((value) => value + cycle)).flat(),
    y: again(one.y),
    error: again(one.error),
    faint: again(one.faint),
    keys: again(one.keys),
  };
}

async function periodsOf(curve: Props["curve"]): Promise<Found> {
  const asked = new URLSearchParams({ id: curve.object, quality: curve.rule ? "good" : "all", n: "3000" });
  const { fetchAnswer, numbersOf } = await import("../parts/wire"); // a reader of Arrow, which nothing else here needs
  const answer = await fetchAnswer(`look/periodogram/${encodeURIComponent(curve.table)}.arrow?${asked}`);
  const [x, y] = [Array.from(numbersOf(answer, "period")), Array.from(numbersOf(answer, "power"))];
  const peaks = Array.from({ length: N_PEAKS }, (_, i) => i + 1).flatMap((place) => {
    const period = Number(answer.infos[`period_${place}`]);
    const power = Number(answer.infos[`power_${place}`]);
    return period > 0 ? [{ period, power, relation: answer.infos[`relation_${place}`] ?? "" }] : [];
  });
  return { series: { name: "power", colour: "blue", marker: "", x, y }, peaks, double: doubleOf(answer.infos) };
}

function doubleOf(infos: Record<string, string>): Found["double"] {
  if (infos.double_is_likely !== "true") return null;
  const differs = infos.double_is_better === "true";
  const why = differs
    ? "Two cycles differ, as the eclipses of a binary do"
    : "The minimum is narrow and symmetric, as eclipses are; if two of them look alike";
  return { period: Number(infos.double_period), why };
}

/** The peak that is meant by a click, within the width of a few pixels, or else the place itself. */
function nearestPeak(found: Found, x: number): number {
  const close = found.peaks.find((peak) => Math.abs(Math.log(peak.period / x)) < 0.02);
  return close?.period ?? x;
}

function told(curve: Props["curve"], chosen: number | null): string {
  const point = chosen === null ? undefined : curve.points[chosen];
  if (!point) return "Click on a point, or go from one to the next with the arrows, to see its image.";
  const [value, error] = [point[curve.quantity], point[`${curve.quantity}_err`]];
  const words = [`${curve.time_label.replace(" / d", "")} ${point.time.toFixed(5)}:`, point.band];
  words.push(value === null ? "not measured" : brief(value) + (error === null ? "" : ` ± ${brief(error)}`));
  if (!point.good) words.push("(flagged)");
  if (point.picture === null) words.push("(no image)");
  return words.join(" ");
}

/** The strip of cutouts: a link to a point chooses it, and an image that the server was too busy for is asked for again. */
function linkStrip(choose: (point: number) => void): () => void {
  const strip = document.querySelector<HTMLElement>(".strip");
  if (!strip) return () => undefined;
  const click = (event: Event): void => {
    const link = (event.target as Element).closest<HTMLAnchorElement>('a[href^="#point-"]');
    if (!link) return;
    event.preventDefault();
    choose(Number(link.getAttribute("href")!.slice("#point-".length)));
  };
  const again = (event: Event): void => {
    const image = event.target as HTMLImageElement;
    const tries = Number(image.dataset.tries ?? 0);
    if (tries >= MOST_TRIES) return;
    image.dataset.tries = String(tries + 1);
    setTimeout(() => (image.src = image.getAttribute("src")!), PAUSE_MS * (tries + 1));
  };
  strip.addEventListener("click", click);
  strip.addEventListener("error", again, true); // which does not bubble
  return () => {
    strip.removeEventListener("click", click);
    strip.removeEventListener("error", again, true);
  };
}

function show(picture: number | null): void {
  for (const one of document.querySelectorAll(".strip li[aria-current]")) one.removeAttribute("aria-current");
  const item = picture === null ? null : document.getElementById(`image-${picture}`);
  if (!item) return;
  item.setAttribute("aria-current", "true");
  const strip = item.parentElement!;
  strip.scrollTo({ left: item.offsetLeft - strip.offsetLeft - (strip.clientWidth - item.clientWidth) / 2 });
}

/** The address leads to the same view. */
function keepInAddress(period: number | null, epoch: number): void {
  const address = new URL(location.href);
  for (const name of ["half", "double"]) address.searchParams.delete(name);
  if (period) {
    address.searchParams.set("period", String(period));
    address.searchParams.set("epoch", String(epoch));
  } else for (const name of ["period", "epoch"]) address.searchParams.delete(name);
  if (address.href !== location.href) history.replaceState(null, "", address);
  const other = document.querySelector<HTMLAnchorElement>("a[data-scale]");
  if (!other) return;
  address.searchParams.set("scale", new URL(other.href).searchParams.get("scale")!);
  address.hash = "cutouts";
  other.href = address.href;
}

const mod = (value: number): number => value - Math.floor(value);
const brief = (value: number): string => String(Number(value.toPrecision(7)));

function spanOf(values: number[]): number {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return high > low ? high - low : 1;
}
