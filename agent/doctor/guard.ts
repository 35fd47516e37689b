import type { Finding } from "../../protocol/finding.ts";
import { findingsOf } from "./finding.ts";

export type GuardFacts = {
  readonly guard: string;
  /** Formats of `state/trial` that it reads; null when it could not be asked. */
  readonly formats: readonly number[] | null;
  /** Programs beside it that cannot be run. */
  readonly broken: readonly string[];
  /** Whether the service of the package is there; without it nobody needs a guard. */
  readonly hasUnit: boolean;
  readonly trial:
    | { readonly kind: "none" }
    | { readonly kind: "damaged"; readonly why: string }
    | { readonly kind: "open"; readonly to: string; readonly triesLeft: number; readonly isOn: boolean };
  /** How often in a row the build that runs ended although nobody stopped it. */
  readonly crashes: number;
};

/** The format that this agent writes. */
const FORMAT = 1;
const CRASHES_TO_TELL = 3;

const { ok, warning, problem } = findingsOf("guard");

/** What takes a new build back that cannot do so itself: whether it works, and what it is at. */
export function judgeGuard(facts: GuardFacts): Finding[] {
  return [...judgeProgram(facts), ...judgeTrial(facts), ...judgeCrashes(facts)];
}

function judgeProgram({ guard, formats, broken, hasUnit }: GuardFacts): Finding[] {
  const hint = "Reinstall the package baton-agent: apt install --reinstall baton-agent";
  if (broken.length > 0) {
    const message = `${broken.join(", ")} cannot be run: a new build that does not start would not be taken back.`;
    return [hasUnit ? problem("guard-broken", message, hint) : warning("guard-absent", message, NO_GUARD)];
  }
  if (formats === null) return [problem("guard-silent", `${guard} does not answer what it can read.`, hint)];
  if (!formats.includes(FORMAT)) {
    return [
      problem(
        "guard-format",
        `${guard} reads trials of the formats ${formats.join(", ")}, and this agent writes ${FORMAT}.`,
        "Install the package baton-agent of the version that this agent came with, or a newer one.",
      ),
    ];
  }
  return [ok("guard-ok", `${guard} can be run, and reads what the agent writes (format ${FORMAT}).`)];
}

const NO_GUARD =
  "Without the package's service, have what starts the agent run the guard before: see docs/adr/0009.";

function judgeTrial({ trial }: GuardFacts): Finding[] {
  if (trial.kind === "none") return [];
  if (trial.kind === "damaged") {
    return [
      warning(
        "trial-damaged",
        `state/trial cannot be read: ${trial.why}.`,
        "The agent puts it right when it starts: systemctl restart baton-agent",
      ),
    ];
  }
  const { to, triesLeft, isOn } = trial;
  if (!isOn) return [ok("trial-prepared", `${to} is about to be put on probation, or has been taken back.`)];
  return [ok("trial-open", `${to} is on probation; tries left: ${triesLeft}.`)];
}

function judgeCrashes({ crashes }: GuardFacts): Finding[] {
  if (crashes < CRASHES_TO_TELL) return [];
  return [
    problem(
      "crashing",
      `What runs has crashed ${crashes} times in a row. It is confirmed, so it is not taken back by itself.`,
      "Why: journalctl -u baton-agent -n 100. To go back to the build before: agent rollback",
    ),
  ];
}
