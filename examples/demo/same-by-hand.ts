import type { Rollout } from "../../protocol/rollout.ts";

/** A call of one of the tools that `baton mcp` serves. */
export type McpCall = { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> };

const order = (groups: readonly string[], release: string): string[] => [
  ...groups.flatMap((group) => ["--group", group]),
  "--release",
  release,
];

/** Shows what would be done, and the hash of it. */
export const dryRun = (groups: readonly string[], release: string): string[] => [
  "rollout",
  "start",
  ...order(groups, release),
  "--dry-run",
];

/** Starts exactly that plan, without asking, and follows it to its end. */
export const start = (groups: readonly string[], release: string, hash: string): string[] => [
  "rollout",
  "start",
  ...order(groups, release),
  "--plan",
  hash,
  "--yes",
  "--watch",
];

/**
 * What would have done the same as this rollout of `bundle`: by `baton` from a terminal, and by an assistant. The hash
 * is that of the plan that was carried out. Throws for a rollout that was not started by a plan.
 */
export function sameByHand(
  rollout: Pick<Rollout, "id" | "release" | "selection" | "planHash">,
  bundle: string,
): { baton: string[][]; mcp: McpCall[] } {
  const { selection, release, planHash, id } = rollout;
  if (planHash === null) throw new Error(`Rollout ${id} was not started by a plan.`);
  const groups = selection.groups ?? [];
  const asked = { selection, release };
  return {
    baton: [["publish", bundle], dryRun(groups, release), start(groups, release, planHash)],
    mcp: [
      { name: "list_nodes", arguments: { outdated: true } },
      { name: "initiate_rolling_update", arguments: asked },
      { name: "initiate_rolling_update", arguments: { ...asked, dryRun: false, planHash } },
      { name: "rollout_status", arguments: { rolloutId: id } },
    ],
  };
}
