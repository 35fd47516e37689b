/**
 * `node tests/browser/look.ts [DIR] [PATH…]`: pictures of the dashboard's pages, of a real fleet with a release that
 * nobody runs yet, at three widths, light and dark. For people to look at.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "../../packaging/bundle/build.ts";
import { findChromium, launch } from "./chromium.ts";
import { axe, Stage } from "./stage.ts";

const [out = "build/look", ...paths] = process.argv.slice(2);
const WIDTHS = [360, 1280, 2560] as const;

await build();
await mkdir(out, { recursive: true });
const browser = await launch(await findChromium(console.log));
const stage = new Stage(browser, await mkdtemp(join(tmpdir(), "baton-look-")));
try {
  await stage.startFleet();
  await stage.publish("1.1.0");
  for (const colors of ["light", "dark"] as const) {
    for (const width of WIDTHS) {
      const page = await stage.signedIn("admin", "/", {
        width,
        height: Math.round(width < 500 ? 780 : width * 0.6),
        colors,
      });
      for (const path of paths.length === 0 ? ["/", "/nodes"] : paths) {
        await page.goto(path);
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
