import { expect, test } from "vitest";
import { createCoalesce } from "../../../server-stub/service/coalesce.ts";

/** Work that takes as long as it is told, on a clock that only it and its pauses move. */
function world(tookMs: number) {
  const at: number[] = [];
  let now = 0;
  const pauses: number[] = [];
  const coalesce = createCoalesce({
    now: () => now,
    pause: async (ms) => {
      pauses.push(ms);
      now += ms;
    },
  });
  const work = async (): Promise<void> => {
    at.push(now);
    await Promise.resolve();
    now += tookMs;
  };
  return { at, pauses, ask: () => coalesce("it", work), pass: (ms: number) => (now += ms) };
}

test("what is asked for while it runs is done once more, for all who asked", async () => {
  const { at, ask } = world(1);
  await Promise.all([ask(), ask(), ask(), ask()]);
  expect(at).toEqual([0, 1]);
});

test("what is over quickly is begun again at once", async () => {
  const { at, pauses, ask } = world(19);
  await Promise.all([ask(), ask()]);
  await ask();
  expect(at).toEqual([0, 19, 38]);
  expect(pauses).toEqual([]);
});

test("what takes long is left alone for three times as long, whether it is asked for meanwhile or afterwards", async () => {
  const { at, pauses, ask } = world(100);
  await Promise.all([ask(), ask()]);
  expect(at).toEqual([0, 400]);
  await Promise.all([ask(), ask()]);
  expect(at).toEqual([0, 400, 800]);
  expect(pauses).toEqual([300, 300]);
});

test("and not for ever, nor when that time has passed by itself", async () => {
  const { at, ask, pass } = world(10_000);
  await Promise.all([ask(), ask()]);
  expect(at).toEqual([0, 10_500]);
  pass(500);
  await ask();
  expect(at).toEqual([0, 10_500, 21_000]);
});

test("work that fails fails for who asked for it, and is begun again for the others", async () => {
  const coalesce = createCoalesce();
  let runs = 0;
  const work = async (): Promise<void> => {
    runs += 1;
    await Promise.resolve();
    if (runs === 1) throw new Error("no");
  };
  const [first, second] = await Promise.allSettled([coalesce("it", work), coalesce("it", work)]);
  expect([first.status, second.status]).toEqual(["rejected", "fulfilled"]);
});
