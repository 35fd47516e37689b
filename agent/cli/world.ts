import { PROBLEM_STATUS } from "../../protocol/problem.ts";
import type { Fault } from "../../protocol/result.ts";
import { FaultError } from "../../protocol/result.ts";

/** What the commands need from outside, so that a test can run them whole. */
export type World = {
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** Results, for programs as well. */
  readonly out: (text: string) => void;
  /** Everything else. */
  readonly err: (text: string) => void;
  readonly stdin: () => Promise<string>;
  readonly now: () => number;
  /** Aborted when the person has had enough (Ctrl-C). */
  readonly interrupted: AbortSignal;
  readonly hostname: string;
};

/** Exit statuses of every command. */
export const EXIT = {
  ok: 0,
  error: 1,
  usage: 2,
  failed: 3,
  timedOut: 4,
  conflict: 5,
  interrupted: 130,
} as const;

const BY_CODE: Readonly<Record<string, number>> = {
  settings: EXIT.usage,
  usage: EXIT.usage,
  failed: EXIT.failed,
  "timed-out": EXIT.timedOut,
  interrupted: EXIT.interrupted,
  "already-running": EXIT.conflict,
  "already-joined": EXIT.conflict,
};

/** The exit status that a fault means: what conflicts with what is going on is 5, like all 409 of the API. */
export const exitOf = ({ code }: Fault): number => {
  const statuses: Readonly<Record<string, number | undefined>> = PROBLEM_STATUS;
  return BY_CODE[code] ?? (statuses[code] === 409 ? EXIT.conflict : EXIT.error);
};

/** Prints what went wrong on standard error, and answers the exit status. */
export function reportFault(world: Pick<World, "err">, fault: Fault, json: boolean): number {
  const { code, message, hint } = fault;
  if (json) world.err(`${JSON.stringify(fault)}\n`);
  else world.err(`error: ${message}\n${hint === undefined || hint === "" ? "" : `  ${hint}\n`}  (${code})\n`);
  return exitOf(fault);
}

export const usage = (message: string, hint?: string): FaultError =>
  new FaultError({ code: "usage", message, ...(hint === undefined ? {} : { hint }) });
