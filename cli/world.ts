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
  /** Asks a person yes or no; null where nobody can be asked. */
  readonly confirm: ((question: string) => Promise<boolean>) | null;
  /** The coordinator that the options and the environment name. Throws `FaultError` when none is named. */
  readonly api: (options: ApiOptions) => Promise<ApiClient>;
};

/** What the command line says of the coordinator. */
export type ApiOptions = { readonly url?: string | undefined };
