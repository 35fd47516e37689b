import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

/** The head of a page: its one `h1`, which the focus goes to when the page is come to. */
export function PageHead({
  title,
  children,
}: {
  readonly title: string;
  /** What can be done on this page. */
  readonly children?: ComponentChildren;
}) {
  useEffect(() => {
    document.title = `${title} · Baton`;
  }, [title]);
  return (
    <div class="page-head">
      <h1 tabIndex={-1} class="name">
        {title}
      </h1>
      {children === undefined ? null : <div class="page-actions">{children}</div>}
    </div>
  );
}
