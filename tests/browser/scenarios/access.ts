import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { until } from "../../../examples/demo/fleet.ts";
import { scenario } from "../runner.ts";
import { axe, type Stage } from "../stage.ts";

export const access = scenario(
  "access: by a join token of the page two nodes join, one is let in and one is not; a token is made, used, expires, is revoked",
  async (stage) => {
    await stage.startCoordinator();
    await stage.api.call("POST", "/v1/groups", { name: "web" });
    const page = await stage.signedIn("admin", "/join");
    await letIn(stage, page);
    await tokens(stage, page);

    const viewer = await stage.signedIn("viewer", "/join");
    await viewer.getByText("Nobody waits.").waitFor();
    assert.equal(await viewer.locator("main button").count(), 0);
  },
);

async function letIn(stage: Stage, page: Page): Promise<void> {
  const dialog = page.getByRole("dialog");
  await page.getByText("No join token was made yet.").waitFor();
  await page.getByRole("button", { name: "New join token" }).click();
  await dialog.getByLabel("For how many nodes").fill("2");
  assert.deepEqual(await axe(page), []);
  await dialog.getByRole("button", { name: "New join token" }).click();
  const line = (await page.locator(".secret").textContent()) ?? "";
  const [, secret = ""] = /^BATON_JOIN_TOKEN=(\S+) agent join /.exec(line) ?? [];
  assert.notEqual(secret, "", line);
  await page.getByRole("button", { name: "I have it" }).click();
  await page.reload();
  await page.getByRole("table", { name: "Join tokens" }).waitFor();
  assert.ok(!(await page.content()).includes(secret), "the secret is shown again");

  const credentials = new Map<string, string>();
  for (const name of ["wanted", "unwanted"]) {
    const joined = await post(stage, "/v1/join", { token: secret, name, labels: { rack: "r3" } });
    credentials.set(name, String(((await joined.json()) as { credential: string }).credential));
    await page.getByRole("rowheader", { name, exact: true }).waitFor();
  }
  await page.getByText("used up").waitFor();
  assert.deepEqual(await axe(page), []);
  await page.getByRole("button", { name: "Approve wanted" }).click();
  await dialog.getByRole("button", { name: "Approve" }).click();
  await page.getByRole("rowheader", { name: "wanted", exact: true }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Reject unwanted" }).click();
  await dialog.getByRole("button", { name: "Reject" }).click();
  await page.getByText("Nobody waits.").waitFor();
  const { nodes } = await stage.api.call<{ nodes: { name: string; membership: string }[] }>(
    "GET",
    "/v1/nodes",
  );
  assert.deepEqual(
    nodes.map(({ name, membership }) => [name, membership]),
    [["wanted", "approved"]],
  );
  const own = await fetch(`${stage.fleet.url}/v1/desired`, {
    headers: { authorization: `Bearer ${credentials.get("unwanted")}` },
  });
  assert.equal(own.status, 401, "the one that was turned away is still let in");
}

async function tokens(stage: Stage, page: Page): Promise<void> {
  const dialog = page.getByRole("dialog");
  await page.goto("/tokens");
  await page.getByRole("button", { name: "New token" }).click();
  await dialog.getByLabel("Name").fill("ci");
  await dialog.getByLabel("Role").selectOption("operator");
  await dialog.getByRole("button", { name: "New token" }).click();
  const secret = (await page.locator(".secret").textContent()) ?? "";
  await page.getByRole("button", { name: "I have it" }).click();
  const row = page.getByRole("row", { name: /^ci / });
  await row.getByText("operator").waitFor();
  await row.getByText("never").waitFor();
  assert.ok(!(await page.content()).includes(secret), "the secret is still in the page");
  assert.equal(await whoAmI(stage, secret), 200);
  await until("its last use to be seen", async () => {
    await page.reload();
    await row.waitFor();
    return (await row.getByText("never").count()) === 0;
  });

  // Good until it is not, under the eyes of who looks.
  await stage.api.call("POST", "/v1/tokens", { name: "short", role: "viewer", ttlMs: 1_500 });
  await page
    .getByRole("row", { name: /^short / })
    .getByText("expired")
    .waitFor();
  await row.getByRole("button", { name: "Revoke ci" }).click();
  await dialog.getByRole("button", { name: "Revoke" }).click();
  await row.getByText("revoked").waitFor();
  assert.equal(await whoAmI(stage, secret), 401);
  assert.deepEqual(await axe(page), []);
}

const post = (stage: Stage, path: string, body: object): Promise<Response> =>
  fetch(`${stage.fleet.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

async function whoAmI(stage: Stage, secret: string): Promise<number> {
  const answer = await fetch(`${stage.fleet.url}/v1/whoami`, {
    headers: { authorization: `Bearer ${secret}` },
  });
  await answer.body?.cancel();
  return answer.status;
}
