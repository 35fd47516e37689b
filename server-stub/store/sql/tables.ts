import type { Generated } from "kysely";

/**
 * The tables. A record is one JSON text in `body`, its revision beside it, and a column for everything that it is
 * found by or that must be unique.
 */
export type Tables = {
  meta: { id: number; revision: number; body: string };
  policy: { id: number; revision: number; body: string };
  channel: { name: string; revision: number; body: string };
  node_group: { name: string; revision: number; body: string };
  /** `busy`: held, or broken and not settled. */
  lease: { node_group: string; revision: number; busy: number; body: string };
  node: {
    id: string;
    node_group: string;
    name: string;
    credential_hash: string;
    last_seen_at: number | null;
    revision: number;
    body: string;
  };
  job: {
    seq: Generated<number>;
    id: string;
    node_id: string;
    node_group: string;
    active: number;
    status: string;
    kind: string;
    /** 1 for a diagnosis, which stands beside the node's other job. */
    diagnosis: number;
    ended_at: number | null;
    rollout_id: string | null;
    revision: number;
    body: string;
  };
  job_log: { job_id: string; line: number; at: number; source: string; step: string | null; text: string };
  /** `unfinished`: active, or ended early with somebody still under way. */
  rollout: {
    seq: Generated<number>;
    id: string;
    unfinished: number;
    revision: number;
    body: string;
  };
  /** A place of a rollout; `revision` is its rollout's when it was written. */
  rollout_node: { rollout_id: string; position: number; revision: number; body: string };
  operator_token: { id: string; hash: string; revision: number; body: string };
  request: { id: string; at: number; revision: number; body: string };
  sign_in: { hash: string; expires_at: number; body: string };
  sign_in_link: { hash: string; expires_at: number; body: string };
  join_token: { id: string; hash: string; revision: number; body: string };
  audit: {
    id: Generated<number>;
    at: number;
    actor: string;
    action: string;
    subject: string;
    before: string;
    after: string;
    from_address: string;
    request_id: string | null;
  };
  alert: {
    id: Generated<number>;
    kind: string;
    subject: string;
    message: string;
    raised_at: number;
    resolved_at: number | null;
    resolved_by: string | null;
    acknowledged_at: number | null;
    acknowledged_by: string | null;
    note: string | null;
  };
  event: { id: Generated<number>; at: number; kind: string; subject: string };
  /** A write that became durable, by an id of its own; only on engines at the other end of a network. */
  receipt: { id: string; at: number };
  webhook: { id: string; enabled: number; revision: number; body: string };
  /** `waiting`: not ended. */
  delivery: {
    id: Generated<number>;
    webhook_id: string;
    event: string;
    subject: string;
    at: number;
    payload: string;
    status: string;
    waiting: number;
    attempts: number;
    last_status: number | null;
    last_error: string | null;
    next_try_at: number | null;
    ended_at: number | null;
  };
};
