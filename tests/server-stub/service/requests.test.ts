/** Requests that carry a key, where the coordinator fails or dies in the middle of one. */
import { expect, test } from "vitest";
import { ok } from "../../../protocol/result.ts";
import { code, House, must } from "./house.ts";

const ASK = { id: "k", hash: "h", secret: false };
const never = () => Promise.reject(new Error("it was done a second time"));

test("one that failed in a way that says nothing is not done a second time, nor taken for done", async () => {
  await using house = await House.build();
  const failing = house.baton.requests.once(ASK, () => Promise.reject(new Error("the disk is gone")));
  await expect(failing).rejects.toThrow("the disk is gone");
  expect(await house.baton.requests.once(ASK, never)).toMatchObject({
    error: { code: "conflict", message: expect.stringContaining("Nobody knows") },
  });
});

test("one that was at work when the coordinator died is not begun again by the next", async () => {
  await using house = await House.build();
  const begun = Promise.withResolvers<void>();
  void house.baton.requests.once(ASK, () => {
    begun.resolve();
    return new Promise(() => undefined);
  });
  await begun.promise;
  expect(await house.baton.requests.once(ASK, never)).toMatchObject({
    error: { code: "conflict", message: expect.stringContaining("still at work"), retryAfterMs: 1_000 },
  });
  await house.restart();
  expect(await house.baton.requests.once(ASK, never)).toMatchObject({
    error: { code: "conflict", message: expect.stringContaining("Nobody knows") },
  });
  expect(code(await house.baton.requests.once({ ...ASK, hash: "other" }, never))).toBe(
    "idempotency-key-reused",
  );
});

test("an answer outlives the coordinator that gave it, and is forgotten with the day", async () => {
  await using house = await House.build();
  must(await house.baton.requests.once(ASK, () => Promise.resolve(ok({ made: 1 }))));
  await house.restart();
  expect(must(await house.baton.requests.once(ASK, never))).toEqual({ answer: { made: 1 }, replayed: true });
  house.clock.pass(86_400_001);
  await house.baton.tick();
  expect(await house.store.request("k")).toBeNull();
});
