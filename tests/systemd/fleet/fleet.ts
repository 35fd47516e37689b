import { readlinkSync } from "node:fs";
import { type ApiClient, createClient, path } from "../../../cli/api/client.ts";
import { everything } from "../../../cli/api/everything.ts";
import { type Alert, AlertList } from "../../../protocol/alert.ts";
import { type Build, showBuild } from "../../../protocol/build.ts";
import { Job, JobLogPage, type LogLine } from "../../../protocol/job.ts";
import { LeaseView } from "../../../protocol/lease.ts";
import { Node as NodeView } from "../../../protocol/node.ts";
import { type CheckName, RolloutPlan } from "../../../protocol/plan.ts";
import { type Fault, FaultError, type Result } from "../../../protocol/result.ts";
import { Rollout, type StartRolloutRequest } from "../../../protocol/rollout.ts";
import type { Static, TSchema } from "../../../protocol/schema.ts";
import type { FaultProxy } from "../../harness/fault-proxy.ts";
import type { Sampler } from "../../harness/sampler.ts";
import type { Ran } from "../lab/command.ts";
import { ADDRESSES, type Lab } from "../lab/lab.ts";
import type { Node } from "../lab/node.ts";
import type { DiskOptions } from "../lab/node-disk.ts";
import { until } from "../lab/until.ts";
import { AGENTS, type AgentName, type FleetImage, fleetImage, GROUP } from "./image.ts";
import { proxyFor, sendThroughProxy } from "./proxied.ts";
import { BATON_ENV, type BundleWish, publish } from "./releases.ts";

export type FleetOptions = {
  /** Puts a proxy between the agents and the coordinator, for faults on the way. */
  readonly proxied?: boolean;
  /** Where the state of single agents lies, if not on a plain directory. */
  readonly disks?: Partial<Record<AgentName, Omit<DiskOptions, "image">>>;
};

/** One whole fleet of the lab: c1 and three agents in the quorum group `db` on 1.0.0, n3 leading. */
export class Fleet {
  readonly lab: Lab;
  readonly c1: Node;
  /** The machines with agents; n1, n2 and n3 of `db` first. */
  readonly nodes: readonly [Node, Node, Node, ...Node[]];
  readonly api: ApiClient;
  readonly #proxy: FaultProxy | undefined;

  private constructor(lab: Lab, image: FleetImage, c1: Node, nodes: Fleet["nodes"], proxy?: FaultProxy) {
    this.lab = lab;
    this.c1 = c1;
    this.nodes = nodes;
    this.#proxy = proxy;
    this.api = createClient({ url: `https://${ADDRESSES.c1}:8420`, token: image.adminToken, fetch });
  }

  /** Boots it from the image and waits until all three serve. */
  static async boot(lab: Lab, options: FleetOptions = {}): Promise<Fleet> {
    const image = await fleetImage(lab);
    const proxy = options.proxied === true ? await proxyFor(lab) : undefined;
    const make = async (name: "c1" | AgentName): Promise<Node> => {
      const own = name === "c1" ? {} : options.disks?.[name];
      const node = await lab.node(name, { ...own, image: image.disks[name], boot: false });
      if (name !== "c1" && proxy !== undefined) sendThroughProxy(node);
      await node.boot();
      return node;
    };
    const coordinator = make("c1");
    // Else a proxy that has nobody to pass a WebSocket on to would make the agents settle for plain HTTP.
    if (proxy !== undefined) await coordinator.then(untilListening);
    const [c1, n1, n2, n3] = await Promise.all([coordinator, make("n1"), make("n2"), make("n3")]);
    const fleet = new Fleet(lab, image, c1, [n1, n2, n3], proxy);
    await fleet.untilServing(AGENTS);
    return fleet;
  }

