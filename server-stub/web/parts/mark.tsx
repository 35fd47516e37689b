import "./mark.css";

/** What something is like, at a glance. Each tone has a colour, a shape and a word beside it. */
export type Tone = "good" | "busy" | "warn" | "bad" | "idle";

/** Told apart without colour: disc, half disc, triangle, diamond, ring. */
const SHAPES: Readonly<Record<Tone, string>> = {
  good: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Z",
  busy: "M8 2a6 6 0 0 1 0 12V2Zm0 0a6 6 0 0 0 0 12v-1.6A4.4 4.4 0 0 1 8 3.6V2Z",
  warn: "M8 1.8 15 14H1L8 1.8Z",
  bad: "M8 .8 15.2 8 8 15.2.8 8 8 .8Z",
  idle: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Zm0 1.8a4.2 4.2 0 1 1 0 8.4 4.2 4.2 0 0 1 0-8.4Z",
};

/** The shape of a tone. It says nothing to a screen reader: the word beside it does. */
export function Mark({ tone }: { readonly tone: Tone }) {
  return (
    <svg class={`mark mark-${tone}`} viewBox="0 0 16 16" aria-hidden="true">
      <path d={SHAPES[tone]} fill="currentColor" fill-rule="evenodd" />
    </svg>
  );
}

/** A word with its shape, such as the state of a node. */
export function State({
  tone,
  children,
}: {
  readonly tone: Tone;
  readonly children: preact.ComponentChildren;
}) {
  return (
    <span class="state">
      <Mark tone={tone} />
      <span>{children}</span>
    </span>
  );
}

/** The same on a ground of its own, where it has to be noticed. */
export function Chip({
  tone,
  children,
}: {
  readonly tone: Tone;
  readonly children: preact.ComponentChildren;
}) {
  return (
    <span class={`chip chip-${tone}`}>
      <Mark tone={tone} />
      <span>{children}</span>
    </span>
  );
}
