import { err, type Result } from "../../protocol/result.ts";
import type { Refusal } from "./answer.ts";

/** A refusal as an outcome: nothing was changed. */
export const refuse = (
  code: Refusal["code"],
  message: string,
  more: Omit<Refusal, "code" | "message"> = {},
): Result<never, Refusal> => err({ code, message, ...more });

export const noGroup = (name: string): Result<never, Refusal> =>
  refuse("not-found", `There is no group ${name}.`, { context: { group: name } });

export const noJob = (id: string): Result<never, Refusal> =>
  refuse("not-found", `There is no job ${id}.`, { context: { job: id } });

export const noChannel = (name: string): Result<never, Refusal> =>
  refuse("not-found", `There is no channel ${name}.`, { context: { channel: name } });

export const noNode = (id: string): Result<never, Refusal> =>
  refuse("not-found", `There is no node ${id}.`, { context: { node: id } });
