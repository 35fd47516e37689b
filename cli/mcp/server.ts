/**
 * The Model Context Protocol's side: tools are listed and called over a pair of streams. Loaded by `baton mcp` alone.
 *
 * Invariants: nothing but protocol is written to `output`; a refusal is a result that says so, never a broken call;
 * cancelling a call, or the client's going away, ends the waiting and nothing on the fleet.
 * Source: docs/adr/0087-an-assistant-at-the-door.md; Model Context Protocol 2025-06-18.
 */
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import {
  CallToolRequestSchema,
  type CallToolResult,
  ListToolsRequestSchema,
  type Tool as ShownTool,
} from "@modelcontextprotocol/sdk/types.js";
import pc from "picocolors";
import { type Fault, FaultError } from "../../protocol/result.ts";
import type { TSchema } from "../../protocol/schema.ts";
import type { ApiClient } from "../api/client.ts";
import type { World } from "../world.ts";
import { faultLine } from "./sentences.ts";
import type { Progress, Tool } from "./tool.ts";

export type Streams = { readonly input: Readable; readonly output: Writable };

export type McpOptions = {
  readonly world: World;
  readonly version: string;
  readonly tools: readonly Tool[];
  /** The coordinator, asked for at the first call: a client may start this before it is reachable. */
  readonly api: () => Promise<ApiClient>;
};

/** What is said travels as text, and not to a terminal. */
const PLAIN = pc.createColors(false);

const INSTRUCTIONS =
  "Baton updates fleets of daemons without taking their service down. To update nodes: call initiate_rolling_update as a dry run, show the plan and what its checks say to the person who decides, then call it with dryRun false and the plan's hash. To see how things are: list_nodes and rollout_status.";

/** Serves until the input ends or the person has had enough. */
export async function serveMcp({ input, output }: Streams, options: McpOptions): Promise<void> {
  const { world, version, tools } = options;
  const server = new Server(
    { name: "baton", title: "Baton", version },
    { capabilities: { tools: {} }, instructions: INSTRUCTIONS },
  );
  const gone = new AbortController();
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: tools.map(shown) }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal, sendNotification }) => {
    const { name, arguments: args, _meta: meta } = params;
    const found = tools.find((each) => each.name === name);
    if (found === undefined) return refusedAs(unknownTool(name, tools));
    const token = meta?.progressToken;
    const progress = ({ done, total, message }: Progress): void => {
      if (token === undefined) return;
      const sent = { progressToken: token, progress: done, total, message };
      // Who does not read its progress any more is gone, and its call ends with it.
      sendNotification({ method: "notifications/progress", params: sent }).catch(() => undefined);
    };
    const interrupted = AbortSignal.any([world.interrupted, gone.signal, signal]);
    return called(found, args, { ...world, colors: PLAIN, interrupted }, options.api, progress);
  });
  const closed = new Promise<void>((resolve) => {
    server.onclose = resolve;
  });
  server.onerror = (error) => world.err.write(`${error.message}\n`);
  await server.connect(new StdioServerTransport(input, output));
  await Promise.race([once(input, "end"), once(input, "close"), closed, interruption(world.interrupted)]);
  gone.abort();
  await server.close();
}

async function called(
  tool: Tool,
  args: unknown,
  world: World,
  api: McpOptions["api"],
  progress: (progress: Progress) => void,
): Promise<CallToolResult> {
  try {
    const done = await tool.call(args, { world, api: await api(), progress });
    if (!done.ok) return refusedAs(done.error, tool);
    const { value, text } = done.value;
    return { content: [{ type: "text", text }], structuredContent: value as Record<string, unknown> };
  } catch (error) {
    if (error instanceof FaultError) return refusedAs(error.fault, tool);
    throw error;
  }
}

/** A refusal, as the tool's own answer where it has one for that. */
function refusedAs(fault: Fault, tool?: Tool): CallToolResult {
  const failed = tool?.failed ?? null;
  return {
    isError: true,
    content: [{ type: "text", text: faultLine(fault) }],
    ...(failed === null ? {} : { structuredContent: failed(fault) as Record<string, unknown> }),
  };
}

const unknownTool = (name: string, tools: readonly Tool[]): Fault => ({
  code: "unknown-tool",
  message: `There is no tool ${name} here, or it is not enabled.`,
  hint: `There is: ${tools.map((each) => each.name).join(", ")}.`,
});

const shown = ({ name, title, description, annotations, input, output }: Tool): ShownTool => ({
  name,
  title,
  description,
  annotations: { title, ...annotations },
  inputSchema: plain(input),
  outputSchema: plain(output),
});

/** The schema as plain JSON, which is what it is to everybody else. */
const plain = (schema: TSchema): ShownTool["inputSchema"] =>
  JSON.parse(JSON.stringify(schema)) as ShownTool["inputSchema"];

const interruption = (signal: AbortSignal): Promise<unknown> =>
  signal.aborted ? Promise.resolve() : once(signal, "abort");
