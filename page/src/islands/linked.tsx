// Linked views of the rows of a table: a diagram, the sky and the rows, each showing what is chosen in the others.

import { render } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Domain } from "../parts/frame";
import { Grid, type GridColumn } from "../parts/grid";
import { Raster } from "../parts/raster";
import { columnsOfData, densityOf, load, spelledIn, type Axis, type Data, type Subject } from "../parts/rows";
import { Scatter } from "../parts/scatter";
import { fieldOf } from "../parts/field";
import { csvOf, save, saveAs } from "../parts/taking";
import { root } from "../parts/wire";

interface Props extends Subject {
  axes: Axis[];
  x: string;
  y: string;
  color: string | null;
}

const KINDS: [string, string][] = [
  ["colour", "Colours"],
  ["magnitude", "Magnitudes"],
  ["index", "Variability"],
  ["flux", "Fluxes"],
  ["other", "Other columns"],
  ["position", "Positions"],
];
/** Of more rows that are chosen a query would be too long. */
const MOST_NAMED = 500;

export function mount(place: HTMLElement, props: Props): Promise<void> {
  return new Promise((drawn) => {
    const box = document.createElement("div");
    place.replaceChildren(box);
    render(<Linked {...props} onDrawn={drawn} />, box);
  });
}

function Linked(props: Props & { onDrawn: () => void }) {
  const [keys, setKeys] = useState({ x: props.x, y: props.y, color: props.color ?? "" });
  const [data, setData] = useState<Data | null>(null);
  const [failure, setFailure] = useState("");
  const [lassos, setLassos] = useState(false);
  /** Part of a large table whose points are shown instead of its density. */
  const [close, setClose] = useState<Domain | null>(null);
  const isDense = props.rows > props.most && !close;
  const axis = (key: string) => props.axes.find((one) => one.key === key);
  const [x, y, colour] = [axis(keys.x)!, axis(keys.y)!, axis(keys.color)];

  useEffect(() => {
    if (isDense) return;
    let isCurrent = true;
    load(props, x, y, colour, close).then(
      (found) => isCurrent && (setData(found), setFailure("")),
      (error: Error) => isCurrent && (setFailure(error.message), props.onDrawn()),
    );
    return () => void (isCurrent = false);
  }, [keys, close]);
  useEffect(() => {
    const address = new URL(location.href);
    for (const [name, key] of Object.entries(keys)) if (key) address.searchParams.set(name, key);
    history.replaceState(null, "", address);
  }, [keys]);

  const choices = { axes: props.axes };
  return (
    <div class="linked">
      <div class="form controls">
        <Choice {...choices} label="Across" value={keys.x} onChange={(key) => setKeys({ ...keys, x: key })} />
        <Choice {...choices} label="Up" value={keys.y} onChange={(key) => setKeys({ ...keys, y: key })} />
        <Choice {...choices} label="Colour" value={keys.color} none="one colour" onChange={(key) => setKeys({ ...keys, color: key })} />
        {!isDense && (
          <div role="group" aria-label="What dragging does">
            <button type="button" aria-pressed={!lassos} onClick={() => setLassos(false)}>Move</button>{" "}
            <button type="button" aria-pressed={lassos} onClick={() => setLassos(true)}>Choose</button>
          </div>
        )}
        {close && <button type="button" onClick={() => (setClose(null), setData(null))}>All rows</button>}
      </div>
      {failure && <p class="told" role="alert">{failure}</p>}
      {isDense && <Dense subject={props} {...{ x, y, colour }} onClose={setClose} onDrawn={props.onDrawn} />}
      {!isDense && data && <Views subject={props} {...{ data, lassos }} onDrawn={props.onDrawn} />}
    </div>
  );
}

function Choice(props: { label: string; value: string; axes: Axis[]; none?: string; onChange: (key: string) => void }) {
  const groups = KINDS.map(([kind, title]) => [title, props.axes.filter((axis) => axis.kind === kind)] as const);
  return (
    <label>
      <span>{props.label}</span>
      <select value={props.value} onChange={(event) => props.onChange(event.currentTarget.value)}>
        {props.none && <option value="">{props.none}</option>}
        {groups.map(([title, axes]) => axes.length > 0 && (
          <optgroup key={title} label={title}>
            {axes.map((axis) => <option key={axis.key} value={axis.key}>{axis.label}</option>)}
          </optgroup>
        ))}
      </select>
    </label>
  );
}

