/**
 * `node tests/browser/look.ts [DIR] [PATH…]`: pictures of the dashboard's pages, of a real fleet with a release that
 * nobody runs yet, at three widths, light and dark. For people to look at. `:node` in a PATH is a node of it, `:rollout`
 * one that a broken release has halted.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../examples/demo/fleet.ts";
import { build } from "../../packaging/bundle/build.ts";
import { findChromium, launch } from "./chromium.ts";
import { axe, GROUP, Stage } from "./stage.ts";

const [out = "build/look", ...paths] = process.argv.slice(2);
const PATHS = [
  "/",
  "/nodes",
  "/nodes/:node",
  "/rollouts",
  "/rollouts/new?groups=demo",
  "/rollouts/:rollout",
  "/groups",
  "/groups/demo",
  "/releases",
  "/jobs",
  "/jobs/:job",
  "/alerts?state=all",
  "/join",
  "/policy",
  "/tokens",
  "/audit",
];
const WIDTHS = [360, 1280, 2560] as const;

await build();
await mkdir(out, { recursive: true });
const browser = await launch(await findChromium(console.log));
const stage = new Stage(browser, await mkdtemp(join(tmpdir(), "baton-look-")));
try {
  await stage.startFleet();
  await stage.publish("1.1.0");
  const wanted = paths.length === 0 ? PATHS : paths;
  const [node] = (await stage.api.call<{ nodes: { id: string }[] }>("GET", "/v1/nodes")).nodes;
  const rollout = wanted.some((path) => path.includes(":rollout")) ? await halted() : "";
  const job = wanted.some((path) => path.includes(":job")) ? await diagnosed(node?.id ?? "") : "";
  for (const colors of ["light", "dark"] as const) {
    for (const width of WIDTHS) {
      const page = await stage.signedIn("admin", "/", {
        width,
        height: Math.round(width < 500 ? 780 : width * 0.6),
        colors,
      });
      for (const path of wanted) {
        await page.goto(
          path
            .replace(":node", node?.id ?? "")
            .replace(":rollout", rollout)
            .replace(":job", job),
        );
        await page.locator("h1").waitFor();
        await page.locator('[data-live="live"]').waitFor({ state: "attached" });
        await page.locator(".skeleton").first().waitFor({ state: "detached" });
        const name = `${path.replaceAll(/\W+/g, "-").replace(/^-/, "") || "overview"}-${width}-${colors}.png`;
        await page.screenshot({ path: join(out, name), fullPage: width < 500 });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
        console.log(name, wide ? "SCROLLS SIDEWAYS" : "", (await axe(page)).join("\n"));
      }
      await page.context().close();
    }
  }
} catch (error) {
  console.error(await stage.fleet.logs());
  throw error;
} finally {
  await stage.close();
  await browser.close();
  await rm(stage.fleet.dir, { recursive: true, force: true });
}
for (const complaint of stage.complaints) console.log(complaint);

async function halted(): Promise<string> {
  await stage.publish("1.2.0", "broken");
  const order = { selection: { groups: [GROUP] }, release: "1.2.0" };
  const { id } = await stage.api.call<{ id: string }>("POST", "/v1/rollouts", order);
  await until("the rollout to halt", async () => {
    const { status } = await stage.api.call<{ status: string }>("GET", `/v1/rollouts/${id}`);
    return status === "halted";
  });
  return id;
}

async function diagnosed(nodeId: string): Promise<string> {
  const { jobId } = await stage.api.call<{ jobId: string }>("POST", `/v1/nodes/${nodeId}/diagnose`, {});
  return jobId;
}
