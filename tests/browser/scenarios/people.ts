import assert from "node:assert/strict";
import { scenario } from "../runner.ts";
import { axe } from "../stage.ts";
import { GROUP, NODE, store } from "../stored.ts";

/** Of 64 characters, which is all that a token's name may have. */
const HOSTILE = `<b onmouseover="document.title='run'">\u202eevil</b>${"x".repeat(15)}`;

export const people = scenario(
  "people: an alert appears, is taken on and resolves in two browsers at once; the slower of two is told who was faster; names are harmless",
  async (stage, say) => {
    await stage.startCoordinator((stateDir) =>
      store(stateDir, [
        { kind: "group", value: GROUP, expected: 0 },
        { kind: "node", value: NODE, expected: 0 },
      ]),
    );
    const ann = await stage.signedIn("admin", "/alerts");
    const bob = await stage.signedIn("operator", "/alerts");
    for (const page of [ann, bob]) await page.locator("[data-alert]").getByText("Node offline").waitFor();
    for (const colors of ["light", "dark"] as const) {
      await ann.emulateMedia({ colorScheme: colors });
      assert.deepEqual(await axe(ann), [], colors);
    }
    await bob.getByRole("button", { name: /^Take on/ }).click();
    await bob.getByLabel("Note").fill("its disk is being changed");
    await bob.getByRole("dialog").getByRole("button", { name: "Take on" }).click();
    const began = performance.now();
    await ann.getByText(/taken on by operator a operator/).waitFor();
    say(`the other browser sees who has taken it on after ${Math.round(performance.now() - began)} ms`);
    await ann.getByText(/its disk is being changed/).waitFor();
    assert.match(
      (await ann.getByRole("button", { name: /^Take on/ }).getAttribute("aria-label")) ?? "",
      /operator a operator has taken it on/,
    );
    await stage.api.call("POST", `/v1/nodes/${NODE.id}/revoke`, {});
    for (const page of [ann, bob]) await page.getByText("Nothing needs anybody.").waitFor();
    await ann.getByRole("link", { name: "What was resolved" }).click();
    await ann.getByText(/resolved .*: Its credential was revoked/).waitFor();

    // Two decide about one node; the one who comes second is told of the first.
    const { secret } = await stage.api.call<{ secret: string }>("POST", "/v1/join-tokens", {
      group: GROUP.name,
      uses: 9,
    });
    const labels = { owner: HOSTILE.slice(0, 40) };
    await stage.api.call("POST", "/v1/join", { token: secret, name: "late", labels });
    const cleo = await stage.signedIn("admin", "/join");
    await ann.goto("/join");
    await cleo.getByRole("button", { name: "Reject late" }).click();
    await ann.getByRole("button", { name: "Approve late" }).click();
    await ann.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
    await ann.getByText("Nobody waits.").waitFor();
    await cleo.getByText("late waits no longer: node.approved by operator admin").waitFor();

    // Two change one group: what the first has written stays.
    for (const page of [ann, cleo]) {
      await page.goto(`/groups/${GROUP.name}`);
      await page.getByRole("button", { name: `Edit ${GROUP.name}` }).click();
    }
    await cleo.getByLabel("Spare voters").fill("2");
    await cleo.getByRole("dialog").getByRole("button", { name: "Edit" }).click();
    await cleo.getByRole("dialog").waitFor({ state: "detached" });
    await ann.getByLabel("Spare voters").fill("3");
    const dialog = ann.getByRole("dialog");
    await dialog.getByRole("button", { name: "Edit" }).click();
    await dialog.getByText("It was changed since you read it").waitFor();
    await dialog.getByText("The last change was group.edited by operator admin").waitFor();
    const { spare } = await stage.api.call<{ spare: number }>("GET", `/v1/groups/${GROUP.name}`);
    assert.equal(spare, 2);

    // A secret is shown once, and a name is a name.
    await ann.goto("/tokens");
    await ann.getByRole("button", { name: "New token" }).click();
    await ann.getByLabel("Name").fill(HOSTILE);
    await ann.getByRole("dialog").getByRole("button", { name: "New token" }).click();
    await ann
      .locator(".secret")
      .getByText(/^baton_operator_/)
      .waitFor();
    assert.deepEqual(await axe(ann), []);
    await ann.getByRole("button", { name: "I have it" }).click();
    await ann.locator(".secret").waitFor({ state: "detached" });
    await ann.getByRole("rowheader", { name: /onmouseover/ }).waitFor();
    assert.equal(await ann.locator("main b").count(), 0);
    await stage.api.call("POST", `/v1/groups/${GROUP.name}/freeze`, {
      reason: `${HOSTILE} ${"long".repeat(90)}`,
    });
    for (const path of ["/tokens", "/audit", `/groups/${GROUP.name}`, "/alerts?state=all"]) {
      const narrow = await stage.signedIn("admin", path, { width: 360, height: 780 });
      await narrow.locator("h1").waitFor();
      await narrow.locator(".skeleton").first().waitFor({ state: "detached" });
      assert.equal(await narrow.evaluate(() => document.documentElement.scrollWidth), 360, path);
      assert.equal(await narrow.locator("main b").count(), 0, path);
      assert.deepEqual(await axe(narrow), [], path);
    }

    // The audit log is looked through by its address, and leaves as lines of JSON.
    await ann.goto("/audit?action=token.");
    await ann.getByText("token.created").first().waitFor();
    assert.equal(await ann.getByText("group.frozen", { exact: true }).count(), 0);
    const exported = await ann.evaluate(async () => {
      const link = document.querySelector<HTMLAnchorElement>("a[download]");
      return (await fetch(link?.href ?? "")).text();
    });
    const actions = exported
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { action: string }).action);
    assert.ok(actions.length > 0 && actions.every((action) => action.startsWith("token.")), String(actions));

    // Who only sees has no button, and is refused when asking all the same.
    const viewer = await stage.signedIn("viewer", `/groups/${GROUP.name}`);
    await viewer.getByRole("heading", { name: "Members" }).waitFor();
    assert.equal(await viewer.locator("main button").count(), 0);
    await viewer.goto("/tokens");
    await viewer.getByText("Administrators see the tokens.").waitFor();
    // A deep link to what is gone says so.
    for (const path of ["/groups/was-removed", "/jobs/j-0000000000zz", "/rollouts/r-0000000000zz"]) {
      await viewer.goto(path);
      await viewer.getByRole("alert").waitFor();
    }
    assert.deepEqual(await axe(viewer), []);
  },
);
