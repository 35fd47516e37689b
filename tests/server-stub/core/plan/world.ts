/** A fleet in a few lines of words, and what would come of a rollout over it. For the transcripts of preflight. */
import { createHash } from "node:crypto";
import type { Build, Platform } from "../../../../protocol/build.ts";
import { DEFAULTS } from "../../../../protocol/defaults.ts";
import type { UpdateReport } from "../../../../protocol/frames.ts";
import type { Role } from "../../../../protocol/health.ts";
import type { Check, RolloutPlan } from "../../../../protocol/plan.ts";
import type { Release } from "../../../../protocol/release.ts";
import type { RolloutPolicy } from "../../../../protocol/rollout.ts";
import { differences, type PlanMemory } from "../../../../server-stub/core/plan/ingredients.ts";
import { planRollout } from "../../../../server-stub/core/plan/plan.ts";
import type {
  PlanGroup,
  PlanLease,
  PlanNode,
  PlanRequest,
  PlanWorld,
} from "../../../../server-stub/core/plan/world.ts";

/** The build of a version for a platform, the same wherever it is asked for. */
export const buildOf = (version: string, platform: Platform = "linux-x64"): Build => ({
  version,
  buildHash: createHash("sha256").update(`${version} ${platform}`).digest("hex"),
});

export const releaseOf = (
  version: string,
  more: {
    platforms?: readonly Platform[];
    engines?: string;
    protocol?: number;
    minVersion?: string | null;
  } = {},
): Release => ({
  version,
  minVersion: more.minVersion ?? null,
  bundles: (more.platforms ?? ["linux-x64"]).map((platform) => ({
    platform,
    buildHash: buildOf(version, platform).buildHash,
    target: `${version}/${platform}.tar.zst`,
    bytes: 1,
    sha256: "0".repeat(64),
    engines: more.engines ?? ">=26",
    protocol: more.protocol ?? 2,
  })),
});

/** A node that is well, runs 1.0.0, and is in nobody's way. */
export const nodeOf = (name: string, group: string, more: Partial<PlanNode> = {}): PlanNode => ({
  id: `n-${name}`,
  name,
  group,
  voter: true,
  serving: true,
  ailment: null,
  role: null,
  reportsRole: false,
  canHandOver: false,
  selected: true,
  known: {
    platform: "linux-x64",
    build: buildOf("1.0.0"),
    holdings: { backup: null, hold: false, quarantine: [] },
    runtime: "26.10.0",
    protocol: 2,
  },
  presence: "online",
  heardAgoMs: 1_000,
  health: { healthy: true },
  state: "idle",
  lease: null,
  rollout: null,
  ...more,
});

export const POLICY: RolloutPolicy = { ...DEFAULTS.rollout, stages: [1], seed: 1 };

type Options = { readonly words: ReadonlySet<string>; readonly values: Readonly<Record<string, string>> };

/** Played line by line; every line answers what comes of it. */
export class Fleet {
  readonly #groups = new Map<string, PlanGroup>();
  readonly #nodes = new Map<string, PlanNode>();
  readonly #releases: Release[] = [releaseOf("1.0.0")];
  #past: PlanWorld["past"][number][] = [];
  #policy: RolloutPolicy = POLICY;
  #last: PlanMemory | null = null;

  run(line: string): string {
    const [verb = "", ...rest] = line.split(" ");
    const does = this.#verbs[verb];
    if (does === undefined) throw new Error(`nobody knows what "${line}" means`);
    return does(rest) ?? "";
  }

