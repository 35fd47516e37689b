/**
 * What the coordinator can do, as its doors (HTTP, WebSocket, the engine's timer) see it. Everything expected
 * comes back as a `Result`; a refusal carries a problem code, and nothing was changed.
 */
import type { Readable } from "node:stream";
import type {
  JoinReply,
  JoinRequest,
  JoinToken,
  OperatorRole,
  OperatorToken,
} from "../../protocol/access.ts";
import type { AcknowledgeRequest, Alert, AlertKind } from "../../protocol/alert.ts";
import type { AuditEntry } from "../../protocol/audit.ts";
import type { EventKind } from "../../protocol/event.ts";
import type {
  FleetLockKind,
  FleetLockOpened,
  FleetLockSettings,
  OpenFleetLockRequest,
} from "../../protocol/fleet-lock.ts";
import type { AgentFrame, CoordinatorFrame, Heartbeat } from "../../protocol/frames.ts";
import type { EditGroupRequest, Group, GroupMode } from "../../protocol/group.ts";
import type { Job, JobKind, LogLine } from "../../protocol/job.ts";
import type {
  BreakRequest,
  CommitReply,
  CommitRequest,
  LeaseView,
  RenewReply,
  RenewRequest,
  ReserveReply,
  ReserveRequest,
} from "../../protocol/lease.ts";
import type { ChannelName, GroupName, JobId, NodeId, RolloutId } from "../../protocol/names.ts";
import type { Node, RemovalPreview } from "../../protocol/node.ts";
import type { PageQuery } from "../../protocol/paging.ts";
import type { RolloutPlan } from "../../protocol/plan.ts";
import type {
  Channel,
  EditChannelRequest,
  EditFleetPolicyRequest,
  FleetPolicy,
  FreezeRequest,
} from "../../protocol/policy.ts";
import type { Release } from "../../protocol/release.ts";
import type { Result } from "../../protocol/result.ts";
import type { Rollout, RolloutSummary, StartRolloutRequest } from "../../protocol/rollout.ts";
import type { SignedIn, SignInLink } from "../../protocol/sign-in.ts";
import type { DurationMs } from "../../protocol/time.ts";
import type {
  CreateWebhookRequest,
  Delivery,
  EditWebhookRequest,
  Webhook,
  WebhookCreated,
  WebhookId,
} from "../../protocol/webhook.ts";
import type { AuditQuery, JobQuery } from "../store/records.ts";
import type { Answer, IfMatch, Principal, Refusal } from "./answer.ts";
import type { Census } from "./counted.ts";
import type { EventStream } from "./events/stream.ts";
import type { Readers } from "./events/views.ts";

/** `reasons`: what keeps the coordinator from its work; empty when it is ready. `notes`: what one may wonder at. */
export type Readiness = { readonly reasons: readonly string[]; readonly notes: readonly string[] };

export type { Answer, IfMatch, Principal, Refusal };

export type Sessions = {
  /** Takes an agent's frames in their order and answers them. Never throws for what an agent sent; `from`: its address. */
  receive(nodeId: NodeId, frames: readonly AgentFrame[], from?: string): Promise<readonly CoordinatorFrame[]>;
  /**
   * The node says once more what it said in `said`, under a new number. The answer at once, as the text that is sent,
   * where it is the one of before; null where it may be another, and then nothing of it was taken.
   */
  again(nodeId: NodeId, said: Heartbeat, seq: number, from: string): string | null;
  /**
   * Pushes frames to a node as soon as there is something new (its turn, a confirm), until the returned function
   * is called. A later `attach` for the same node calls `superseded` of the earlier one.
   */
  attach(
    nodeId: NodeId,
    door: { send(frame: CoordinatorFrame): void; superseded(): void; revoked(): void },
  ): () => void;
};

export type Leases = {
  view(group: GroupName): Answer<LeaseView>;
  reserve(nodeId: NodeId, group: GroupName, request: ReserveRequest): Answer<ReserveReply>;
  renew(nodeId: NodeId, group: GroupName, request: RenewRequest): Answer<RenewReply>;
  commit(nodeId: NodeId, group: GroupName, request: CommitRequest): Answer<CommitReply>;
  /** Returns a reservation; a no-op for who does not hold it. */
  cancel(nodeId: NodeId, group: GroupName, request: RenewRequest): Answer<LeaseView>;
  break(by: Principal, group: GroupName, request: BreakRequest): Answer<LeaseView>;
};

