import type { Fault } from "../../../protocol/result.ts";

/**
 * What a failure to prepare says about the job: `may-pass` (try again), `bad-build` (the build itself cannot run
 * here: quarantine it, so that it is not tried again unasked), or `refused` (the job fails; nothing is learned
 * about the build).
 */
export type Judgement = "may-pass" | "bad-build" | "refused";

export function judgePreparation({ code }: Fault): Judgement {
  if (BAD_BUILD.has(code) || code.startsWith("bundle-")) return "bad-build";
  return MAY_PASS.has(code) ? "may-pass" : "refused";
}

/** Its bytes are what was signed, and they cannot run on this node. So it is with every `bundle-…` fault. */
const BAD_BUILD: ReadonlySet<string> = new Set(["self-test-failed", "self-test-timeout", "wrong-platform"]);

/** Somebody was away, or something was in the way. */
const MAY_PASS: ReadonlySet<string> = new Set([
  "unreachable",
  "timed-out",
  "http-status",
  "missing-metadata",
  "mix-and-match",
  "not-signed",
  "disk-full",
  "disk-failed",
  "cancelled",
]);