  readonly #verbs: Readonly<Record<string, (words: readonly string[]) => string | undefined>> = {
    group: ([name = "", mode = "quorum", ...rest]) => {
      const { values } = optionsOf(rest);
      this.#groups.set(name, {
        name,
        mode: mode as PlanGroup["mode"],
        spare: values.spare === undefined ? null : Number(values.spare),
        gate: null,
        wanted: values.wants ?? null,
      });
      return undefined;
    },
    node: ([name = "", group = "", ...rest]) => {
      const { words, values } = optionsOf(rest);
      const role = (["leader", "follower"] as const).find((each) => words.has(each)) ?? null;
      const node = nodeOf(name, group, { role, reportsRole: role !== null, voter: !words.has("nonvoter") });
      const platform = (values.platform ?? "linux-x64") as Platform;
      const known = node.known && {
        ...node.known,
        platform,
        build: buildOf(values.runs ?? "1.0.0", platform),
        runtime: values.node ?? "26.10.0",
        protocol: Number(values.protocol ?? 2),
      };
      const selected = !words.has("unselected");
      this.#nodes.set(name, { ...node, known: words.has("never-heard") ? null : known, selected });
      return undefined;
    },
    remove: ([name = ""]) => void this.#nodes.delete(name),
    offline: ([name = "", seconds = "60"]) =>
      this.#change(name, {
        presence: "offline",
        heardAgoMs: Number(seconds) * 1000,
        ...away("is offline"),
        role: null,
      }),
    silent: ([name = "", seconds = "11"]) =>
      this.#change(name, { heardAgoMs: Number(seconds) * 1000, ...away("missed two heartbeats") }),
    unheard: ([name = ""]) =>
      this.#change(name, {
        presence: "unknown",
        heardAgoMs: null,
        health: null,
        ...away("has not been heard since the coordinator started"),
      }),
    ill: ([name = "", ...detail]) =>
      this.#change(name, {
        health: { healthy: false, ...(detail.length === 0 ? {} : { detail: detail.join(" ") }) },
        ...away("is unhealthy"),
      }),
    lags: ([name = ""]) =>
      this.#change(name, { health: { healthy: true, caughtUp: false }, ...away("is not caught up") }),
    well: ([name = ""]) =>
      this.#change(name, {
        presence: "online",
        heardAgoMs: 1_000,
        health: { healthy: true },
        serving: true,
        ailment: null,
      }),
    lead: ([name = ""]) => {
      const { group } = this.#node(name);
      for (const each of this.#nodes.values()) {
        if (each.group === group)
          this.#change(each.name, { role: each.name === name ? "leader" : "follower" });
      }
      return undefined;
    },
    role: ([name = "", role = ""]) =>
      this.#change(name, { role: role === "none" ? null : (role as Role), reportsRole: true }),
    hold: ([name = ""]) => this.#know(name, { hold: true }),
    free: ([name = ""]) => this.#know(name, { hold: false, quarantine: [] }),
    quarantines: ([name = "", version = ""]) => {
      const { known } = this.#node(name);
      const reason = { code: "unhealthy", message: "It was not healthy in time." };
      const build = buildOf(version, known?.platform);
      return this.#know(name, { quarantine: [{ build, reason, at: 1, provisional: false, by: "agent" }] });
    },
    runs: ([name = "", version = ""]) => {
      const { known } = this.#node(name);
      return this.#change(name, { known: known && { ...known, build: buildOf(version, known.platform) } });
    },
    lease: ([name = "", what = ""]) => {
      const lease: PlanLease = {
        token: 7,
        phase: what === "overdue" ? "in-flight" : (what as PlanLease["phase"]),
        overdue: what === "overdue",
      };
      return this.#change(name, { lease: what === "none" ? null : lease });
    },
    state: ([name = "", state = ""]) => this.#change(name, { state: state as UpdateReport["state"] }),
    "in-rollout": ([name = "", id = ""]) =>
      this.#change(name, { rollout: id === "none" ? null : { id, release: "1.0.9", status: "running" } }),
    voter: ([name = "", yes = ""]) => this.#change(name, { voter: yes === "yes" }),
    move: ([name = "", group = ""]) => this.#change(name, { group }),
    select: (names) => {
      for (const each of this.#nodes.values()) {
        this.#change(each.name, { selected: names.includes("all") || names.includes(each.name) });
      }
      return undefined;
    },
    closed: ([name = "", ...message]) => {
      const gate = { code: "outside-window", message: message.join(" ") };
      for (const group of this.#groups.values()) {
        if (name === "all" || group.name === name) this.#groups.set(group.name, { ...group, gate });
      }
      return undefined;
    },
    release: ([version = "", ...rest]) => {
      const { values } = optionsOf(rest);
      const release = releaseOf(version, {
        platforms: (values.for?.split(",") ?? ["linux-x64"]) as Platform[],
        ...(values.node === undefined ? {} : { engines: values.node }),
        ...(values.protocol === undefined ? {} : { protocol: Number(values.protocol) }),
        minVersion: values.min ?? null,
      });
      const at = this.#releases.findIndex((each) => each.version === version);
      if (at === -1) this.#releases.push(release);
      else this.#releases[at] = release;
      return undefined;
    },
    took: ([group = "", ...seconds]) => {
      const jobs = seconds.map((each) => ({ group, tookMs: Number(each) * 1000 }));
      this.#past = [...jobs, ...this.#past];
      return undefined;
    },
    policy: (words) => {
      for (const [key, value] of Object.entries(optionsOf(words).values)) {
        const isList = key === "stages";
        const plain = /^[\d.]+$/.test(value) || value === "null" ? (JSON.parse(value) as unknown) : value;
        const given = isList ? value.split(",").map(Number) : plain;
        this.#policy = { ...this.#policy, [key]: given };
      }
      return undefined;
    },
    plan: (words) => this.#plan(optionsOf(words)),
  };

  #node(name: string): PlanNode {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new Error(`there is no node ${name}`);
    return node;
  }

  #change(name: string, change: Partial<PlanNode>): undefined {
    this.#nodes.set(name, { ...this.#node(name), ...change });
  }

  #know(name: string, change: Partial<NonNullable<PlanNode["known"]>["holdings"]>): undefined {
    const { known } = this.#node(name);
    return this.#change(name, { known: known && { ...known, holdings: { ...known.holdings, ...change } } });
  }

  #plan({ words, values }: Options): string {
    const version = values.release ?? this.#releases.at(-1)?.version ?? "";
    const release = this.#releases.find((each) => each.version === version);
    if (release === undefined) throw new Error(`there is no release ${version}`);
    const nodes = [...this.#nodes.values()];
    const touched = new Set(nodes.filter((node) => node.selected).map((node) => node.group));
    const world: PlanWorld = {
      groups: [...this.#groups.values()].filter(({ name }) => touched.has(name)),
      nodes: nodes.filter((node) => touched.has(node.group)),
      releases: this.#releases,
      heartbeatMs: DEFAULTS.heartbeatMs,
      past: this.#past,
    };
    const request: PlanRequest = {
      release,
      policy: this.#policy,
      ofWholeGroups: !words.has("picked"),
      acceptOutage: words.has("accept-outage"),
      allowUnhealthy: values.allow?.split(",").map((name) => `n-${name}`) ?? [],
      retry: words.has("retry"),
    };
    const { plan, memory } = planRollout(world, request);
    const before = this.#last;
    this.#last = memory;
    return [
      plan.startable ? "may start" : "may not start",
      ...checkLines(plan.checks, words.has("all")),
      ...stageLines(plan),
      ...plan.skips.map(({ name, reason }) => `  left out: ${name} (${reason.code}) ${reason.message}`),
      ...estimateLine(plan),
      ...(words.has("compare") && before !== null ? [comparison(before, memory)] : []),
    ].join("\n");
  }
}

