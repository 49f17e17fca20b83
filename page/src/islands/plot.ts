// The rows of a query as points: one column against another.

import { Scatter } from "../parts/scatter";
import { fetchAnswer, numbersOf } from "../parts/wire";

interface Column {
  name: string;
  unit: string | null;
}

interface Props {
  x: Column;
  y: Column;
  invert_x: boolean;
  invert_y: boolean;
  points: string;
}

export async function mount(place: HTMLElement, props: Props): Promise<void> {
  const answer = await fetchAnswer(props.points);
  const box = document.createElement("div");
  box.className = "view large";
  const told = document.createElement("p");
  told.className = "status";
  told.setAttribute("role", "status");
  place.replaceChildren(box, told);
  const plot = new Scatter(box, `${props.y.name} against ${props.x.name}`);
  const labels = { x: labelOf(props.x), y: labelOf(props.y), invertX: props.invert_x, invertY: props.invert_y };
  await plot.setData(numbersOf(answer, props.x.name), numbersOf(answer, props.y.name), labels);
  const rows = answer.n;
  told.textContent = `${rows.toLocaleString("en")} rows${answer.overflow ? ", and there are more" : ""}. Wheel or + and - zoom, arrows move, 0 shows all.`;
}

function labelOf(column: Column): string {
  return column.unit ? `${column.name} [${column.unit}]` : column.name;
}
