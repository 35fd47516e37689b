import { createHash } from "node:crypto";
import type { DurationMs, EpochMs } from "../../protocol/time.ts";
import type { LeasePolicy } from "../core/lease/view.ts";
import type { Timing } from "../core/presence/presence.ts";
import type { Time } from "../core/rollout/rollout.ts";
import type { Store } from "../store/store.ts";
import { type Coalesce, createCoalesce } from "./coalesce.ts";
import { createNodeNews, type NodeNews } from "./events/node-news.ts";
import { createLive, type Live } from "./live-nodes.ts";
import type { Log, Parts, Random, ReleaseSource, Timings } from "./parts.ts";
import { DEFAULT_RETENTION, type Retention } from "./retention.ts";
import { createRoster, type Roster } from "./roster.ts";
import { createShownPlans, type ShownPlans } from "./shown-plans.ts";
import type { TickUnit } from "./tick-units.ts";
import { notedStore, type WritesNoted } from "./writes-noted.ts";

/** Unless it is set otherwise. */
const STREAMS_PER_TOKEN = 50;

/** The longest that a drain hook may take, and ten seconds for the flip. */
const MAX_ACT_WITHIN_MS: DurationMs = 610_000;

/** What every service is handed. */
export type Context = {
  readonly store: Store;
  readonly writes: WritesNoted;
  /** It is not the one that decides, and writes nothing. */
  readonly standsBy: boolean;
  readonly repository: ReleaseSource;
  readonly random: Random;
  readonly log: Log;
  readonly timings: Timings;
  readonly retention: Retention;
  /** Of the request at work right now; null where none is. */
  readonly requestId: () => string | null;
  readonly storeFault: () => string | null;
  /** Of the state directory's disk; null where nobody knows. */
  readonly freeBytes: () => Promise<number | null>;
  readonly unitFailed: (unit: TickUnit) => void;
  /** For what is measured: begins at the wall clock and then only rises, however the wall clock is set. */
  readonly now: () => EpochMs;
  /** For people: audit, jobs, alerts. */
  readonly wall: () => EpochMs;
  readonly timing: Timing;
  /** Live presence and doors of nodes; gone with the process. */
  readonly live: Live;
  readonly leasePolicy: LeasePolicy;
  /** By hash; gone with the process. */
  readonly shownPlans: ShownPlans;
  /** What is heard of nodes and not written, for who follows the events. */
  readonly nodeNews: NodeNews;
  /** Streams of events that one token may have open. */
  readonly streamsPerToken: number;
  /** Runs of the same work that are asked for meanwhile become one. */
  readonly coalesce: Coalesce;
  /** Every node, group and active job, for who looks at thousands of them. */
  readonly roster: () => Promise<Roster>;
};

export async function createContext(parts: Parts): Promise<Context> {
  const { clock, timings } = parts;
  const { store, writes } = notedStore(parts.store);
  const anchorMs = clock.now() - clock.uptime();
  const now = () => anchorMs + clock.uptime();
  const { value: meta } = await store.meta();
  return {
    store,
    writes,
    standsBy: parts.standsBy ?? false,
    repository: parts.repository,
    random: parts.random,
    log: parts.log,
    timings,
    retention: parts.retention ?? DEFAULT_RETENTION,
    requestId: parts.requestId ?? (() => null),
    storeFault: parts.storeFault ?? (() => null),
    freeBytes: async () => (await parts.machine?.disk())?.freeBytes ?? null,
    unitFailed: parts.unitFailed ?? (() => undefined),
    now,
    wall: () => clock.now(),
    timing: {
      heartbeatMs: timings.heartbeatMs,
      offlineAfterMissed: timings.offlineAfterMissed,
      startedAtMs: now(),
    },
    live: createLive(),
    shownPlans: createShownPlans(),
    nodeNews: parts.shared?.news ?? createNodeNews(),
    streamsPerToken: parts.streamsPerToken ?? STREAMS_PER_TOKEN,
    coalesce: createCoalesce(parts.pause === undefined ? undefined : { now, pause: parts.pause }),
    roster: createRoster(store),
    leasePolicy: {
      ttlMs: timings.reservationMs,
      actWithinMs: timings.actWithinMs,
      maxActWithinMs: Math.max(MAX_ACT_WITHIN_MS, timings.drainMs + timings.actWithinMs),
      overdueAfterMs: overdueAfterMs(timings),
      retryAfterMs: timings.heartbeatMs,
      epoch: meta.tokenEpoch,
    },
  };
}

/** Longer than the worst probation: all of it, going back, and being heard again. */
const overdueAfterMs = (timings: Timings): DurationMs =>
  2 * timings.probationMs + timings.inconclusiveAfterMs + timings.offlineAfterMissed * timings.heartbeatMs;

/** Both clocks at this instant. */
export const timeOf = (ctx: Pick<Context, "now" | "wall">): Time => ({
  nowMs: ctx.now(),
  wallMs: ctx.wall(),
});

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";

/** An id as `names.ts` has them: a letter for what it is, and twelve characters nobody can guess. */
export const newId = (random: Random, letter: "n" | "j" | "r" | "o" | "t" | "w"): string =>
  `${letter}-${Array.from(random(12), (byte) => ALPHABET[byte % ALPHABET.length]).join("")}`;

export const newNonce = (random: Random): string => Buffer.from(random(16)).toString("hex");

/** `browser`: of a browser that is signed in; `link`: of an address that signs one in, once. */
type SecretKind = "node" | "operator" | "join" | "webhook" | "browser" | "link" | "fleet-lock";

/** A secret of 256 bits; what it is for can be seen, so that one in the wrong place is noticed. */
export const newSecret = (random: Random, kind: SecretKind): string =>
  `baton_${kind}_${Buffer.from(random(32)).toString("base64url")}`;

/** Secrets are random, so a plain hash keeps them; nothing slower is needed. */
export const hashSecret = (secret: string): string => createHash("sha256").update(secret).digest("hex");
