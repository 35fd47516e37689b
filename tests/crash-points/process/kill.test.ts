import { expect, test } from "vitest";
import { makeFixture } from "../fixture.ts";
import { storyOf } from "../story.ts";
import { killAt, NodeProcess, nthOf } from "./run.ts";

/** One of each kind here; `test:proof` kills before and after every one. */
test("killed for real at one point of each kind, a node recovers and is updated once more", {
  timeout: 240_000,
}, async () => {
  const fixture = await makeFixture();
  const story = storyOf("a good update");
  using whole = new NodeProcess(fixture, story);
  const lived = await whole.live({ update: true });
  expect(lived?.wrong).toBeNull();
  const done = lived?.done.map(({ kind, happened }) => (happened ? kind : "")) ?? [];
  const kinds = [...new Set(done)].filter(Boolean);
  expect(kinds.length).toBeGreaterThanOrEqual(13);
  const kill = async (kind: string, index: number): Promise<void> => {
    const alike = done.flatMap((each, at) => (each === kind ? [at] : []));
    const when = index % 2 === 0 ? "before" : "after";
    const nth = nthOf(lived?.done ?? [], alike[Math.floor(alike.length / 2)] ?? 0, when);
    const { isKilled, where, wrong } = await killAt(fixture, story, when, nth);
    expect({ kind, where, isKilled, wrong }).toEqual({ kind, where, isKilled: true, wrong: null });
  };
  const half = (which: number) =>
    kinds.reduce(
      (before, kind, index) => (index % 2 === which ? before.then(() => kill(kind, index)) : before),
      Promise.resolve(),
    );
  await Promise.all([half(0), half(1)]);
});
