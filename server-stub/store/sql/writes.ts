import { isActive } from "../../core/job/job.ts";
import type { AlertChange } from "../alerts.ts";
import type { Change, Meta } from "../records.ts";
import type { WebhookChange } from "../webhooks.ts";
import type { preparePolicy } from "./policy.ts";
import type { Runner } from "./prepared.ts";
import type { prepareRequests } from "./requests.ts";
import type { Rollouts } from "./rollouts.ts";
import type { prepareSignIns } from "./sign-ins.ts";
import type { Statements } from "./statements.ts";

type RequestStatements = ReturnType<typeof prepareRequests>;

/** Those that write one record or row; the others are with their topics. */
type RecordChange = Exclude<Change, AlertChange | WebhookChange | { readonly kind: "announce" }>;

/** Writes one change within a transaction. False: its expectation does not hold, and the batch is to be undone. */
export type WriteChange = (runner: Runner, change: RecordChange) => Promise<boolean>;

export function writeChange(
  on: Statements,
  {
    requests,
    rollouts,
    policy,
    signIns,
  }: {
    requests: RequestStatements;
    rollouts: Rollouts;
    policy: ReturnType<typeof preparePolicy>;
    signIns: ReturnType<typeof prepareSignIns>;
  },
): WriteChange {
  return async (runner, change) => {
    switch (change.kind) {
      case "meta":
        return one(await on.meta(runner, body(change.value, change.expected)));
      case "in-seat": {
        const [row] = (await on.readMeta(runner, {})).rows;
        return row !== undefined && (JSON.parse(row.body) as Meta).seat?.claim === change.claim;
      }
      case "group": {
        const { value, expected } = change;
        const row = { ...body(value, expected), name: value.name };
        if (expected > 0) return one(await on.updateGroup(runner, row));
        if (!one(await on.insertGroup(runner, row))) return false;
        return one(await on.insertLease(runner, { group: value.name, body: EMPTY_LEASE }));
      }
      case "same-group":
        return (
          (await on.sameGroup(runner, { name: change.name, expected: change.expected })).rows.length === 1
        );
      case "same-lease":
        return (
          (await on.sameLease(runner, { group: change.group, expected: change.expected })).rows.length === 1
        );
      case "lease": {
        const busy = Number(change.value.holders.length + change.value.broken.length > 0);
        return one(
          await on.lease(runner, { ...body(change.value, change.expected), group: change.group, busy }),
        );
      }
      case "node": {
        const { id, group, name, credentialHash: hash } = change.value;
        const row = { ...body(change.value, change.expected), id, group, name, hash };
        return one(await (change.expected === 0 ? on.insertNode : on.updateNode)(runner, row));
      }
      case "remove-node":
        return one(await on.removeNode(runner, { id: change.id, expected: change.expected }));
      case "remove-group": {
        const { name, expected } = change;
        await on.removeLease(runner, { group: name });
        return one(await on.removeGroup(runner, { name, expected }));
      }
      case "job": {
        const { id, nodeId, group } = change.value;
        const { status, kind: jobKind, rolloutId, endedAt } = change.value;
        const active = Number(isActive(change.value));
        const row = { ...body(change.value, change.expected), id, active, status, endedAt };
        if (change.expected > 0) return one(await on.updateJob(runner, row));
        const diagnosis = Number(jobKind === "diagnose");
        return one(await on.insertJob(runner, { ...row, nodeId, group, diagnosis, jobKind, rolloutId }));
      }
      case "rollout":
        return rollouts.write(runner, change);
      case "operator-token":
      case "join-token": {
        const { id, hash } = change.value;
        const statements = change.kind === "join-token" ? on.joinToken : on.operatorToken;
        const row = { ...body(change.value, change.expected), id, hash };
        return one(await (change.expected === 0 ? statements.insert : statements.update)(runner, row));
      }
      case "request": {
        const { id, at } = change.value;
        const row = { ...body(change.value, change.expected), id, at };
        return one(await (change.expected === 0 ? requests.insert : requests.update)(runner, row));
      }
      case "remove-request":
        return one(await requests.remove(runner, { id: change.id, expected: change.expected }));
      case "forget-requests":
        await requests.forget(runner, { before: change.before });
        return true;
      case "log":
        for (const { index, at, source, step, text } of change.lines) {
          await on.log(runner, { jobId: change.jobId, line: index, at, source, step, text });
        }
        return true;
      case "policy":
      case "same-policy":
      case "channel":
      case "remove-channel":
        return policy.write(runner, change);
      case "sign-in":
      case "remove-sign-in":
      case "sign-in-link":
      case "use-sign-in-link":
      case "forget-sign-ins":
        return signIns.write(runner, change);
      case "audit": {
        const { at, actor, action, subject, before, after, from, requestId = null } = change.value;
        const json = { before: JSON.stringify(before ?? null), after: JSON.stringify(after ?? null) };
        await on.audit(runner, { at, actor, action, subject, ...json, from, requestId });
        return true;
      }
    }
  };
}

/** Never leaves the store: it makes Kysely undo a transaction. */
export class Conflict extends Error {
  readonly kind: Change["kind"];
  constructor(kind: Change["kind"]) {
    super(`the expectation of a ${kind} write does not hold`);
    this.name = "Conflict";
    this.kind = kind;
  }
}

const EMPTY_LEASE = JSON.stringify({ lastToken: 0, holders: [], broken: [] });

const one = (result: { readonly numAffectedRows?: bigint }): boolean => result.numAffectedRows === 1n;

const body = (value: unknown, expected: number) => ({
  body: JSON.stringify(value),
  expected,
  revision: expected + 1,
});
