/**
 * Requests that carry a key, so that repeating one does nothing twice. A request is noted before it is done, and its
 * answer when it has been; what was refused is forgotten at once, since nothing was changed.
 *
 * Invariants: a key is at work once at a time; an answer with a secret is not stored; when nobody knows how a request
 * ended (the coordinator died in the middle, or failed), its key is never taken for a first request.
 */
import { ok, type Result } from "../../protocol/result.ts";
import type { Change, RequestRecord, Stored } from "../store/records.ts";
import { attempt, type Decision } from "./attempt.ts";
import type { Context } from "./context.ts";
import type { Refusal, Requests } from "./coordinator.ts";
import { refuse } from "./refusals.ts";

/** How long a key is remembered. */
export const REMEMBER_MS = 86_400_000;

type Begun = Result<{ readonly first: true } | { readonly first: false; readonly answer: unknown }, Refusal>;

export function createRequests(ctx: Context): Requests {
  /** Those that this very process works on. */
  const atWork = new Set<string>();
  return {
    async once({ id, hash, secret }, run) {
      const begun = await attempt(ctx.store, () => begin(ctx, id, hash, atWork));
      if (!begun.ok) return begun;
      if (!begun.value.first) return ok({ answer: begun.value.answer as never, replayed: true });
      try {
        const result = await run();
        await end(ctx, id, result.ok ? (secret ? { state: "secret" } : answered(result.value)) : null);
        return result.ok ? ok({ answer: result.value, replayed: false }) : result;
      } catch (error) {
        // Where even this cannot be written, it stays noted as at work, of which nobody knows either.
        await end(ctx, id, { state: "unknown" }).catch((cause: unknown) => {
          ctx.log.error({ err: cause }, "how a request with a key ended could not be noted");
        });
        throw error;
      } finally {
        atWork.delete(id);
      }
    },
  };
}

async function begin(ctx: Context, id: string, hash: string, atWork: Set<string>): Promise<Decision<Begun>> {
  const stored = await ctx.store.request(id);
  const at = ctx.wall();
  if (stored !== null && at - stored.value.at < REMEMBER_MS) {
    return { changes: [], answer: repeated(stored.value, hash, atWork) };
  }
  // Before it is written: who finds it there must find it at work.
  atWork.add(id);
  const value: RequestRecord = { id, hash, at, state: "at-work", answer: null };
  const change: Change = { kind: "request", value, expected: stored?.revision ?? 0 };
  return { changes: [change], answer: ok({ first: true }) };
}

function repeated(
  { id, hash, state, answer }: RequestRecord,
  asked: string,
  atWork: ReadonlySet<string>,
): Begun {
  if (hash !== asked) {
    return refuse(
      "idempotency-key-reused",
      "This Idempotency-Key came with another request before; nothing was done.",
      {
        hint: "Give every request a key of its own.",
      },
    );
  }
  if (state === "answered") return ok({ first: false, answer });
  if (state === "secret") {
    return refuse(
      "secret-shown-once",
      "This request was done before, and answered with a secret that is kept nowhere.",
      { hint: "If the answer was lost, revoke what it made and ask again with another key." },
    );
  }
  if (state === "at-work" && atWork.has(id)) {
    return refuse("conflict", "The first request with this Idempotency-Key is still at work.", {
      hint: "Repeat it in a moment.",
      retryAfterMs: 1_000,
    });
  }
  return refuse("conflict", "Nobody knows how the first request with this Idempotency-Key ended.", {
    hint: "Look at what is there now; if it was not done, ask with another key.",
  });
}

type End = Pick<RequestRecord, "state"> & { readonly answer?: unknown };
const answered = (answer: unknown): End => ({ state: "answered", answer });

/** Null: it was refused, and the key is free again. */
const end = (ctx: Context, id: string, how: End | null): Promise<void> =>
  attempt<void>(ctx.store, async () => {
    const stored: Stored<RequestRecord> | null = await ctx.store.request(id);
    if (stored === null) return { changes: [], answer: undefined };
    const change: Change =
      how === null
        ? { kind: "remove-request", id, expected: stored.revision }
        : {
            kind: "request",
            value: { ...stored.value, state: how.state, answer: how.answer ?? null },
            expected: stored.revision,
          };
    return { changes: [change], answer: undefined };
  });

/** Forgets what nobody will repeat any more. */
export async function forgetRequests(ctx: Context): Promise<void> {
  await ctx.store.apply([{ kind: "forget-requests", before: ctx.wall() - REMEMBER_MS }]);
}