const away = (ailment: string) => ({ serving: false, ailment });

function checkLines(checks: readonly Check[], all: boolean): readonly string[] {
  return checks
    .filter(({ outcome }) => all || outcome !== "passed")
    .map(({ check, outcome, code, message, override, numbers }) => {
      const counted = Object.entries(numbers).map(([name, value]) => `${name} ${value}`);
      const how = outcome === "passed" ? "passed" : `${outcome} (${code})`;
      const way = override === null ? "" : ` [${override}]`;
      return `  ${check} ${how}: ${message}${way}${counted.length === 0 ? "" : ` {${counted.join(", ")}}`}`;
    });
}

const stageLines = (plan: RolloutPlan): readonly string[] =>
  plan.stages.map(({ share, nodes, groups }, index) => {
    const own = plan.nodes.filter(({ stage }) => stage === index);
    const named = own.map(({ name, role }) => (role === "leader" ? `${name} (leader)` : name));
    return `  stage ${index + 1}, ${Math.round(share * 100)} %: ${named.join(" ")} [${nodes} nodes, ${groups} groups]`;
  });

const estimateLine = ({ estimate }: RolloutPlan): readonly string[] =>
  estimate === null
    ? []
    : [
        `  takes about ${estimate.totalMs / 1000} s: ${estimate.perNodeMs / 1000} s a node, by ${estimate.jobs} jobs`,
      ];

function comparison(before: PlanMemory, after: PlanMemory): string {
  const changes = differences(before, after);
  return changes.length === 0 ? "  the same plan as before" : `  another plan: ${changes.join("; ")}`;
}

const optionsOf = (words: readonly string[]): Options => ({
  words: new Set(words.filter((word) => !word.includes("="))),
  values: Object.fromEntries(
    words
      .filter((word) => word.includes("="))
      .map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]),
  ),
});
