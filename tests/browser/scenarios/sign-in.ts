import assert from "node:assert/strict";
import { scenario } from "../runner.ts";
import { axe } from "../stage.ts";

/** As long as a busy machine may take to sign in. */
const GUEST_MS = 10_000;

export const signIn = scenario(
  "sign-in: by token and by link, out again, and never by what is no good",
  async (stage, say) => {
    await stage.startCoordinator();
    const page = await stage.open();
    // A deep link is come to as soon as one is signed in.
    await page.goto("/nodes?q=anna");
    const token = page.getByLabel("Token");
    await token.fill("baton_operator_no-such-token");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText("unknown, expired or revoked").waitFor();
    assert.deepEqual(await axe(page), []);
    await token.fill(await stage.adminToken());
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Nodes" }).waitFor();
    assert.equal(new URL(page.url()).search, "?q=anna");

    const [cookie] = await page.context().cookies();
    assert.equal(cookie?.httpOnly, true);
    assert.equal(cookie?.sameSite, "Strict");
    assert.equal(await page.evaluate(() => document.cookie), "");
    assert.deepEqual(
      await page.evaluate(() => [localStorage.length, sessionStorage.length]),
      [0, 0],
      "the browser keeps something",
    );

    // What another site's page could send with the cookie is refused, whatever it says.
    const foreign = await page.context().request.post("/v1/groups", { data: { name: "stolen" } });
    assert.equal(foreign.status(), 403);

    await page.getByRole("button", { name: "Sign out" }).click();
    await token.waitFor();
    await page.goto("/");
    await token.waitFor();
    assert.deepEqual(await page.context().cookies(), []);

    // By a link, once.
    const { url } = await stage.api.call<{ url: string }>("POST", "/v1/sign-in-links", {});
    await page.goto(url);
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    assert.equal(new URL(page.url()).hash, "", "the secret is still in the address bar");
    const other = await stage.open();
    await other.goto(url);
    await other.getByRole("alert").getByText("used already").waitFor();

    // Revoked under an open page: it says so, by itself.
    const viewer = await stage.signedIn("viewer");
    const { tokens } = await stage.api.call<{ tokens: { id: string; name: string }[] }>("GET", "/v1/tokens");
    const id = tokens.find(({ name }) => name === "a viewer")?.id;
    const began = performance.now();
    await stage.api.call("POST", `/v1/tokens/${id}/revoke`, {});
    await viewer.getByText("signed in no longer").waitFor();
    say(`a revoked token signs its page out after ${Math.round(performance.now() - began)} ms`);

    // Expired under an open page: the same, at the next sign of life. What is asked for is refused at once.
    const guest = await stage.open();
    await guest.goto("/tokens");
    const { secret } = await stage.api.call<{ secret: string }>("POST", "/v1/tokens", {
      name: "a guest",
      role: "admin",
      ttlMs: GUEST_MS,
    });
    const ends = performance.now() + GUEST_MS;
    await guest.getByLabel("Token").fill(secret);
    await guest.keyboard.press("Enter");
    await guest.getByRole("table", { name: "Tokens" }).waitFor();
    await guest.getByText("signed in no longer").waitFor();
    const lateMs = Math.round(performance.now() - ends);
    say(`an expired token signs its page out ${lateMs} ms after it has expired`);
    assert.ok(lateMs > -1_000, "it was signed out before its time");
    assert.deepEqual(await axe(guest), []);
    await guest.getByLabel("Token").fill(secret);
    await guest.keyboard.press("Enter");
    await guest.getByRole("alert").getByText("unknown, expired or revoked").waitFor();
  },
);
