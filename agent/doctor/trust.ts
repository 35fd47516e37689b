import type { Finding } from "../../protocol/finding.ts";
import type { EpochMs } from "../../protocol/time.ts";
import { findingsOf } from "./finding.ts";
import { DAY_MS, dayText, spanText } from "./words.ts";

/** A file of metadata: its version and when it expires. */
export type RoleFacts =
  | { readonly kind: "missing" }
  | { readonly kind: "torn"; readonly why: string }
  | { readonly kind: "found"; readonly version: number; readonly expires: EpochMs };

export type TrustFacts = {
  readonly joined: boolean;
  /** `root.json`, which all trust begins at. */
  readonly pinned: RoleFacts;
  /** What was verified last, below `tuf/current/`. */
  readonly root: RoleFacts;
  readonly targets: RoleFacts;
  readonly snapshot: RoleFacts;
  readonly timestamp: RoleFacts;
  readonly now: EpochMs;
};

const SOON_MS = 14 * DAY_MS;

const { ok, warning, problem } = findingsOf("trust");

/**
 * Whether releases can be verified. Snapshot and timestamp live for a day and are fetched with every update, so
 * that those on the disk may be old; root and targets are the publisher's and live long.
 */
export function judgeTrust(facts: TrustFacts): Finding[] {
  const { joined, pinned, now } = facts;
  if (!joined && pinned.kind === "missing") return [];
  if (pinned.kind !== "found") {
    const why = pinned.kind === "missing" ? "is missing" : `cannot be read: ${pinned.why}`;
    return [
      problem(
        "root-unusable",
        `state/root.json ${why}, so that no release can be verified. What runs goes on running.`,
        "Join again: agent join URL --root-fingerprint HEX --force",
      ),
    ];
  }
  const cached = (["root", "targets", "snapshot", "timestamp"] as const).filter(
    (role) => facts[role].kind === "torn",
  );
  const root = facts.root.kind === "found" ? facts.root : pinned;
  return [
    ...judgeLong(
      "root",
      root,
      now,
      "baton keys renew, on the publisher's machine; nodes follow by themselves.",
    ),
    ...(facts.targets.kind === "found"
      ? judgeLong(
          "targets",
          facts.targets,
          now,
          "Publish anything, or: baton keys renew. It signs the list of releases anew.",
        )
      : []),
    ...(cached.length === 0
      ? []
      : [
          warning(
            "metadata-torn",
            `Of the metadata on the disk, ${cached.join(", ")} cannot be read.`,
            "Nothing is to be done: it is fetched anew and verified with the next update.",
          ),
        ]),
    ...(facts.timestamp.kind === "missing"
      ? [ok("metadata-none", "No metadata has been fetched yet; the first update does.")]
      : []),
  ];
}

function judgeLong(
  role: "root" | "targets",
  { version, expires }: Extract<RoleFacts, { kind: "found" }>,
  now: EpochMs,
  hint: string,
): Finding[] {
  const left = expires - now;
  if (left <= 0) {
    const message = `The ${role} metadata known here, version ${version}, expired ${spanText(left)} ago (${dayText(expires)}).`;
    const more = "If a newer one is published, the next update fetches it. Is the clock right?";
    return role === "root"
      ? [problem("root-expired", message, `${hint} ${more}`)]
      : [warning("targets-expired", message, `${hint} ${more}`)];
  }
  const message = `The ${role} metadata, version ${version}, is valid until ${dayText(expires)}.`;
  return left < SOON_MS ? [warning(`${role}-expiring`, message, hint)] : [ok(role, message)];
}
