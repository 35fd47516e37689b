import { Mark, type Tone } from "../../parts/mark.tsx";
import { Link } from "../../router/link.tsx";

/** One number, as large as it has to be from across the room; it leads to what it counts. */
export function Tile({
  ready,
  name,
  value,
  of,
  tone,
  to,
  kind,
}: {
  readonly ready: boolean;
  readonly name: string;
  readonly value: number;
  readonly of?: number;
  readonly tone: Tone;
  readonly to: string;
  /** Of what it is a number, where its name does not say. */
  readonly kind?: string;
}) {
  return (
    <li>
      <Link to={to} class={`tile tile-${tone}`}>
        <span class="tile-value">
          {ready ? value : "–"}
          {of === undefined || !ready ? null : <span class="tile-of"> of {of}</span>}
        </span>
        <span class="tile-name">
          <Mark tone={tone} />
          {kind === undefined ? name : `${kind} ${name}`}
        </span>
      </Link>
    </li>
  );
}
