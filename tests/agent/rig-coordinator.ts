import type { LeaseClient, LeaseFailure } from "../../agent/core/ports.ts";
import type { HeartbeatView } from "../../agent/runner/views.ts";
import { type Build, sameBuild } from "../../protocol/build.ts";
import type { Desired, Orders } from "../../protocol/frames.ts";
import { err, ok } from "../../protocol/result.ts";

export const SESSION = "5".repeat(32);

type Lease = { token: number; phase: "reserved" | "in-flight"; instanceId: string; from: Build; to: Build };

/** The coordinator's side of one node's lease. It keeps what it was told over the deaths of the node's processes. */
export class RigCoordinator {
  isUp = true;
  desired: Desired | null = null;
  lease: Lease | null = null;
  /** Commits that are answered as if nobody had heard them, although they were granted. */
  loseCommits = 0;
  underWay = 0;
  readonly words: string[] = [];
  #lastToken = 0;

  /** The same coordinator as it is now, to go on from here once more. */
  copy(): RigCoordinator {
    const copy = new RigCoordinator();
    const { isUp, desired, loseCommits, words } = this;
    Object.assign(copy, {
      isUp,
      desired,
      loseCommits,
      lease: this.lease === null ? null : { ...this.lease },
    });
    copy.words.push(...words);
    copy.#lastToken = this.#lastToken;
    return copy;
  }

  /** One that was written down as JSON, to go on in another process. */
  static restore(text: string): RigCoordinator {
    const { lastToken, words, ...rest } = JSON.parse(text) as ReturnType<RigCoordinator["toJSON"]>;
    const restored = new RigCoordinator();
    Object.assign(restored, rest);
    restored.words.push(...words);
    restored.#lastToken = lastToken;
    return restored;
  }

  toJSON() {
    const { isUp, desired, lease, loseCommits, words } = this;
    return { isUp, desired, lease, loseCommits, words, lastToken: this.#lastToken };
  }

  /** Equal for coordinators that would go on alike. */
  get digest(): string {
    const { isUp, desired, loseCommits, words, lease } = this;
    return JSON.stringify([isUp, desired?.jobId, loseCommits, words, lease, this.#lastToken]);
  }

  leaseFor(running: Build, instanceId: string, isAlive: () => boolean): LeaseClient {
    const call = async <T>(run: () => T): Promise<T> => {
      this.underWay += 1;
      await Promise.resolve();
      this.underWay -= 1;
      // The process died with its request: nobody is left to hear the answer.
      return isAlive() ? run() : await new Promise<never>(() => undefined);
    };
    return {
      reserve: ({ build }) =>
        call(() => {
          if (this.lease?.phase === "in-flight") return err(refused("held-by"));
          this.#lastToken += 1;
          this.lease = { token: this.#lastToken, phase: "reserved", instanceId, from: running, to: build };
          return ok({ token: this.lease.token, ttlMs: 60_000 });
        }),
      renew: ({ token }) =>
        call(() => (this.lease?.token === token ? ok({ ttlMs: 60_000 }) : err(refused("stale-token")))),
      commit: ({ token, needMs }) =>
        call(() => {
          if (this.lease?.token !== token) return err(refused("stale-token"));
          this.lease = { ...this.lease, phase: "in-flight" };
          if (this.loseCommits-- > 0) return err(unreachable);
          return ok({ actWithinMs: needMs });
        }),
      cancel: ({ token }) =>
        call(() => {
          if (this.lease?.phase === "reserved" && this.lease.token === token) this.lease = null;
          return ok(undefined);
        }),
    };
  }

  heartbeat(parts: HeartbeatView, running: Build, instanceId: string): Orders {
    const { lease } = this;
    const word = parts.finalWords.find(({ token }) => token === lease?.token);
    const isNew = lease !== null && lease.instanceId !== instanceId;
    if (word !== undefined) this.#end(word.word);
    else if (parts.update.failed && this.desired?.jobId === parts.update.jobId) this.desired = null;
    else if (lease !== null && isNew && parts.journal.kind === "idle") {
      if (lease.phase === "reserved") this.lease = null;
      else if (sameBuild(running, lease.from)) this.#end("back");
    }
    const mayConfirm =
      isNew && lease.phase === "in-flight" && sameBuild(running, lease.to) && parts.health.healthy;
    return {
      type: "orders",
      session: SESSION,
      seq: 1,
      desired: this.desired,
      turn: this.desired === null ? null : { jobId: this.desired.jobId, peers: [] },
      waiting: null,
      confirm: mayConfirm && word === undefined ? { token: lease.token, instanceId } : null,
      acknowledged: parts.finalWords.map(({ token }) => token).filter((token) => token !== this.lease?.token),
      logNext: [],
    };
  }

  #end(word: string): void {
    this.words.push(word);
    this.lease = null;
    if (word === "confirmed" || word === "rolled-back" || word === "back") this.desired = null;
  }
}

const refused = (code: string): LeaseFailure => ({ kind: "refused", code, message: `Refused: ${code}.` });
const unreachable: LeaseFailure = { kind: "unreachable", code: "unreachable", message: "Nobody answered." };