/** One call of a FleetLock client. `user` and `password`: as it named itself, if it did. */
export type FleetLockCall = {
  readonly id: string;
  readonly group: string;
  readonly user: string | null;
  readonly password: string | null;
  readonly from: string;
};
/** In the words of the protocol: `protocol/fleet-lock.ts`. */
export type FleetLockRefused = { readonly kind: FleetLockKind; readonly value: string };

export type FleetLock = {
  /** Takes the lease of the group, in flight; who has it has it still. Who asks first is taken down as a member. */
  lock(call: FleetLockCall): Promise<Result<void, FleetLockRefused>>;
  /** Returns whatever the client holds; success also for who holds nothing, or is nobody. */
  unlock(call: FleetLockCall): Promise<Result<void, FleetLockRefused>>;
  /** Lets clients into a group, with a new password if one is wanted. Refusal: `not-found`. */
  open(by: Principal, group: GroupName, request: OpenFleetLockRequest): Answer<FleetLockOpened>;
  close(by: Principal, group: GroupName): Answer<FleetLockSettings>;
};

export type Page<T> = { readonly items: readonly T[]; readonly next: string | null };

export type Nodes = {
  list(filter: { group?: GroupName }): Promise<readonly Node[]>;
  /** A page of them, by name. Refusal: `cursor-invalid`. */
  page(filter: { group?: GroupName }, query: PageQuery): Answer<Page<Node>>;
  get(nodeId: NodeId): Answer<Node>;
  approve(by: Principal, nodeId: NodeId): Answer<Node>;
  revoke(by: Principal, nodeId: NodeId): Answer<Node>;
  /** Removes a node that waits for its approval, and its credential with it. */
  reject(by: Principal, nodeId: NodeId): Answer<Node>;
  /** What `remove` would do; changes nothing. */
  removal(nodeId: NodeId): Answer<RemovalPreview>;
  /** Changes the membership, and so the quorum. */
  remove(by: Principal, nodeId: NodeId, ifMatch?: IfMatch): Answer<Node>;
  edit(
    by: Principal,
    nodeId: NodeId,
    change: { group?: GroupName; voter?: boolean; labels?: Readonly<Record<string, string>> },
    ifMatch?: IfMatch,
  ): Answer<Node>;
  /** Starts a job on one node. For an update or a rollback the node takes the lease like any other. */
  start(by: Principal, nodeId: NodeId, kind: JobKind, options: StartOptions): Answer<Job>;
};

/** `release`: of an update, in place of the desired one. `retry` lifts a hold and a quarantine. */
export type StartOptions = { readonly release?: string; readonly retry?: boolean };

export type Groups = {
  list(): Promise<readonly Group[]>;
  get(name: GroupName): Answer<Group>;
  create(by: Principal, group: { name: GroupName; mode?: GroupMode; spare?: number | null }): Answer<Group>;
  edit(by: Principal, name: GroupName, change: EditGroupRequest, ifMatch?: IfMatch): Answer<Group>;
  freeze(by: Principal, name: GroupName, request: FreezeRequest): Answer<Group>;
  unfreeze(by: Principal, name: GroupName): Answer<Group>;
  /** Of one without nodes and without an unfinished rollout. Join tokens for it are revoked. */
  remove(by: Principal, name: GroupName, ifMatch?: IfMatch): Answer<Group>;
};

/** Windows, freeze and the defaults of rollouts, of the whole fleet. */
export type Policies = {
  get(): Answer<FleetPolicy>;
  edit(by: Principal, change: EditFleetPolicyRequest, ifMatch?: IfMatch): Answer<FleetPolicy>;
  freeze(by: Principal, request: FreezeRequest): Answer<FleetPolicy>;
  unfreeze(by: Principal): Answer<FleetPolicy>;
};

