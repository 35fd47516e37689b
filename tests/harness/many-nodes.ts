import type { Change, NodeRecord } from "../../server-stub/store/records.ts";

/** The nth of very many nodes that have been here for long and are all away, each in one of so many groups. */
export const nodeAway = (at: number, groups: number): NodeRecord => ({
  id: `n-${String(at).padStart(12, "0")}`,
  name: `node-${at}`,
  group: `group-${at % groups}`,
  voter: true,
  labels: { rack: `r${at % 40}`, zone: `z${at % 3}` },
  membership: "approved",
  credentialHash: `${at}`,
  createdAt: 0,
  known: {
    platform: "linux-x64",
    build: { version: `1.${at % 7}.0`, buildHash: String(at % 7).repeat(64) },
    canHandOver: false,
    reportsRole: false,
    holdings: { backup: null, hold: false, quarantine: [] },
  },
  placed: null,
  presence: "offline",
  address: `10.0.${at >> 8}.${at & 255}`,
});

/** So many of them from one on, as they are written for the first time. */
export const nodesAway = (from: number, count: number, groups: number): Change[] =>
  Array.from({ length: count }, (_, at) => ({
    kind: "node",
    value: nodeAway(from + at, groups),
    expected: 0,
  }));