  /** The same fleet with more machines in it. */
  async with(nodes: readonly Node[]): Promise<Fleet> {
    const [n1, n2, n3, ...others] = this.nodes;
    const all = [n1, n2, n3, ...others, ...nodes] as const;
    return new Fleet(this.lab, await fleetImage(this.lab), this.c1, all, this.#proxy);
  }

  get proxy(): FaultProxy {
    if (this.#proxy === undefined) throw new Error("This fleet was booted without a proxy.");
    return this.#proxy;
  }

  machine(name: string): Node {
    const found = this.nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`The fleet has no ${name}.`);
    return found;
  }

  /** `baton …` on c1, as an operator types it. Never rejects because of an exit status. */
  batonRun(args: readonly string[]): Promise<Ran> {
    return this.c1.exec(["baton", ...args], { env: BATON_ENV, timeoutMs: 90_000 });
  }

  /** `baton …` that must succeed; gives stdout. */
  baton(args: readonly string[]): Promise<string> {
    return this.c1.must(["baton", ...args], { env: BATON_ENV, timeoutMs: 90_000 });
  }

  publish(wish: BundleWish, options: readonly string[] = []): Promise<Build> {
    return publish(this.lab, this.c1, wish, options);
  }

  /** `baton rollout start`; gives the rollout's id. */
  async startRollout(release: string, options: readonly string[] = []): Promise<string> {
    await this.#untilAllAreThere({ selection: { groups: [GROUP] }, release });
    const args = ["rollout", "start", "--group", GROUP, "--release", release, "--yes", "--json", ...options];
    return (JSON.parse(await this.baton(args)) as { id: string }).id;
  }

  /** Starts a rollout through the API, with whatever it is told. */
  async start(body: StartRolloutRequest): Promise<Rollout> {
    await this.#untilAllAreThere(body);
    return this.#post(["v1", "rollouts"], body);
  }

  /** As a person would who is told to wait: who has just come back is not heard yet, or not well. */
  async #untilAllAreThere(body: StartRolloutRequest): Promise<void> {
    let refused: readonly string[] = [];
    const look = async () => {
      const parts = `${path("v1", "rollouts")}?dryRun=true`;
      const plan = must(await this.api.call({ method: "POST", path: parts, body, answer: RolloutPlan }));
      refused = plan.checks
        .filter(({ check, outcome }) => outcome === "refused" && PASSES.has(check))
        .map(({ message }) => message);
      return refused.length === 0;
    };
    try {
      await until(look, { what: "everybody to be there and well", timeoutMs: 30_000 });
    } catch (error) {
      throw new Error(`A rollout cannot be started: ${refused.join(" ")}`, { cause: error });
    }
  }

  /** `pause`, `resume`, `cancel`, `retry` or `rollback`; gives the rollout, or the new one that takes it back. */
  tell(id: string, action: "pause" | "resume" | "cancel" | "retry" | "rollback"): Promise<Rollout> {
    return this.#post(["v1", "rollouts", id, action], {});
  }

  rollout(id: string): Promise<Rollout> {
    return this.#get(["v1", "rollouts", id], Rollout);
  }

  lease(): Promise<LeaseView> {
    return this.#get(["v1", "groups", GROUP, "lease"], LeaseView);
  }

  job(id: string): Promise<Job> {
    return this.#get(["v1", "jobs", id], Job);
  }

