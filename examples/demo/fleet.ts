/** A whole small fleet in one directory: keys, a coordinator, and three agents under the stand-in for systemd. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Node } from "../../protocol/node.ts";
import { runCommand } from "./run-command.ts";
import { Service } from "./service.ts";

const ROOT = join(import.meta.dirname, "../..");

/** One node of the demo. */
export type DemoNode = {
  readonly name: string;
  readonly home: string;
  readonly port: number;
  readonly service: Service;
};

/** What another fleet than the demo's sets otherwise. */
export type FleetOptions = {
  /** Settings of the coordinator, as TOML; by default it is ten times as fast, so that the demo is short. */
  readonly coordinator: string;
  /** Settings of the agents, as TOML. */
  readonly agent: string;
  /** Between the end of an agent and its next start, as `RestartSec` of the unit has it. */
  readonly restartMs: number;
  readonly mode: "quorum" | "independent";
  /** In the environment of every agent. */
  readonly env: Readonly<Record<string, string>>;
};

const OF_THE_DEMO: FleetOptions = {
  coordinator: "[timings]\nheartbeat_ms = 500",
  agent: "[health]\nevery_ms = 500\n[workload]\nrestart_min_ms = 100",
  restartMs: 100,
  mode: "quorum",
  env: {},
};

export class Fleet {
  readonly dir: string;
  readonly #options: FleetOptions;
  readonly env: Record<string, string>;
  readonly nodes: DemoNode[] = [];
  url = "";
  #coordinator: ChildProcess | undefined;

  constructor(dir: string, options: Partial<FleetOptions> = {}) {
    this.dir = dir;
    this.#options = { ...OF_THE_DEMO, ...options };
    this.env = {
      BATON_KEYS: join(dir, "keys"),
      BATON_PASSPHRASE: "a passphrase for the demo only",
      BATON_TOKEN_FILE: join(dir, "admin-token"),
    };
  }

  /** Standard error of the coordinator: a line of JSON for each event. */
  get coordinatorLog(): string {
    return join(this.dir, "coordinator.log");
  }

  /** `baton …`, as an operator would type it; answers standard output. */
  baton(
    args: readonly string[],
    options: { show?: boolean; mayFail?: boolean } = {},
  ): Promise<{ code: number; out: string }> {
    return runCommand(process.execPath, [join(ROOT, "build/baton/baton.mjs"), ...args], this.env, options);
  }

  coordinator(args: readonly string[]): Promise<{ code: number; out: string }> {
    return runCommand(process.execPath, [join(ROOT, "build/coordinator/coordinator.mjs"), ...args], this.env);
  }

