import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { come, scrollsSideways } from "../every-page.ts";
import { scenario } from "../runner.ts";
import { axe } from "../stage.ts";
import { GROUP, JOB, NODE, store } from "../stored.ts";

/** No API takes these. A store may have them all the same: from another version, or by another hand. */
const NAMES = [
  `<img src=x onerror="document.title='owned'"><b>bold</b>`,
  "\u202eevil\u2066 خادم שרת",
  "x".repeat(200),
  `</script><script>document.title='owned'</script>`,
];

export const names = scenario(
  "names: markup, another direction and 200 characters are names and nothing else, on every page that shows them",
  async (stage) => {
    await stage.startCoordinator((stateDir) =>
      store(stateDir, [
        { kind: "group", value: GROUP, expected: 0 },
        ...NAMES.map(
          (name, at) =>
            ({
              kind: "node",
              value: { ...NODE, id: `n-00000000000${at}`, name, credentialHash: `${at}` },
              expected: 0,
            }) as const,
        ),
        { kind: "job", value: { ...JOB, nodeId: "n-000000000000" }, expected: 0 },
      ]),
    );
    // What is joined by may not be called so.
    const { secret } = await stage.api.call<{ secret: string }>("POST", "/v1/join-tokens", {
      group: GROUP.name,
      uses: 9,
    });
    for (const name of NAMES) {
      const answer = await fetch(`${stage.fleet.url}/v1/join`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ token: secret, name }),
      });
      assert.equal(answer.status, 400, name);
    }
    for (const look of [
      { width: 360, height: 780 },
      { width: 1280, height: 800, colors: "dark" },
    ] as const) {
      const page = await stage.signedIn("admin", "/", look);
      for (const path of ["/", "/nodes", `/groups/${GROUP.name}`, "/jobs", "/alerts?state=all", "/audit"])
        await isHarmless(page, path, look.width);
      for (const at of NAMES.keys()) await isHarmless(page, `/nodes/n-00000000000${at}`, look.width);
      // Each is found by its name, and its own direction turns nothing round.
      await come(page, `/nodes?q=${encodeURIComponent("evil")}`);
      const link = page.locator(".node-name a");
      assert.equal(await link.count(), 1);
      assert.equal(await link.textContent(), NAMES[1]);
      assert.equal(await link.evaluate((it) => getComputedStyle(it).unicodeBidi), "isolate");
    }
  },
);

async function isHarmless(page: Page, path: string, width: number): Promise<void> {
  const where = `${path} at ${width}`;
  await come(page, path);
  assert.doesNotMatch(await page.title(), /^owned/, where);
  assert.equal(await page.locator("main :is(img, b, script)").count(), 0, where);
  assert.equal(await scrollsSideways(page), false, `${where} scrolls sideways`);
  assert.deepEqual(await axe(page), [], where);
}
