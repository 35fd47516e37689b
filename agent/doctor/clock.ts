import type { Finding } from "../../protocol/finding.ts";
import type { DurationMs } from "../../protocol/time.ts";
import { findingsOf } from "./finding.ts";
import { spanText } from "./words.ts";

/** This machine's clock less the coordinator's, by its `Date` header; null when it could not be asked. */
export type ClockFacts = { readonly offsetMs: DurationMs | null };

/** A `Date` header has whole seconds, and travels. */
const UNNOTICED_MS: DurationMs = 5_000;
/** From here on signed metadata may be taken for expired, or certificates for not valid yet. */
const FAR_MS: DurationMs = 300_000;

const { ok, warning, problem } = findingsOf("clock");

/** No decision compares two clocks, but metadata and certificates expire by this one. */
export function judgeClock({ offsetMs }: ClockFacts): Finding[] {
  if (offsetMs === null) {
    return [
      warning(
        "clock-not-compared",
        "The clock could not be compared: the coordinator did not say what time it is.",
        "Mend what is said of the coordinator, and look again. timedatectl says whether this machine keeps its time.",
      ),
    ];
  }
  if (Math.abs(offsetMs) < UNNOTICED_MS)
    return [ok("clock-right", "The clock agrees with the coordinator's.")];
  const message = `The clock is ${spanText(offsetMs)} ${offsetMs > 0 ? "ahead of" : "behind"} the coordinator's.`;
  const hint =
    "Have it kept by the network: timedatectl set-ntp true. If it is right, look at the coordinator's.";
  if (Math.abs(offsetMs) < FAR_MS) return [warning("clock-off", message, hint)];
  return [
    problem(
      "clock-far-off",
      `${message} Certificates and metadata may seem expired, or not valid yet.`,
      hint,
    ),
  ];
}
