import type { Kysely, QueryResult } from "kysely";
import type { LogLine } from "../../../protocol/job.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import type { JobRecord } from "../../core/job/job.ts";
import type { LeaseRecord } from "../../core/lease/record.ts";
import { hasGroup } from "../../core/rollout/places.ts";
import { createPoke } from "../poke.ts";
import type {
  AlertKind,
  GroupRecord,
  JoinTokenRecord,
  Meta,
  NodeRecord,
  OperatorTokenRecord,
  Stored,
  StoredNode,
} from "../records.ts";
import type { Store } from "../store.ts";
import { prepareAlerts } from "./alerts.ts";
import { writeBatch } from "./batch.ts";
import { prepareEvents } from "./events.ts";
import { sqlLists } from "./lists.ts";
import { preparePolicy } from "./policy.ts";
import { prune } from "./prune.ts";
import { type AuditRow, type LogRow, type NodeRow, prepareReads, type Row } from "./reads.ts";
import { prepareRequests } from "./requests.ts";
import { rolloutsOf } from "./rollouts.ts";
import { prepareSignIns } from "./sign-ins.ts";
import { prepareStatements } from "./statements.ts";
import type { Tables } from "./tables.ts";
import { applyTogether } from "./together.ts";
import type { Transact } from "./transact.ts";
import { prepareWebhooks } from "./webhooks.ts";
import { writeChange } from "./writes.ts";

/**
 * The store on any SQL database that Kysely speaks to; the tables are there already. Bodies are what this program
 * wrote itself, so they are not validated again. `now` is the wall clock that events are stamped with.
 */