/** All points, and the rows behind them. */
function Views({ subject, data, lassos, onDrawn }: { subject: Subject; data: Data; lassos: boolean; onDrawn: () => void }) {
  const places = [useRef<HTMLDivElement>(null), useRef<HTMLDivElement>(null)];
  const plots = useRef<Scatter[]>([]);
  const [chosen, setChosen] = useState<number[]>([]);
  const [marked, setMarked] = useState<number | null>(null);
  const n = data.answer.table.numRows;

  useEffect(() => {
    plots.current = places.flatMap((place, i) => (place.current ? [new Scatter(place.current, i ? "Places on the sky" : "Diagram")] : []));
    for (const plot of plots.current) {
      plot.onHover = setMarked;
      plot.onSelect = (rows) => {
        for (const other of plots.current) if (other !== plot) other.select(rows);
        setChosen(rows);
      };
    }
    return () => plots.current.forEach((plot) => plot.destroy());
  }, []);
  useEffect(() => {
    const [diagram, sky] = plots.current;
    const field = data.ra && data.dec ? fieldOf(data.ra, data.dec, subject.cone) : null;
    setChosen([]);
    void Promise.all([
      diagram?.setData(data.x, data.y, data.labels, data.shade),
      field && sky?.setData(field.x, field.y, field.labels, data.shade),
    ]).then(onDrawn);
  }, [data]);
  useEffect(() => plots.current.forEach((plot) => plot.setMode(lassos ? "lasso" : "panZoom")), [lassos]);

  const columns = useMemo((): GridColumn[] => columnsOfData(data, subject), [data]);
  const rows = useMemo(() => (chosen.length ? chosen : [...Array(n).keys()]), [chosen, n]);
  const number = (value: number) => value.toLocaleString("en");
  const clear = () => {
    plots.current.forEach((plot) => plot.select([]));
    setChosen([]);
  };
  return (
    <div data-rows={n} data-chosen={chosen.length}>
      <div class="columns views">
        <div ref={places[0]} class="view" />
        {data.ra && <div ref={places[1]} class="view" />}
      </div>
      {data.shadeText && <p class="soft">{data.shadeText}</p>}
      <p class="status" role="status">
        {chosen.length ? `${number(chosen.length)} of ${number(n)} rows chosen.` : `${number(n)} rows.`}
        {data.answer.overflow && " There are more than the service gives at once."}
      </p>
      {chosen.length > 0 && <Taking {...{ subject, data, chosen }} onClear={clear} />}
      <Grid columns={columns} rows={rows} marked={marked} label="Rows" onMark={setMarked} link={(row) => linkOf(subject, data, row)} />
      <p class="soft">
        Wheel or + and - zoom, arrows move, 0 shows all. With “Choose”, or while Shift is held, drag around points to choose them; Escape chooses nothing.
      </p>
    </div>
  );
}

/** What can be done with the rows that are chosen. */
function Taking({ subject, data, chosen, onClear }: { subject: Subject; data: Data; chosen: number[]; onClear: () => void }) {
  const [told, setTold] = useState("");
  const [name, setName] = useState(`${subject.table.split(".").pop()}_chosen`);
  const ids = subject.id ? data.answer.table.getChild(subject.id) : null;
  const asQuery = () => {
    const values = chosen.map((row) => literal(ids?.get(row))).join(", ");
    const adql = `SELECT *\nFROM ${subject.written}\nWHERE ${spelledIn(subject, subject.id!)} IN (${values})`;
    return `${root}query?${new URLSearchParams({ adql })}`;
  };
  return (
    <form
      class="form taking"
      onSubmit={(event) => {
        event.preventDefault();
        void save(name, csvOf(data.answer, chosen)).then(setTold);
      }}
    >
      <button type="button" onClick={() => saveAs(`${subject.table}.csv`, csvOf(data.answer, chosen))}>Download CSV</button>
      {ids && chosen.length <= MOST_NAMED && <a class="button" href={asQuery()}>As a query</a>}
      <button type="button" onClick={onClear}>Choose nothing</button>
      <label>
        <span>Table in MyDB</span>
        <input value={name} maxLength={60} onInput={(event) => setName(event.currentTarget.value)} required />
      </label>
      <button>Save to MyDB</button>
      <span role="status">{told}</span>
    </form>
  );
}

/** The density of a large table, until so few points are in view that they can be drawn. */
function Dense(props: { subject: Subject; x: Axis; y: Axis; colour: Axis | undefined; onClose: (domain: Domain) => void; onDrawn: () => void }) {
  const { subject, x, y, colour } = props;
  const place = useRef<HTMLDivElement>(null);
  const [told, setTold] = useState("");
  useEffect(() => {
    if (!place.current) return;
    const raster = new Raster(place.current, `Density of ${y.label} against ${x.label}`);
    let turn = 0;
    const draw = async (domain: Domain | null) => {
      const mine = ++turn;
      try {
        const density = await densityOf(subject, x, y, colour, domain);
        if (mine !== turn) return;
        if (domain && density.inside <= subject.most) return props.onClose(domain);
        raster.draw(density);
        setTold(`${density.inside.toLocaleString("en")} rows in view, counted in cells. Zoom in to see each of them.`);
      } catch (error) {
        setTold((error as Error).message);
      }
      props.onDrawn();
    };
    raster.onView = (domain) => void draw(domain);
    void draw(null);
    return () => raster.destroy();
  }, [x.key, y.key, colour?.key]);
  return (
    <>
      <div ref={place} class="view large" />
      <p class="status" role="status">{told}</p>
    </>
  );
}

function linkOf(subject: Subject, data: Data, row: number): string | null {
  const value = subject.id ? data.answer.table.getChild(subject.id)?.get(row) : null;
  return value === null || value === undefined ? null : `${root}o/${encodeURIComponent(subject.table)}/${encodeURIComponent(String(value))}`;
}

function literal(value: unknown): string {
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
}
