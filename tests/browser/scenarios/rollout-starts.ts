import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { scenario } from "../runner.ts";
import { axe, GROUP } from "../stage.ts";

type Watched = { readonly done: string[]; most: number };
type Watching = Window & { watched?: Watched };

/** Writes down, in the page, who was updated in which order, and how many were under way at most. */
const watch = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const watched: Watched = { done: [], most: 0 };
    (window as Watching).watched = watched;
    const look = (): void => {
      const busy = document.querySelectorAll('.square[data-status="updating"]').length;
      watched.most = Math.max(watched.most, busy);
      for (const square of document.querySelectorAll<HTMLElement>('.square[data-status="succeeded"]')) {
        const name = square.getAttribute("aria-label")?.split(":")[0] ?? "";
        if (!watched.done.includes(name)) watched.done.push(name);
      }
    };
    look();
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
  });

export const rolloutStarts = scenario(
  "rollouts: started with a preview and the count typed, three nodes go one by one, the leader last",
  async (stage, say) => {
    await stage.startFleet();
    await stage.publish("1.1.0");
    const page = await stage.signedIn("operator", "/rollouts");
    await page.getByText("There has been no rollout yet.").waitFor();
    await page.getByRole("link", { name: "Start a rollout" }).click();
    await page.getByText("Choose who, first.").waitFor();
    await page.getByRole("checkbox", { name: new RegExp(`^${GROUP} `) }).check();
    assert.equal(new URL(page.url()).search, `?groups=${GROUP}`);
    const outdated = page.getByRole("table", { name: "Out of date" });
    await outdated.getByText("1.0.0 → 1.1.0").first().waitFor();
    assert.equal(await outdated.locator("tbody tr").count(), 3);

    // The plan: every check with its numbers, and cleo, who leads, at the end.
    await page.locator(".plan").waitFor();
    const turns = await page.locator(".plan-turn strong").allInnerTexts();
    assert.deepEqual([turns.length, turns[2]], [3, "cleo"]);
    assert.equal(await page.locator('[data-outcome="refused"]').count(), 0);
    const start = page.getByRole("button", { name: "Start" });
    assert.equal(await start.getAttribute("aria-disabled"), "true");
    const count = page.getByLabel(/How many nodes/);
    await count.fill("2");
    assert.match((await start.getAttribute("title")) ?? "", /Type 3 first/);
    assert.deepEqual(await axe(page), []);

    // The world is another by the time that it is started: it is said what has changed, and nothing begins.
    await stage.publish("1.2.0");
    await count.fill("3");
    await start.click();
    await page.getByRole("alert").getByText("the release is 1.2.0, and was 1.1.0").waitFor();
    assert.deepEqual((await stage.api.call<{ rollouts: [] }>("GET", "/v1/rollouts")).rollouts, []);
    await page.getByRole("button", { name: "Look at the plan anew" }).click();
    await page.locator(".plan").getByText("1.0.0 → 1.2.0").first().waitFor();
    await count.fill("3");
    await start.click();

    await page.getByRole("heading", { name: "Update to 1.2.0" }).waitFor();
    await watch(page);
    const began = performance.now();
    const other = await stage.signedIn("viewer", new URL(page.url()).pathname, { colors: "dark" });
    await page
      .getByRole("region", { name: "Leases" })
      .getByText(/has reserved|is in flight/)
      .waitFor();
    assert.deepEqual(await axe(page), []);
    assert.deepEqual(await axe(other), [], "dark");
    await page.locator('.standing[data-status="completed"]').waitFor({ timeout: 120_000 });
    say(`three nodes took ${((performance.now() - began) / 1000).toFixed(1)} s`);
    const watched = await page.evaluate(() => (window as Watching).watched);
    assert.equal(watched?.done.length, 3);
    assert.equal(watched?.done[2], "cleo", "the leader was not the last");
    assert.equal(watched?.most, 1, "more than one at once");
    assert.equal(await page.locator('[data-count="succeeded"] .count-value').textContent(), "3");
    await page.getByRole("log").getByText("restarts").first().waitFor();

    // Two browsers see the same; and so does this one after a reload.
    await other.locator('.standing[data-status="completed"]').waitFor();
    await page.reload();
    await page.locator('.standing[data-status="completed"]').waitFor();
    await page.getByRole("log").getByText("started by a operator").waitFor();
    await page.goto("/rollouts");
    await page.getByRole("link", { name: "Update to 1.2.0" }).waitFor();
    assert.deepEqual(await axe(page), []);
  },
  { timeoutMs: 300_000 },
);
