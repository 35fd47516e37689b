import type { ComponentChildren } from "preact";
import type { Pages } from "../store/use-pages.ts";
import { Button } from "./button.tsx";
import { Skeleton } from "./panel.tsx";
import { ProblemNote } from "./problem.tsx";

/** A long list as far as it was read: what stands in its place, and the way to more of it. */
export function Paged<T>({
  pages,
  more,
  empty,
  children,
}: {
  readonly pages: Pages<T>;
  readonly more: () => void;
  /** When there is nothing. */
  readonly empty: ComponentChildren;
  readonly children: (items: readonly T[]) => ComponentChildren;
}) {
  if (pages.kind === "waiting") return <Skeleton lines={6} />;
  if (pages.problem !== null) return <ProblemNote problem={pages.problem} />;
  if (pages.items.length === 0) return <>{empty}</>;
  return (
    <>
      {children(pages.items)}
      {pages.hasMore ? (
        <p class="more">
          <Button onPress={more}>Show more</Button>
        </p>
      ) : null}
    </>
  );
}
