import { expect, test } from "vitest";
import type { JoinToken } from "../../../protocol/access.ts";
import { joinStandingOf, standingOf, whyNoName } from "../../../server-stub/web/pages/tokens/model.ts";
import { LIFETIMES, ttlOf } from "../../../server-stub/web/parts/lifetime.ts";

const joining: JoinToken = {
  id: "t-1",
  group: "db",
  voter: true,
  autoApprove: false,
  usesLeft: 1,
  createdAt: 0,
  createdBy: "operator ann",
  expiresAt: 1_000,
  revoked: false,
};

test("a token is good until it is revoked, expires or is used up", () => {
  expect(standingOf({ revoked: false, expiresAt: null }, 1e15).word).toBe("good");
  expect(joinStandingOf(joining, 999).word).toBe("good");
  expect(joinStandingOf(joining, 1_000).word).toBe("expired");
  expect(joinStandingOf({ ...joining, usesLeft: 0 }, 0).word).toBe("used up");
  expect(joinStandingOf({ ...joining, revoked: true, usesLeft: 0 }, 2_000).word).toBe("revoked");
});

test("a name is needed, and for ever is said by saying nothing", () => {
  expect(whyNoName("  ")).toMatch(/first/);
  expect(whyNoName("x".repeat(65))).toMatch(/64/);
  expect(whyNoName("ann")).toBeNull();
  expect(ttlOf(null)).toEqual({});
  expect(LIFETIMES.map(([ms]) => ttlOf(ms).ttlMs)).toEqual(LIFETIMES.map(([ms]) => Number(ms)));
});
