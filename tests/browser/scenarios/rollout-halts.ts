import assert from "node:assert/strict";
import { scenario } from "../runner.ts";
import { axe, GROUP } from "../stage.ts";

export const rolloutHalts = scenario(
  "rollouts: a build that fails halts it, and the page says why and what to do; a viewer can only look",
  async (stage, say) => {
    await stage.startFleet();
    await stage.publish("1.1.0", "broken");
    const { id } = await stage.api.call<{ id: string }>("POST", "/v1/rollouts", {
      selection: { groups: [GROUP] },
      release: "1.1.0",
    });
    const page = await stage.signedIn("operator", `/rollouts/${id}`);
    const began = performance.now();
    const standing = page.locator('.standing[data-status="halted"]');
    await standing.waitFor();
    say(`halted ${((performance.now() - began) / 1000).toFixed(1)} s after the page was opened`);
    await standing.getByRole("heading", { name: "What to do next" }).waitFor();
    await standing.getByText("2 nodes are untouched, and serve what they served.").waitFor();
    assert.equal(await standing.getByRole("link", { name: "its log" }).count(), 1);
    const failed = page.locator('.square[data-status="rolled-back"], .square[data-status="failed"]');
    assert.equal(await failed.count(), 1);
    // Its name and why, on focus.
    const label = (await failed.getAttribute("aria-label")) ?? "";
    await failed.focus();
    const name = label.split(":")[0] ?? "";
    await page.locator(".squares-said").getByText(name).waitFor();
    await page.getByText("1 failed, none allowed").waitFor();
    const row = page.getByRole("table", { name: "Nodes of the rollout" }).locator("tr", { hasText: name });
    await row.getByText("1.0.0 → 1.1.0").waitFor();
    assert.match(
      (await row.getByRole("link", { name: /^Log of/ }).getAttribute("href")) ?? "",
      /^\/jobs\/j-/,
    );
    for (const colors of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme: colors });
      assert.deepEqual(await axe(page), [], colors);
    }

    // Each button that cannot be pressed says why.
    const pause = page.getByRole("button", { name: /^Pause/ });
    assert.equal(await pause.getAttribute("title"), "It is halted: no further turn is given");

    // A viewer sees all of it and no button, and is refused when it asks all the same.
    const viewer = await stage.signedIn("viewer", `/rollouts/${id}`);
    await viewer.locator('.standing[data-status="halted"]').waitFor();
    assert.equal(await viewer.locator(".page-head button").count(), 0);
    const statuses = await viewer.evaluate(async (rollout) => {
      const headers = { "baton-dashboard": "1", "content-type": "application/json" };
      const ask = async (path: string, body?: string): Promise<number> =>
        (
          await fetch(path, {
            method: "POST",
            headers: body === undefined ? { "baton-dashboard": "1" } : headers,
            ...(body === undefined ? {} : { body }),
          })
        ).status;
      return [
        await ask(`/v1/rollouts/${rollout}/retry`),
        await ask(`/v1/rollouts/${rollout}/cancel`),
        await ask("/v1/rollouts", JSON.stringify({ selection: { all: true } })),
      ];
    }, id);
    assert.deepEqual(statuses, [403, 403, 403]);
    await viewer.goto("/rollouts/new");
    await viewer.getByText("You may look, and not start anything.").waitFor();

    // The node's own page: back on the old build, with what it will not try again and why.
    await row.getByRole("link", { name, exact: true }).click();
    await page.getByRole("heading", { name, exact: true }).waitFor();
    const quarantined = page.locator('[data-quarantined="1.1.0"]');
    await quarantined.waitFor();
    say(`quarantined: ${await quarantined.locator("p").first().textContent()}`);
    await page.getByRole("button", { name: "Try 1.1.0 again" }).waitFor();
    await page.getByRole("region", { name: "Jobs" }).getByText("failed").first().waitFor();
    assert.deepEqual(await axe(page), []);
    await page.goBack();

    // Retry goes on with it: it fails again, and halts again.
    await page.getByRole("button", { name: "Retry" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Retry" }).click();
    await page.locator('.standing[data-status="running"]').waitFor();
    await standing.waitFor();
    await page.getByRole("button", { name: "Cancel the rollout" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await page.locator('.standing[data-status="cancelled"]').waitFor();
  },
  { timeoutMs: 300_000 },
);
