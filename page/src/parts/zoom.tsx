// The buttons by which a diagram is zoomed.

import type { Lines } from "./lines";

/** Buttons for whatever diagram there is when one is pressed. */
export function ZoomTools({ lines }: { lines: { readonly current: Lines | null } }) {
  return (
    <p class="tools">
      <button type="button" aria-label="Zoom in" onClick={() => lines.current?.zoom(0.6)}>
        +
      </button>
      <button type="button" aria-label="Zoom out" onClick={() => lines.current?.zoom(1.7)}>
        −
      </button>
      <button type="button" aria-label="Show everything" onClick={() => lines.current?.all()}>
        ⤢
      </button>
    </p>
  );
}
