/**
 * `npm run screenshots [-- DIR]`: the pictures in docs/images/ that the README shows, taken from a real coordinator. Its
 * nodes speak the protocol and do as they are told, without a machine each, so that there can be two dozen.
 */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { until } from "../../examples/demo/fleet.ts";
import { build } from "../../packaging/bundle/build.ts";
import type { Build } from "../../protocol/build.ts";
import type { RolloutPlan } from "../../protocol/plan.ts";
import type { Release } from "../../protocol/release.ts";
import type { RolloutSummary } from "../../protocol/rollout.ts";
import type { TestCoordinator } from "../server-stub/harness/coordinator.ts";
import { type FrameNode, startFrameNode } from "../server-stub/harness/frame-node.ts";
import { joinNode } from "../server-stub/harness/node.ts";
import { findChromium, launch } from "./chromium.ts";
import { come } from "./every-page.ts";
import { Stage } from "./stage.ts";

const [dir = join(import.meta.dirname, "../../docs/images")] = process.argv.slice(2);
/** Enough for a page, and little enough for who reads the README on a phone. */
const MOST_BYTES = 150_000;
const BEAT_MS = 500;
const WITHIN_MS = 300_000;

const GROUPS = [
  { name: "db", mode: "quorum", nodes: 5 },
  { name: "queue", mode: "quorum", nodes: 3 },
  { name: "web", mode: "independent", nodes: 6 },
  { name: "edge", mode: "independent", nodes: 8 },
  { name: "cache", mode: "independent", nodes: 4 },
] as const;
const POLICY = { stages: [0.1, 0.5, 1], pauseMs: 1_000, concurrency: 5 };

await build();
const browser = await launch(await findChromium(console.log));
const stage = new Stage(browser, await mkdtemp(join(tmpdir(), "baton-pictures-")));
const nodes: FrameNode[] = [];
/** Who cannot start a new build. */
let sick = "";
try {
  await stage.startCoordinator();
  const page = await stage.signedIn("admin", "/", { width: 1280, height: 860 });
  await populate(await published("1.3.0"));
  await published("1.4.0");

  const good = await start("1.4.0");
  await come(page, `/rollouts/${good}`);
  await rolloutWhen(good, ({ counts }) => counts.succeeded >= 12 && counts.updating > 1);
  await taken(page, "rollout-running");
  await come(page, "/");
  await taken(page, "overview");
  await rolloutWhen(good, ({ status }) => status === "completed");
  await come(page, `/rollouts/${good}`);
  await page.locator('.standing[data-status="completed"]').waitFor();
  await taken(page, "rollout-finished");

  await published("1.5.0");
  const bad = await start("1.5.0", 9);
  await rolloutWhen(bad, ({ status }) => status === "halted");
  await come(page, `/rollouts/${bad}`);
  await page.locator('.standing[data-status="halted"]').waitFor();
  await taken(page, "rollout-halted");
} catch (error) {
  console.error(await stage.fleet.logs());
  throw error;
} finally {
  await Promise.all(nodes.map((node) => node.stop()));
  await stage.close();
  await browser.close();
  await rm(stage.fleet.dir, { recursive: true, force: true });
}

/** Publishes it, and answers its build as the nodes of this machine's kind know it. */
async function published(version: string): Promise<Build> {
  await stage.publish(version);
  const { releases } = await stage.api.call<{ releases: Release[] }>("GET", "/v1/releases");
  const bundle = releases.find((release) => release.version === version)?.bundles[0];
  return { version, buildHash: bundle?.buildHash ?? "" };
}

async function populate(runs: Build): Promise<void> {
  for (const { name: group, mode, nodes: count } of GROUPS) {
    await stage.api.call("POST", "/v1/groups", { name: group, mode });
    for (let at = 1; at <= count; at += 1) {
      const node = await joinNode({ call }, { group, name: `${group}-${at}` });
      const role = mode === "quorum" ? ({ role: at === 2 ? "leader" : "follower" } as const) : {};
      const options = { group, beatMs: BEAT_MS, fails: () => sick === node.name, ...role };
      nodes.push(startFrameNode({ call }, node, runs, options));
    }
  }
  await until(
    "all nodes to serve",
    async () => {
      const all = (await stage.api.call<{ nodes: { serving: boolean }[] }>("GET", "/v1/nodes")).nodes;
      return all.length === nodes.length && all.every(({ serving }) => serving);
    },
    WITHIN_MS,
  );
}

/** By its plan. `fails`: the place in the order of the node that cannot start the new build. */
async function start(release: string, fails?: number): Promise<string> {
  const order = { selection: { all: true }, release, policy: POLICY };
  const plan = await stage.api.call<RolloutPlan>("POST", "/v1/rollouts?dryRun=true", order);
  sick = plan.nodes[fails ?? -1]?.name ?? "";
  return (await stage.api.call<{ id: string }>("POST", "/v1/rollouts", { ...order, planHash: plan.hash })).id;
}

async function rolloutWhen(id: string, fits: (rollout: RolloutSummary) => boolean): Promise<void> {
  const look = async () => fits(await stage.api.call<RolloutSummary>("GET", `/v1/rollouts/${id}`));
  await until(`rollout ${id}`, look, WITHIN_MS);
}

/** Light and dark, from its top. */
async function taken(page: Page, name: string): Promise<void> {
  for (const colors of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: colors });
    const path = join(dir, `${name}-${colors}.png`);
    await page.screenshot({ path });
    const { size } = await stat(path);
    console.log(`${path}: ${Math.round(size / 1_000)} kB`);
    if (size > MOST_BYTES) throw new Error(`${path} has ${size} bytes, more than ${MOST_BYTES}`);
  }
}

/** As tests speak to a coordinator of theirs. */
async function call(
  ...[method, path, { token = null, body } = {}]: Parameters<TestCoordinator["call"]>
): ReturnType<TestCoordinator["call"]> {
  const answer = await fetch(`${stage.fleet.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token ?? (await stage.adminToken())}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
}