export type Channels = {
  list(): Promise<readonly Channel[]>;
  get(name: ChannelName): Answer<Channel>;
  /** Makes it when there is none. */
  put(by: Principal, name: ChannelName, change: EditChannelRequest, ifMatch?: IfMatch): Answer<Channel>;
  /** Of one that no group follows. */
  remove(by: Principal, name: ChannelName, ifMatch?: IfMatch): Answer<Channel>;
  /** Starts a rollout where the channel says so; a rollout that is refused is told by an alert and undoes nothing. */
  promote(by: Principal, name: ChannelName, request: { readonly release: string }): Answer<Channel>;
};

export type Rollouts = {
  /** What `start` would do, and whether it would be refused; nothing is changed. */
  plan(request: StartRolloutRequest): Answer<RolloutPlan>;
  start(by: Principal, request: StartRolloutRequest): Answer<Rollout>;
  list(): Promise<readonly RolloutSummary[]>;
  get(id: RolloutId): Answer<Rollout>;
  /** Actions may be repeated; one that the state does not allow is refused with `wrong-state`. */
  pause(by: Principal, id: RolloutId): Answer<Rollout>;
  resume(by: Principal, id: RolloutId): Answer<Rollout>;
  cancel(by: Principal, id: RolloutId): Answer<Rollout>;
  /** Begins who failed anew. */
  retry(by: Principal, id: RolloutId): Answer<Rollout>;
  /** A new rollout that brings every moved node back to what it ran before. */
  rollback(by: Principal, id: RolloutId): Answer<Rollout>;
};

export type Jobs = {
  get(id: JobId): Answer<Job>;
  /** A page, newest first, and the number to go on before; null at the end. Why one waits is told by `get`. */
  list(query: JobQuery): Promise<{ readonly jobs: readonly Job[]; readonly next: number | null }>;
  /** Ends a job that is not in flight; a reservation is dropped with it. */
  cancel(by: Principal, id: JobId): Answer<Job>;
  /** Begins a failed or cancelled job anew, as another job. */
  retry(by: Principal, id: JobId): Answer<Job>;
  log(id: JobId, from: number, limit: number): Answer<readonly LogLine[]>;
  /** Lines from the node that works on the job; repeated lines are stored once. Answers the index wanted next. */
  append(nodeId: NodeId, id: JobId, lines: readonly LogLine[]): Answer<number>;
};

export type Access = {
  /** Who holds this secret; node credentials and operator tokens alike. Null for nobody, revoked or expired. */
  authenticate(secret: string, from: string): Promise<Principal | null>;
  join(request: JoinRequest, from: string): Answer<JoinReply>;
  createToken(
    by: Principal,
    token: { name: string; role: OperatorRole; ttlMs?: DurationMs },
  ): Answer<{ token: OperatorToken; secret: string }>;
  listTokens(): Promise<readonly OperatorToken[]>;
  revokeToken(by: Principal, id: string): Answer<OperatorToken>;
  createJoinToken(
    by: Principal,
    token: { group: GroupName; voter?: boolean; autoApprove?: boolean; uses?: number; ttlMs?: DurationMs },
  ): Answer<{ id: string; secret: string }>;
  listJoinTokens(): Promise<readonly JoinToken[]>;
  /** Nobody joins by it any more; who has joined stays. */
  revokeJoinToken(by: Principal, id: string): Answer<JoinToken>;
};

/** A browser that was let in: what its cookie holds and for how long, and what it is told. */
export type Admitted = {
  readonly secret: string;
  readonly forMs: DurationMs;
  readonly signedIn: SignedIn;
};

export type SignIns = {
  /** By an operator's token. Null for nobody, revoked or expired; a node's credential signs nobody in. */
  byToken(secret: string, from: string): Promise<Admitted | null>;
  /** By a link, which is used up. Null when it was used, has expired, or never was. */
  byLink(secret: string, from: string): Promise<Admitted | null>;
  /** Who is signed in with this secret. Null once it has ended or expired, or its token is good no more. */
  who(secret: string, from: string): Promise<Principal | null>;
  /** May be called again. */
  end(secret: string, from: string): Promise<void>;
  /** A link to the dashboard at `address`, for ten minutes and one use, that signs in as the caller. */
  createLink(by: Principal, address: string): Answer<SignInLink>;
};

