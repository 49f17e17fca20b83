// A diagram, the sky and the rows behind them, each showing what is chosen in the others.

import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { fieldOf, type Cone } from "./field";
import { Grid } from "./grid";
import { columnsOfData, type Data } from "./rows";
import type { Scatter } from "./scatter";

interface Props {
  data: Data;
  /** The column that tells rows apart, if there is one. */
  id: string | null;
  /** Where on the sky to look, if that is known. */
  cone: Cone | null;
  lassos: boolean;
  /** Places of the rows that are chosen. */
  chosen: number[];
  onChoose: (chosen: number[]) => void;
  onDrawn: () => void;
  /** What is said of rows that are not here. */
  more?: string;
  /** Changes with the colours of the style sheet. */
  theme?: string;
  link?: (row: number) => string | null;
  /** What can be done with rows that are chosen. */
  children?: ComponentChildren;
}

/** What draws points is the heaviest part; rows are shown before it is here. */
export const drawing = () => import("./scatter");

export function Views({ data, id, cone, lassos, chosen, theme, ...props }: Props) {
  const places = [useRef<HTMLDivElement>(null), useRef<HTMLDivElement>(null)];
  const plots = useRef<Scatter[]>([]);
  const told = useRef(props.onChoose);
  told.current = props.onChoose;
  /** Which plot shows already what is chosen, since it was chosen there. */
  const source = useRef<Scatter | null>(null);
  const [hasPlots, setHasPlots] = useState(false);
  const [marked, setMarked] = useState<number | null>(null);
  const n = data.answer.n;

  const show = () => {
    for (const plot of plots.current) if (plot !== source.current) plot.select(chosen);
    source.current = null;
  };
  const shown = useRef(show);
  shown.current = show;
  useEffect(() => {
    let isHere = true;
    void drawing().then(({ Scatter }) => {
      if (!isHere) return;
      plots.current = places.flatMap(({ current }, i) => (current ? [new Scatter(current, i ? "Places on the sky" : "Diagram")] : []));
      for (const plot of plots.current) {
        plot.onHover = setMarked;
        plot.onSelect = (rows) => {
          source.current = plot;
          told.current(rows);
        };
      }
      setHasPlots(true);
    });
    return () => {
      isHere = false;
      plots.current.forEach((plot) => plot.destroy());
    };
  }, []);
  useEffect(() => {
    const [diagram, sky] = plots.current;
    if (!diagram) return;
    const field = data.ra && data.dec ? fieldOf(data.ra, data.dec, cone) : null;
    void Promise.all([
      diagram.setData(data.x, data.y, data.labels, data.shade),
      field && sky?.setData(field.x, field.y, field.labels, data.shade),
    ]).then(() => (shown.current(), props.onDrawn()));
  }, [data, hasPlots]);
  useEffect(show, [chosen]);
  useEffect(() => plots.current.forEach((plot) => plot.setMode(lassos ? "lasso" : "panZoom")), [lassos, hasPlots]);
  useEffect(() => void (theme && plots.current.forEach((plot) => plot.repaint())), [theme]);

  const columns = useMemo(() => columnsOfData(data, id), [data]);
  const rows = useMemo(() => (chosen.length ? chosen : Uint32Array.from({ length: n }, (_, row) => row)), [chosen, n]);
  const drawn = useMemo(() => data.x.reduce((sum, x, i) => sum + Number(Number.isFinite(x) && Number.isFinite(data.y[i])), 0), [data]);
  const number = (value: number) => value.toLocaleString("en");
  const key = (event: KeyboardEvent) => void (event.key === "Escape" && chosen.length && props.onChoose([]));
  return (
    <div data-rows={n} data-chosen={chosen.length} onKeyDown={key}>
      <div class="columns views">
        <div ref={places[0]} class="view" />
        {data.ra && <div ref={places[1]} class="view" />}
      </div>
      {data.shadeText && <p class="soft">{data.shadeText}</p>}
      <p class="status" role="status">
        {chosen.length ? `${number(chosen.length)} of ${number(n)} rows chosen.` : `${number(n)} rows.`}
        {drawn < n && ` ${number(drawn)} have both quantities of the diagram.`}
        {props.more && ` ${props.more}`}
      </p>
      {chosen.length > 0 && props.children}
      <Grid columns={columns} rows={rows} marked={marked} label="Rows" onMark={setMarked} link={props.link} />
      <p class="soft">
        Wheel or + and - zoom, arrows move, 0 shows all. With “Choose”, or while Shift is held, drag around points to choose them; Escape chooses nothing.
      </p>
    </div>
  );
}
