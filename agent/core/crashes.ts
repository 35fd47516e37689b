import type { DurationMs } from "../../protocol/time.ts";

/** How often in a row this build ended although nobody stopped it, as the launcher counted before this start. */
export type Crashes = { readonly count: number; readonly resetAfterMs: DurationMs };

/** What the launcher says in the environment; none where there is no launcher. */
export function readCrashes(env: Readonly<Record<string, string | undefined>>): Crashes {
  const number = (text: string | undefined, otherwise: number) =>
    text !== undefined && /^(0|[1-9]\d{0,8})$/.test(text) ? Number(text) : otherwise;
  return {
    count: number(env.BATON_CRASHES, 0),
    resetAfterMs: number(env.BATON_CRASH_RESET_S, 60) * 1_000,
  };
}

/** The count of a process that has run for so long: one that runs well begins anew, as the launcher has it. */
export const crashesAfter = ({ count, resetAfterMs }: Crashes, ranMs: DurationMs): number =>
  ranMs < resetAfterMs ? count : 0;
