import assert from "node:assert/strict";
import { FaultProxy } from "../../harness/fault-proxy.ts";
import { scenario } from "../runner.ts";

const EVENTS = /^\/v1\/events/;
const MINUTE_MS = 60_000;
/** Between two tries of the page. */
const LONGEST_PAUSE_MS = 15_000;
const WRONG_BY_MS = 3_600_000;

export const silence = scenario(
  "live: a line that is dead for a minute, and says nothing of it, is noticed; then nothing was missed",
  async (stage, say) => {
    await stage.startCoordinator();
    const port = Number(new URL(stage.fleet.url).port);
    const proxy = await FaultProxy.listen({ target: { host: "127.0.0.1", port } });
    const streams = () => proxy.requests.filter(({ path }) => path.startsWith("/v1/events"));
    try {
      const page = await stage.open({ through: proxy.url });
      // The minute is the page's own: it goes by at once, with all that the page does in it. Its clock is wrong.
      await page.clock.install({ time: Date.now() + WRONG_BY_MS });
      await page.goto("/groups");
      await page.getByLabel("Token").fill(await stage.adminToken());
      // The connection stays, and nothing more comes through it: neither an event nor an end. Nor is there another.
      proxy.inflict({ do: "stall", path: EVENTS, afterBytes: 1, times: 1 });
      const mend = proxy.inflict({ do: "refuse", path: EVENTS });
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.locator('[data-live="live"]').waitFor();
      await page.getByText("There is no group yet.").waitFor();
      await stage.api.call("POST", "/v1/groups", { name: "made-in-silence" });

      await page.clock.fastForward(MINUTE_MS);
      const banner = page.getByText(/Not live for 1 min/);
      await banner.waitFor();
      await page.getByText("nothing has come for a while").waitFor();
      assert.equal(await page.getByText("made-in-silence").count(), 0, "it is known already");
      mend();
      await page.clock.fastForward(LONGEST_PAUSE_MS);
      await banner.waitFor({ state: "detached" });
      await page.getByRole("link", { name: "made-in-silence" }).waitFor();

      // Live again, and cut for another minute: it goes on at the event where it was, and reads nothing anew.
      const refuse = proxy.inflict({ do: "refuse", path: EVENTS });
      proxy.cut();
      await page.getByText(/Not live for/).waitFor();
      for (const name of ["first", "second"]) await stage.api.call("POST", "/v1/groups", { name });
      await page.clock.fastForward(MINUTE_MS);
      await page.getByText(/Not live for/).waitFor();
      const refused = streams().filter(({ fault }) => fault === "refuse").length;
      say(`in its second minute it tried ${refused} times`);
      const before = proxy.requests.length;
      refuse();
      await page.clock.fastForward(LONGEST_PAUSE_MS);
      for (const name of ["first", "second"]) await page.getByRole("link", { name }).waitFor();
      const lists = proxy.requests.slice(before).filter(({ path }) => path.startsWith("/v1/groups?"));
      assert.deepEqual(lists, [], "the list was read anew, where the stream goes on");
    } finally {
      await proxy.close();
    }
  },
);