  async jobLog(id: string): Promise<readonly LogLine[]> {
    return (await this.#get(["v1", "jobs", id, "log"], JobLogPage)).lines;
  }

  /** Every alert that there ever was, open or resolved. */
  async alerts(): Promise<readonly Alert[]> {
    return (await this.#get(["v1", "alerts"], AlertList)).alerts;
  }

  /** What is wrong right now, as the coordinator sees it: `kind subject`. */
  async openAlerts(): Promise<readonly string[]> {
    const open = (await this.alerts()).filter((one) => one.resolvedAt === null);
    return open.map(({ kind, subject }) => `${kind} ${subject}`);
  }

  /** A node as the coordinator sees it. */
  async seen(name: string): Promise<NodeView> {
    const all = must(await everything(this.api, ["v1", "nodes"], "nodes", NodeView));
    const found = all.find((node) => node.name === name);
    if (found === undefined) throw new Error(`The coordinator has no ${name}.`);
    return found;
  }

  /** Waits until a rollout is over and nobody is under way any more; gives it. */
  async untilOver(id: string, timeoutMs = 60_000): Promise<Rollout> {
    return this.untilRollout(id, "its end", (rollout) => rollout.endedAt !== null, timeoutMs);
  }

  async untilRollout(
    id: string,
    what: string,
    look: (rollout: Rollout) => boolean,
    timeoutMs = 60_000,
  ): Promise<Rollout> {
    let last: Rollout | undefined;
    const seen = async () => {
      last = await this.rollout(id);
      return look(last) ? last : undefined;
    };
    try {
      return await until(seen, { what: `${what} of rollout ${id}`, timeoutMs });
    } catch (error) {
      throw new Error(`Rollout ${id} is ${last === undefined ? "unknown" : showRollout(last)}`, {
        cause: error,
      });
    }
  }

  /** Waits until a node is as the look wants it, as the coordinator sees it. */
  async untilSeen(
    name: string,
    what: string,
    look: (node: NodeView) => boolean,
    timeoutMs = 30_000,
  ): Promise<NodeView> {
    let last: NodeView | undefined;
    const seen = async () => {
      last = await this.seen(name);
      return look(last) ? last : undefined;
    };
    try {
      return await until(seen, { what: `${name}: ${what}`, timeoutMs });
    } catch (error) {
      throw new Error(`The coordinator sees ${JSON.stringify(last)}`, { cause: error });
    }
  }

  async untilServing(names: readonly string[], timeoutMs = 30_000): Promise<void> {
    await Promise.all(
      names.map((name) => this.untilSeen(name, "serving", (node) => node.serving, timeoutMs)),
    );
  }

  /** Looks at the workload of every agent from outside, every 50 ms, until stopped. */
  sample(): Sampler {
    const targets = Object.fromEntries(
      this.nodes.map(({ name, address }) => [name, `http://${address}:8080/status`]),
    );
    return this.lab.sample({ targets });
  }

  /** What `dist` or `dist.bak` of a node names: `releases/<version>-<hash12>`. */
  link(name: string, link: "dist" | "dist.bak" = "dist"): string {
    return readlinkSync(this.machine(name).outside(`/var/lib/baton-agent/${link}`));
  }

  async #post(parts: readonly string[], body: unknown): Promise<Rollout> {
    return must(await this.api.call({ method: "POST", path: path(...parts), body, answer: Rollout }));
  }

  async #get<S extends TSchema>(parts: readonly string[], answer: S): Promise<Static<S>> {
    return must(await this.api.call({ path: path(...parts), answer }));
  }
}

/** Checks that refuse for a moment only. */
const PASSES = new Set<CheckName>(["online", "healthy", "draining", "lease", "quorum"]);

const untilListening = (): Promise<unknown> =>
  until(async () => (await fetch(`https://${ADDRESSES.c1}:8420/healthz`)).ok, { what: "coordinator on c1" });

/** Where the release of a build lies, as `dist` names it. */
export const releaseOf = ({ version, buildHash }: Build): string =>
  `releases/${version}-${buildHash.slice(0, 12)}`;

/** A rollout in one line, for errors. */
export const showRollout = ({ status, reason, nodes }: Rollout): string =>
  [
    `${status} (${reason?.message ?? "no reason"})`,
    ...nodes.map(
      ({ name, status, to, reason }) =>
        `${name} ${status} → ${to === null ? "?" : showBuild(to)}: ${reason?.message ?? ""}`,
    ),
  ].join("; ");

function must<T>(result: Result<T, Fault>): T {
  if (!result.ok) throw new FaultError(result.error);
  return result.value;
}
