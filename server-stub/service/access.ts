import type { OperatorToken } from "../../protocol/access.ts";
import { ok, type Result } from "../../protocol/result.ts";
import type { Change, NodeRecord, OperatorTokenRecord, Stored } from "../store/records.ts";
import { attempt } from "./attempt.ts";
import { actorOf, audit } from "./audit.ts";
import { type Context, hashSecret, newId, newSecret } from "./context.ts";
import type { Access, Principal, Refusal } from "./coordinator.ts";
import { joinNode } from "./join.ts";
import { createJoinTokens } from "./join-tokens.ts";
import { noToken } from "./refusals.ts";

/** Token use is noted at most that often. */
const NOTE_USE_EVERY_MS = 60_000;

export const createAccess = (ctx: Context): Access => ({
  authenticate: (secret, from) => authenticate(ctx, secret, from),
  join: (request, from) => joinNode(ctx, request, from),

  async createToken(by, { name, role, ttlMs }) {
    const secret = newSecret(ctx.random, "operator");
    const now = ctx.wall();
    const token: OperatorTokenRecord = {
      id: newId(ctx.random, "o"),
      name,
      role,
      hash: hashSecret(secret),
      createdAt: now,
      lastUsedAt: null,
      expiresAt: ttlMs === undefined ? null : now + ttlMs,
      revoked: false,
    };
    const said = { name, role, expiresAt: token.expiresAt };
    const changes: Change[] = [
      { kind: "operator-token", value: token, expected: 0 },
      audit(ctx, actorOf(by), "token.created", token.id, null, said),
    ];
    return attempt(ctx.store, () => Promise.resolve({ changes, answer: ok({ token: show(token), secret }) }));
  },

  listTokens: async () => (await ctx.store.operatorTokens()).map(({ value }) => show(value)),

  revokeToken: (by, id) =>
    attempt<Result<OperatorToken, Refusal>>(ctx.store, async () => {
      const token = (await ctx.store.operatorTokens()).find((each) => each.value.id === id);
      if (token === undefined) return { changes: [], answer: noToken(id) };
      if (token.value.revoked) return { changes: [], answer: ok(show(token.value)) };
      const value = { ...token.value, revoked: true };
      const changes: Change[] = [
        { kind: "operator-token", value, expected: token.revision },
        audit(ctx, actorOf(by), "token.revoked", id, { revoked: false }, { revoked: true }),
      ];
      return { changes, answer: ok(show(value)) };
    }),

  ...createJoinTokens(ctx),
});

async function authenticate(ctx: Context, secret: string, from: string): Promise<Principal | null> {
  const hash = hashSecret(secret);
  const node = await ctx.store.nodeByCredential(hash);
  if (node !== null) return nodePrincipal(node.value, from);
  const token = await ctx.store.operatorTokenByHash(hash);
  if (token === null || token.value.revoked) return null;
  const now = ctx.wall();
  const { expiresAt, id, name, role } = token.value;
  if (expiresAt !== null && now >= expiresAt) return null;
  await noteUse(ctx, token);
  return { kind: "operator", id, name, role, from };
}

/** The token was used right now. */
export async function noteUse(ctx: Context, token: Stored<OperatorTokenRecord>): Promise<void> {
  if (ctx.standsBy) return;
  const now = ctx.wall();
  const { lastUsedAt } = token.value;
  if (lastUsedAt !== null && now - lastUsedAt < NOTE_USE_EVERY_MS) return;
  const value = { ...token.value, lastUsedAt: now };
  // Whoever wrote meanwhile noted a use, or revoked it; either is newer than this.
  await ctx.store.apply([{ kind: "operator-token", value, expected: token.revision, isUse: true }]);
}

function nodePrincipal(node: NodeRecord, from: string): Principal | null {
  const { id: nodeId, group, membership } = node;
  return membership === "revoked" ? null : { kind: "node", nodeId, group, membership, from };
}

function show({ hash: _hash, ...token }: OperatorTokenRecord): OperatorToken {
  return token;
}
