import type { JoinReply, JoinRequest } from "../../protocol/access.ts";
import { ok, type Result } from "../../protocol/result.ts";
import type { Change, JoinTokenRecord, NodeRecord, Stored } from "../store/records.ts";
import { attempt } from "./attempt.ts";
import { audit, nodeActor } from "./audit.ts";
import { type Context, hashSecret, newId, newSecret } from "./context.ts";
import type { Refusal } from "./coordinator.ts";
import { refuse } from "./refusals.ts";

/**
 * Takes a node in, by a join token: pending until an operator approves it, unless the token says otherwise.
 * Refusals: `join-token-invalid`, `name-taken`.
 */
export const joinNode = (
  ctx: Context,
  request: JoinRequest,
  from: string,
): Promise<Result<JoinReply, Refusal>> =>
  attempt<Result<JoinReply, Refusal>>(ctx.store, async () => {
    const token = await ctx.store.joinTokenByHash(hashSecret(request.token));
    if (token === null || !isUsable(token.value, ctx.wall())) {
      ctx.log.warn({ from, name: request.name }, "join refused: the token is unknown, expired or used up");
      return { changes: [], answer: noToken() };
    }
    if ((await ctx.store.nodeByName(request.name)) !== null) {
      return {
        changes: [],
        answer: refuse("name-taken", `There is a node ${request.name} already.`, {
          hint: "Choose another name, or remove the old node first.",
        }),
      };
    }
    return joined(ctx, request, token, from);
  });

async function joined(ctx: Context, request: JoinRequest, token: Stored<JoinTokenRecord>, from: string) {
  const { group, voter, autoApprove, usesLeft } = token.value;
  const credential = newSecret(ctx.random, "node");
  const node: NodeRecord = {
    id: newId(ctx.random, "n"),
    name: request.name,
    group,
    voter,
    labels: request.labels ?? {},
    membership: autoApprove ? "approved" : "pending",
    credentialHash: hashSecret(credential),
    createdAt: ctx.wall(),
    known: null,
    placed: null,
    presence: null,
  };
  const stored = await ctx.store.group(group);
  if (stored === null) return { changes: [], answer: noToken() };
  const said = { name: node.name, group, voter, membership: node.membership, token: token.value.id };
  const changes: Change[] = [
    { kind: "group", value: stored.value, expected: stored.revision },
    { kind: "join-token", value: { ...token.value, usesLeft: usesLeft - 1 }, expected: token.revision },
    { kind: "node", value: node, expected: 0 },
    audit(ctx, nodeActor(node.id, from), "node.joined", node.id, null, said),
  ];
  const { id: nodeId, name, membership } = node;
  const reply: JoinReply = {
    nodeId,
    name,
    group,
    credential,
    membership: membership === "approved" ? "approved" : "pending",
  };
  return { changes, answer: ok(reply) };
}

const noToken = () =>
  refuse("join-token-invalid", "The join token is unknown, expired, used up or revoked.", {
    hint: "Ask an operator for a new one.",
  });

const isUsable = (token: JoinTokenRecord, now: number): boolean =>
  token.revoked !== true && token.usesLeft > 0 && (token.expiresAt === null || now < token.expiresAt);
