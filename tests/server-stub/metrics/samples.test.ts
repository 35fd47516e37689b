import { describe, expect, test } from "vitest";
import { METRICS } from "../../../server-stub/metrics/catalogue.ts";
import { samplesOf } from "../../../server-stub/metrics/samples.ts";
import type { Census } from "../../../server-stub/service/counted.ts";

const node = (more: Partial<Census["nodes"][number]> = {}): Census["nodes"][number] => ({
  membership: "approved",
  presence: "online",
  behind: false,
  version: "1.0.0",
  state: "idle",
  hold: false,
  quarantines: false,
  ...more,
});
const version = (name: string) => node({ version: name });
const EMPTY: Census = {
  nodes: [],
  sessions: { websocket: 0, http: 0 },
  leases: [],
  rollouts: [],
  openAlerts: [],
  expiries: [],
  backedUpAt: null,
};
/** The samples that are not 0, by their labels' values. */
const told = (census: Partial<Census>, name: keyof typeof METRICS) =>
  Object.fromEntries(
    (samplesOf({ ...EMPTY, ...census })[name] ?? [])
      .filter(({ value }) => value !== 0)
      .map(({ labels, value }) => [Object.values(labels).join(" "), value]),
  );

describe("the gauges of a census", () => {
  test("have all labels of the catalogue, and are 0 where nothing is", () => {
    for (const [name, samples] of Object.entries(samplesOf(EMPTY))) {
      for (const { labels, value } of samples) {
        expect(Object.keys(labels)).toEqual([...METRICS[name as keyof typeof METRICS].labels]);
        expect(value).toBe(0);
      }
    }
  });

  test("count nodes by membership and presence, and look at the rest of approved ones only", () => {
    const nodes = [
      node(),
      node({ presence: "offline", behind: true }),
      node({ membership: "pending", behind: true, hold: true }),
      node({ membership: "revoked", presence: "unknown" }),
    ];
    expect(told({ nodes }, "baton_nodes")).toEqual({
      "approved online": 1,
      "approved offline": 1,
      "pending online": 1,
      "revoked unknown": 1,
    });
    expect(told({ nodes }, "baton_nodes_behind")).toEqual({ "": 1 });
    expect(told({ nodes }, "baton_nodes_held")).toEqual({});
  });

  test("tell twenty versions apart, the most common, and add the rest up", () => {
    const nodes = [
      ...Array.from({ length: 5 }, () => version("2.0.0")),
      ...Array.from({ length: 24 }, (_, index) => version(`1.${String(index).padStart(2, "0")}.0`)),
      node({ version: null }),
      node({ version: null }),
    ];
    const versions = told({ nodes }, "baton_nodes_version");
    expect(Object.keys(versions)).toHaveLength(21);
    expect(versions).toMatchObject({ "2.0.0": 5, unknown: 2, "1.00.0": 1, "1.17.0": 1, other: 6 });
    expect(versions).not.toHaveProperty("1.18.0");
  });

  test("know every state of the update machine, and who has said none", () => {
    const nodes = [node({ state: "draining" }), node({ state: null })];
    expect(told({ nodes }, "baton_nodes_state")).toEqual({ draining: 1, unknown: 1 });
  });

  test("count leases, and know the oldest of each phase", () => {
    const leases = [
      { phase: "reserved", ageMs: 500 },
      { phase: "in-flight", ageMs: 1_000 },
      { phase: "in-flight", ageMs: 61_500 },
      { phase: "broken", ageMs: 7_000 },
    ] as const;
    expect(told({ leases }, "baton_leases")).toEqual({ reserved: 1, "in-flight": 2, broken: 1 });
    expect(told({ leases }, "baton_lease_oldest_seconds")).toEqual({
      reserved: 0.5,
      "in-flight": 61.5,
      broken: 7,
    });
  });

  test("count rollouts, alerts and sessions, and tell instants in seconds", () => {
    const census = {
      rollouts: ["running", "running", "paused"],
      openAlerts: [{ kind: "node_offline", count: 3 }],
      sessions: { websocket: 7, http: 2 },
      expiries: [{ role: "root", expires: "2027-01-01T00:00:00Z" }],
      backedUpAt: 1_800_000_000_000,
    } as const;
    expect(told(census, "baton_rollouts")).toEqual({ running: 2, paused: 1 });
    expect(told(census, "baton_alerts_open")).toEqual({ node_offline: 3 });
    expect(told(census, "baton_sessions")).toEqual({ websocket: 7, http: 2 });
    expect(told(census, "baton_metadata_expiry_timestamp_seconds")).toEqual({ root: 1_798_761_600 });
    expect(told(census, "baton_backup_timestamp_seconds")).toEqual({ "": 1_800_000_000 });
  });
});
