/** Frames as `protocol/parse.ts` reads them, by the same schemas made into functions: a third of a history's time. */
import { Compile } from "typebox/compile";
import { AgentFrame, CoordinatorFrame } from "../../protocol/frames.ts";
import { parse, parseJson } from "../../protocol/parse.ts";
import { ok, type Result } from "../../protocol/result.ts";

const ofAgent = Compile(AgentFrame);
const ofCoordinator = Compile(CoordinatorFrame);

export function readAgentFrame(text: string): Result<AgentFrame, { readonly message: string }> {
  return checkAgentFrame(JSON.parse(text));
}

export const checkAgentFrame = (value: unknown): Result<AgentFrame, { readonly message: string }> =>
  ofAgent.Check(value) ? ok(value) : parse(AgentFrame, value, "The frame");

export function readCoordinatorFrame(text: string): Result<CoordinatorFrame, { readonly message: string }> {
  const value: unknown = JSON.parse(text);
  return ofCoordinator.Check(value) ? ok(value) : parseJson(CoordinatorFrame, text, "The frame");
}
