// Linked views of the rows of a table: a diagram, the sky and the rows, each showing what is chosen in the others.

import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Controls, Dragging } from "../parts/controls";
import type { Domain } from "../parts/frame";
import { Raster } from "../parts/raster";
import { densityOf, load, spelledIn, type Axis, type Data, type Subject } from "../parts/rows";
import { csvOf, save, saveAs } from "../parts/taking";
import { root } from "../parts/server";
import { drawing, Views } from "../parts/views";
import { columnOf, type Value } from "../parts/wire";

interface Props extends Subject {
  axes: Axis[];
  x: string;
  y: string;
  color: string | null;
}

/** Of more rows that are chosen a query would be too long. */
const MOST_NAMED = 500;

export function mount(place: HTMLElement, props: Props): Promise<void> {
  if (props.rows <= props.most) void drawing();
  return new Promise((drawn) => {
    const box = document.createElement("div");
    place.replaceChildren(box);
    render(<Linked {...props} onDrawn={drawn} />, box);
  });
}

function Linked(props: Props & { onDrawn: () => void }) {
  const [keys, setKeys] = useState({ x: props.x, y: props.y, color: props.color ?? "" });
  const [data, setData] = useState<Data | null>(null);
  const [chosen, setChosen] = useState<number[]>([]);
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
      (found) => isCurrent && (setData(found), setChosen([]), setFailure("")),
      (error: Error) => isCurrent && (setFailure(error.message), props.onDrawn()),
    );
    return () => void (isCurrent = false);
  }, [keys, close]);
  useEffect(() => {
    const address = new URL(location.href);
    for (const [name, key] of Object.entries(keys)) if (key) address.searchParams.set(name, key);
    history.replaceState(null, "", address);
  }, [keys]);

  return (
    <div class="linked">
      <Controls axes={props.axes} keys={keys} onKeys={setKeys}>
        {!isDense && <Dragging lassos={lassos} onChange={setLassos} />}
        {close && <button type="button" onClick={() => (setClose(null), setData(null))}>All rows</button>}
      </Controls>
      {failure && <p class="told" role="alert">{failure}</p>}
      {isDense && <Dense subject={props} {...{ x, y, colour }} onClose={setClose} onDrawn={props.onDrawn} />}
      {!isDense && data && (
        <Views
          {...{ data, lassos, chosen }}
          id={props.id}
          cone={props.cone}
          onChoose={setChosen}
          onDrawn={props.onDrawn}
          more={data.answer.overflow ? "There are more than the service gives at once." : ""}
          link={(row) => linkOf(props, data, row)}
        >
          <Taking subject={props} {...{ data, chosen }} onClear={() => setChosen([])} />
        </Views>
      )}
    </div>
  );
}

/** What can be done with the rows that are chosen. */
function Taking({ subject, data, chosen, onClear }: { subject: Subject; data: Data; chosen: number[]; onClear: () => void }) {
  const [told, setTold] = useState("");
  const [name, setName] = useState(`${subject.table.split(".").pop()}_chosen`);
  const ids = subject.id ? columnOf(data.answer, subject.id) : undefined;
  const asQuery = () => {
    const values = chosen.map((row) => literal(ids!.at(row))).join(", ");
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
  const value = subject.id ? columnOf(data.answer, subject.id)?.at(row) : null;
  return value === null || value === undefined ? null : `${root}o/${encodeURIComponent(subject.table)}/${encodeURIComponent(String(value))}`;
}

function literal(value: Value): string {
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
}
