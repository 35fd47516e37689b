/**
 * The coordinator's metrics: gauges are taken from the fleet when somebody asks, counters and histograms are fed by
 * hooks at the doors, the store and the engine's timer. What decides knows nothing of them. Counters begin at 0 with
 * each process, which is what Prometheus's `rate` and `increase` expect of them.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "@prometheus-io/client";
import { PROTOCOL } from "../../protocol/frames.ts";
import { JobKind } from "../../protocol/job.ts";
import { DENIALS } from "../../protocol/lease.ts";
import type { DurationMs } from "../../protocol/time.ts";
import type { Coordinator } from "../service/coordinator.ts";
import { TICK_UNITS, type TickUnit } from "../service/tick-units.ts";
import type { Replication } from "../store/postgres/replication.ts";
import type { StoreWatch } from "../store/watched.ts";
import { BUCKETS, type LabelsOf, METRICS, type MetricName } from "./catalogue.ts";
import { type Samples, samplesOf } from "./samples.ts";

/** One request that was answered. `route` is the route's template, null where there is none. */
export type AnsweredRequest = {
  readonly route: string | null;
  readonly method: string;
  readonly status: number;
  readonly tookMs: DurationMs;
  /** Of the problem that it was refused with. */
  readonly code: string | null;
};

export type Metrics = {
  readonly contentType: string;
  /** All metrics in Prometheus's text format. Those who ask at the same time share one look at the fleet. */
  text(): Promise<string>;
  answered(request: AnsweredRequest): void;
  readonly storeWatch: StoreWatch;
  readonly replicationIs: (now: Replication) => void;
  readonly unitFailed: (unit: TickUnit) => void;
  /** The same, with each round's duration noted. */
  readonly timeTicks: (tick: () => Promise<void>) => () => Promise<void>;
  /** The same, with what agents send counted. */
  readonly countFrames: (sessions: Coordinator["sessions"]) => Coordinator["sessions"];
};

type Options = {
  readonly version: string;
  readonly source: () => Pick<Coordinator, "census" | "readiness">;
  /** Whether this one decides, where there are several. */
  readonly hasSeat?: () => boolean;
  /** Of any clock that only rises, milliseconds. */
  readonly uptime: () => number;
  /** Those of the process and of Node as well; once in a process. */
  readonly ofProcess: boolean;
};

export function createMetrics({
  version,
  source,
  hasSeat = () => true,
  uptime,
  ofProcess,
}: Options): Metrics {
  const registry = new Registry();
  if (ofProcess) collectDefaultMetrics({ register: registry });
  const { gauges, counters, histograms } = makeAll(registry);
  const inc: Inc = (name, labels, by = 1) => counters.get(name)?.inc(labels, by);
  for (const [name, labels] of BEFOREHAND) counters.get(name)?.inc(labels, 0);
  set(gauges, { baton_build_info: [{ labels: { version, protocol: String(PROTOCOL) }, value: 1 }] });

  const replicationIs: Metrics["replicationIs"] = ({ standbys, asynchronous }) =>
    set(gauges, {
      baton_database_standbys: [
        { labels: { sync: "yes" }, value: standbys - asynchronous },
        { labels: { sync: "no" }, value: asynchronous },
      ],
    });
  replicationIs({ standbys: 0, asynchronous: 0, isSynchronous: false });

  /** Since somebody asked last: of ten thousand a second each would cost more than the rest of its answer. */
  let countedAgain = 0;
  const scrape = async (): Promise<string> => {
    inc("baton_heartbeats_total", { result: "counted" }, countedAgain);
    countedAgain = 0;
    const { census, readiness } = source();
    const [counted, { reasons }] = await Promise.all([census(), readiness()]);
    set(gauges, samplesOf(counted));
    set(gauges, { baton_seat: [{ labels: {}, value: hasSeat() ? 1 : 0 }] });
    set(gauges, { baton_ready: [{ labels: {}, value: reasons.length === 0 ? 1 : 0 }] });
    return registry.metrics();
  };
  let scraping: Promise<string> | null = null;
  return {
    replicationIs,
    contentType: registry.contentType,
    text: () => {
      scraping ??= scrape().finally(() => {
        scraping = null;
      });
      return scraping;
    },
    answered: ({ route, method, status, tookMs, code }) => {
      const labels =
        route === null
          ? { route: "none", method: "any", status: `${Math.floor(status / 100)}xx` }
          : { route, method, status: `${Math.floor(status / 100)}xx` };
      histograms.get("baton_http_request_duration_seconds")?.observe(labels, tookMs / 1000);
      if (isDenial(code) && route?.includes("/lease/") === true) inc("baton_lease_denials_total", { code });
    },
    storeWatch: {
      applied: (changes, applied, tookMs) => {
        histograms.get("baton_store_apply_duration_seconds")?.observe(tookMs / 1000);
        if (!applied.ok) return inc("baton_store_conflicts_total", {});
        for (const change of changes) if (change.kind === "audit") countEnd(inc, change.value);
      },
      failed: () => inc("baton_store_failures_total", {}),
    },
    unitFailed: (unit) => inc("baton_engine_errors_total", { unit }),
    timeTicks: (tick) => async () => {
      const from = uptime();
      try {
        await tick();
      } finally {
        histograms.get("baton_engine_tick_duration_seconds")?.observe((uptime() - from) / 1000);
      }
    },
    countFrames: (sessions) => ({
      ...sessions,
      receive: async (nodeId, frames, from) => {
        const answers = await sessions.receive(nodeId, frames, from);
        const refused = answers.filter(({ type }) => type === "refused").length;
        inc("baton_heartbeats_total", { result: "refused" }, refused);
        inc("baton_heartbeats_total", { result: "counted" }, frames.length - refused);
        return answers;
      },
      again: (...said) => {
        const orders = sessions.again(...said);
        if (orders !== null) countedAgain += 1;
        return orders;
      },
    }),
  };
}

