/** Every page of the dashboard, with something on it: a fleet that a broken release has halted. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { until } from "../../examples/demo/fleet.ts";
import { GROUP, type Stage } from "./stage.ts";

const WITHIN_MS = 120_000;
const ALL = join(import.meta.dirname, "../../server-stub/web/pages/all.ts");

/** Where each pattern of `pages/all.ts` is looked at; throws when a page was added and not told here. */
export async function addressesOf(stage: Stage): Promise<readonly string[]> {
  const patterns = [...(await readFile(ALL, "utf8")).matchAll(/path: "([^"]+)"/g)].map(
    ([, path = ""]) => path,
  );
  const { node, rollout, job } = await fill(stage);
  const addresses: Readonly<Record<string, string>> = {
    "/": "/",
    "/nodes": "/nodes",
    "/nodes/:nodeId": `/nodes/${node}`,
    "/rollouts": "/rollouts",
    "/rollouts/new": `/rollouts/new?groups=${GROUP}`,
    "/rollouts/:rolloutId": `/rollouts/${rollout}`,
    "/groups": "/groups",
    "/groups/:group": `/groups/${GROUP}`,
    "/releases": "/releases",
    "/jobs": "/jobs",
    "/jobs/:jobId": `/jobs/${job}`,
    "/alerts": "/alerts?state=all",
    "/join": "/join",
    "/policy": "/policy",
    "/tokens": "/tokens",
    "/audit": "/audit",
  };
  const missing = patterns.filter((pattern) => addresses[pattern] === undefined);
  if (patterns.length === 0 || missing.length > 0)
    throw new Error(`pages that nobody looks at: ${missing.join(", ")}`);
  return [...Object.values(addresses), "/no-such-page"];
}

/** Goes there, and waits until what is shown is true. */
export async function come(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await page.locator("h1").waitFor();
  await page.locator('[data-live="live"]').waitFor({ state: "attached" });
  await page.locator(".skeleton").first().waitFor({ state: "detached" });
}

export const scrollsSideways = (page: Page): Promise<boolean> =>
  page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);

/** A release that nobody runs, one that has halted a rollout, a join token, and a node that waits. */
async function fill(stage: Stage): Promise<{ node: string; rollout: string; job: string }> {
  await stage.startFleet();
  await stage.publish("1.1.0");
  const rollout = await halted(stage);
  const { nodes } = await stage.api.call<{ nodes: { id: string; quarantine: unknown[] }[] }>(
    "GET",
    "/v1/nodes",
  );
  const node = nodes.find(({ quarantine }) => quarantine.length > 0)?.id ?? "";
  const { jobs } = await stage.api.call<{ jobs: { id: string }[] }>("GET", `/v1/jobs?node=${node}`);
  const { secret } = await stage.api.call<{ secret: string }>("POST", "/v1/join-tokens", { group: GROUP });
  await stage.api.call("POST", "/v1/join", { token: secret, name: "dora", labels: { rack: "r3" } });
  return { node, rollout, job: jobs[0]?.id ?? "" };
}

async function halted(stage: Stage): Promise<string> {
  await stage.publish("1.2.0", "broken");
  const order = { selection: { groups: [GROUP] }, release: "1.2.0" };
  const { id } = await stage.api.call<{ id: string }>("POST", "/v1/rollouts", order);
  await until(
    "the rollout to halt",
    async () => (await stage.api.call<{ status: string }>("GET", `/v1/rollouts/${id}`)).status === "halted",
    WITHIN_MS,
  );
  return id;
}
