/**
 * Browsers that are signed in. A sign-in stands for one operator token and is good for as long as that token is: who
 * revokes the token has signed out every browser that came by it. It lives in the store, so that a restart signs
 * nobody out.
 */
import { ok, type Result } from "../../protocol/result.ts";
import { SIGN_IN_PAGE, type SignInLink } from "../../protocol/sign-in.ts";
import type { DurationMs } from "../../protocol/time.ts";
import type { Change, OperatorTokenRecord } from "../store/records.ts";
import { noteUse } from "./access.ts";
import { attempt } from "./attempt.ts";
import { actorOf, audit } from "./audit.ts";
import { type Context, hashSecret, newId, newSecret } from "./context.ts";
import type { Admitted, Principal, Refusal, SignIns } from "./coordinator.ts";
import { refuse } from "./refusals.ts";

/** A link is for right now: it is made to be opened. */
const LINK_FOR_MS: DurationMs = 600_000;

/** `forMs`: how long a sign-in lasts; a token that expires earlier ends it earlier. */
export const createSignIns = (ctx: Context, forMs: DurationMs): SignIns => ({
  async byToken(secret, from) {
    const token = await tokenByHash(ctx, hashSecret(secret));
    return token === null ? null : signIn(ctx, token, forMs, from, []);
  },

  byLink: (secret, from) =>
    attempt(ctx.store, async () => {
      const hash = hashSecret(secret);
      const link = await ctx.store.signInLink(hash);
      if (link === null || ctx.wall() >= link.expiresAt) return { changes: [], answer: null };
      const used: Change = { kind: "use-sign-in-link", hash };
      if (link.tokenId !== null) {
        const token = await tokenById(ctx, link.tokenId);
        return token === null ? { changes: [], answer: null } : decide(ctx, token, forMs, from, [used]);
      }
      const token = localToken(ctx, forMs);
      const local = { actor: "operator local", from: "control socket" };
      const said = { name: token.name, role: token.role, expiresAt: token.expiresAt };
      return decide(ctx, token, forMs, from, [
        used,
        { kind: "operator-token", value: token, expected: 0 },
        audit(ctx, local, "token.created", token.id, null, said),
      ]);
    }),

  async who(secret, from) {
    const record = await ctx.store.signIn(hashSecret(secret));
    if (record === null || ctx.wall() >= record.expiresAt) return null;
    const token = await ctx.store.operatorToken(record.tokenId);
    if (token === null || !isGood(ctx, token.value)) return null;
    await noteUse(ctx, token);
    return principalOf(token.value, from);
  },

  async end(secret, from) {
    const hash = hashSecret(secret);
    const record = await ctx.store.signIn(hash);
    if (record === null) return;
    const token = await tokenById(ctx, record.tokenId);
    const actor =
      token === null ? { actor: `token ${record.tokenId}`, from } : actorOf(principalOf(token, from));
    await ctx.store.apply([
      { kind: "remove-sign-in", hash },
      audit(ctx, actor, "sign-in.ended", record.tokenId, { expiresAt: record.expiresAt }, null),
    ]);
  },

  async createLink(by, address) {
    const made = await makeLink(ctx, by);
    if (!made.ok) return made;
    const { secret, expiresAt } = made.value;
    return ok({ url: `${address}${SIGN_IN_PAGE}#${secret}`, expiresAt });
  },
});

async function signIn(
  ctx: Context,
  token: OperatorTokenRecord,
  forMs: DurationMs,
  from: string,
  first: readonly Change[],
): Promise<Admitted> {
  const { changes, answer } = decide(ctx, token, forMs, from, first);
  await ctx.store.apply(changes);
  return answer;
}

function decide(
  ctx: Context,
  token: OperatorTokenRecord,
  forMs: DurationMs,
  from: string,
  first: readonly Change[],
): { changes: readonly Change[]; answer: Admitted } {
  const secret = newSecret(ctx.random, "browser");
  const now = ctx.wall();
  const expiresAt = Math.min(now + forMs, token.expiresAt ?? Number.POSITIVE_INFINITY);
  const { id, name, role } = token;
  const changes: readonly Change[] = [
    { kind: "forget-sign-ins", before: now },
    ...first,
    { kind: "sign-in", value: { hash: hashSecret(secret), tokenId: id, createdAt: now, expiresAt } },
    audit(ctx, actorOf(principalOf(token, from)), "sign-in.created", id, null, { expiresAt }),
  ];
  return { changes, answer: { secret, forMs: expiresAt - now, signedIn: { id, name, role, expiresAt } } };
}

async function makeLink(
  ctx: Context,
  by: Principal,
): Promise<Result<{ secret: string; expiresAt: SignInLink["expiresAt"] }, Refusal>> {
  if (by.kind === "node") return refuse("forbidden", "A node does not sign in.");
  const tokenId = isLocal(by) ? null : by.id;
  const secret = newSecret(ctx.random, "link");
  const expiresAt = ctx.wall() + LINK_FOR_MS;
  await ctx.store.apply([
    { kind: "forget-sign-ins", before: ctx.wall() },
    { kind: "sign-in-link", value: { hash: hashSecret(secret), tokenId, expiresAt } },
    audit(ctx, actorOf(by), "sign-in-link.created", tokenId ?? "local", null, { expiresAt }),
  ]);
  return ok({ secret, expiresAt });
}

/** At the control socket everybody is the administrator, without a token. */
const isLocal = (by: Principal): boolean => by.kind === "operator" && by.id === "local";

/** Whom a link of the control socket signs in as. Nobody knows its secret; it is there to be seen and revoked. */
function localToken(ctx: Context, forMs: DurationMs): OperatorTokenRecord {
  const now = ctx.wall();
  return {
    id: newId(ctx.random, "o"),
    name: "local",
    role: "admin",
    hash: hashSecret(newSecret(ctx.random, "operator")),
    createdAt: now,
    lastUsedAt: now,
    expiresAt: now + forMs,
    revoked: false,
  };
}

async function tokenByHash(ctx: Context, hash: string): Promise<OperatorTokenRecord | null> {
  const token = (await ctx.store.operatorTokenByHash(hash))?.value ?? null;
  return token !== null && isGood(ctx, token) ? token : null;
}

async function tokenById(ctx: Context, id: string): Promise<OperatorTokenRecord | null> {
  const token = (await ctx.store.operatorToken(id))?.value ?? null;
  return token !== null && isGood(ctx, token) ? token : null;
}

const isGood = (ctx: Context, { revoked, expiresAt }: OperatorTokenRecord): boolean =>
  !revoked && (expiresAt === null || ctx.wall() < expiresAt);

const principalOf = ({ id, name, role }: OperatorTokenRecord, from: string): Principal => ({
  kind: "operator",
  id,
  name,
  role,
  from,
});
