/**
 * A node that speaks the protocol over HTTP and does as its orders say, without a disk or a process to restart:
 * what an agent looks like from the coordinator's side. It updates well, or goes back, as it is told.
 */
import { randomUUID } from "node:crypto";
import type { Build } from "../../../protocol/build.ts";
import type { CoordinatorFrame, Desired, Heartbeat, Orders } from "../../../protocol/frames.ts";
import type { Role } from "../../../protocol/health.ts";
import type { FinalWord, QuarantineEntry } from "../../../protocol/journal.ts";
import type { TestCoordinator } from "./coordinator.ts";
import { heartbeatOf, helloOf, type TestNode } from "./node.ts";

export type FrameNode = {
  readonly node: TestNode;
  /** What runs. */
  readonly build: Build;
  /** Ends it; nothing is said any more. */
  stop(): Promise<void>;
};

const BEAT_MS = 20;

export type FrameNodeOptions = {
  readonly group: string;
  /** The new build never comes up, and the old one is back in its place. */
  readonly fails?: boolean | (() => boolean);
  /** It never gets ready. */
  readonly idles?: boolean;
  /** What its health hook says of its role. */
  readonly role?: Role;
  readonly beatMs?: number;
};

export function startFrameNode(
  coordinator: Pick<TestCoordinator, "call">,
  node: TestNode,
  first: Build,
  { group, fails = false, idles = false, role, beatMs = BEAT_MS }: FrameNodeOptions,
): FrameNode {
  let build = first;
  let instanceId: string = randomUUID();
  let session = "";
  let seq = 0;
  let journal: Heartbeat["journal"] = { kind: "idle" };
  let finalWords: FinalWord[] = [];
  let quarantine: QuarantineEntry[] = [];
  let desired: Desired | null = null;
  let from = first;
  let stopped = false;

  const post = async (frames: readonly unknown[]): Promise<readonly CoordinatorFrame[]> => {
    const answer = await coordinator.call("POST", "/v1/heartbeat", {
      token: node.credential,
      body: { frames },
    });
    return (answer.body.frames ?? []) as CoordinatorFrame[];
  };
  const lease = async (action: string, body: object) =>
    coordinator.call("POST", `/v1/groups/${group}/lease/${action}`, {
      token: node.credential,
      body: { session, ...body },
    });

  const hello = async (): Promise<void> => {
    const holdings = { backup: null, hold: false, quarantine };
    const frame = { ...helloOf(instanceId), build, journal, finalWords, holdings };
    for (const each of await post([frame])) if (each.type === "welcome") session = each.session;
    seq = 0;
  };

  /** Another process of the node, which runs `next`. */
  const restart = async (next: Build): Promise<void> => {
    build = next;
    instanceId = randomUUID();
    await hello();
  };

  const takeTurn = async ({ jobId, build: to }: Desired): Promise<void> => {
    if (to === null || journal.kind !== "idle") return;
    const reserved = await lease("reserve", { jobId, build: to });
    if (reserved.status !== 200) return;
    const token = Number(reserved.body.token);
    journal = { kind: "committing", token };
    const committed = await lease("commit", { token, needMs: 10 });
    if (committed.status !== 200) {
      journal = { kind: "idle" };
      finalWords = [{ token, jobId, word: "not-acted", reason: null }];
      return;
    }
    from = build;
    if (typeof fails === "function" ? fails() : fails) {
      const reason = { code: "did-not-start", message: "The new build did not start." };
      journal = { kind: "idle" };
      finalWords = [{ token, jobId, word: "rolled-back", reason }];
      quarantine = [{ build: to, reason, at: Date.now(), provisional: false, by: "guard" }];
      return restart(from);
    }
    journal = { kind: "swapping", token, jobId, from, to };
    await restart(to);
  };

  const follow = async (orders: Orders): Promise<void> => {
    ({ desired } = orders);
    finalWords = finalWords.filter(({ token }) => !orders.acknowledged.includes(token));
    if (journal.kind === "confirmed" && finalWords.length === 0) journal = { kind: "idle" };
    if (orders.confirm?.instanceId === instanceId && journal.kind === "swapping") {
      const { token, jobId } = journal;
      journal = { kind: "confirmed", token };
      finalWords = [{ token, jobId, word: "confirmed", reason: null }];
    }
    if (orders.turn !== null && desired !== null) await takeTurn(desired);
  };

  const beat = async (): Promise<void> => {
    seq += 1;
    const isPrepared =
      !idles &&
      desired !== null &&
      journal.kind === "idle" &&
      finalWords.length === 0 &&
      quarantine.length === 0;
    const frame: Heartbeat = {
      ...heartbeatOf(session, seq, instanceId),
      health: { healthy: true, caughtUp: true, ...(role === undefined ? {} : { role }) },
      journal,
      finalWords,
      holdings: { backup: null, hold: false, quarantine },
      ...(isPrepared && desired !== null
        ? {
            update: {
              ...heartbeatOf(session, 1, instanceId).update,
              state: "prepared",
              jobId: desired.jobId,
              build: desired.build,
            },
          }
        : {}),
    };
    for (const each of await post([frame])) {
      if (each.type === "orders") await follow(each);
      else if (each.type === "refused") await hello();
    }
  };

  const live = async (): Promise<void> => {
    let next = hello;
    while (!stopped) {
      const heard = await next().then(
        () => true,
        (error: unknown) => {
          if (!isAway(error)) throw error;
          return false;
        },
      );
      if (heard) next = beat;
      await new Promise((resolve) => setTimeout(resolve, beatMs));
    }
  };
  const living = live();
  return {
    node,
    get build() {
      return build;
    },
    stop: () => {
      stopped = true;
      return living;
    },
  };
}

/** The coordinator is not there right now; any other failure is one of the test. */
const isAway = (error: unknown): boolean => error instanceof TypeError && error.message === "fetch failed";