export function openSqlStore(db: Kysely<Tables>, now: () => EpochMs, engine: SqlEngine): Store {
  const read = prepareReads(db);
  const statements = prepareStatements(db);
  const rollouts = rolloutsOf(db);
  const policy = preparePolicy(db);
  const requests = prepareRequests(db);
  const signIns = prepareSignIns(db);
  const lists = sqlLists(db);
  const alerts = prepareAlerts(db);
  const webhooks = prepareWebhooks(db);
  const events = prepareEvents(db);
  const changed = createPoke();
  const write = writeChange(statements, { requests, rollouts, policy, signIns });
  const batch = writeBatch({ write, alerts, webhooks, events, now });
  const { transact } = engine;
  const together = applyTogether(transact, batch, () => changed.poke());
  const none = {};
  return {
    apply: together.apply,
    async touchNodes(seen) {
      await transact((runner) => statements.touch(runner, seen));
    },
    async meta() {
      const meta = first(await read.meta(db, none));
      if (meta === null) throw new Error("the store has no meta record");
      return record<Meta>(meta);
    },
    ...policy.read,
    ...signIns.read,
    group: async (name) => orNull(first(await read.group(db, { name })), record<GroupRecord>),
    groups: async () => (await read.groups(db, none)).rows.map(record<GroupRecord>),
    lease: async (group) => orNull(first(await read.lease(db, { group })), record<LeaseRecord>),
    busyLeases: async () =>
      (await read.busyLeases(db, none)).rows.map((row) => ({
        ...record<LeaseRecord>(row),
        group: row.group,
      })),
    node: async (id) => orNull(first(await read.node(db, { id })), nodeRecord),
    nodes: async (group) => {
      const found = group === undefined ? read.nodes(db, none) : read.nodesOf(db, { group });
      return (await found).rows.map(nodeRecord);
    },
    nodeByName: async (name) => orNull(first(await read.nodeByName(db, { name })), nodeRecord),
    nodeByCredential: async (hash) => orNull(first(await read.nodeByCredential(db, { hash })), nodeRecord),
    job: async (id) => orNull(first(await read.job(db, { id })), record<JobRecord>),
    activeJob: async (nodeId) => orNull(first(await read.activeJob(db, { nodeId })), record<JobRecord>),
    activeJobsOf: async (group) => (await read.activeJobsOf(db, { group })).rows.map(record<JobRecord>),
    activeDiagnosis: async (nodeId) =>
      orNull(first(await read.activeDiagnosis(db, { nodeId })), record<JobRecord>),
    activeDiagnoses: async () => (await read.activeDiagnoses(db, none)).rows.map(record<JobRecord>),
    lastJob: async (nodeId) => orNull(first(await read.lastJob(db, { nodeId })), record<JobRecord>),
    activeJobs: lists.activeJobs,
    jobsById: lists.jobsById,
    jobs: lists.jobs,
    log: async (jobId, from, limit) => (await read.log(db, { jobId, from, limit })).rows.map(logLine),
    logSize: async (jobId) => {
      const size = first(await read.logSize(db, { jobId }));
      return { lines: Number(size?.lines ?? 0), characters: Number(size?.characters ?? 0) };
    },
    logLength: async (jobId) => (first(await read.lastLine(db, { jobId }))?.line ?? -1) + 1,
    rollout: rollouts.get,
    rollouts: rollouts.heads,
    unfinishedRollouts: async (group) => {
      const found = await rollouts.unfinished();
      return group === undefined ? found : found.filter(({ value }) => hasGroup(value, group));
    },
    operatorTokens: async () => (await read.operatorTokens(db, none)).rows.map(record<OperatorTokenRecord>),
    operatorToken: async (id) =>
      orNull(first(await read.operatorToken(db, { id })), record<OperatorTokenRecord>),
    operatorTokenByHash: async (hash) =>
      orNull(first(await read.operatorTokenByHash(db, { hash })), record<OperatorTokenRecord>),
    joinTokens: lists.joinTokens,
    joinTokenByHash: async (hash) =>
      orNull(first(await read.joinTokenByHash(db, { hash })), record<JoinTokenRecord>),
    request: requests.find,
    audit: async (limit, filter = {}) => (await lists.audit({ ...filter, limit })).map(auditEntry),
    alert: alerts.one,
    alerts: alerts.page,
    openAlerts: alerts.open,
    webhook: webhooks.one,
    webhooks: webhooks.all,
    deliveries: webhooks.deliveries,
    dueDeliveries: webhooks.due,
    changesSince: events.since,
    oldestEventId: events.oldestId,
    lastEventId: events.newestId,
    onChange: (listener) => changed.listen(listener),
    countOpenAlerts: async () =>
      (await read.countOpenAlerts(db, none)).rows.map(({ kind, count }) => ({
        kind: kind as AlertKind,
        count: Number(count),
      })),
    prune: (what, before, limit, keep = Number.POSITIVE_INFINITY) =>
      prune(transact, what, { before, limit, keep }, engine.reclaim),
    copyTo: engine.copyTo,
    async close() {
      await together.idle();
      await db.destroy();
    },
  };
}

/** What differs from engine to engine. */
export type SqlEngine = {
  readonly transact: Transact;
  /** Null where the database is no file of this machine. */
  readonly copyTo: Store["copyTo"];
  /** Gives room that came free back to the disk. */
  readonly reclaim: () => void;
};

const first = <T>(result: QueryResult<T>): T | null => result.rows[0] ?? null;

const orNull = <R, T>(row: R | null, make: (row: R) => T): T | null => (row === null ? null : make(row));

const record = <T>(row: Row): Stored<T> => ({ value: JSON.parse(row.body) as T, revision: row.revision });

const nodeRecord = (row: NodeRow): StoredNode => ({
  ...record<NodeRecord>(row),
  lastSeenAt: row.last_seen_at,
});

const logLine = ({ line, at, source, step, text }: LogRow): LogLine => ({
  index: line,
  at,
  source: source as LogLine["source"],
  step: step as LogLine["step"],
  text,
});

const auditEntry = (row: AuditRow) => ({
  id: row.id,
  at: row.at,
  actor: row.actor,
  action: row.action,
  subject: row.subject,
  before: JSON.parse(row.before) as unknown,
  after: JSON.parse(row.after) as unknown,
  from: row.from_address,
  ...(row.request_id === null ? {} : { requestId: row.request_id }),
});
