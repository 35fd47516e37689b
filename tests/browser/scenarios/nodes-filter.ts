import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { scenario } from "../runner.ts";
import { axe } from "../stage.ts";

const names = (page: Page): Promise<string[]> => page.locator(".virtual .node-name").allInnerTexts();

export const nodesFilter = scenario(
  "nodes: the chip and the tile appear with a release, and what is looked for stands in the address",
  async (stage, say) => {
    await stage.startFleet();
    const page = await stage.signedIn("operator");
    const tile = page.getByRole("link", { name: /nodes? behind/ });
    await tile.getByText("0", { exact: true }).waitFor();
    const began = performance.now();
    await stage.publish("1.1.0");
    const published = performance.now();
    await tile.getByText("3", { exact: true }).waitFor();
    say(`the tile counts 3 nodes ${Math.round(performance.now() - published)} ms after the release is there`);
    say(`publishing took ${Math.round(published - began)} ms`);
    assert.deepEqual(await axe(page), []);

    await tile.click();
    await page.getByRole("heading", { name: "Nodes" }).waitFor();
    assert.equal(new URL(page.url()).search, "?show=behind");
    await page.getByText("out of date · 1.0.0 → 1.1.0").first().waitFor();
    assert.deepEqual(await names(page), ["anna", "bert", "cleo"]);

    await page.getByLabel("Search").fill("bert");
    await page.getByText("1 of 3 nodes").waitFor();
    assert.deepEqual(await names(page), ["bert"]);
    await page.reload();
    await page.getByText("1 of 3 nodes").waitFor();
    assert.equal(await page.getByLabel("Search").inputValue(), "bert");
    await page.getByLabel("Search").fill("");
    await page.getByRole("button", { name: "Name" }).click();
    await page.getByText("3 of 3 nodes").waitFor();
    assert.deepEqual(await names(page), ["cleo", "bert", "anna"]);
    await page.goBack();
    assert.deepEqual(await names(page), ["anna", "bert", "cleo"]);

    for (const colors of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme: colors });
      assert.deepEqual(await axe(page), [], colors);
    }

    // A viewer sees no button, and is refused when it asks all the same.
    const viewer = await stage.signedIn("viewer", "/nodes");
    await viewer.getByText("3 of 3 nodes").waitFor();
    assert.equal(await viewer.getByRole("button", { name: /^Update/ }).count(), 0);
    const [node] = (await stage.api.call<{ nodes: { id: string }[] }>("GET", "/v1/nodes")).nodes;
    const status = await viewer.evaluate(async (id) => {
      const headers = { "baton-dashboard": "1", "content-type": "application/json" };
      return (await fetch(`/v1/nodes/${id}/update`, { method: "POST", headers, body: "{}" })).status;
    }, node?.id);
    assert.equal(status, 403);
  },
);
