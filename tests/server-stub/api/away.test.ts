import type { FastifyError } from "fastify";
import { expect, it } from "vitest";
import { refusalOf } from "../../../server-stub/api/problems.ts";
import { NotInSeat, StoreAway } from "../../../server-stub/service/replica.ts";

it.each([
  ["another coordinator decides", new NotInSeat(), /nothing was changed/],
  ["the database is away", new StoreAway("not-written", new Error("gone")), /nothing was changed/],
  ["nobody knows what the database did", new StoreAway("unknown", new Error("gone")), /nobody knows/],
])("%s: it is unavailable, and what became of it is told", (_, error, says) => {
  const refusal = refusalOf(error as unknown as FastifyError);
  expect(refusal.code).toBe("unavailable");
  expect(refusal.message).toMatch(says);
  expect(JSON.stringify(refusal)).not.toContain("gone");
});
