/** What the soak is judged by. The bounds are stated here, and printed with the figures. */
import { quantile } from "../../bench/spread.ts";
import type { PhaseSeen } from "./timeline.ts";

export type Verdict = { readonly name: string; readonly ok: boolean; readonly says: string };

export const BOUNDS = {
  /** Above what the coordinator took when all were there and nothing was wrong: at the worst moment, and at the end. */
  mostMb: 384,
  afterwardsMb: 160,
  /** Open files and sockets beyond the sessions, at the end. */
  descriptors: 100,
  /**
   * Afterwards an answer takes at most as much longer than before, or this; the 95th percentile counts. Where the machine
   * itself has become slower to make a few bytes last, for what others do on it, as much more is allowed.
   */
  slower: 2,
  answerMs: 250,
} as const;

export function memoryVerdicts(phases: ReadonlyMap<string, PhaseSeen>): readonly Verdict[] {
  const before = Math.max(...(phases.get("calm")?.memoryMb ?? [0]));
  const most = Math.max(...[...phases.values()].flatMap(({ memoryMb }) => memoryMb));
  const after = quantile((phases.get("afterwards")?.memoryMb ?? [0]).slice(-15), 0.5);
  const from = `${before.toFixed(0)} MiB in the calm`;
  return [
    {
      name: "memory is bounded",
      ok: most <= before + BOUNDS.mostMb,
      says: `${most.toFixed(0)} MiB at most, ${from}, ${BOUNDS.mostMb} MiB more allowed`,
    },
    {
      name: "memory comes back",
      ok: after <= before + BOUNDS.afterwardsMb,
      says: `${after.toFixed(0)} MiB at the end, ${from}, ${BOUNDS.afterwardsMb} MiB more allowed`,
    },
  ];
}

export function latencyVerdicts(phases: ReadonlyMap<string, PhaseSeen>): readonly Verdict[] {
  const before = phases.get("calm");
  const after = phases.get("afterwards");
  const slower = slowerBy(percentile(before?.diskMs), percentile(after?.diskMs));
  return (["beatMs", "readyMs"] as const).map((which) => {
    const was = percentile(before?.[which]);
    const is = percentile(after?.[which]);
    const most = Math.max(BOUNDS.answerMs, was * BOUNDS.slower) * slower;
    return {
      name: which === "beatMs" ? "heartbeats are answered as before" : "readiness is answered as before",
      ok: is <= most,
      says: `${is.toFixed(0)} ms afterwards, ${was.toFixed(0)} ms in the calm (95th percentiles), ${most.toFixed(0)} ms allowed${slower === 1 ? "" : `, since the disk takes ${slower.toFixed(1)} times as long`}`,
    };
  });
}

/** How much slower the machine itself has become; not at all where nobody knows. */
function slowerBy(beforeMs: number, afterMs: number): number {
  const times = afterMs / beforeMs;
  return Number.isFinite(times) ? Math.min(10, Math.max(1, times)) : 1;
}

/** Of nothing: never answered. */
const percentile = (ms: readonly number[] = []): number =>
  ms.length === 0 ? Number.POSITIVE_INFINITY : quantile(ms, 0.95);

/** Nothing may have been found; the first of what was is told. */
export const cleanVerdict = (name: string, found: readonly string[], counted: string): Verdict => ({
  name,
  ok: found.length === 0,
  says: found.length === 0 ? counted : `${found.length} found: ${found.slice(0, 5).join("; ")}`,
});