type Inc = <N extends MetricName>(name: N, labels: Record<LabelsOf<N>, string>, by?: number) => void;

/** A job or rollout that ended has an entry in the audit log, once. */
function countEnd(inc: Inc, { action, after }: { readonly action: string; readonly after: unknown }): void {
  const [what, result = ""] = action.split(".");
  if (what === "job" && RESULTS.includes(result)) {
    const kind = String((after as { kind?: unknown } | null)?.kind);
    if (KINDS.includes(kind)) inc("baton_jobs_ended_total", { kind, result });
  }
  if (what === "rollout" && RESTS.includes(result)) inc("baton_rollouts_ended_total", { status: result });
}

const KINDS: readonly string[] = JobKind.anyOf.map((each) => each.const);
const RESULTS: readonly string[] = ["succeeded", "failed", "cancelled"];
const RESTS: readonly string[] = ["completed", "halted", "cancelled", "failed"];
const isDenial = (code: string | null): code is string => DENIALS.some((denial) => denial === code);

/** Counters that are 0 before anything has happened: a rule that asks for an increase needs a first value. */
const BEFOREHAND: readonly (readonly [MetricName, Record<string, string>])[] = [
  ...["counted", "refused"].map((result) => ["baton_heartbeats_total", { result }] as const),
  ...DENIALS.map((code) => ["baton_lease_denials_total", { code }] as const),
  ...KINDS.flatMap((kind) => RESULTS.map((result) => ["baton_jobs_ended_total", { kind, result }] as const)),
  ...RESTS.map((status) => ["baton_rollouts_ended_total", { status }] as const),
  ...TICK_UNITS.map((unit) => ["baton_engine_errors_total", { unit }] as const),
];

type Made = {
  readonly gauges: ReadonlyMap<string, Gauge<string>>;
  readonly counters: ReadonlyMap<string, Counter<string>>;
  readonly histograms: ReadonlyMap<string, Histogram<string>>;
};

function makeAll(registry: Registry): Made {
  const gauges = new Map<string, Gauge<string>>();
  const counters = new Map<string, Counter<string>>();
  const histograms = new Map<string, Histogram<string>>();
  for (const [name, { kind, help, labels }] of Object.entries(METRICS)) {
    const options = { name, help, labelNames: [...labels], registers: [registry] };
    if (kind === "gauge") gauges.set(name, new Gauge(options));
    else if (kind === "counter") counters.set(name, new Counter(options));
    else histograms.set(name, new Histogram({ ...options, buckets: [...(BUCKETS[name] ?? [])] }));
  }
  return { gauges, counters, histograms };
}

function set(gauges: Made["gauges"], samples: Samples): void {
  for (const [name, values] of Object.entries(samples)) {
    const gauge = gauges.get(name);
    gauge?.reset();
    for (const { labels, value } of values) gauge?.set(labels, value);
  }
}
