import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { scenario } from "../runner.ts";
import { axe } from "../stage.ts";

const button = (page: Page, name: string) => page.locator(".page-head").getByRole("button", { name });

/** Markup, another direction and no place to break: a label may say anything. */
const HOSTILE = `<img src=x onerror="document.title='owned'">\u202e${"x".repeat(190)}`;

export const nodePage = scenario(
  "one node: updated, brought back and diagnosed from its page, each button with a reason while it cannot be",
  async (stage) => {
    await stage.startFleet();
    await stage.fleet.baton(["nodes", "edit", "bert", "--label", `owner=${HOSTILE}`]);
    const page = await stage.signedIn("operator", "/nodes", { width: 360, height: 780 });
    await page.getByRole("link", { name: "bert" }).click();
    await page.getByRole("heading", { name: "bert" }).waitFor();
    await page.getByText(`owner=${HOSTILE}`).waitFor();
    assert.equal(await page.locator("img").count(), 0);
    assert.equal(await page.title(), "bert · Baton");
    assert.equal(
      await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth),
      false,
      "it scrolls sideways",
    );
    assert.equal(await button(page, "Update now").getAttribute("title"), "No release is published for it");
    assert.equal(await button(page, "Roll back").getAttribute("title"), "bert has no build to go back to");

    // The release is there: live, and then installed.
    await stage.publish("1.1.0");
    await page.getByText("out of date · 1.0.0 → 1.1.0").waitFor();
    await button(page, "Update now").click();
    await page.getByRole("dialog").getByRole("button", { name: "Update now" }).click();
    await page.locator('.page-head [title="A job is under way on it"]').first().waitFor();
    const builds = page.getByRole("region", { name: "Builds" });
    const jobs = page.getByRole("region", { name: "Jobs" });
    await jobs.getByText("succeeded").waitFor();
    assert.match((await builds.locator("dd").nth(0).textContent()) ?? "", /^1\.1\.0/);
    assert.match((await builds.locator("dd").nth(1).textContent()) ?? "", /^1\.0\.0/);

    await page.locator('.page-head [title="It runs 1.1.0 already"]').waitFor();

    // Back, once its name is typed; there it stays until told.
    await button(page, "Roll back").click();
    const dialog = page.getByRole("dialog");
    const back = dialog.getByRole("button", { name: /^Roll back/ });
    assert.equal(await back.getAttribute("title"), "Type bert first");
    await dialog.getByRole("textbox").fill("bert");
    await back.click();
    await builds.getByText("on hold: it stays on its build").waitFor();
    await button(page, "Try 1.1.0 again").waitFor();
    for (const colors of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme: colors });
      assert.deepEqual(await axe(page), [], colors);
    }

    await button(page, "Diagnose").click();
    await dialog.getByRole("button", { name: "Diagnose" }).click();
    await page.waitForURL(/\/jobs\/j-/);

    const viewer = await stage.signedIn("viewer", "/nodes");
    await viewer.getByRole("link", { name: "bert" }).click();
    await viewer.getByRole("heading", { name: "bert" }).waitFor();
    assert.equal(await viewer.locator(".page-head button").count(), 0);
  },
  { timeoutMs: 300_000 },
);
