/** What is said of windows and policies: pure. */
import type { RolloutPolicyChoice } from "../../../../protocol/rollout.ts";

const UNITS = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
] as const;

/** "4 h", "1 h 30 min": exactly. */
export function spanOf(ms: number): string {
  const parts: string[] = [];
  let rest = ms;
  for (const [size, unit] of UNITS) {
    const count = Math.floor(rest / size);
    if (count > 0) parts.push(`${count} ${unit}`);
    rest -= count * size;
  }
  return parts.join(" ") || "0 s";
}

/** What a rollout takes when it is not told otherwise, as far as somebody has chosen it. */
export function policyFacts(policy: RolloutPolicyChoice): readonly (readonly [string, string])[] {
  const { stages, concurrency, threshold, pauseMs } = policy;
  return [
    ...(stages === undefined
      ? []
      : [["Stages", stages.map((share) => `${Math.round(100 * share)} %`).join(" → ")] as const]),
    ...(concurrency === undefined ? [] : [["Groups at once", String(concurrency)] as const]),
    ...(threshold === undefined
      ? []
      : [
          [
            "Halts",
            threshold === null
              ? "at the first failure of a quorum group, at 30 % of independent nodes"
              : threshold === 0
                ? "at the first failure"
                : `when more than ${Math.round(100 * threshold)} % of a stage fail`,
          ] as const,
        ]),
    ...(pauseMs === undefined
      ? []
      : [["Between stages", pauseMs === null ? "waits for an operator" : spanOf(pauseMs)] as const]),
  ];
}
