import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { scenario } from "../runner.ts";
import { axe, GROUP } from "../stage.ts";

/** Presses a button, and the one of the same name in the question that follows. */
async function press(page: Page, name: string, typed?: string): Promise<void> {
  await page.locator(".page-head").getByRole("button", { name }).click();
  const dialog = page.getByRole("dialog");
  if (typed !== undefined) await dialog.getByRole("textbox").fill(typed);
  await dialog.getByRole("button", { name: name.split(" the ")[0] ?? name, exact: true }).click();
}

const standing = (page: Page, status: string): Promise<void> =>
  page.locator(`.standing[data-status="${status}"]`).waitFor({ timeout: 120_000 });

export const rolloutSteered = scenario(
  "rollouts: paused, resumed and rolled back; whoever is second is told what the first has done",
  async (stage) => {
    await stage.startFleet();
    await stage.publish("1.1.0");
    const { id } = await stage.api.call<{ id: string }>("POST", "/v1/rollouts", {
      selection: { groups: [GROUP] },
      release: "1.1.0",
    });
    const page = await stage.signedIn("operator", `/rollouts/${id}`);
    const other = await stage.signedIn("operator", `/rollouts/${id}`);
    await press(page, "Pause");
    await standing(page, "paused");
    await standing(other, "paused");
    await other.locator(".standing").getByText("Paused by a operator.").waitFor();
    await press(other, "Resume");
    await standing(page, "completed");

    // Back, once the count is typed: a rollout of its own, which the page goes to.
    await page.locator(".page-head").getByRole("button", { name: "Roll back" }).click();
    const dialog = page.getByRole("dialog");
    const back = dialog.getByRole("button", { name: /^Roll back/ });
    assert.equal(await back.getAttribute("aria-disabled"), "true");
    assert.deepEqual(await axe(page), []);
    await dialog.getByRole("textbox").fill("3");
    await back.click();
    await page.getByRole("heading", { name: "Roll back from 1.1.0" }).waitFor();
    assert.notEqual(new URL(page.url()).pathname, `/rollouts/${id}`);

    // Two act at once: the second has the question open while the first answers it.
    await press(page, "Pause");
    await standing(page, "paused");
    await other.goto(new URL(page.url()).pathname);
    await standing(other, "paused");
    await other.getByRole("button", { name: "Resume" }).click();
    // The stream is held back, as a slow line would.
    await other.route("**/resume", async (route) => {
      await press(page, "Cancel the rollout");
      await standing(page, "cancelled");
      await route.continue();
    });
    await other.getByRole("dialog").getByRole("button", { name: "Resume" }).click();
    await other.getByText(/is cancelled and cannot be resumed/).waitFor();
    await other.getByRole("dialog").getByText("rollout.cancelled").waitFor();
    await standing(other, "cancelled");

    // A link to a rollout that is not there any more.
    await page.goto("/rollouts/r-000000000000");
    await page.getByRole("alert").waitFor();
    await page.getByRole("link", { name: "All rollouts" }).waitFor();
    await page.goto("/nodes/n-000000000000");
    await page.getByText("There is no such node.").waitFor();
  },
  { timeoutMs: 300_000 },
);
