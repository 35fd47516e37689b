/** Why metadata was not trusted, as stable codes. Whatever the code, the trust that was there stands. */
import type { Role } from "../../../protocol/metadata.ts";
import { plainWords } from "../../../protocol/plain-words.ts";
import { err, type Fault, type Result } from "../../../protocol/result.ts";

export type TrustCode =
  /** The repository did not answer, or the connection broke. */
  | "unreachable"
  /** It answered too slowly. */
  | "timed-out"
  /** It answered with a status that is neither the file nor its absence. */
  | "http-status"
  /** It does not have a file that it must have. */
  | "missing-metadata"
  /** It sends more than such a file may hold: endless data. */
  | "too-large"
  /** What it sends is no metadata. */
  | "malformed"
  /** Not signed by enough of the keys that the root names. */
  | "bad-signature"
  /** A root that does not follow, by version or signature, the one that is trusted. */
  | "root-not-chained"
  /** Its time is over: a freeze, a coordinator that no longer signs, or a wrong clock. */
  | "expired"
  /** Older than what was seen before: a replay or a rollback. */
  | "rolled-back"
  /** Pieces that do not belong together. */
  | "mix-and-match"
  /** The root that this node was given to start from cannot be used. */
  | "bad-root";

export type TrustFault = Fault<TrustCode>;

export const trustFault = (
  code: TrustCode,
  message: string,
  hint: string,
  context: TrustFault["context"] = {},
): Result<never, TrustFault> => err({ code, message, hint, context });

/** A `Fault` on its way through code that can only throw. */
export class TrustError extends Error {
  readonly fault: TrustFault;
  constructor(fault: TrustFault, options?: { cause?: unknown }) {
    super(fault.message, options);
    this.name = "TrustError";
    this.fault = fault;
  }
}

const STANDS = "What was trusted before stands, and what runs was not touched.";

const HINTS: Readonly<Record<TrustCode, string>> = {
  unreachable: "It is tried again at the next poll.",
  "timed-out": "It is tried again at the next poll.",
  "http-status": "Look at the coordinator's log.",
  "missing-metadata": "Publish a release, or restore the coordinator's repository.",
  "too-large": `${STANDS} Check that this is the right coordinator.`,
  malformed: `${STANDS} Check that this is the right coordinator and that no proxy changes what it sends.`,
  "bad-signature": `${STANDS} Somebody without the publisher's keys may be at work: see docs/SECURITY.md.`,
  "root-not-chained": `${STANDS} Somebody without the publisher's keys may be at work: see docs/SECURITY.md.`,
  expired:
    "Check this machine's clock; if it is right, the coordinator no longer signs, or somebody holds back news.",
  "rolled-back": `${STANDS} The coordinator offers what is older than what this node has seen: see docs/SECURITY.md.`,
  "mix-and-match": `${STANDS} If it stays so, restore the coordinator's repository.`,
  "bad-root": "Join this node again with the coordinator's root fingerprint.",
};

/** The fault that a check of `role` failed with, from what tuf-js threw. Other errors are thrown on. */
export async function faultOf(role: Role, cause: unknown): Promise<TrustFault> {
  if (cause instanceof TrustError) return cause.fault;
  if (!(cause instanceof Error)) throw cause;
  const [own, models] = await Promise.all([
    import("tuf-js/dist/error.js"),
    import("@tufjs/models/dist/error.js"),
  ]);
  const because = (code: TrustCode): TrustFault => ({
    code,
    message: `The ${role} metadata was refused: ${plainWords(cause.message.replace(/\.$/, ""))}.`,
    hint: HINTS[code],
    context: { role },
  });
  if (cause instanceof own.ExpiredMetadataError) {
    return because("expired");
  }
  if (cause instanceof own.BadVersionError) {
    if (role === "root") return because("root-not-chained");
    return because(cause.message.includes("less than") ? "rolled-back" : "mix-and-match");
  }
  if (cause instanceof models.UnsignedMetadataError) {
    return because(role === "root" ? "root-not-chained" : "bad-signature");
  }
  if (cause instanceof models.LengthOrHashMismatchError) return because("mix-and-match");
  if (cause instanceof own.RepositoryError) return because("mix-and-match");
  const noMetadata =
    cause instanceof SyntaxError || cause instanceof TypeError || cause instanceof models.ValueError;
  if (noMetadata) return because("malformed");
  throw cause;
}

/** A fault of our own finding, with the hint that belongs to its code. */
export const found = (code: TrustCode, message: string, context: TrustFault["context"] = {}): TrustFault => ({
  code,
  message,
  hint: HINTS[code],
  context,
});
