import { Build } from "../../../protocol/build.ts";
import { Reason } from "../../../protocol/job.ts";
import { GroupName, NodeId, NodeName } from "../../../protocol/names.ts";
import { Node, PresenceState } from "../../../protocol/node.ts";
import { ok } from "../../../protocol/result.ts";
import { nullable, type Static, Type } from "../../../protocol/schema.ts";
import { everything } from "../../api/everything.ts";
import { stateOf } from "../../show/node.ts";
import { tool } from "../tool.ts";

const closed = { additionalProperties: false };

const Line = Type.Object(
  {
    id: NodeId,
    name: NodeName,
    group: GroupName,
    voter: Type.Boolean(),
    presence: PresenceState,
    /** What it does, in a word or two. */
    state: Type.String(),
    role: nullable(Type.String()),
    build: nullable(Build),
    desired: nullable(Type.String()),
    outdated: Type.Boolean(),
    behind: Type.Boolean(),
    reason: nullable(Reason),
  },
  closed,
);
type Line = Static<typeof Line>;

const USUAL = 200;

/** Who is there, what runs, and what is behind. */
export const listNodes = tool({
  name: "list_nodes",
  title: "List the nodes of the fleet",
  description:
    "Lists nodes with their group, presence, state, role, the build that they run and whether they are outdated, with the reason why a node is where it is. Filter by group or by being outdated; at most `limit` are shown, and `total` counts all that fit. Changes nothing.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Type.Object(
    {
      group: Type.Optional(GroupName),
      outdated: Type.Optional(Type.Boolean({ description: "Only nodes that do not run the latest release" })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: USUAL })),
    },
    closed,
  ),
  output: Type.Object({ nodes: Type.Array(Line), total: Type.Integer() }, closed),
  run: async ({ group, outdated, limit = USUAL }, { api }) => {
    const nodes = await everything(api, ["v1", "nodes"], "nodes", Node, { group });
    if (!nodes.ok) return nodes;
    const fitting = nodes.value.filter((node) => outdated === undefined || node.outdated === outdated);
    const shown = fitting.slice(0, limit).map(lineOf);
    const text = shown.map(
      ({ name, group, state, build, outdated }) =>
        `${name} (${group}): ${state}, ${build?.version ?? "nothing heard"}${outdated ? ", outdated" : ""}`,
    );
    const more = fitting.length - shown.length;
    return ok({
      value: { nodes: shown, total: fitting.length },
      text: [...text, ...(more > 0 ? [`and ${more} more`] : [])].join("\n") || "No node fits.",
    });
  },
});

const lineOf = (node: Node): Line => ({
  id: node.id,
  name: node.name,
  group: node.group,
  voter: node.voter,
  presence: node.presence,
  state: stateOf(node),
  role: node.health?.role ?? null,
  build: node.build,
  desired: node.desired,
  outdated: node.outdated,
  behind: node.behind,
  reason: node.reason,
});
