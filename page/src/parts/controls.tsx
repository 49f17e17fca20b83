// What linked views are asked for: which quantities are drawn, and what dragging does.

import type { ComponentChildren } from "preact";
import type { Axis } from "./rows";

/** Which axes are drawn, by their keys; no colour is an empty text. */
export interface Keys {
  x: string;
  y: string;
  color: string;
}

const KINDS: [string, string][] = [
  ["colour", "Colours"],
  ["magnitude", "Magnitudes"],
  ["index", "Variability"],
  ["flux", "Fluxes"],
  ["other", "Other columns"],
  ["position", "Positions"],
];
export function Controls(props: { axes: Axis[]; keys: Keys; onKeys: (keys: Keys) => void; children?: ComponentChildren }) {
  const { axes, keys, onKeys } = props;
  return (
    <div class="form controls">
      <Choice label="Across" axes={axes} value={keys.x} onChange={(x) => onKeys({ ...keys, x })} />
      <Choice label="Up" axes={axes} value={keys.y} onChange={(y) => onKeys({ ...keys, y })} />
      <Choice label="Colour" axes={axes} value={keys.color} none="one colour" onChange={(color) => onKeys({ ...keys, color })} />
      {props.children}
    </div>
  );
}

export function Dragging({ lassos, onChange }: { lassos: boolean; onChange: (lassos: boolean) => void }) {
  return (
    <div role="group" aria-label="What dragging does">
      <button type="button" aria-pressed={!lassos} onClick={() => onChange(false)}>Move</button>{" "}
      <button type="button" aria-pressed={lassos} onClick={() => onChange(true)}>Choose</button>
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
