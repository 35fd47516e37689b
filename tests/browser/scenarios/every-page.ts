import assert from "node:assert/strict";
import { addressesOf, come, scrollsSideways } from "../every-page.ts";
import { scenario } from "../runner.ts";
import { axe } from "../stage.ts";

/** From a phone to a wall; each is looked at by axe as well, in the colours that it has here. */
const LOOKS = [
  { width: 360, height: 780, colors: "dark" },
  { width: 1280, height: 800, colors: "light" },
  { width: 1280, height: 800, colors: "dark" },
  { width: 2560, height: 1440, colors: "light" },
] as const;

export const everyPage = scenario(
  "every page: axe finds nothing, light and dark; nothing is wider than its window, from 360 to 2560 pixels",
  async (stage, say) => {
    const addresses = await addressesOf(stage);
    const found: string[] = [];
    for (const look of LOOKS) {
      const page = await stage.signedIn("admin", "/", look);
      for (const path of addresses) {
        await come(page, path);
        const where = `${path} at ${look.width}, ${look.colors}`;
        found.push(...(await axe(page)).map((what) => `${where}: ${what}`));
        if (await scrollsSideways(page)) found.push(`${where}: it scrolls sideways`);
      }
      await page.context().close();
    }
    say(`${addresses.length} pages were looked at in ${LOOKS.length} ways`);
    assert.deepEqual(found, []);
  },
  { timeoutMs: 300_000 },
);
