import assert from "node:assert/strict";
import { scenario } from "../runner.ts";
import { axe, type Stage } from "../stage.ts";

const NAME = "workers";

export const fleetLock = scenario(
  "FleetLock: opened with a password that is shown once; who asks waits for approval, and is seen to hold the lock",
  async (stage) => {
    await stage.startCoordinator();
    await stage.api.call("POST", "/v1/groups", { name: NAME, mode: "quorum" });
    const page = await stage.signedIn("admin", `/groups/${NAME}`);
    const panel = page.getByRole("region", { name: "FleetLock" });
    await panel.getByText("It is closed here.").waitFor();
    await panel.getByRole("button", { name: "Open: FleetLock" }).click();
    const dialog = page.getByRole("dialog");
    assert.deepEqual(await axe(page), []);
    await dialog.getByRole("button", { name: "Open", exact: true }).click();
    const base = new URL((await page.locator(".secret").textContent()) ?? "");
    assert.deepEqual([base.username, base.origin], [NAME, stage.fleet.url]);
    await page.getByRole("button", { name: "I have it" }).click();
    await panel.getByText("wanted of its clients").waitFor();
    assert.ok(!(await page.content()).includes(base.password), "the password is still in the page");

    const { password } = base;
    assert.equal(await ask(stage, "pre-reboot", "guessed"), 401);
    assert.equal(await ask(stage, "pre-reboot", password), 403);
    await panel.getByRole("link", { name: "waits for approval" }).click();
    await page.getByRole("button", { name: "Approve core-1" }).click();
    await dialog.getByRole("button", { name: "Approve" }).click();
    await page.getByText("Nobody waits.").waitFor();
    await page.goBack();
    await panel.getByText("does not hold it").waitFor();

    assert.equal(await ask(stage, "pre-reboot", password), 200);
    await panel.getByText(/holds the lock for/).waitFor();
    const lease = page.getByRole("region", { name: "Lease" });
    await lease.getByText("core-1, in flight").waitFor();
    assert.equal(await lease.getByRole("link", { name: /^j-/ }).count(), 0, "a link to a job that is none");
    for (const colors of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme: colors });
      assert.deepEqual(await axe(page), [], colors);
    }
    const viewer = await stage.signedIn("viewer", "/nodes");
    await viewer.getByText("may reboot").waitFor();
    await viewer.getByRole("link", { name: "core-1" }).click();
    await viewer.getByText("not known of FleetLock clients").waitFor();
    await viewer.goto(`/groups/${NAME}`);
    await viewer.getByText(/holds the lock for/).waitFor();
    assert.equal(await viewer.locator("main button").count(), 0);

    assert.equal(await ask(stage, "steady-state", password), 200);
    for (const each of [page, viewer]) await each.getByText("does not hold it").waitFor();
    await panel.getByRole("button", { name: "Close" }).click();
    await dialog.getByRole("button", { name: "Close" }).click();
    await panel.getByText("It is closed here.").waitFor();
    assert.equal(await ask(stage, "pre-reboot", password), 404);
  },
);

/** As a client would; the status of the answer. */
async function ask(stage: Stage, what: "pre-reboot" | "steady-state", password: string): Promise<number> {
  const answer = await fetch(`${stage.fleet.url}/v1/${what}`, {
    method: "POST",
    headers: {
      "fleet-lock-protocol": "true",
      authorization: `Basic ${Buffer.from(`${NAME}:${password}`).toString("base64")}`,
    },
    body: JSON.stringify({ client_params: { id: "core-1", group: NAME } }),
  });
  await answer.body?.cancel();
  return answer.status;
}
