import type { ComponentChildren } from "preact";
import "./table.css";

/** One row: its first cell is what the row is called. */
export type Row = {
  readonly key: string;
  readonly cells: readonly ComponentChildren[];
  /** It is over, and stands back. */
  readonly over?: boolean;
};

/** A table of not very many rows. Where there is no room for columns each row is a list with the names of them. */
export function Table({
  label,
  columns,
  rows,
}: {
  readonly label: string;
  /** An empty name is that of what can be done. */
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}) {
  return (
    <table class="table" aria-label={label}>
      <thead>
        <tr>
          {columns.map((name) => (
            <th key={name} scope="col">
              {name === "" ? <span class="hidden-text">What can be done</span> : name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ key, cells: [first, ...rest], over = false }) => (
          <tr key={key} class={over ? "table-over" : undefined}>
            <th scope="row">{first}</th>
            {rest.map((cell, at) => (
              <td key={columns[at + 1]} data-column={columns[at + 1]}>
                {cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
