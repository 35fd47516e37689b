import type { JoinToken } from "../../protocol/access.ts";
import type { GroupName } from "../../protocol/names.ts";
import { ok, type Result } from "../../protocol/result.ts";
import type { Change, JoinTokenRecord, Stored } from "../store/records.ts";
import { attempt } from "./attempt.ts";
import { actorOf, audit } from "./audit.ts";
import { type Context, hashSecret, newId, newSecret } from "./context.ts";
import type { Access, Principal, Refusal } from "./coordinator.ts";
import { noGroup, noJoinToken } from "./refusals.ts";

type JoinTokens = Pick<Access, "createJoinToken" | "listJoinTokens" | "revokeJoinToken">;

/** Tokens by which nodes join a group. The secret is answered once, and only its hash is kept. */
export const createJoinTokens = (ctx: Context): JoinTokens => ({
  async createJoinToken(by, { group, voter = true, autoApprove = false, uses = 1, ttlMs }) {
    const secret = newSecret(ctx.random, "join");
    const now = ctx.wall();
    const value: JoinTokenRecord = {
      id: newId(ctx.random, "t"),
      hash: hashSecret(secret),
      group,
      voter,
      autoApprove,
      usesLeft: uses,
      expiresAt: ttlMs === undefined ? null : now + ttlMs,
      createdAt: now,
      createdBy: actorOf(by).actor,
      revoked: false,
    };
    const said = { group, voter, autoApprove, uses, expiresAt: value.expiresAt };
    return attempt<Result<{ id: string; secret: string }, Refusal>>(ctx.store, async () => {
      const stored = await ctx.store.group(group);
      if (stored === null) return { changes: [], answer: noGroup(group) };
      const changes: Change[] = [
        { kind: "same-group", name: group, expected: stored.revision },
        { kind: "join-token", value, expected: 0 },
        audit(ctx, actorOf(by), "join-token.created", value.id, null, said),
      ];
      return { changes, answer: ok({ id: value.id, secret }) };
    });
  },

  listJoinTokens: async () => (await ctx.store.joinTokens()).map(({ value }) => show(value)),

  revokeJoinToken: (by, id) =>
    attempt<Result<JoinToken, Refusal>>(ctx.store, async () => {
      const token = (await ctx.store.joinTokens()).find((each) => each.value.id === id);
      if (token === undefined) {
        return { changes: [], answer: noJoinToken(id) };
      }
      const changes = revoked(ctx, by, token);
      return { changes, answer: ok(show({ ...token.value, revoked: true })) };
    }),
});

/** What is written when a group goes: nobody joins what is not there. */
export async function revokeJoinTokensOf(ctx: Context, by: Principal, group: GroupName): Promise<Change[]> {
  const tokens = await ctx.store.joinTokens();
  return tokens
    .filter(({ value }) => value.group === group && value.usesLeft > 0)
    .flatMap((token) => revoked(ctx, by, token));
}

function revoked(ctx: Context, by: Principal, { value, revision }: Stored<JoinTokenRecord>): Change[] {
  if (value.revoked === true) return [];
  return [
    { kind: "join-token", value: { ...value, revoked: true }, expected: revision },
    audit(ctx, actorOf(by), "join-token.revoked", value.id, { revoked: false }, { revoked: true }),
  ];
}

const show = ({ hash: _hash, ...token }: JoinTokenRecord): JoinToken => ({
  ...token,
  revoked: token.revoked ?? false,
});
