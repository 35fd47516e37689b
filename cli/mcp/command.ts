import { Command } from "commander";
import { FaultError } from "../../protocol/result.ts";
import { apiOf } from "../commands/leaf.ts";
import { coordinatorOption } from "../help.ts";
import type { World } from "../world.ts";
import type { Streams } from "./server.ts";
import { TOOL_NAMES } from "./tool-names.ts";

/** `baton mcp`: tools for an assistant, over standard input and output. */
export const mcpCommand = (world: World, version: string, streams: Streams): Command =>
  new Command("mcp")
    .description("serve tools for an assistant, by the Model Context Protocol over standard input and output")
    .addOption(coordinatorOption("--context <name>"))
    .addOption(coordinatorOption("--url <address>"))
    .option("--tools <names>", `only these, separated by commas (default: $BATON_MCP_TOOLS, else all)`)
    .addHelpText("after", `\nTools: ${TOOL_NAMES.join(", ")}`)
    .action(async ({ tools }: { tools?: string }, command: Command) => {
      const enabled = enabledBy(tools ?? world.env.BATON_MCP_TOOLS);
      const [{ serveMcp }, { ALL_TOOLS }] = await Promise.all([
        import("./server.ts"),
        import("./all-tools.ts"),
      ]);
      await serveMcp(streams, {
        world,
        version,
        tools: ALL_TOOLS.filter(({ name }) => enabled.has(name)),
        api: kept(() => apiOf(world, command)),
      });
    });

/** What \`make\` made first; a failure is not kept. */
function kept<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = null;
      throw error;
    });
    return made;
  };
}

/** Throws `FaultError` `usage` for a name that is no tool's. */
function enabledBy(list: string | undefined): ReadonlySet<string> {
  const names = (list ?? "").split(",").map((name) => name.trim());
  const given = names.filter((name) => name !== "");
  const strange = given.find((name) => !TOOL_NAMES.some((each) => each === name));
  if (strange !== undefined) {
    throw new FaultError({
      code: "usage",
      message: `There is no tool ${strange}.`,
      hint: `There is: ${TOOL_NAMES.join(", ")}.`,
    });
  }
  return new Set(given.length === 0 ? TOOL_NAMES : given);
}