export type Requests = {
  /**
   * Runs a request that carries a key, or answers what it was answered before. `hash` is of what was asked. Refusals:
   * `idempotency-key-reused`, `secret-shown-once`, `conflict` (at work, or nobody knows how it ended), and `run`'s.
   */
  once<T>(
    request: { readonly id: string; readonly hash: string; readonly secret: boolean },
    run: () => Answer<T>,
  ): Answer<{ readonly answer: T; readonly replayed: boolean }>;
};

export type Releases = {
  list(): Promise<{ releases: readonly Release[]; targetsVersion: number; expiresAt: string | null }>;
  /** Takes a bundle's bytes in; refused unless they are exactly what `sha256` names. */
  upload(by: Principal, sha256: string, body: Readable): Answer<{ bytes: number }>;
  /** Compare-and-set on the version of the targets metadata. */
  publish(
    by: Principal,
    request: { targets: unknown; expectedTargetsVersion: number },
  ): Answer<{ targetsVersion: number }>;
};

export type Events = {
  /**
   * A stream of what is new after the position `after`, or from now on; what cannot be told any more is told as a
   * reset. To be closed. Error: `too-many-requests` when the caller has too many open.
   */
  open(
    by: Principal,
    from: { readonly after: string | null; readonly kinds: ReadonlySet<EventKind> | null },
  ): Answer<EventStream>;
};

/** With what the engine's timer and the coordinator's end are for. */
export type EventsAtWork = Events & { tick(): void; close(): void };

export type Alerts = {
  /** Newest first, at most `limit` (1,000 unless told otherwise) of those with an id below `before`. */
  list(filter?: {
    readonly state?: "open" | "all" | undefined;
    readonly kind?: AlertKind | undefined;
    readonly before?: number | undefined;
    readonly limit?: number;
  }): Promise<readonly Alert[]>;
  /** Says who has taken it on. Again, or by another: it stays as it is. */
  acknowledge(by: Principal, id: number, request: AcknowledgeRequest): Answer<Alert>;
};

export type Webhooks = {
  list(): Promise<readonly Webhook[]>;
  get(id: WebhookId): Answer<Webhook>;
  /** Error: `webhook-refused` for an address that no message may be sent to. */
  create(by: Principal, request: CreateWebhookRequest): Answer<WebhookCreated>;
  edit(by: Principal, id: WebhookId, change: EditWebhookRequest, ifMatch?: IfMatch): Answer<Webhook>;
  remove(by: Principal, id: WebhookId, ifMatch?: IfMatch): Answer<Webhook>;
  /** Sends one message now and answers what came of it. */
  test(by: Principal, id: WebhookId): Answer<Delivery>;
  /** Newest first, at most `limit` of those with an id below `before`. */
  deliveries(
    id: WebhookId,
    page: { readonly before: number | undefined; readonly limit: number },
  ): Answer<readonly Delivery[]>;
};

export type Coordinator = {
  readonly sessions: Sessions;
  readonly leases: Leases;
  readonly fleetLock: FleetLock;
  readonly nodes: Nodes;
  readonly groups: Groups;
  readonly policy: Policies;
  readonly channels: Channels;
  readonly rollouts: Rollouts;
  readonly jobs: Jobs;
  readonly access: Access;
  readonly signIns: SignIns;
  readonly releases: Releases;
  readonly audit: {
    list(limit: number, filter?: Omit<AuditQuery, "limit">): Promise<readonly AuditEntry[]>;
  };
  readonly requests: Requests;
  readonly events: Events;
  /** Reads what events tell of. */
  readonly shows: Readers;
  readonly alerts: Alerts;
  readonly webhooks: Webhooks;
  /** Does what is due: presence, expiry of reservations, overdue leases, rollouts, re-signing. Called by a timer. */
  tick(): Promise<void>;
  /** The fleet as it is right now, for who counts. */
  census(): Promise<Census>;
  /** What `GET /readyz` says. */
  readiness(): Promise<Readiness>;
  /** Finishes what is under way; the store may be closed after it. Nothing else may be called after it. */
  close(): Promise<void>;
};
