import { describe, expect, test } from "vitest";
import type { Alert } from "../../../protocol/alert.ts";
import {
  alertsQuery,
  pageOf,
  standingOf,
  whyNoAcknowledge,
} from "../../../server-stub/web/pages/alerts/model.ts";
import {
  auditQuery,
  differences,
  fromField,
  pageOfSubject,
  toField,
} from "../../../server-stub/web/pages/audit/model.ts";

const alert = (change: Partial<Alert> = {}): Alert => ({
  id: 1,
  kind: "node_offline",
  subject: "n-000000000001",
  message: "anna is offline.",
  raisedAt: 0,
  resolvedAt: null,
  resolvedBy: null,
  acknowledgedAt: null,
  acknowledgedBy: null,
  note: null,
  ...change,
});

describe("what is said of an alert", () => {
  const taken = { acknowledgedAt: 1, acknowledgedBy: "operator ann" };

  test("open, taken on, resolved", () => {
    expect(standingOf(alert()).word).toBe("open");
    expect(standingOf(alert(taken)).word).toBe("taken on");
    expect(standingOf(alert({ ...taken, resolvedAt: 2 })).word).toBe("resolved");
    expect(whyNoAcknowledge(alert())).toBeNull();
    expect(whyNoAcknowledge(alert(taken))).toBe("operator ann has taken it on");
    expect(whyNoAcknowledge(alert({ resolvedAt: 2 }))).toBe("It is resolved");
  });

  test("what it is about has a page, or none", () => {
    expect(pageOf(alert())).toBe("/nodes/n-000000000001");
    expect(pageOf(alert({ kind: "fleet_update_halted", subject: "r-000000000001" }))).toBe(
      "/rollouts/r-000000000001",
    );
    expect(pageOf(alert({ kind: "lease_overdue", subject: "db" }))).toBe("/groups/db");
    expect(pageOf(alert({ kind: "metadata_expiring", subject: "targets" }))).toBeNull();
  });

  test("what the address says wrongly is as if it were not said", () => {
    expect(alertsQuery(new URLSearchParams("state=odd&kind=toString"))).toBe("state=open");
    expect(alertsQuery(new URLSearchParams("state=all&kind=node_offline"))).toBe(
      "state=all&kind=node_offline",
    );
  });
});

describe("the audit log", () => {
  test("is asked for what the address says, and not for what it says wrongly", () => {
    const asked = (text: string): string => auditQuery(new URLSearchParams(text)).toString();
    expect(asked("actor=operator+anna&action=lease.&since=1970-01-01T00:01Z")).toBe(
      "actor=operator+anna&action=lease.&since=60000",
    );
    expect(asked(`action=DROP&since=yesterday&until=&subject=${"x".repeat(257)}`)).toBe("");
  });

  test("an instant in the address means the same everywhere", () => {
    const text = "2026-11-21T09:30Z";
    expect(fromField(toField(text))).toBe(text);
    expect(toField("nonsense")).toBe("");
    expect(fromField("")).toBeNull();
  });

  test.each([
    [
      { voter: true, name: "a" },
      { voter: false, name: "a" },
      [{ name: "voter", before: "true", after: "false" }],
    ],
    [null, { role: "viewer" }, [{ name: "role", before: null, after: "viewer" }]],
    [{ windows: [1] }, null, [{ name: "windows", before: "[1]", after: null }]],
    ["a", "b", [{ name: "value", before: "a", after: "b" }]],
    [null, null, []],
  ])("%j to %j", (before, after, expected) => {
    expect(differences({ before, after })).toEqual(expected);
  });

  test("what a change was made to has a page, or none", () => {
    expect(pageOfSubject({ action: "job.cancelled", subject: "j-000000000001" })).toBe(
      "/jobs/j-000000000001",
    );
    expect(pageOfSubject({ action: "lease.broken", subject: "db" })).toBe("/groups/db");
    expect(pageOfSubject({ action: "token.revoked", subject: "o-000000000001" })).toBeNull();
  });
});
