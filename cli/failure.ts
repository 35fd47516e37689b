/** The one place that prints what went wrong and chooses the exit status. */
import { CommanderError } from "commander";
import { PROBLEM_STATUS } from "../protocol/problem.ts";
import { type Fault, FaultError } from "../protocol/result.ts";
import type { World } from "./world.ts";

/** Exit statuses of every command. */
export const EXIT = {
  ok: 0,
  error: 1,
  usage: 2,
  halted: 3,
  timedOut: 4,
  conflict: 5,
  interrupted: 130,
} as const;

/** Faults that are not problems of the API and do not mean plain `error`. */
const BY_CODE: Readonly<Record<string, number>> = {
  settings: EXIT.usage,
  usage: EXIT.usage,
  "no-context": EXIT.usage,
  halted: EXIT.halted,
  failed: EXIT.halted,
  cancelled: EXIT.halted,
  "timed-out": EXIT.timedOut,
  interrupted: EXIT.interrupted,
};

export const exitOf = (fault: Fault & { readonly status?: number }): number => {
  const { code } = fault;
  // Whoever answered chose the code: it may be a word that every object knows.
  const known = Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined;
  if (known !== undefined) return known;
  // A coordinator that is newer may refuse with codes that are not known here.
  const status = (PROBLEM_STATUS as Readonly<Record<string, number>>)[code] ?? fault.status;
  return status === 409 || status === 412 ? EXIT.conflict : EXIT.error;
};

/** Prints an error where it belongs, and answers the exit status. */
export function reportFailure(world: Pick<World, "err" | "colors">, error: unknown, json: boolean): number {
  // Commander has printed its own message by now; help and version are no failure.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const fault: Fault = error instanceof FaultError ? error.fault : unforeseen(error);
  world.err.write(json ? `${JSON.stringify(fault)}\n` : readable(world, fault));
  return exitOf(fault);
}

function readable({ colors }: Pick<World, "colors">, fault: Fault): string {
  const { code, message, hint } = fault;
  const requestId = (fault as { requestId?: unknown }).requestId;
  const reference = typeof requestId === "string" ? `${code}, request ${requestId}` : code;
  const lines = [`${colors.red("error:")} ${message}`];
  if (hint !== undefined && hint !== "") lines.push(`  ${hint}`);
  lines.push(colors.dim(`  (${reference})`));
  return `${lines.join("\n")}\n`;
}

const unforeseen = (error: unknown): Fault => ({
  code: "internal",
  message: error instanceof Error ? (error.stack ?? error.message) : String(error),
  hint: "This is a mistake in baton itself. Please report it.",
});
