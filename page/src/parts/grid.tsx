// A table of many rows of which only those in view are in the document.

import { useEffect, useRef, useState } from "preact/hooks";

export interface GridColumn {
  name: string;
  unit: string;
  isNumber: boolean;
  /** The value of a row as text. */
  text: (row: number) => string;
}

interface Props {
  columns: GridColumn[];
  /** Places of the rows that are shown, in their order. */
  rows: ArrayLike<number>;
  /** The row that is pointed at elsewhere. */
  marked: number | null;
  label: string;
  onMark: (row: number | null) => void;
  /** Where a row leads, if anywhere; from its first column. */
  link?: (row: number) => string | null;
}

const HEIGHT = 27;
const IN_VIEW = 14;

export function Grid({ columns, rows, marked, label, onMark, link }: Props) {
  const [top, setTop] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current?.scrollTo({ top: 0 });
    setTop(0);
  }, [rows]);
  const first = Math.max(0, Math.floor(top / HEIGHT) - 4);
  const last = Math.min(rows.length, first + IN_VIEW + 8);
  const shown: number[] = [];
  for (let i = first; i < last; i++) shown.push(rows[i]!);
  return (
    <div class="grid" ref={box} tabIndex={0} role="region" aria-label={label} onScroll={(event) => setTop(event.currentTarget.scrollTop)}>
      <table aria-rowcount={rows.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <th key={column.name} scope="col" class={column.isNumber ? "n" : ""}>
                {column.name}
                {column.unit && <span> {column.unit}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {first > 0 && <Gap height={first * HEIGHT} />}
          {shown.map((row, i) => (
            <tr
              key={row}
              aria-rowindex={first + i + 2}
              class={row === marked ? "marked" : ""}
              onMouseEnter={() => onMark(row)}
              onMouseLeave={() => onMark(null)}
            >
              {columns.map((column, at) => {
                const address = at === 0 ? link?.(row) : null;
                return (
                  <td key={column.name} class={column.isNumber ? "n" : ""}>
                    {address ? <a href={address}>{column.text(row)}</a> : column.text(row)}
                  </td>
                );
              })}
            </tr>
          ))}
          {last < rows.length && <Gap height={(rows.length - last) * HEIGHT} />}
        </tbody>
      </table>
    </div>
  );
}

function Gap({ height }: { height: number }) {
  const place = useRef<HTMLTableRowElement>(null);
  useEffect(() => {
    if (place.current) place.current.style.height = `${height}px`;
  }, [height]);
  return <tr ref={place} aria-hidden="true" />;
}
