/**
 * `node tests/browser/look.ts [DIR] [PATH…]`: pictures of every page of the dashboard at three widths, light and dark. For
 * people to look at. A PATH is how an address begins.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "../../packaging/bundle/build.ts";
import { findChromium, launch } from "./chromium.ts";
import { addressesOf, come, scrollsSideways } from "./every-page.ts";
import { axe, Stage } from "./stage.ts";

const [out = "build/look", ...begins] = process.argv.slice(2);
const WIDTHS = [360, 1280, 2560] as const;

await build();
await mkdir(out, { recursive: true });
const browser = await launch(await findChromium(console.log));
const stage = new Stage(browser, await mkdtemp(join(tmpdir(), "baton-look-")));
try {
  const all = await addressesOf(stage);
  const wanted = all.filter((path) => begins.length === 0 || begins.some((begin) => path.startsWith(begin)));
  for (const colors of ["light", "dark"] as const) {
    for (const width of WIDTHS) {
      const height = Math.round(width < 500 ? 780 : width * 0.6);
      const page = await stage.signedIn("admin", "/", { width, height, colors });
      for (const path of wanted) {
        await come(page, path);
        const name = `${path.replaceAll(/\W+/g, "-").replace(/^-/, "") || "overview"}-${width}-${colors}.png`;
        await page.screenshot({ path: join(out, name), fullPage: width < 2_000 });
        const wide = await scrollsSideways(page);
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
