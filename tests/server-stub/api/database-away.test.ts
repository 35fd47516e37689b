import type { FastifyError } from "fastify";
import { expect, test } from "vitest";
import { refusalOf } from "../../../server-stub/api/problems.ts";
import { ConnectionLost, FailedOver } from "../../../server-stub/store/postgres/faults.ts";
import { StoreAway } from "../../../server-stub/store/sql/transact.ts";

const cause = new Error("connect ECONNREFUSED");
const answered = (error: Error) => refusalOf(error as FastifyError);

test.each([
  ["a database that cannot be reached", new ConnectionLost(cause), "nothing was changed"],
  ["one that has failed over", new FailedOver("1/1", "1/2"), "nothing was changed"],
  ["a write that was not written", new StoreAway("not-written", cause), "nothing was changed"],
  ["a write of which nobody knows", new StoreAway("unknown", cause), "nobody knows"],
])(
  "%s is no fault of the coordinator's: it is to be asked again, and told what is known",
  (_, error, says) => {
    expect(answered(error)).toMatchObject({ code: "unavailable", retryAfterMs: 2_000 });
    expect(answered(error).message).toContain(says);
  },
);

test("any other error is one", () => {
  expect(answered(cause).code).toBe("internal");
});