  agent(
    node: { home: string },
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<{ code: number; out: string }> {
    const more = { BATON_CONFIG: join(node.home, "agent.toml"), ...env };
    return runCommand(process.execPath, [join(ROOT, "build/agent/agent.mjs"), ...args], {
      ...this.env,
      ...more,
    });
  }

  /**
   * Makes the keys, lets the root sign what the coordinator may sign by itself, and starts the coordinator. `before`:
   * what is to be done with its state directory before it runs.
   */
  async startCoordinator(before: (stateDir: string) => Promise<void> = async () => undefined): Promise<void> {
    const state = join(this.dir, "coordinator");
    const config = join(this.dir, "coordinator.toml");
    const [port] = await freePorts(1);
    this.url = `http://127.0.0.1:${port}`;
    this.env.BATON_URL = this.url;
    await writeFile(
      config,
      [
        `state_dir = "${state}"`,
        `public_url = "${this.url}"`,
        "[listen]",
        `port = ${port}`,
        this.#options.coordinator,
      ].join("\n"),
    );
    await this.baton(["keys", "init"]);
    await this.coordinator(["--config", config, "init", "--token-file", join(this.dir, "admin-token")]);
    await this.baton(["keys", "sign", join(state, "key-request.json")]);
    await this.coordinator(["--config", config, "trust", join(this.dir, "keys/1.root.json")]);
    await before(state);
    await this.#serve();
  }

  /** Ends the coordinator and starts it again, over the same state and at the same address, after `meanwhile`. */
  async restartCoordinator(meanwhile: () => Promise<void> = async () => undefined): Promise<void> {
    await this.#endCoordinator();
    await meanwhile();
    await this.#serve();
  }

  async #serve(): Promise<void> {
    const config = join(this.dir, "coordinator.toml");
    const log = await open(this.coordinatorLog, "a");
    this.#coordinator = spawn(
      process.execPath,
      [join(ROOT, "build/coordinator/coordinator.mjs"), "--config", config, "serve"],
      { stdio: ["ignore", log.fd, log.fd] },
    );
    await until("the coordinator to answer", async () => {
      const answer = await fetch(`${this.url}/healthz`).catch(() => null);
      return answer?.ok === true;
    });
    await log.close();
  }

  /** An address that opens the dashboard as an administrator, once. */
  async signInLink(): Promise<string> {
    const { out } = await this.coordinator(["--config", join(this.dir, "coordinator.toml"), "sign-in-link"]);
    return out.trim();
  }

  /** Makes a bundle with the demo's workload, or one that cannot start. */
  async bundle(version: string, kind: "good" | "broken"): Promise<string> {
    const out = join(this.dir, `${version}.tar.zst`);
    const tree = join(this.dir, `tree-${version}`);
    if (kind === "good") {
      await cp(join(import.meta.dirname, "workload"), tree, { recursive: true });
      await writeFile(join(tree, "release.txt"), `${version}\n`);
      await this.baton(["bundle", tree, "--version", version, "--out", out]);
    } else {
      await mkdir(tree);
      await cp(join(import.meta.dirname, "broken.mjs"), join(tree, "broken.mjs"));
      await this.baton(["bundle", tree, "--library", "broken.mjs", "--version", version, "--out", out]);
    }
    return out;
  }

  /** Installs the first bundle on three nodes, lets them join, and starts them. The last one leads. */
  async startNodes(names: readonly string[], group: string, seed: string): Promise<void> {
    await this.baton(["groups", "create", group, "--mode", this.#options.mode]);
    const ports = await freePorts(names.length);
    const portOf = Object.fromEntries(names.map((name, at) => [name, ports[at] ?? 0]));
    const joining = JSON.parse(
      (
        await this.baton([
          "tokens",
          "join",
          "--group",
          group,
          "--auto-approve",
          "--uses",
          String(names.length),
          "--json",
        ])
      ).out,
    ) as { secret: string; rootFingerprint: string };
    await Promise.all(
      names.map(async (name, at) => {
        const home = join(this.dir, name);
        await mkdir(join(home, "state"), { recursive: true });
        await writeFile(
          join(home, "agent.toml"),
          [
            `state_dir = "${join(home, "state")}"`,
            `control_socket = "${join(home, "control.sock")}"`,
            this.#options.agent,
          ].join("\n"),
        );
        await this.agent({ home }, ["install", "--seed", seed]);
        await this.agent(
          { home },
          ["join", this.url, "--root-fingerprint", joining.rootFingerprint, "--name", name],
          {
            BATON_JOIN_TOKEN: joining.secret,
          },
        );
        const service = new Service({
          guardDir: join(ROOT, "packaging/guard"),
          stateDir: join(home, "state"),
          runDir: join(home, "run"),
          node: process.execPath,
          logFile: join(home, "journal.log"),
          env: {
            BATON_CONFIG: join(home, "agent.toml"),
            DEMO_PORT: String(portOf[name]),
            DEMO_PORTS: JSON.stringify(portOf),
            DEMO_HOME: join(home, "workload"),
            DEMO_FIRST_ROLE: at === names.length - 1 ? "leader" : "follower",
            ...this.#options.env,
          },
          restartMs: this.#options.restartMs,
          timeoutStartMs: 20_000,
          timeoutStopMs: 10_000,
          deadlineEveryMs: 5_000,
        });
        this.nodes.push({ name, home, port: portOf[name] ?? 0, service });
        await service.start();
      }),
    );
    await until(
      "all nodes to serve",
      async () => (await this.list()).filter((node) => node.serving).length === names.length,
    );
  }

  async list(): Promise<Node[]> {
    return (JSON.parse((await this.baton(["nodes", "list", "--json"])).out) as Node[]).sort((a, b) =>
      a.name.localeCompare(b.name),
    );
  }

  /** Stops what runs, in order, and removes what it left unless `keep`. */
  async stop(options: { keep: boolean }): Promise<void> {
    await Promise.all(this.nodes.map(({ service }) => service.stop()));
    await this.#endCoordinator();
    if (!options.keep) await rm(this.dir, { recursive: true, force: true });
  }

  async #endCoordinator(): Promise<void> {
    if (this.#coordinator === undefined || this.#coordinator.exitCode !== null) return;
    const ended = once(this.#coordinator, "exit");
    this.#coordinator.kill("SIGTERM");
    await ended;
  }

  /** The end of every log, for when something went wrong. */
  async logs(): Promise<string> {
    const files = [this.coordinatorLog, ...this.nodes.map(({ home }) => join(home, "journal.log"))];
    const ends = await Promise.all(
      files.map(
        async (file) =>
          `--- ${file}\n${(await readFile(file, "utf8").catch(() => "")).split("\n").slice(-25).join("\n")}`,
      ),
    );
    return ends.join("\n");
  }
}

/** Looks until `look` is true; fails after half a minute, or what else is said. */
export async function until(
  what: string,
  look: () => Promise<boolean>,
  withinMs: number = 30_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(`Waited ${withinMs / 1_000} s for ${what}.`);
    await sleep(100);
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}
