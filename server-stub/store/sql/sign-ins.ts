import type { Kysely } from "kysely";
import type { SignInChange, SignInLinkRecord, SignInRecord } from "../sign-ins.ts";
import { prepare, type Runner } from "./prepared.ts";
import type { Tables } from "./tables.ts";

const TABLES = ["sign_in", "sign_in_link"] as const;
type Name = (typeof TABLES)[number];

/** Browsers that are signed in, and links that sign one in: their queries, compiled once. */
export function prepareSignIns(db: Kysely<Tables>) {
  const of = (table: Name) => ({
    read: prepare<{ hash: string }, { body: string }>((p) =>
      db.selectFrom(table).select("body").where("hash", "=", p("hash")),
    ),
    insert: prepare<{ hash: string; expiresAt: number; body: string }, unknown>((p) =>
      db
        .insertInto(table)
        .values({ hash: p("hash"), expires_at: p("expiresAt"), body: p("body") })
        .onConflict((conflict) => conflict.doNothing()),
    ),
    remove: prepare<{ hash: string }, unknown>((p) => db.deleteFrom(table).where("hash", "=", p("hash"))),
    forget: prepare<{ before: number }, unknown>((p) =>
      db.deleteFrom(table).where("expires_at", "<=", p("before")),
    ),
  });
  const signIns = of("sign_in");
  const links = of("sign_in_link");
  const row = (value: SignInRecord | SignInLinkRecord) => ({
    hash: value.hash,
    expiresAt: value.expiresAt,
    body: JSON.stringify(value),
  });

  /** False: the expectation does not hold. */
  async function write(runner: Runner, change: SignInChange): Promise<boolean> {
    switch (change.kind) {
      case "sign-in":
        return one(await signIns.insert(runner, row(change.value)));
      case "remove-sign-in":
        await signIns.remove(runner, { hash: change.hash });
        return true;
      case "sign-in-link":
        return one(await links.insert(runner, row(change.value)));
      case "use-sign-in-link":
        return one(await links.remove(runner, { hash: change.hash }));
      case "forget-sign-ins":
        await signIns.forget(runner, { before: change.before });
        await links.forget(runner, { before: change.before });
        return true;
    }
  }

  return {
    write,
    read: {
      signIn: async (hash: string): Promise<SignInRecord | null> =>
        found<SignInRecord>((await signIns.read(db, { hash })).rows),
      signInLink: async (hash: string): Promise<SignInLinkRecord | null> =>
        found<SignInLinkRecord>((await links.read(db, { hash })).rows),
    },
  };
}

const found = <T>([row]: readonly { readonly body: string }[]): T | null =>
  row === undefined ? null : (JSON.parse(row.body) as T);

const one = (result: { readonly numAffectedRows?: bigint }): boolean => result.numAffectedRows === 1n;
