/** The fleet on one screen. */
import type { Alert } from "../../protocol/alert.ts";
import type { Group } from "../../protocol/group.ts";
import type { Node } from "../../protocol/node.ts";
import type { FleetPolicy } from "../../protocol/policy.ts";
import type { RolloutSummary } from "../../protocol/rollout.ts";
import type { World } from "../world.ts";
import { cut, edges, flow } from "./fit.ts";
import { leaseLine } from "./lease.ts";
import { rolloutState } from "./rollout/marks.ts";
import { aimOf, plural, totalOf } from "./rollout/words.ts";
import { selected } from "./selected.ts";
import { pad } from "./table.ts";
import { instant, span } from "./time.ts";

export type Fleet = {
  readonly url: string;
  readonly coordinator: string;
  readonly nodes: readonly Node[];
  readonly groups: readonly Group[];
  /** Those under way, or else the last one. */
  readonly rollouts: readonly RolloutSummary[];
  /** Those that are open. */
  readonly alerts: readonly Alert[];
  readonly policy: FleetPolicy;
  readonly now: number;
};

type Colors = World["colors"];

const WIDEST = 110;
const BAR = 30;
/** Lines of each kind, at most: it is one screen. */
const MOST = 8;

const EMPTY = "Make a group (baton groups create NAME), then let nodes join (baton join-tokens create).";

export function fleetText(colors: Colors, fleet: Fleet, columns: number): string {
  const width = Math.min(columns, WIDEST);
  const sections = [
    versionLines(colors, fleet),
    groupLines(colors, fleet, width),
    rolloutLines(colors, fleet, width),
    alertLines(colors, fleet, width),
  ].filter((lines) => lines.length > 0);
  return [
    edges(
      `${colors.bold(plural(fleet.nodes.length, "node"))} in ${plural(fleet.groups.length, "group")}`,
      colors.dim(`coordinator ${fleet.coordinator} at ${fleet.url}`),
      width,
    ),
    ...flow(countsOf(colors, fleet), "  ", width),
    ...(fleet.nodes.length === 0 ? [colors.dim(EMPTY)] : []),
    ...freezeLines(colors, fleet.policy, width),
    ...sections.flatMap((lines) => ["", ...lines]),
  ].join("\n");
}

function countsOf(colors: Colors, { nodes, alerts }: Fleet): readonly string[] {
  const count = (fits: (node: Node) => boolean) => nodes.filter(fits).length;
  const parts: readonly (readonly [number, string, string, (text: string) => string])[] = [
    [count(({ serving }) => serving), "●", "serving", colors.green],
    [
      count(
        ({ presence, serving, membership }) => presence === "online" && !serving && membership === "approved",
      ),
      "◐",
      "not serving",
      colors.yellow,
    ],
    [
      count(({ presence, membership }) => presence === "offline" && membership === "approved"),
      "✗",
      "offline",
      colors.red,
    ],
    [
      count(
        ({ presence, membership, client }) =>
          presence === "unknown" && membership === "approved" && client === undefined,
      ),
      "?",
      "not heard yet",
      colors.dim,
    ],
    [count(({ membership }) => membership === "pending"), "○", "waiting for approval", colors.yellow],
    [count(({ behind }) => behind), "→", "behind", colors.yellow],
    [alerts.length, "!", alerts.length === 1 ? "alert" : "alerts", colors.red],
  ];
  return parts
    .filter(([number]) => number > 0)
    .map(([number, mark, word, paint]) => `${paint(mark)} ${number} ${word}`);
}

function freezeLines(colors: Colors, { freeze }: FleetPolicy, columns: number): readonly string[] {
  if (freeze === null) return [];
  const until = freeze.until === null ? "" : ` until ${instant(freeze.until)}`;
  return [cut(colors.yellow(`Frozen by ${freeze.by}${until}: ${freeze.reason}`), columns)];
}

/** Which versions run, most of them first. */
function versionLines(colors: Colors, { nodes }: Fleet): readonly string[] {
  const versions = new Map<string, number>();
  for (const { build, client } of nodes) {
    if (client !== undefined) continue;
    const version = build?.version ?? "unknown";
    versions.set(version, (versions.get(version) ?? 0) + 1);
  }
  const rows = [...versions].sort(([, a], [, b]) => b - a);
  const widest = Math.max(0, ...rows.map(([version]) => version.length));
  return capped(
    rows.map(([version, count]) => {
      const cells = Math.max(1, Math.round((BAR * count) / Math.max(1, nodes.length)));
      const bar = `${colors.cyan("█".repeat(cells))}${colors.dim("░".repeat(BAR - cells))}`;
      return `${pad(version, widest)}  ${bar} ${count}`;
    }),
  );
}

/** Groups that hold a lease, are closed, or cannot lose a voter now; the others are well. */
function groupLines(colors: Colors, { groups, now }: Fleet, columns: number): readonly string[] {
  const told = groups.filter(({ lease, gate, mode }) => {
    const tight = mode === "quorum" && lease.serving < lease.voters;
    return lease.holder !== null || lease.broken.length > 0 || gate !== null || tight;
  });
  const widest = Math.max(0, ...told.map(({ name }) => name.length));
  return capped(
    told.map(({ name, lease, gate, mode }) => {
      const voters =
        mode === "quorum" ? `${lease.serving} of ${lease.voters} serve, quorum ${lease.quorum}` : "";
      const held =
        lease.holder === null && lease.broken.length === 0 ? "" : `lease: ${leaseLine(lease, now)}`;
      const closed = gate === null ? "" : colors.yellow(gate.message);
      return cut(
        `${pad(name, widest)}  ${[voters, held, closed].filter((part) => part !== "").join(" · ")}`,
        columns,
      );
    }),
  );
}

const rolloutLines = (colors: Colors, { rollouts, now }: Fleet, columns: number): readonly string[] =>
  capped(
    rollouts.flatMap((rollout) => {
      const { id, counts, status, endedAt, createdAt } = rollout;
      const when = endedAt === null ? `for ${span(now - createdAt)}` : `${span(now - endedAt)} ago`;
      const title = `${rolloutState(colors, status)} ${aimOf(rollout)}  ${selected(rollout.selection)}`;
      const right = `${counts.succeeded} of ${totalOf(counts)}, ${when}  ${colors.dim(id)}`;
      const why =
        rollout.reason === null || status === "completed"
          ? []
          : [cut(`  ${rollout.reason.message}`, columns)];
      return [edges(title, right, columns), ...why];
    }),
  );

const alertLines = (colors: Colors, { alerts, nodes, now }: Fleet, columns: number): readonly string[] =>
  capped(
    alerts.map(({ kind, subject, message, raisedAt, acknowledgedBy }) => {
      const name = nodes.find(({ id }) => id === subject)?.name ?? subject;
      const taken = acknowledgedBy === null ? "" : colors.dim(` (${acknowledgedBy})`);
      return cut(
        `${colors.red("!")} ${kind} ${name}, ${span(now - raisedAt)} ago: ${message}${taken}`,
        columns,
      );
    }),
  );

const capped = (lines: readonly string[]): readonly string[] =>
  lines.length <= MOST ? lines : [...lines.slice(0, MOST - 1), `and ${lines.length - MOST + 1} more`];
