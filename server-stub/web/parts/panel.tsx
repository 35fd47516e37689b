import type { ComponentChildren } from "preact";
import "./panel.css";

/** A part of a page under a heading of its own. */
export function Panel({
  title,
  aside,
  children,
}: {
  readonly title: string;
  /** Beside the heading, such as a link to the page of all. */
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  const id = `panel-${title.toLowerCase().replace(/\W+/g, "-")}`;
  return (
    <section class="panel" aria-labelledby={id}>
      <div class="panel-head">
        <h2 id={id}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** In place of what is not there yet, as large as it will be: nothing jumps. */
export function Skeleton({ lines = 3 }: { readonly lines?: number }) {
  return (
    <div class="skeleton" role="status">
      <span class="hidden-text">Loading</span>
      {Array.from({ length: lines }, (_, at) => (
        <span key={at} class="skeleton-line" />
      ))}
    </div>
  );
}

/** Where there is nothing: what that means, and what to do first. */
export function Empty({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children === undefined ? null : <div class="soft">{children}</div>}
    </div>
  );
}
