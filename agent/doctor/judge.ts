/**
 * From facts to findings. Pure: what was seen comes in, sentences go out. Each check is a file of its own.
 * Source: docs/adr/0072-the-doctor-judges-facts.md.
 */
import { type Finding, MAX_FINDINGS } from "../../protocol/finding.ts";
import type { DurationMs } from "../../protocol/time.ts";
import { type BuildsFacts, judgeBuilds } from "./builds.ts";
import { type CertificatesFacts, judgeCertificates } from "./certificates.ts";
import { type ClockFacts, judgeClock } from "./clock.ts";
import { type CoordinatorFacts, judgeCoordinator } from "./coordinator.ts";
import { type DiskFacts, judgeDisk } from "./disk.ts";
import { findingsOf } from "./finding.ts";
import { type GuardFacts, judgeGuard } from "./guard.ts";
import { judgePaths, type PathsFacts } from "./paths.ts";
import { judgeProcess, type ProcessFacts } from "./process.ts";
import { judgeSettings, type SettingsFacts } from "./settings.ts";
import { judgeTrust, type TrustFacts } from "./trust.ts";
import { judgeUnit, type UnitFacts } from "./unit.ts";
import { judgeVersions, type VersionsFacts } from "./versions.ts";

/** What one check has seen; or that it came to nothing, which is a finding, too. */
export type Seen<T> =
  | { readonly kind: "seen"; readonly facts: T }
  | { readonly kind: "late"; readonly afterMs: DurationMs }
  | { readonly kind: "failed"; readonly why: string };

export type Facts = {
  readonly settings: SettingsFacts;
  readonly agent: ProcessFacts;
  readonly service: UnitFacts;
  readonly guard: GuardFacts;
  readonly versions: VersionsFacts;
  readonly builds: BuildsFacts;
  readonly disk: DiskFacts;
  readonly permissions: PathsFacts;
  readonly coordinator: CoordinatorFacts;
  readonly certificates: CertificatesFacts;
  readonly clock: ClockFacts;
  readonly trust: TrustFacts;
};

export type Sight = { readonly [Check in keyof Facts]: Seen<Facts[Check]> };

/** The checks, in the order in which they are read: what runs, what it is made of, what it reaches. */
export const JUDGES: { readonly [Check in keyof Facts]: (facts: Facts[Check]) => Finding[] } = {
  settings: judgeSettings,
  agent: judgeProcess,
  service: judgeUnit,
  guard: judgeGuard,
  versions: judgeVersions,
  builds: judgeBuilds,
  disk: judgeDisk,
  permissions: judgePaths,
  coordinator: judgeCoordinator,
  certificates: judgeCertificates,
  clock: judgeClock,
  trust: judgeTrust,
};

export function judge(sight: Sight): Finding[] {
  const found = (Object.keys(JUDGES) as (keyof Facts)[]).flatMap((check) => judgeOne(check, sight[check]));
  return found.slice(0, MAX_FINDINGS);
}

function judgeOne<Check extends keyof Facts>(check: Check, seen: Seen<Facts[Check]>): Finding[] {
  const { problem } = findingsOf(check);
  switch (seen.kind) {
    case "seen":
      return JUDGES[check](seen.facts);
    case "late":
      return [
        problem(
          "check-late",
          `This could not be looked at within ${seen.afterMs / 1_000} s.`,
          "A disk or a network file system that does not answer is a cause; dmesg may say more.",
        ),
      ];
    case "failed":
      return [
        problem(
          "check-failed",
          `This could not be looked at: ${seen.why}`,
          "Say it again as root: sudo agent doctor",
        ),
      ];
  }
}
