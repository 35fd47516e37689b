import type { ComponentChildren } from "preact";
import "./facts.css";

/** What is so of one thing: names and values. */
export function Facts({
  of,
}: {
  readonly of: readonly (readonly [name: string, value: ComponentChildren])[];
}) {
  return (
    <dl class="fact-list">
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="name">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
