/** What the commands need from outside, in one place, so that a test can run them whole. */
import type pc from "picocolors";
import type { ApiClient } from "./api/client.ts";
import type { Output } from "./show/output.ts";

export type World = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Results. */
  readonly out: Output;
  /** Everything else: progress, questions, errors. */
  readonly err: Output;
  readonly colors: ReturnType<typeof pc.createColors>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Waits; rejects with the signal's reason when it is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Aborted when the person has had enough (Ctrl-C). */
  readonly interrupted: AbortSignal;
  /** Asks a person to type something; null where nobody can be asked. Resolves to null when given up. */
  readonly ask: ((question: Question) => Promise<string | null>) | null;
  /** All of standard input. */
  readonly readInput: () => Promise<string>;
  /** The coordinator that the options, the environment and the settings name. Throws `FaultError`. */
  readonly api: (options: ApiOptions) => Promise<ApiClient>;
};

export type Question = {
  readonly message: string;
  /** Nothing else is taken for an answer. */
  readonly expected?: string;
  /** What is typed is not shown. */
  readonly hidden?: boolean;
};

/** What the command line says of the coordinator. */
export type ApiOptions = {
  readonly url?: string | undefined;
  readonly context?: string | undefined;
  /** Longest wait for an answer, for what must not keep a person waiting. */
  readonly timeoutMs?: number;
};
