/** A tool as an assistant sees it, and what it is called with. */
import { err, type Fault, type Result } from "../../protocol/result.ts";
import { type Static, type TSchema, Value } from "../../protocol/schema.ts";
import type { ApiClient } from "../api/client.ts";
import type { World } from "../world.ts";

/**
 * What a tool does to the world, as far as a client may rely on it.
 * Source: Model Context Protocol 2025-06-18, ToolAnnotations.
 */
export type Annotations = {
  /** Changes nothing. */
  readonly readOnlyHint: boolean;
  /** What it changes is not only added: something that ran is stopped or replaced. */
  readonly destructiveHint: boolean;
  /** To call it again with the same arguments changes nothing more. */
  readonly idempotentHint: boolean;
  /** It reaches beyond the one coordinator and its fleet. */
  readonly openWorldHint: false;
};

export type Progress = {
  /** Only rises. */
  readonly done: number;
  readonly total: number;
  readonly message: string;
};

export type ToolCall = {
  /** `interrupted` is aborted when the client cancels the call, or is gone. */
  readonly world: World;
  readonly api: ApiClient;
  readonly progress: (progress: Progress) => void;
};

/** `text` says the same as `value` for people. */
export type Answer<T> = { readonly value: T; readonly text: string };

export type Tool = {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly annotations: Annotations;
  readonly input: TSchema;
  readonly output: TSchema;
  /** Checks the arguments, and does it. What is refused comes back as a fault; faults of the program are thrown. */
  call(args: unknown, call: ToolCall): Promise<Result<Answer<unknown>, Fault>>;
  /** What a fault of this tool is as an answer of its schema; null where it has none. */
  failed: ((fault: Fault) => unknown) | null;
};

export type ToolSpec<I extends TSchema, O extends TSchema> = Omit<
  Tool,
  "input" | "output" | "call" | "failed"
> & {
  readonly input: I;
  readonly output: O;
  readonly run: (args: Static<I>, call: ToolCall) => Promise<Result<Answer<Static<O>>, Fault>>;
  readonly failed?: (fault: Fault) => Static<O>;
};

export const tool = <I extends TSchema, O extends TSchema>({
  run,
  failed,
  ...spec
}: ToolSpec<I, O>): Tool => ({
  ...spec,
  failed: failed ?? null,
  call: async (args, call) => {
    const given = args ?? {};
    if (Value.Check(spec.input, given)) return run(given as Static<I>, call);
    const first = Value.Errors(spec.input, given)[0];
    return err({
      code: "malformed",
      message: `The arguments of ${spec.name} do not fit: ${first?.instancePath || "the whole"} ${first?.message ?? "is wrong"}.`,
      hint: "The tool's input schema says what fits. Nothing was done.",
    });
  },
});
