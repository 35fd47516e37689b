/** What the coordinator is put together from: everything with an effect comes in here, and nowhere else. */
import type { Readable } from "node:stream";
import type { Release } from "../../protocol/release.ts";
import type { Fault, Result } from "../../protocol/result.ts";
import type { Clock, DurationMs, EpochMs } from "../../protocol/time.ts";
import type { Store } from "../store/store.ts";
import type { EventsAtWork } from "./coordinator.ts";
import type { NodeNews } from "./events/node-news.ts";
import type { Retention } from "./retention.ts";
import type { TickUnit } from "./tick-units.ts";
import type { PostSettings } from "./webhooks/post.ts";

/** That many bytes nobody can guess. */
export type Random = (bytes: number) => Uint8Array;

/** The part of a logger that the services need; pino's has it. */
export type Log = Record<"debug" | "info" | "warn" | "error", (fields: object, message: string) => void>;

/** The part of the repository that the services need. */
export type ReleaseSource = {
  releases(): { releases: readonly Release[]; targetsVersion: number; expiresAt: string | null };
  expiring(
    now?: EpochMs,
  ): readonly { readonly role: string; readonly expires: string; readonly leftMs: DurationMs }[];
  /** Of every role that is signed, with when its signature ends. */
  expiries(): readonly { readonly role: string; readonly expires: string }[];
  /**
   * Removes what was uploaded more than a day ago and never published, and bundles that no release has named for that
   * long. Answers their names.
   */
  sweep(bundlesAfterMs: DurationMs, now?: EpochMs): Promise<readonly string[]>;
  /** Reads again what is published: another coordinator may have changed it. */
  refresh?(): Promise<void>;
  resign(now?: EpochMs): Promise<Result<readonly string[], Fault>>;
  upload(
    sha256: string,
    body: Readable,
  ): Promise<Result<{ bytes: number }, Fault<"upload-mismatch" | "too-large">>>;
  publish(
    targets: unknown,
    expectedTargetsVersion: number,
  ): Promise<
    Result<
      { targetsVersion: number },
      Fault<"release-refused" | "targets-version-conflict" | "trust-not-ready">
    >
  >;
};

/** Durations in milliseconds. The configuration file's `[timings]` have this shape. */
export type Timings = {
  readonly heartbeatMs: DurationMs;
  readonly offlineAfterMissed: number;
  readonly confirmAfterHeartbeats: number;
  readonly reservationMs: DurationMs;
  readonly actWithinMs: DurationMs;
  readonly drainMs: DurationMs;
  readonly probationMs: DurationMs;
  readonly inconclusiveAfterMs: DurationMs;
  readonly jobTimeoutMs: DurationMs;
};

/** What the coordinator's own machine says. */
export type Machine = {
  /** Of the file system that the state directory is on; what others than the system's own user may use. */
  disk(): Promise<{ readonly freeBytes: number; readonly totalBytes: number }>;
  /** When the certificate that is served expires; null without one. */
  certificate(): Promise<EpochMs | null>;
};

export type Parts = {
  /** It is not the one that decides: it touches no lease at its start, and its engine does not run. */
  readonly standsBy?: boolean;
  /** Events that outlive this coordinator, because another one may take its place in the same process. */
  readonly shared?: { readonly events: EventsAtWork; readonly news: NodeNews };
  /** Not watched where there is none. */
  readonly machine?: Machine;
  /** How messages to webhooks go out; by the network to public addresses only unless told otherwise. */
  readonly webhooks?: Partial<Omit<PostSettings, "now">>;
  /** How long a browser stays signed in; twelve hours unless told otherwise. */
  readonly signedInForMs?: DurationMs;
  /** Streams of events that one token may have open; 50 unless told otherwise. */
  readonly streamsPerToken?: number;
  readonly store: Store;
  readonly repository: ReleaseSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly timings: Timings;
  /** The defaults where there is none. */
  readonly retention?: Retention;
  /** The request at work right now, for the audit log. */
  readonly requestId?: () => string | null;
  /** Why the last write to the store failed; null when it did not, or where nobody looks. */
  readonly storeFault?: () => string | null;
  /** Between long looks at the same thing; where there is none they come one right after the other. */
  readonly pause?: (ms: DurationMs) => Promise<void>;
  /** A piece of the engine's work has failed unforeseen: to be counted. */
  readonly unitFailed?: (unit: TickUnit) => void;
};
