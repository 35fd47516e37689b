import type { DurationMs } from "../../../protocol/time.ts";
import type { Seen } from "../judge.ts";

/** What a look comes to within its time. What it began is left behind when it is late: a dead disk never answers. */
export async function limited<T>(afterMs: DurationMs, look: () => Promise<T>): Promise<Seen<T>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Seen<T>>((resolve) => {
    timer = setTimeout(() => resolve({ kind: "late", afterMs }), afterMs);
  });
  const seen = look().then(
    (facts): Seen<T> => ({ kind: "seen", facts }),
    (cause: unknown): Seen<T> => ({
      kind: "failed",
      why: cause instanceof Error ? cause.message : String(cause),
    }),
  );
  try {
    return await Promise.race([seen, late]);
  } finally {
    clearTimeout(timer);
  }
}
