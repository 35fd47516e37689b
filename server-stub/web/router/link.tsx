import type { ComponentChildren } from "preact";
import { useRouter } from "./router.ts";

/** A link to a page of ours. What the browser does with a link in another tab or window it still does. */
export function Link({
  to,
  class: name,
  label,
  current,
  children,
}: {
  readonly to: string;
  readonly class?: string;
  readonly label?: string;
  /** It leads to where we are. */
  readonly current?: boolean;
  readonly children: ComponentChildren;
}) {
  const router = useRouter();
  return (
    <a
      href={to}
      class={name}
      aria-label={label}
      aria-current={current === true ? "page" : undefined}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        router.go(to);
      }}
    >
      {children}
    </a>
  );
}
