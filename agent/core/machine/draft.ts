import type { Reason, Step } from "../../../protocol/job.ts";
import type { JobId } from "../../../protocol/names.ts";
import type { Fault } from "../../../protocol/result.ts";
import type { UptimeMs } from "../../../protocol/time.ts";
import type { Command } from "./command.ts";
import type { Facts, Op, Policy } from "./facts.ts";
import type { Exiting, UpdateState } from "./state.ts";

type WithoutOp<C> = C extends { readonly op: Op } ? Omit<C, "op"> : never;
type Unanswered = Exclude<Command, { readonly op: Op }>;

/** One transition in the making: what is known, and what is to be done. Lives for one call of `transition`. */
export class Draft {
  readonly now: UptimeMs;
  readonly policy: Policy;
  /** What was known before the event. */
  readonly before: Facts;
  readonly commands: Command[] = [];
  ignored: string | null = null;
  #facts: Facts;

  constructor(facts: Facts, now: UptimeMs, policy: Policy) {
    this.before = facts;
    this.#facts = facts;
    this.now = now;
    this.policy = policy;
  }

  get facts(): Facts {
    return this.#facts;
  }

  learn(change: Partial<Facts>): void {
    this.#facts = { ...this.#facts, ...change };
  }

  /** Gives a command that will be answered, and the number that its answer will carry. */
  ask(command: WithoutOp<Command>): Op {
    const op = this.#facts.lastOp + 1;
    this.learn({ lastOp: op });
    this.commands.push({ ...command, op } as Command);
    return op;
  }

  /** Gives a command that is not answered. */
  tell(command: Unanswered): void {
    this.commands.push(command);
  }

  /** A line of the job's log. */
  note(jobId: JobId, step: Step | null, text: string): void {
    this.tell({ kind: "note", jobId, step, text });
  }

  /** The event changes nothing here; the reason is for the log. */
  ignore<S extends UpdateState>(state: S, reason: string): S {
    this.ignored = reason;
    return state;
  }

  exit(code: 0 | 75, why: Reason, jobId: JobId | null): Exiting {
    this.tell({ kind: "exit", code });
    return { kind: "exiting", code, why, jobId };
  }
}

export const because = (code: string, message: string): Reason => ({
  code: code.slice(0, 64),
  message: message.slice(0, 2000),
});

/** A fault as the reason of something; what to do about it belongs to it. */
export const reasonOf = ({ code, message, hint }: Fault): Reason =>
  because(code, hint === undefined || hint === "" ? message : `${message} ${hint}`);

export const STOPPED = because("stopped", "The agent was told to stop.");
