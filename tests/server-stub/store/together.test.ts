/** What is asked for at the same time is written in one transaction, and nobody notices but the disk. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Store } from "../../../server-stub/store/store.ts";
import { freshStore, SQL_ENGINES } from "./engines.ts";
import { GROUP, LEASE } from "./records.ts";

const note = (subject: string) =>
  ({
    kind: "audit",
    value: { at: 1, actor: "a", action: "x", subject, before: null, after: null, from: "" },
  }) as const;
const lease = { kind: "lease", group: "db", value: LEASE, expected: 1 } as const;
const strayLine = {
  kind: "log",
  jobId: "j-none",
  lines: [{ index: 0, at: 1, source: "agent", step: null, text: "x" }],
} as const;

describe.each(SQL_ENGINES)("the %s store", (engine) => {
  let opened: Awaited<ReturnType<typeof freshStore>>;
  let store: Store;
  beforeEach(async () => {
    opened = await freshStore(engine);
    ({ store } = opened);
  });
  afterEach(() => opened[Symbol.asyncDispose]());
  const noted = async () => (await store.audit(10)).map(({ subject }) => subject).reverse();

  test("one that conflicts is undone alone, and those before and after it stay", async () => {
    await store.apply([{ kind: "group", value: GROUP, expected: 0 }]);
    const answers = await Promise.all([
      store.apply([note("first"), lease]),
      store.apply([note("second"), lease]),
      store.apply([note("third")]),
    ]);
    expect(answers).toEqual([{ ok: true }, { ok: false, conflict: "lease" }, { ok: true }]);
    expect(await noted()).toEqual(["first", "third"]);
    expect((await store.lease("db"))?.revision).toBe(2);
  });

  test("one that fails fails alone", async () => {
    const answers = await Promise.allSettled([
      store.apply([note("first")]),
      store.apply([note("stray"), strayLine]),
      store.apply([note("third")]),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await noted()).toEqual(["first", "third"]);
  });

  test("more than fit into one transaction are all written, in their order", async () => {
    const subjects = Array.from({ length: 200 }, (_, at) => `n${at}`);
    await Promise.all(subjects.map((subject) => store.apply([note(subject)])));
    expect((await store.audit(300)).map(({ subject }) => subject).reverse()).toEqual(subjects);
  });
});
